"""Pages of a group's places."""
