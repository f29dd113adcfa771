"""Floor 5: how the house is put together. Settings, addresses, the wiring of consequences, the command line."""
