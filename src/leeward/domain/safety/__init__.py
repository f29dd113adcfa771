"""Help lines: whom to call when a group is not enough.

We promise that the help page opens for everybody, signed out too, and that a number nobody checked says so.
"""
