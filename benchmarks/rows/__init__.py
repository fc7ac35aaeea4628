"""The rows of `speed.py`, one module for each part of the system that somebody waits for."""
