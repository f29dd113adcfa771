"""A person: the name they show, their language, their time zone, their devices.

We promise that a pseudonym is enough, that there is no password to lose, and that nobody can look a person up.
"""
