"""Pages of a group and its members."""
