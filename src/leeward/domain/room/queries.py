"""Reads of a room, for a member."""

from __future__ import annotations

from dataclasses import dataclass

from leeward.domain.groups.rules import Member
from leeward.domain.room import rules
from leeward.domain.room.models import Room, RoomEntry
from leeward.domain.room.rules import Entry, State
from leeward.lib.tickets import Clock


def room_of(ticket: Member, *, meeting: str) -> Room | None:
    """The room of a meeting of my group; None before it is opened. Raises NotHere for a meeting that is not ours."""
    return Room.objects.filter(meeting=meeting, meeting__group=ticket.group).first()


def folded(room: Room) -> tuple[State, int]:
    """The state as the entries say, and the last seq (0: none). What the clock owes is not in it yet."""
    rows = list(RoomEntry.objects.filter(room=room).order_by("seq"))
    state = rules.state_of(rules.opening_of(room.opening), (Entry.from_json(row.entry) for row in rows))
    return state, rows[-1].seq if rows else 0


@dataclass(frozen=True)
class Look:
    """The room as somebody sees it at a moment."""

    room: str
    seq: int
    state: State


def open_rooms(_by: Clock) -> tuple[tuple[str, str], ...]:
    """(group, meeting) of every open room, for the clock."""
    return tuple(Room.objects.filter(closed_at=None).values_list("meeting__group", "meeting"))
