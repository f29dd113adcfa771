"""A group's way in and out: what lists of former meetings mean, and the one sealed file a group travels in.

We promise that nothing is stored before everything was checked, that every row left out is named with its line and
its reason, that the same files read twice are one history, and that no address inside a file is ever opened.
"""
