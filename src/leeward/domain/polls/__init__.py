"""Thumbs up, thumbs down, pass: how equals decide.

We promise that nobody ever sees a count or a name: the outcome is one word, and the votes are gone when it is known.
"""
