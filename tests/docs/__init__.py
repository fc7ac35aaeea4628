"""The documentation: its code runs, its links lead somewhere, and nothing public is undocumented."""
