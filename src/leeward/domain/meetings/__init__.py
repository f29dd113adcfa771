"""The dates of a group: rhythm, agenda, who comes, who came, and the sealed record.

We promise that 18:00 stays 18:00 across a clock change, that silence is a fine answer, and that a record, once sealed,
is only ever added to.
"""
