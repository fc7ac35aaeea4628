"""Anyone's log to columns: good files, bad rows, Open Bandit."""
