"""The Questions world: a question arrives, one of the known answers is shown, and it is right or not."""
