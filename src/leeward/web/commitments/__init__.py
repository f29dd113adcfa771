"""My own steps."""
