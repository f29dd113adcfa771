"""One concrete step before next time, by one's own choice.

We promise that a step marked "only me" is never shown to anybody else, in the room or in the record.
"""
