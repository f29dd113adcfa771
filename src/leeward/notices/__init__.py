"""Floor 3: who is told, how and when."""
