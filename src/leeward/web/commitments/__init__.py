"""One's own next step."""
