"""A group's way in and out."""
