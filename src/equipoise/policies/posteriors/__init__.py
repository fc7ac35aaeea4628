"""One file a posterior: what is believed of the mean reward, and how a row changes it."""
