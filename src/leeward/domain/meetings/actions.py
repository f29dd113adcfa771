"""Writes of meetings: the rhythm and its dates, the agenda, who comes, the close and the chain of records.

The chain is one per group: whoever adds a link holds the group's lock, and so does whoever changes a date. An answer
to "do you come?" holds none: it touches one row of its own.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from leeward.domain.groups import actions as groups
from leeward.domain.groups.events import MemberLeft
from leeward.domain.groups.models import Group
from leeward.domain.groups.rules import Member, is_active, may_found_change, refuse_unless_founding
from leeward.domain.meetings import queries, rules
from leeward.domain.meetings.events import (
    AgendaChanged,
    LeafRemoved,
    MeetingCancelled,
    MeetingClosed,
    MeetingConfirmed,
    MeetingMoved,
    MeetingOpened,
    MeetingPlanned,
    RecordCorrected,
    RecordSealed,
    RhythmSet,
    RsvpGiven,
    TalkRulesSet,
)
from leeward.domain.meetings.models import (
    AgendaBlock,
    AgendaItem,
    Attendance,
    Leaf,
    Meeting,
    Record,
    Rhythm,
    Rsvp,
    TalkRules,
)
from leeward.domain.places.models import Place
from leeward.domain.pledges import queries as pledges
from leeward.domain.pledges import rules as pledge_rules
from leeward.domain.safety import queries as safety
from leeward.lib import words
from leeward.lib.events import announce
from leeward.lib.refusals import NotHere, Refusal
from leeward.lib.tickets import Clock

# Rhythm and dates --------------------------------------------------------------------------------------------------


@transaction.atomic
def set_rhythm(ticket: Member, rhythm: rules.Rhythm, *, place: str | None, at: datetime) -> None:
    """Plan 26 weeks of dates. Founders do this until the first closed meeting, later a poll does.

    A group that has none yet and no founder (an imported one) lets any member set the first.
    Raises Refusal("core_first" | "no_help_lines" | "by_poll_only" | "in_the_past" | …).
    """
    groups.lock(ticket.group)
    first = queries.rhythm(ticket.group) is None
    if not (first and ticket.imported and is_active(ticket)):
        refuse_unless_founding(ticket)
    refuse_first_dates(ticket.group, at=at)
    keep_rhythm(ticket.group, rhythm, place=place, by=ticket.membership, at=at)


def refuse_first_dates(group: str, *, at: datetime) -> None:
    """What the very first rhythm needs, whoever sets it: a core, and help lines within reach.

    Raises Refusal("core_first" | "no_help_lines").
    """
    if queries.rhythm(group) is not None:
        return
    row = Group.objects.get(pk=group)
    groups.refuse_incomplete_core(row)
    if not safety.country_ready(row.country, at=at):
        raise Refusal("no_help_lines")


def keep_rhythm(group: str, rhythm: rules.Rhythm, *, place: str | None, by: str | None, at: datetime) -> None:
    """The rhythm holds from now on: dates of the old one that are still to come give way to the new ones.

    Dates that somebody did something about stay: moved, confirmed, gave a theme or a topic, leads, or said whether
    they come. So do dates that the new rhythm has as well; those follow its length, way and place. `by` is None when a
    poll carried it.
    """
    if rules.happens_at(rhythm.start_local, rhythm.zone) <= at:
        raise Refusal("in_the_past", field="date")
    groups.lock(group)
    if place is not None and not Place.objects.filter(pk=place, group=group, retired_at=None).exists():
        raise NotHere
    row = Rhythm.objects.create(
        group_id=group,
        starts_local=rhythm.start_local.isoformat(timespec="minutes"),
        zone=rhythm.zone,
        every_weeks=rhythm.every_weeks,
        minutes=rhythm.minutes,
        cycle=",".join(way.value for way in rhythm.cycle),
        place_id=place,
        set_by_id=by,
        set_at=at,
    )
    coming = Meeting.objects.filter(
        group=group, closed_at=None, opened_at=None, cancelled_at=None, starts_at__gt=at, rhythm__isnull=False
    ).select_related("rhythm", "group")
    as_planned = [meeting for meeting in coming if meeting.planned_for == meeting.starts_at]
    new = {date.at: date for date in rules.planned(rhythm, at)}
    _give_way([meeting for meeting in as_planned if meeting.starts_at not in new])
    for meeting in as_planned:
        if meeting.starts_at in new:
            _follow(meeting, row, way=new[meeting.starts_at].way)
    _plan(row, at=at)
    announce(RhythmSet(group=group, by=by, at=at))


def _give_way(dates: Sequence[Meeting]) -> None:
    """Delete those dates that nobody did anything about."""
    ids = [meeting.pk for meeting in dates if not meeting.theme]
    free = Meeting.objects.filter(pk__in=ids, lead=None, backup=None, confirmed_at=None, rsvps=None, items=None)
    Meeting.objects.filter(pk__in=list(free.values_list("pk", flat=True))).delete()


def _follow(meeting: Meeting, rhythm: Rhythm, *, way: rules.Way) -> None:
    """A date that the new rhythm has as well: what was the old one's is the new one's, what somebody chose stays."""
    old = meeting.rhythm
    if old is not None and meeting.place_id == old.place_id:
        meeting.place_id = rhythm.place_id
    if old is not None and old.cycle != rhythm.cycle:
        meeting.way = way.value
    if meeting.minutes != rhythm.minutes:
        blocks = queries.agenda(meeting)
        usual = rules.agenda_for(meeting.group.format, meeting.minutes)
        if blocks == usual or rules.total(blocks) > rhythm.minutes:
            _write_agenda(meeting, rules.agenda_for(meeting.group.format, rhythm.minutes))
        meeting.minutes = rhythm.minutes
        meeting.ends_at = meeting.starts_at + timedelta(minutes=rhythm.minutes)
    meeting.rhythm = rhythm
    meeting.save()


def place_of_rhythm(group: str) -> str | None:
    """The place of the rhythm that holds, when it is still in use."""
    row = queries.rhythm(group)
    place = row.place if row else None
    return place.pk if place is not None and place.retired_at is None else None


def _rules_of(row: Rhythm) -> rules.Rhythm:
    return rules.Rhythm(
        start_local=datetime.fromisoformat(row.starts_local),
        zone=row.zone,
        every_weeks=row.every_weeks,
        minutes=row.minutes,
        cycle=tuple(rules.Way(way) for way in row.cycle.split(",")),
    )


def _plan(row: Rhythm, *, at: datetime) -> int:
    """Dates of the next 26 weeks that are not there yet. Planning twice changes nothing."""
    group = Group.objects.get(pk=row.group_id)
    there = set(Meeting.objects.filter(group=group, planned_for__gte=at).values_list("planned_for", flat=True))
    made = 0
    for date in rules.planned(_rules_of(row), at):
        if date.at in there:
            continue
        meeting = Meeting.objects.create(
            group=group,
            starts_at=date.at,
            ends_at=date.at + timedelta(minutes=row.minutes),
            local=date.local.isoformat(timespec="minutes"),
            zone=row.zone,
            minutes=row.minutes,
            way=date.way.value,
            place_id=row.place_id,
            rhythm=row,
            planned_for=date.at,
        )
        _write_agenda(meeting, rules.agenda_for(group.format, row.minutes))
        announce(MeetingPlanned(group=group.pk, meeting=meeting.pk, at=at))
        made += 1
    return made


@transaction.atomic
def plan_ahead(_by: Clock, *, group: str, at: datetime) -> int:
    """Keep 26 weeks planned. Returns how many dates were added."""
    groups.lock(group)
    row = queries.rhythm(group)
    return 0 if row is None else _plan(row, at=at)


def may_take_part(ticket: Member, *, at: datetime) -> bool:
    """Whether I may lead, plan and propose: on no break, and with a yes to the pledge once there is one."""
    return is_active(ticket) and pledge_rules.takes_part(pledges.standing_of(ticket, at=at))


def _refuse_apart(ticket: Member, *, at: datetime) -> None:
    """Raises Refusal("not_while_paused" | "pledge_first")."""
    if not is_active(ticket):
        raise Refusal("not_while_paused")
    if not may_take_part(ticket, at=at):
        raise Refusal("pledge_first")


def _changeable(ticket: Member, meeting: str, *, at: datetime) -> Meeting:
    """A meeting that is still to come, locked, for somebody who takes part.

    Raises NotHere, Refusal("meeting_over" | "meeting_open" | "not_while_paused" | "pledge_first").
    """
    row = _to_come(ticket, meeting)
    _refuse_apart(ticket, at=at)
    return row


def _to_come(ticket: Member, meeting: str) -> Meeting:
    groups.lock(ticket.group)
    row = Meeting.objects.select_for_update(no_key=True).filter(pk=meeting, group=ticket.group).first()
    if row is None:
        raise NotHere
    if row.closed_at is not None or row.cancelled_at is not None:
        raise Refusal("meeting_over")
    if row.opened_at is not None:
        raise Refusal("meeting_open")
    return row


def _refuse_unless_in_charge(ticket: Member, row: Meeting) -> None:
    """The lead of that meeting, or a founder before the first closed meeting; without a lead, anyone."""
    if row.lead_id not in (None, ticket.membership) and not may_found_change(ticket):
        raise Refusal("lead_only")


@transaction.atomic
def arrange(
    ticket: Member, *, meeting: str, local: datetime, theme: str, way: rules.Way, place: str | None, at: datetime
) -> None:
    """Day and time (wall time in the meeting's zone), theme, way and place of one date.

    Raises NotHere, Refusal("in_the_past" | "lead_only" | "meeting_open" | "meeting_over").
    """
    row = _changeable(ticket, meeting, at=at)
    _refuse_unless_in_charge(ticket, row)
    if (
        place not in (None, row.place_id)
        and not Place.objects.filter(pk=place, group=ticket.group, retired_at=None).exists()
    ):
        raise NotHere
    rules.refuse_far_year(local, field="date")
    moment = rules.happens_at(local, row.zone)
    moved = moment != row.starts_at
    if moved and moment <= at:
        raise Refusal("in_the_past", field="date")
    if moved:
        row.starts_at, row.ends_at = moment, moment + timedelta(minutes=row.minutes)
        row.local = rules.shown_at(moment, row.zone).isoformat(timespec="minutes")
        row.confirmed_at = None
    row.theme = words.line(theme, field="theme", most=rules.THEME_LENGTH, least=0)
    moved = moved or row.place_id != place or row.way != way.value
    row.place_id, row.way = place, way.value
    row.save()
    event = MeetingMoved if moved else AgendaChanged
    announce(event(group=ticket.group, meeting=meeting, by=ticket.membership, at=at))


@transaction.atomic
def cancel(ticket: Member, *, meeting: str, at: datetime) -> None:
    """This date does not happen. Cancelling twice changes nothing."""
    if Meeting.objects.filter(pk=meeting, group=ticket.group).exclude(cancelled_at=None).exists():
        return
    row = _changeable(ticket, meeting, at=at)
    _refuse_unless_in_charge(ticket, row)
    row.cancelled_at = at
    row.save()
    announce(MeetingCancelled(group=ticket.group, meeting=meeting, by=ticket.membership, at=at))


@transaction.atomic
def confirm(ticket: Member, *, meeting: str, at: datetime) -> None:
    """ "Still on": the lead says so from three days before. Twice is once."""
    row = _changeable(ticket, meeting, at=at)
    _refuse_unless_in_charge(ticket, row)
    if row.confirmed_at is None:
        row.confirmed_at = at
        row.save()
        announce(MeetingConfirmed(group=ticket.group, meeting=meeting, by=ticket.membership, at=at))


@transaction.atomic
def take_turn(ticket: Member, *, meeting: str, at: datetime) -> None:
    """ "I'll lead" for a meeting without a lead; the backup for one that has one. Raises Refusal("turn_taken")."""
    row = _changeable(ticket, meeting, at=at)
    if ticket.membership in (row.lead_id, row.backup_id):
        return
    if row.lead_id is None:
        row.lead_id = ticket.membership
    elif row.backup_id is None:
        row.backup_id = ticket.membership
    else:
        raise Refusal("turn_taken")
    row.save()
    announce(AgendaChanged(group=ticket.group, meeting=meeting, by=ticket.membership, at=at))


@transaction.atomic
def give_turn_back(ticket: Member, *, meeting: str, at: datetime) -> None:
    """I cannot lead: the backup takes over, else the turn is open again. No reason asked, on a break neither."""
    row = _to_come(ticket, meeting)
    if row.lead_id == ticket.membership:
        row.lead_id, row.backup_id = row.backup_id, None
    elif row.backup_id == ticket.membership:
        row.backup_id = None
    else:
        return
    row.save()
    announce(AgendaChanged(group=ticket.group, meeting=meeting, by=ticket.membership, at=at))


def after_member_left(event: MemberLeft) -> None:
    """Their turns to come pass to the backup, or are open again."""
    membership, at = event.by, event.at
    coming = Meeting.objects.filter(group=event.group, closed_at=None, cancelled_at=None)
    for row in coming.filter(lead=membership):
        row.lead_id, row.backup_id = row.backup_id, None
        row.save()
    coming.filter(backup=membership).update(backup=None)
    Rsvp.objects.filter(membership=membership, meeting__in=coming.filter(starts_at__gt=at)).delete()


# Agenda ------------------------------------------------------------------------------------------------------------


def _write_agenda(meeting: Meeting, blocks: Sequence[rules.Block]) -> None:
    AgendaBlock.objects.filter(meeting=meeting).delete()
    AgendaBlock.objects.bulk_create(
        AgendaBlock(meeting=meeting, number=number, kind=block.kind.value, title=block.title, minutes=block.minutes)
        for number, block in enumerate(blocks, 1)
    )


@transaction.atomic
def set_agenda(ticket: Member, *, meeting: str, blocks: Sequence[rules.Block], at: datetime) -> None:
    """Replace the blocks: reordered, resized, from a template. Raises Refusal when they do not fit the length."""
    row = _changeable(ticket, meeting, at=at)
    _refuse_unless_in_charge(ticket, row)
    _write_agenda(row, rules.checked_agenda(blocks, row.minutes))
    announce(AgendaChanged(group=ticket.group, meeting=meeting, by=ticket.membership, at=at))


@transaction.atomic
def propose_item(ticket: Member, *, meeting: str, title: str, at: datetime) -> str:
    """A topic for a meeting. Returns its id. Raises Refusal("too_many_items")."""
    row = _changeable(ticket, meeting, at=at)
    kept = words.line(title, field="title", most=rules.ITEM_LENGTH)
    if AgendaItem.objects.filter(meeting=row, withdrawn_at=None).count() >= rules.ITEMS_MOST:
        raise Refusal("too_many_items", most=rules.ITEMS_MOST)
    item = AgendaItem(meeting=row, by_id=ticket.membership, title=kept, at=at)
    item.save(force_insert=True)
    announce(AgendaChanged(group=ticket.group, meeting=meeting, by=ticket.membership, at=at))
    return item.pk


@transaction.atomic
def withdraw_item(ticket: Member, *, item: str, at: datetime) -> None:
    """My own topic is off the list, its poll with it (`polls` calls down). Raises NotHere."""
    groups.lock(ticket.group)
    row = AgendaItem.objects.filter(pk=item, by=ticket.membership, meeting__group=ticket.group).first()
    if row is None:
        raise NotHere
    AgendaItem.objects.filter(pk=row.pk, withdrawn_at=None).update(withdrawn_at=at)


@transaction.atomic
def set_talk(ticket: Member, talk: rules.Talk, *, at: datetime) -> None:
    """Founders choose until the first closed meeting, later a poll does. Raises Refusal("by_poll_only" | …)."""
    groups.lock(ticket.group)
    refuse_unless_founding(ticket)
    keep_talk(ticket.group, talk, by=ticket.membership, at=at)


def keep_talk(group: str, talk: rules.Talk, *, by: str | None, at: datetime) -> None:
    """Holds from the next room on. `by` is None when a poll carried it."""
    TalkRules.objects.create(
        group_id=group, each=talk.each, follow_ups=talk.follow_ups, refill=talk.refill, set_by_id=by, set_at=at
    )
    announce(TalkRulesSet(group=group, by=by, at=at))


# Who comes ---------------------------------------------------------------------------------------------------------


@transaction.atomic
def answer_rsvp(ticket: Member, *, meeting: str, answer: rules.Answer, at: datetime) -> None:
    """Tell the group; the last answer wins. Touches one row of my own. Raises NotHere, Refusal("rsvp_over" | …)."""
    if not is_active(ticket):
        raise Refusal("not_while_paused")
    row = queries.bare_meeting(ticket, meeting=meeting)
    if row.closed_at is not None or row.cancelled_at is not None or at >= row.ends_at:
        raise Refusal("rsvp_over")
    rules.refuse_impossible_answer(answer, rules.Way(row.way))
    Rsvp.objects.bulk_create(
        [Rsvp(meeting=row, membership_id=ticket.membership, answer=answer.value, at=at)],
        update_conflicts=True,
        unique_fields=["meeting", "membership"],
        update_fields=["answer", "at"],
    )
    announce(RsvpGiven(group=ticket.group, meeting=meeting, by=ticket.membership, at=at))


# Opening and closing: called by the room ----------------------------------------------------------------------------


def mark_opened(meeting: Meeting, *, by: str, at: datetime) -> None:
    """The room is open. The caller holds the group's lock."""
    meeting.opened_at = at
    meeting.lead_id = meeting.lead_id or by
    meeting.save()
    announce(MeetingOpened(group=meeting.group_id, meeting=meeting.pk, by=by, at=at))


def mark_not_held(meeting: Meeting, *, at: datetime) -> None:
    """The room was open and nobody came. The caller holds the group's lock."""
    meeting.opened_at = None
    meeting.save()


@dataclass(frozen=True)
class Held:
    """What the room knows at its close. `present` maps membership id to "room" or "online"."""

    present: dict[str, str]
    lead: str | None
    steps: Sequence[tuple[str, str]]  # (membership id, text) of steps their owners chose to show the group
    topics: Sequence[str] = ()  # questions that were carried in the room
    voice: str = ""  # how the talking was shared: a word of `room.rules.Voice`, or none


def close(meeting: Meeting, held: Held, *, by: str | None, at: datetime) -> Record:
    """Attendance, the sealed record, and what the group learns. The caller holds the group's lock."""
    if meeting.closed_at is not None:
        raise Refusal("meeting_over")
    meeting.closed_at = at
    meeting.lead_id = held.lead or meeting.lead_id
    meeting.voice = held.voice
    meeting.save()
    Attendance.objects.bulk_create(
        Attendance(meeting=meeting, membership_id=member, way=way) for member, way in held.present.items()
    )
    record = seal(meeting, steps=held.steps, more_topics=held.topics, at=at)
    groups.note_meeting_closed(meeting.group_id, present=tuple(held.present), at=at)
    announce(MeetingClosed(group=meeting.group_id, meeting=meeting.pk, by=by, at=at))
    return record


def seal(
    meeting: Meeting, *, steps: Sequence[tuple[str, str]] = (), more_topics: Sequence[str] = (), at: datetime
) -> Record:
    """The record of a meeting as the next link of the chain."""
    topics = [item.title for item in meeting.items.all() if item.carried_at and not item.withdrawn_at]
    following = (
        Meeting.objects.filter(group=meeting.group_id, starts_at__gt=meeting.starts_at, cancelled_at=None)
        .filter(closed_at=None)
        .order_by("starts_at")
        .first()
    )
    lines = rules.record_lines(
        starts_local=meeting.local,
        zone=meeting.zone,
        way=rules.Way(meeting.way),
        place=meeting.place.label if meeting.place else "",
        theme=meeting.theme,
        topics=[*topics, *more_topics],
        steps=[text for _, text in steps],
        next_local=following.local if following else "",
        imported=meeting.imported,
    )
    authors = iter([member for member, _ in steps])
    return _link(
        meeting,
        [(line, next(authors) if line.kind is rules.LeafKind.STEP else None) for line in lines],
        addendum_by=None,
        at=at,
    )


def _link(
    meeting: Meeting,
    lines: Sequence[tuple[rules.Line, str | None]],
    *,
    addendum_by: str | None,
    at: datetime,
) -> Record:
    group = meeting.group_id
    last = Record.objects.filter(group=group).order_by("-number").values_list("number", "hash").first()
    number, previous = (1, rules.NO_PREVIOUS) if last is None else (last[0] + 1, last[1])
    leaves = [rules.Leaf(line.kind, line.text, secrets.token_hex(16)) for line, _ in lines]
    hashes = [rules.leaf_hash(leaf) for leaf in leaves]
    record = Record.objects.create(
        group_id=group,
        number=number,
        meeting=meeting,
        addendum=addendum_by is not None,
        addendum_by_id=addendum_by,
        previous=previous,
        hash=rules.record_hash(previous, hashes),
        sealed_at=at,
    )
    Leaf.objects.bulk_create(
        Leaf(
            record=record,
            number=place,
            kind=leaf.kind.value,
            text=leaf.text,
            salt=leaf.salt,
            hash=digest,
            author_id=author,
        )
        for place, (leaf, digest, (_, author)) in enumerate(zip(leaves, hashes, lines, strict=True), 1)
    )
    announce(RecordSealed(group=group, record=record.pk, meeting=meeting.pk, at=at))
    return record


@transaction.atomic
def add_to_record(ticket: Member, *, meeting: str, text: str, at: datetime) -> str:
    """A correction: an addendum with a date and an author, the chain's next link.

    Raises NotHere, Refusal("not_sealed" | "not_while_paused" | "pledge_first").
    """
    groups.lock(ticket.group)
    row = Meeting.objects.filter(pk=meeting, group=ticket.group).first()
    if row is None:
        raise NotHere
    if not is_active(ticket):
        raise Refusal("not_while_paused")
    if not may_add_to_record(ticket, at=at):
        raise Refusal("pledge_first")
    if row.closed_at is None:
        raise Refusal("not_sealed")
    kept = words.passage(text, field="text", most=rules.ADDENDUM_LENGTH, least=1)
    line = rules.Line(rules.LeafKind.ADDENDUM, kept)
    record = _link(row, [(line, ticket.membership)], addendum_by=ticket.membership, at=at)
    announce(RecordCorrected(group=ticket.group, record=record.pk, meeting=meeting, by=ticket.membership, at=at))
    return record.pk


def may_add_to_record(ticket: Member, *, at: datetime) -> bool:
    """On no break, and with one's own yes to the pledge once there is one."""
    return is_active(ticket) and pledge_rules.writes_record(pledges.standing_of(ticket, at=at))


@transaction.atomic
def remove_leaf(ticket: Member, *, leaf: str, at: datetime) -> None:
    """My own line leaves the record: text and salt go, the hash stays, the chain holds. Twice is once."""
    groups.lock(ticket.group)
    row = Leaf.objects.filter(pk=leaf, author=ticket.membership, record__group=ticket.group).first()
    if row is None:
        raise NotHere
    if row.removed_at is None:
        row.text, row.salt, row.removed_at = None, None, at
        row.save()
        announce(LeafRemoved(group=ticket.group, record=row.record_id, by=ticket.membership, at=at))
