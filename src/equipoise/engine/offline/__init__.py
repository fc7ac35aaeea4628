"""Logs and the engine: choices to train a policy on, warm starts from another system, challengers as files."""
