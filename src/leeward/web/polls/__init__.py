"""Thumbs."""
