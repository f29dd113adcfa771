"""A cast that meets: a pledge everybody agreed to, a rhythm, a room."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.test import override_settings

from leeward.domain.meetings import actions as meetings
from leeward.domain.meetings import queries as meeting_queries
from leeward.domain.meetings.models import Meeting
from leeward.domain.meetings.rules import Rhythm, Way, shown_at
from leeward.domain.pledges import actions as pledges
from leeward.domain.room import actions as room
from leeward.domain.room.rules import Move
from tests.cast import INSIDE, NOW, ZONE, Harbour

START = NOW + timedelta(days=7)


def agreed(here: Harbour, *, at: datetime = NOW, names: tuple[str, ...] = INSIDE) -> str:
    """Ana drafts and adopts a pledge, `names` agree. Returns its id."""
    ana = here.ticket("Ana", at=at)
    pledges.draft(ana, lines=["What is said here stays here."], at=at)
    pledge = pledges.adopt(ana, at=at)
    for name in names:
        pledges.agree(here.ticket(name, at=at), pledge=pledge, at=at)
    return pledge


def planned(here: Harbour, *, start: datetime = START, at: datetime = NOW) -> Meeting:
    """Fortnightly dates from `start`; the first of them."""
    ana = here.ticket("Ana", at=at)
    with override_settings(LEEWARD_EXAMPLE_LINES_COUNT=True):  # as in the demo
        meetings.set_rhythm(ana, Rhythm(shown_at(start, ZONE), ZONE, cycle=(Way.HYBRID,)), place=None, at=at)
    first = meeting_queries.next_meeting(ana, at=at)
    assert first is not None
    return first


def held(here: Harbour, *, steps: dict[str, tuple[str, str]] | None = None, meeting: Meeting | None = None) -> Meeting:
    """Ben leads a meeting of everybody; `steps` by name as (text, who may read it)."""
    row = meeting or planned(here)
    start = row.starts_at
    meetings.take_turn(here.ticket("Ben"), meeting=row.pk, at=NOW)
    room.open_room(here.ticket("Ben", at=start), meeting=row.pk, at=start)
    for name in INSIDE:
        if name != "Ben":
            room.move(here.ticket(name, at=start), meeting=row.pk, move=Move.ARRIVE, at=start)
    room.move(here.ticket("Ben", at=start), meeting=row.pk, move=Move.START, at=start)
    for name, (text, seen) in (steps or {}).items():
        room.move(here.ticket(name, at=start), meeting=row.pk, move=Move.COMMIT, text=text, seen=seen, at=start)
    room.move(here.ticket("Ben", at=start), meeting=row.pk, move=Move.CLOSE, at=start + timedelta(minutes=55))
    return Meeting.objects.get(pk=row.pk)
