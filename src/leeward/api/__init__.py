"""Floor 4, a door: JSON and calendar feeds."""
