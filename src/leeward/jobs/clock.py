"""The clock: one table of duties. A duty asks what is due at a moment and performs it; twice changes nothing.

Nothing is wrong merely because no clock ran: pages decide what is due when they look. What fails in one group keeps no
other from its due; it is logged by its kind, without a word that anybody typed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial

from leeward.domain.commitments import actions as commitments
from leeward.domain.groups import actions as groups
from leeward.domain.groups import queries as group_queries
from leeward.domain.journal import actions as journal
from leeward.domain.meetings import actions as meetings
from leeward.domain.meetings import queries as meeting_queries
from leeward.domain.people import actions as people
from leeward.domain.polls import actions as polls
from leeward.domain.polls import queries as poll_queries
from leeward.domain.portability import actions as portability
from leeward.domain.room import actions as room
from leeward.domain.room import queries as room_queries
from leeward.lib.tickets import Clock

_log = logging.getLogger("leeward.clock")

Step = Callable[[], int]  # performs what is due in one group; returns how much it found to do
Duty = Callable[[datetime], Iterator[Step]]


class Unfinished(Exception):
    """Something failed; everything else was performed. `done` is how much each duty found to do."""

    def __init__(self, done: dict[str, int], failed: dict[str, list[str]]) -> None:
        self.done, self.failed = done, failed
        super().__init__("; ".join(f"{duty}: {', '.join(kinds)}" for duty, kinds in failed.items()))


def _seats(at: datetime) -> Iterator[Step]:
    for group in group_queries.groups_with_due_seats(Clock(), at=at):
        yield partial(groups.end_long_pauses, Clock(), group=group, at=at)
        yield partial(groups.offer_due_seats, Clock(), group=group, at=at)


def _dates(at: datetime) -> Iterator[Step]:
    for group in meeting_queries.groups_with_rhythm(Clock()):
        yield partial(meetings.plan_ahead, Clock(), group=group, at=at)


def _rooms(at: datetime) -> Iterator[Step]:
    for group, meeting in room_queries.open_rooms(Clock()):
        yield partial(room.fold_due, Clock(), group=group, meeting=meeting, at=at)


def _polls(at: datetime) -> Iterator[Step]:
    for group in poll_queries.groups_with_due_polls(Clock(), at=at):
        yield partial(polls.settle, group, at=at)


def _uploads(at: datetime) -> Iterator[Step]:
    yield partial(portability.forget_old_uploads, Clock(), at=at)


def _visits(at: datetime) -> Iterator[Step]:
    yield partial(people.forget_old_visits, at=at)
    yield partial(people.forget_unanswered_accounts, Clock(), at=at)


def _links(at: datetime) -> Iterator[Step]:
    yield partial(people.forget_ended_links, Clock(), at=at)


def _steps(at: datetime) -> Iterator[Step]:
    yield partial(commitments.forget_old, Clock(), at=at)


def _journal(at: datetime) -> Iterator[Step]:
    yield partial(journal.forget_old, Clock(), at=at)


def _invitations(at: datetime) -> Iterator[Step]:
    yield partial(groups.forget_ended_invitations, Clock(), at=at)


DUTIES: Mapping[str, tuple[timedelta, Duty]] = {
    "seats": (timedelta(minutes=5), _seats),
    "dates": (timedelta(hours=1), _dates),
    "rooms": (timedelta(minutes=1), _rooms),
    "polls": (timedelta(minutes=5), _polls),
    "uploads": (timedelta(hours=1), _uploads),
    "visits": (timedelta(hours=1), _visits),
    "invitations": (timedelta(hours=1), _invitations),
    "links": (timedelta(hours=1), _links),
    "steps": (timedelta(days=1), _steps),
    "journal": (timedelta(days=1), _journal),
}


def tick(*, at: datetime) -> dict[str, int]:
    """Perform every duty once. Returns how much each found to do. Raises Unfinished at the end if something failed."""
    done: dict[str, int] = {}
    failed: dict[str, list[str]] = {}
    for name, (_every, duty) in DUTIES.items():
        done[name], kinds = _performed(name, duty, at)
        if kinds:
            failed[name] = kinds
    if failed:
        raise Unfinished(done, failed)
    return done


def _performed(name: str, duty: Duty, at: datetime) -> tuple[int, list[str]]:
    number = 0
    failed: list[str] = []
    steps = duty(at)
    while True:
        try:
            step = next(steps, None)
            if step is None:
                return number, failed
            number += step()
        except Exception as error:  # whatever it is, the next group is not kept waiting
            failed.append(type(error).__name__)
            _log.error("%s: %s", name, failed[-1])
