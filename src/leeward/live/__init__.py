"""Floor 4, a door: sockets of the meeting room."""
