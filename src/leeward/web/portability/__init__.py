"""Bringing in a group that exists already."""
