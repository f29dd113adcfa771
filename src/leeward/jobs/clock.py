"""The clock: one table of duties. A duty asks what is due at a moment and performs it; twice changes nothing.

Nothing is wrong merely because no clock ran: pages decide what is due when they look.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from leeward.domain.groups import actions as groups
from leeward.domain.groups import queries as group_queries
from leeward.domain.meetings import actions as meetings
from leeward.domain.meetings import queries as meeting_queries
from leeward.domain.people import actions as people
from leeward.domain.polls import actions as polls
from leeward.domain.polls import queries as poll_queries
from leeward.domain.portability import actions as portability
from leeward.domain.room import actions as room
from leeward.domain.room import queries as room_queries
from leeward.lib.tickets import Clock

Duty = Callable[[datetime], int]


def _seats(at: datetime) -> int:
    return sum(
        groups.end_long_pauses(Clock(), group=group, at=at) + groups.offer_due_seats(Clock(), group=group, at=at)
        for group in group_queries.groups_with_due_seats(Clock(), at=at)
    )


def _dates(at: datetime) -> int:
    return sum(
        meetings.plan_ahead(Clock(), group=group, at=at) for group in meeting_queries.groups_with_rhythm(Clock())
    )


def _rooms(at: datetime) -> int:
    return sum(
        room.fold_due(Clock(), group=group, meeting=meeting, at=at)
        for group, meeting in room_queries.open_rooms(Clock())
    )


def _polls(at: datetime) -> int:
    return sum(polls.settle(group, at=at) for group in poll_queries.groups_with_due_polls(Clock(), at=at))


def _uploads(at: datetime) -> int:
    return portability.forget_old_uploads(Clock(), at=at)


def _visits(at: datetime) -> int:
    return people.forget_old_visits(at=at) + people.forget_unanswered_accounts(Clock(), at=at)


def _invitations(at: datetime) -> int:
    return groups.forget_ended_invitations(Clock(), at=at)


DUTIES: Mapping[str, tuple[timedelta, Duty]] = {
    "seats": (timedelta(minutes=5), _seats),
    "dates": (timedelta(hours=1), _dates),
    "rooms": (timedelta(minutes=1), _rooms),
    "polls": (timedelta(minutes=5), _polls),
    "uploads": (timedelta(hours=1), _uploads),
    "visits": (timedelta(hours=1), _visits),
    "invitations": (timedelta(hours=1), _invitations),
}


def tick(*, at: datetime) -> dict[str, int]:
    """Perform every duty once. Returns how much each found to do."""
    return {name: duty(at) for name, (_every, duty) in DUTIES.items()}
