"""Floor 4, a door: the clock and what falls due."""
