"""Writes of a room. Every command and every look first lets the clock do what it owes, then appends its own entry.

Two commands at once are ordered by the room's row lock and, beneath it, by the unique (room, seq).
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from leeward.domain.commitments import actions as commitments
from leeward.domain.commitments.rules import SeenBy
from leeward.domain.groups import actions as groups
from leeward.domain.groups import queries as group_queries
from leeward.domain.groups.rules import Member, is_active
from leeward.domain.meetings import actions as meetings
from leeward.domain.meetings import queries as meeting_queries
from leeward.domain.meetings import rules as meeting_rules
from leeward.domain.meetings.models import Meeting
from leeward.domain.pledges import queries as pledges
from leeward.domain.room import queries, rules
from leeward.domain.room.events import RoomForgotten, RoomMoved
from leeward.domain.room.models import Room, RoomEntry
from leeward.domain.room.queries import Look
from leeward.domain.room.rules import Entry, Move, Phase, State
from leeward.lib import words
from leeward.lib.events import announce
from leeward.lib.refusals import NotHere, Refusal
from leeward.lib.tickets import Clock


def _refuse_without_pledge(ticket: Member, *, at: datetime) -> None:
    """Raises Refusal("pledge_first"): without a yes to the pledge there is no room."""
    if not pledges.may_open_room(ticket, at=at):
        raise Refusal("pledge_first")


@transaction.atomic
def open_room(ticket: Member, *, meeting: str, way: str = "room", at: datetime) -> Look:
    """From ten minutes before the start, any member. Opening an open room is coming in.

    Raises NotHere, Refusal("pledge_first" | "not_while_paused" | "too_early" | "meeting_over").
    """
    if not is_active(ticket):
        raise Refusal("not_while_paused")
    _refuse_without_pledge(ticket, at=at)
    groups.lock(ticket.group)
    row = meeting_queries.meeting_of(ticket, meeting=meeting)
    if row.cancelled_at is not None or row.closed_at is not None:
        raise Refusal("meeting_over")
    room = Room.objects.filter(meeting=row).first()
    if room is None:
        if not meeting_rules.may_open(at, starts_at=row.starts_at, ends_at=row.ends_at):
            if at < row.starts_at:
                raise Refusal("too_early", opens=row.starts_at - meeting_rules.OPENS_BEFORE)
            raise Refusal("meeting_over")
        agenda = meeting_queries.agenda(row, first=ticket.first_closed_at is None)
        opening = State(
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            blocks=tuple(rules.Block(block.kind.value, block.title, block.minutes) for block in agenda),
            lead=row.lead_id or ticket.membership,
            backup=row.backup_id,
        )
        room = Room(meeting=row, opening=rules.opening_json(opening), opened_at=at)
        room.save(force_insert=True)
        meetings.mark_opened(row, by=ticket.membership, at=at)
    return _append(ticket, room, Entry(Move.ARRIVE, at, ticket.membership, way=way), at=at)


@transaction.atomic
def look(ticket: Member, *, meeting: str, at: datetime) -> Look | None:
    """What the room shows now; None before it is opened. Lets the clock do what it owes.

    Raises NotHere, Refusal("pledge_first").
    """
    _refuse_without_pledge(ticket, at=at)
    room = queries.room_of(ticket, meeting=meeting)
    if room is None:
        meeting_queries.meeting_of(ticket, meeting=meeting)
        return None
    if room.closed_at is not None:
        return None
    state, seq = queries.folded(room)
    if rules.overdue(state, at) is None:
        return Look(room.pk, seq, state)
    groups.lock(ticket.group)  # as every command does: the group first, then its room
    room = _locked(room.pk)
    state, seq = _fold(room, group=ticket.group, at=at)
    return Look(room.pk, seq, state)


@transaction.atomic
def move(
    ticket: Member,
    *,
    meeting: str,
    move: Move,
    whom: str = "",
    way: str = "room",
    text: str = "",
    seen: str = "group",
    stand: str = "",
    at: datetime,
) -> Look:
    """One command of one member. Raises NotHere, Refusal of the state machine; then nothing has changed.

    `stand` is the room's `State.stand` that the person saw: what they asked of a block that is over by now is not done
    to the next one.
    """
    _refuse_without_pledge(ticket, at=at)
    if rules.TABLE[move].who is rules.Who.CLOCK:
        raise NotHere
    groups.lock(ticket.group)
    room = queries.room_of(ticket, meeting=meeting)
    if room is None:
        raise NotHere
    if room.closed_at is not None:
        raise Refusal("room_closed")
    if whom and whom not in group_queries.active_ids(ticket.group, at=at):
        raise NotHere
    kept = words.line(text, field="text", most=rules.STEP_LENGTH) if move is Move.COMMIT else ""
    entry = Entry(move, at, ticket.membership, whom=whom, way=way, text=kept, seen=seen)
    return _append(ticket, room, entry, stand=stand, at=at)


@transaction.atomic
def fold_due(_by: Clock, *, group: str, meeting: str, at: datetime) -> bool:
    """Let the clock do what it owes in one room. Twice changes nothing. Returns whether it owed anything."""
    groups.lock(group)
    room = Room.objects.filter(meeting=meeting, closed_at=None).first()
    if room is None:
        return False
    before = queries.folded(room)[1]
    return _fold(room, group=group, at=at)[1] != before


def _locked(room: str) -> Room:
    return Room.objects.select_for_update(of=("self",)).get(pk=room)


def _fold(room: Room, *, group: str, at: datetime) -> tuple[State, int]:
    """Append what the clock owes up to `at`, one entry each. The caller holds a lock."""
    state, seq = queries.folded(room)
    if room.closed_at is not None:
        return state, seq
    while (due := rules.overdue(state, at)) is not None:
        state, seq = _keep(room, state, seq, due, group=group)
        if state.phase is Phase.CLOSED:
            break
    return state, seq


def _keep(room: Room, state: State, seq: int, entry: Entry, *, group: str) -> tuple[State, int]:
    after = rules.apply(state, entry)
    RoomEntry(room=room, seq=seq + 1, entry=entry.to_json()).save(force_insert=True)
    announce(RoomMoved(group=group, meeting=room.meeting_id, seq=seq + 1, at=entry.at))
    if after.phase is Phase.CLOSED:
        _close(room, after, by=entry.by, group=group, at=entry.at)
    return after, seq + 1


def _append(ticket: Member, room: Room, entry: Entry, *, stand: str = "", at: datetime) -> Look:
    room = _locked(room.pk)
    state, seq = _fold(room, group=ticket.group, at=at)
    if state.phase is Phase.CLOSED:
        raise Refusal("room_closed")
    too_late = stand and entry.move in rules.OF_A_BLOCK and stand != state.stand
    if too_late or not _changes(state, entry):
        return Look(room.pk, seq, state)
    after, seq = _keep(room, state, seq, entry, group=ticket.group)
    return Look(room.pk, seq, after)


def _changes(state: State, entry: Entry) -> bool:
    """A repeated arrival or mark changes nothing and leaves no entry."""
    who = entry.whom if entry.move is Move.MARK_HERE else entry.by
    return not (entry.move in (Move.ARRIVE, Move.MARK_HERE) and state.present.get(who or "") == entry.way)


def _close(room: Room, state: State, *, by: str | None, group: str, at: datetime) -> None:
    """Fold the room into attendance, steps and record, and forget it: one transaction."""
    groups.lock(group)
    meeting = Meeting.objects.select_for_update(of=("self",)).select_related("place").get(pk=room.meeting_id)
    for member, step in state.steps.items():
        commitments.keep_from_room(
            group, meeting=meeting.pk, membership=member, text=step.text, seen=SeenBy(step.seen), at=at
        )
    shared = [(member, step.text) for member, step in state.steps.items() if step.seen == SeenBy.GROUP.value]
    meetings.close(meeting, meetings.Held(present=dict(state.came), lead=state.lead, steps=shared), by=by, at=at)
    RoomEntry.objects.filter(room=room).delete()
    room.opening, room.closed_at = {}, at
    room.save()
    announce(RoomForgotten(group=group, meeting=meeting.pk, at=at))
