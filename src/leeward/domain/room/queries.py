"""Reads of a room, for a member, and for whoever draws its picture."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from leeward.domain.groups.models import Membership, Pause
from leeward.domain.groups.rules import Member
from leeward.domain.room import rules
from leeward.domain.room.models import Room, RoomEntry
from leeward.domain.room.rules import Entry, State
from leeward.lib.tickets import Clock


def room_of(ticket: Member, *, meeting: str) -> Room | None:
    """The room of a meeting of my group; None before it is opened. Raises NotHere for a meeting that is not ours."""
    return Room.objects.filter(meeting=meeting, meeting__group=ticket.group).first()


# Entries only grow, so a fold up to some entry holds for good: a process keeps its newest folds and reads on from
# there. A fold is used only while its last entry is still the same row.
_FOLDS_MOST = 512
_folds: dict[str, tuple[int, str, State]] = {}


def folded(room: Room) -> tuple[State, int]:
    """The state as the entries say, and the last seq (0: none). What the clock owes is not in it yet."""
    known = _folds.get(room.pk)
    rows = list(RoomEntry.objects.filter(room=room, seq__gte=known[0] if known else 0).order_by("seq"))
    if known and rows and (rows[0].seq, rows[0].pk) == known[:2]:
        state, rows = known[2], rows[1:]
        last = known[:2]
    else:
        if known:
            rows = list(RoomEntry.objects.filter(room=room).order_by("seq"))
        state, last = rules.opening_of(room.opening), (0, "")
    state = rules.state_of(state, (Entry.from_json(row.entry) for row in rows))
    if rows:
        last = (rows[-1].seq, rows[-1].pk)
    if last[0]:
        _folds[room.pk] = (*last, state)
        while len(_folds) > _FOLDS_MOST:
            _folds.pop(next(iter(_folds)), None)
    return state, last[0]


def forget(room: str) -> None:
    """Drop what this process remembers of a room that is closed."""
    _folds.pop(room, None)


def forget_meeting(meeting: str) -> None:
    """As `forget`, by the meeting."""
    for room in Room.objects.filter(meeting=meeting).values_list("pk", flat=True):
        forget(room)


@dataclass(frozen=True)
class Look:
    """The room as somebody sees it at a moment. `due` is when it will look different by itself."""

    room: str
    seq: int
    state: State
    due: datetime | None = None


@dataclass(frozen=True)
class Scene:
    """What a picture is drawn from: no reader, so nothing of one person only."""

    group: str
    meeting: str
    zone: str
    seq: int
    state: State
    due: datetime | None
    names: tuple[tuple[str, str], ...]
    away: frozenset[str]  # on a break: listed only when they are here


def scene(_by: Clock, *, meeting: str, at: datetime) -> Scene | None:
    """An open room with the names of who has a seat, in four statements; None when it is not open (any more)."""
    room = Room.objects.filter(meeting=meeting, closed_at=None).select_related("meeting__group").first()
    if room is None:
        return None
    state, seq = folded(room)
    if seq == 0:  # closed in this moment
        return None
    seats = Membership.objects.filter(group=room.meeting.group_id, stints__ended_at=None).order_by("number")
    names = tuple((row.pk, row.name) for row in seats.only("id", "name", "number"))
    away = frozenset(
        Pause.objects.filter(membership__group=room.meeting.group_id, ended_at=None).values_list(
            "membership", flat=True
        )
    )
    due = rules.next_change(state, at)
    return Scene(room.meeting.group_id, meeting, room.meeting.zone, seq, state, due, names, away)


def open_rooms(_by: Clock) -> tuple[tuple[str, str], ...]:
    """(group, meeting) of every open room, for the clock."""
    return tuple(Room.objects.filter(closed_at=None).values_list("meeting__group", "meeting"))
