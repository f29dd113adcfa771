"""The live meeting: one hour that keeps time and never depends on one person.

We promise that what happens in the room stays in the room: when it closes, its entries are gone, and only who came,
the steps people chose to share and the procedural record remain.
"""
