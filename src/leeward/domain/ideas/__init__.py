"""What a group might try one day: lines that its brainstorms caught and somebody chose to keep.

We promise that a line never says who thought of it, and that letting go of one needs no reason.
"""
