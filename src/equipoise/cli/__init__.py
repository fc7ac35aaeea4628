"""The command line: one file per command; it prints, exits with a code, and decides nothing."""

from equipoise.cli.app import main

__all__ = ["main"]
