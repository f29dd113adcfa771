"""Writes of a room. Every command and every look first lets the clock do what it owes, then appends its own entry.

Two commands at once are ordered by the room's row lock and, beneath it, by the unique (room, seq).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from django.db import transaction

from leeward.domain.commitments import actions as commitments
from leeward.domain.commitments.rules import SeenBy
from leeward.domain.groups import actions as groups
from leeward.domain.groups import queries as group_queries
from leeward.domain.groups.events import MemberLeft, MemberPaused
from leeward.domain.groups.rules import Member, is_active
from leeward.domain.ideas import actions as ideas
from leeward.domain.meetings import actions as meetings
from leeward.domain.meetings import queries as meeting_queries
from leeward.domain.meetings import rules as meeting_rules
from leeward.domain.meetings.models import Meeting
from leeward.domain.pledges import actions as pledge_actions
from leeward.domain.pledges import queries as pledges
from leeward.domain.polls.rules import Outcome
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
        talk = meeting_queries.talk(ticket.group)
        opening = State(
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            blocks=tuple(rules.Block(block.kind.value, block.title, block.minutes) for block in agenda),
            lead=row.lead_id or ticket.membership,
            backup=row.backup_id,
            on_paper=frozenset(group_queries.unclaimed_ids(ticket.group)),
            house=rules.House(talk.each, talk.follow_ups, talk.refill),
        )
        room = Room(meeting=row, opening=rules.opening_json(opening), opened_at=at)
        room.save(force_insert=True)
        meetings.mark_opened(row, by=ticket.membership, at=at)
    free = group_queries.needs_no_tokens(ticket.membership)
    return _append(ticket.group, room, Entry(Move.ARRIVE, at, ticket.membership, way=way, free=free), at=at)


@transaction.atomic
def look(ticket: Member, *, meeting: str, at: datetime) -> Look | None:
    """What the room shows now; None before it is opened. Lets the clock do what it owes.

    Raises NotHere, Refusal("pledge_first").
    """
    _refuse_without_pledge(ticket, at=at)
    if not is_active(ticket):
        raise Refusal("not_while_paused")
    room = queries.room_of(ticket, meeting=meeting)
    if room is None:
        meeting_queries.meeting_of(ticket, meeting=meeting)
        return None
    if room.closed_at is not None:
        return None
    state, seq = queries.folded(room)
    if seq and rules.overdue(state, at) is None:
        return _look(room, state, seq, at)
    groups.lock(ticket.group)  # as every command does: the group first, then its room
    room = _locked_if_open(room.pk)
    if room is None:  # somebody else closed it meanwhile
        return None
    state, seq = _fold(room, group=ticket.group, at=at)
    return _look(room, state, seq, at)


def _look(room: Room, state: State, seq: int, at: datetime) -> Look:
    return Look(room.pk, seq, state, rules.next_change(state, at))


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
    if not is_active(ticket):
        raise Refusal("not_while_paused")
    if move in rules.OF_NOBODY:
        raise NotHere
    groups.lock(ticket.group)
    room = queries.room_of(ticket, meeting=meeting)
    if room is None:
        raise NotHere
    if room.closed_at is not None:
        raise Refusal("room_closed")
    if whom and whom not in group_queries.active_ids(ticket.group, at=at):
        raise NotHere
    if move is Move.HAND_OVER and not _may_lead(ticket, whom, at=at):
        raise Refusal("room_no_lead")
    by: str | None = ticket.membership
    if move is Move.CATCH:
        _refuse_absent(queries.folded(room)[0], ticket)
        by = None  # kept without who said it
    free = move in rules.ARRIVALS and group_queries.needs_no_tokens(whom or ticket.membership)
    entry = Entry(move, at, by, whom=whom, way=way, text=_typed(move, text), seen=seen, free=free)
    return _append(ticket.group, room, entry, stand=stand, at=at)


def _typed(move: Move, text: str) -> str:
    """What somebody typed with a move, clean. Raises Refusal beside its field."""
    if move is Move.MOOD:
        return rules.mood_words(words.line(text, field="mood", most=rules.MOOD_LENGTH, least=0))
    most = {Move.COMMIT: rules.STEP_LENGTH, Move.CATCH: rules.LINE_LENGTH, Move.ASK: rules.QUESTION_LENGTH}.get(move)
    return "" if most is None else words.line(text, field=FIELDS[move], most=most)


FIELDS = {Move.COMMIT: "text", Move.CATCH: "line", Move.ASK: "question", Move.MOOD: "mood"}


def _may_lead(ticket: Member, whom: str, *, at: datetime) -> bool:
    """Whoever takes over has to be able to open the room: their own yes, or no text to say yes to."""
    return pledges.current(ticket.group) is None or whom in pledges.assented_ids(ticket.group, at=at)


def _refuse_absent(state: State, ticket: Member) -> None:
    if ticket.membership not in state.present:
        raise Refusal("room_come_in_first")


@transaction.atomic
def note_connection(_by: Clock, *, meeting: str, membership: str, lost: bool, at: datetime) -> bool:
    """Somebody's last socket went, or one came back. Kept for whoever leads or backs up; passes nothing on by itself.

    Returns whether it changed anything.
    """
    room = Room.objects.filter(meeting=meeting, closed_at=None).select_related("meeting").first()
    if room is None:
        return False
    group = room.meeting.group_id
    entry = Entry(Move.LOST if lost else Move.BACK, at, whom=membership)
    if not _matters(queries.folded(room)[0], entry):
        return False
    groups.lock(group)
    room = _locked_if_open(room.pk)
    if room is None or not _matters(_fold(room, group=group, at=at)[0], entry):
        return False
    _append(group, room, entry, at=at)
    return True


def _matters(state: State, entry: Entry) -> bool:
    """A lost connection matters of whoever leads or speaks, a new one of whoever was lost."""
    lost = entry.move is Move.LOST
    return rules.why_not(state, entry) is None and not (lost and entry.whom not in (state.lead, state.holder))


def after_member_gone(event: MemberLeft | MemberPaused) -> None:
    """Whoever leaves, or takes a break, is not in the room any more: floor, hand and lead are free again."""
    rooms = Room.objects.filter(meeting__group=event.group, closed_at=None)
    for room in rooms.select_related("meeting"):
        state, _seq = _fold(_locked(room.pk), group=event.group, at=event.at)
        if event.by in state.present and state.phase is not Phase.CLOSED:
            _append(event.group, room, Entry(Move.STEP_OUT, event.at, event.by), at=event.at)


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


def _locked_if_open(room: str) -> Room | None:
    """For whoever read the room before the lock: it may be closed since, or gone."""
    return Room.objects.select_for_update(of=("self",)).filter(pk=room, closed_at=None).first()


def _fold(room: Room, *, group: str, at: datetime) -> tuple[State, int]:
    """Append what the clock owes up to `at`, one entry each. The caller holds a lock."""
    state, seq = queries.folded(room)
    return _owed(room, state, seq, group=group, at=at)


def _owed(room: Room, state: State, seq: int, *, group: str, at: datetime) -> tuple[State, int]:
    while state.phase is not Phase.CLOSED and (due := rules.overdue(state, at)) is not None:
        state, seq = _keep(room, state, seq, due, group=group)
    return state, seq


def _keep(room: Room, state: State, seq: int, entry: Entry, *, group: str) -> tuple[State, int]:
    after = rules.apply(state, entry)
    RoomEntry(room=room, seq=seq + 1, entry=entry.to_json()).save(force_insert=True)
    announce(RoomMoved(group=group, meeting=room.meeting_id, seq=seq + 1, at=entry.at))
    if after.phase is Phase.CLOSED:
        _close(room, after, by=entry.by, group=group, at=entry.at)
    return after, seq + 1


def _append(group: str, room: Room, entry: Entry, *, stand: str = "", at: datetime) -> Look:
    room = _locked(room.pk)
    state, seq = _fold(room, group=group, at=at)
    if state.phase is Phase.CLOSED:
        raise Refusal("room_closed")
    too_late = stand and entry.move in rules.OF_A_BLOCK and stand != state.stand
    if too_late or not _changes(state, entry):
        return _look(room, state, seq, at)
    after, seq = _keep(room, state, seq, entry, group=group)
    after, seq = _owed(room, after, seq, group=group, at=at)
    return _look(room, after, seq, at)


def _changes(state: State, entry: Entry) -> bool:
    """A repeated arrival or mark changes nothing and leaves no entry."""
    if entry.move not in rules.ARRIVALS or rules.why_not(state, entry) is not None:
        return True
    return replace(rules.apply(state, entry), touched=state.touched) != state


def _close(room: Room, state: State, *, by: str | None, group: str, at: datetime) -> None:
    """Fold the room into attendance, steps and record, and forget it: one transaction."""
    groups.lock(group)
    meeting = Meeting.objects.select_for_update(of=("self",)).select_related("place").get(pk=room.meeting_id)
    if len(state.came) < rules.MEETING_LEAST:  # nobody came: it was no meeting, and nothing is sealed
        meetings.mark_not_held(meeting, at=at)
        Room.objects.filter(pk=room.pk).delete()
        queries.forget(room.pk)
        announce(RoomForgotten(group=group, meeting=meeting.pk, at=at))
        return
    for member, step in state.steps.items():
        commitments.keep_from_room(
            group, meeting=meeting.pk, membership=member, text=step.text, seen=SeenBy(step.seen), at=at
        )
    shared = [(member, step.text) for member, step in state.steps.items() if step.seen == SeenBy.GROUP.value]
    ideas.keep_from_room(group, lines=[state.caught[number] for number in sorted(state.kept_lines)], at=at)
    voice = rules.voice(state)
    held = meetings.Held(
        present=dict(state.came),
        lead=state.lead,
        steps=shared,
        topics=[text for text, outcome in state.answered if outcome == Outcome.CARRIED.value],
        voice=voice.value if voice else "",
    )
    meetings.close(meeting, held, by=by, at=at)
    RoomEntry.objects.filter(room=room).delete()
    room.opening, room.closed_at = {}, at
    room.save()
    queries.forget(room.pk)
    announce(RoomForgotten(group=group, meeting=meeting.pk, at=at))


@transaction.atomic
def record_spoken_yes(ticket: Member, *, meeting: str, membership: str, witness: str, at: datetime) -> None:
    """Somebody in the room says yes to the pledge aloud; its lead writes it down, somebody else there heard it.

    Raises NotHere, Refusal("room_closed" | "room_lead_only" | "room_come_in_first" | "room_not_here" | …).
    """
    groups.lock(ticket.group)
    room = queries.room_of(ticket, meeting=meeting)
    if room is None:
        raise NotHere
    state = _fold(_locked(room.pk), group=ticket.group, at=at)[0] if room.closed_at is None else None
    if state is None or state.phase is Phase.CLOSED:
        raise Refusal("room_closed")
    if state.lead != ticket.membership:
        raise Refusal("room_lead_only")
    _refuse_absent(state, ticket)
    for field, who in (("membership", membership), ("witness", witness)):
        if who not in state.present:
            raise Refusal("room_not_here", field=field)
    pledge_actions.keep_spoken_yes(ticket, membership=membership, witness=witness, at=at)
