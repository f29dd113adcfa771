"""A ticket opens a door. Queries and actions take a ticket, never a user's id.

People's tickets stand with their noun (`people.Self`, `groups.Member`); here are the three that know no noun.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bearer:
    """Whoever holds a token from a letter. `kind` names the one thing it opens, `subject` is that thing's id."""

    kind: str
    subject: str


@dataclass(frozen=True)
class Clock:
    """The clock itself: performs what fell due."""


@dataclass(frozen=True)
class Operator:
    """Who runs the server, at its command line. Sees no group from the inside."""
