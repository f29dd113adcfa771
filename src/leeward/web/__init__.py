"""Floor 4, a door: pages. A view asks for a ticket, reads a form, calls one action, answers."""
