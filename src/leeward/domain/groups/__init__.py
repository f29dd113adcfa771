"""A group of equals: why it meets, who is in it, who waits, how one comes and goes.

We promise that nobody owns a group, that a seat is never taken by jumping the line, and that leaving is leaving:
from the next request on, somebody who left sees nothing.
"""
