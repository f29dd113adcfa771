"""Pages of meetings, rhythm and record."""
