"""The launch path."""
