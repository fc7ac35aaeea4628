"""What an evaluation says: table, JSON, page."""
