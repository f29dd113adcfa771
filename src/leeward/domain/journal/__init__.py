"""What happened, in a group's own book: which fact, when, and by whom only where its event says so.

We promise that the journal holds no free text and forgets with its subject.
"""
