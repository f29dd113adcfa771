"""The clock: one table of duties. A duty asks what is due at a moment and performs it; twice changes nothing.

Nothing is wrong merely because no clock ran: pages decide what is due when they look.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from leeward.domain.groups import actions as groups
from leeward.domain.groups import queries as group_queries
from leeward.domain.people import actions as people
from leeward.lib.tickets import Clock

Duty = Callable[[datetime], int]


def _seats(at: datetime) -> int:
    return sum(
        groups.end_long_pauses(Clock(), group=group, at=at) + groups.offer_due_seats(Clock(), group=group, at=at)
        for group in group_queries.groups_with_due_seats(Clock(), at=at)
    )


def _visits(at: datetime) -> int:
    return people.forget_old_visits(at=at)


def _invitations(at: datetime) -> int:
    return groups.forget_ended_invitations(Clock(), at=at)


DUTIES: Mapping[str, tuple[timedelta, Duty]] = {
    "seats": (timedelta(minutes=5), _seats),
    "visits": (timedelta(hours=1), _visits),
    "invitations": (timedelta(hours=1), _invitations),
}


def tick(*, at: datetime) -> dict[str, int]:
    """Perform every duty once. Returns how much each found to do."""
    return {name: duty(at) for name, (_every, duty) in DUTIES.items()}
