"""How thumbs decide.

A poll is carried on more ups than downs, when at least half of the group's active members answered: up, down or pass.
Active are those who were at the opening and still are at the close, with an account; who of them may answer is a
question of the pledge. A tie is not carried; it may be put again. The outcome is one word, never a count.
"""

from __future__ import annotations

import enum
from datetime import datetime, timedelta

LASTS = timedelta(hours=72)
OPEN_MOST = 20


class Kind(enum.StrEnum):
    """What is asked."""

    ITEM = "item"
    CHANGE = "change"


class Thumb(enum.StrEnum):
    UP = "up"
    DOWN = "down"
    PASS = "pass"  # noqa: S105


class Outcome(enum.StrEnum):
    CARRIED = "carried"
    NOT_CARRIED = "not_carried"
    NOT_ENOUGH_ANSWERED = "not_enough_answered"


class Change(enum.StrEnum):
    """What a carried poll changes. Each is one field of the group, its pledge, or its rhythm."""

    PURPOSE = "purpose"
    COHORT = "cohort"
    NAME = "name"
    FORMAT = "format"
    CAPACITY = "capacity"
    RHYTHM = "rhythm"
    PLEDGE = "pledge"
    TALK = "talk"


def outcome(*, ups: int, downs: int, passes: int, eligible: int) -> Outcome:
    """At least half must have answered; then more ups than downs carries."""
    answered = ups + downs + passes
    if answered == 0 or 2 * answered < eligible:
        return Outcome.NOT_ENOUGH_ANSWERED
    return Outcome.CARRIED if ups > downs else Outcome.NOT_CARRIED


def closes_at(opened_at: datetime, meeting_starts: datetime | None) -> datetime:
    """72 hours, or when the meeting starts if that is sooner."""
    end = opened_at + LASTS
    return end if meeting_starts is None else min(end, meeting_starts)
