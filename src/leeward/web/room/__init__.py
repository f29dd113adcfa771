"""The live meeting as ordinary pages."""
