"""Reads of meetings, always for a ticket. A page names what it needs, and gets it in a fixed number of statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Prefetch, Q

from leeward.domain.groups import queries as groups
from leeward.domain.groups.rules import Member
from leeward.domain.meetings import rules
from leeward.domain.meetings.models import (
    AgendaItem,
    Attendance,
    GuestPresence,
    Leaf,
    Meeting,
    Record,
    Rhythm,
    Rsvp,
    TalkRules,
)
from leeward.domain.people.rules import Self
from leeward.lib.crypto import CannotOpen
from leeward.lib.refusals import NotHere
from leeward.lib.statements import Statement
from leeward.lib.tickets import Clock, Operator

RECORDS_A_PAGE = 20
RECORDS_PRINTED = 500  # a group that meets weekly for nine years


def rhythm(group: str) -> Rhythm | None:
    """The rhythm that holds now."""
    return Rhythm.objects.filter(group=group).order_by("-set_at", "-id").first()


def talk(group: str) -> rules.Talk:
    """What the group chose about talk tokens."""
    row = TalkRules.objects.filter(group=group).order_by("-set_at", "-id").first()
    return rules.Talk() if row is None else rules.Talk(row.each, row.follow_ups, row.refill)


def groups_with_rhythm(_by: Clock) -> tuple[str, ...]:
    return tuple(Rhythm.objects.filter(group__closed_at=None).values_list("group", flat=True).distinct())


def _live(group: str, over_after: datetime):
    """Meetings that are still to come or going on: not closed, not cancelled, not over for hours unless left open."""
    still = Q(ends_at__gt=over_after) | Q(opened_at__isnull=False)
    return Meeting.objects.filter(still, group=group, closed_at=None, cancelled_at=None).select_related(
        "lead", "backup", "place"
    )


def open_meetings(ticket: Member) -> tuple[str, ...]:
    """Meetings whose room is open, the newest first."""
    rows = Meeting.objects.filter(group=ticket.group, closed_at=None).exclude(opened_at=None)
    return tuple(rows.order_by("-starts_at").values_list("pk", flat=True))


def next_meeting(ticket: Member, *, at: datetime) -> Meeting | None:
    """The meeting that goes on or comes next, with its lead, backup and place, in one statement."""
    return _NEXT.first(group=ticket.group, over_after=at - rules.STAYS_OPEN)


_NEXT: Statement[Meeting] = Statement(lambda group, over_after: _live(group, over_after).order_by("starts_at")[:1])
_ONE: Statement[Meeting] = Statement(lambda meeting, group: Meeting.objects.filter(pk=meeting, group=group))


def next_by_group(me: Self, *, groups_of_mine: Sequence[str], at: datetime) -> Mapping[str, Meeting]:
    """group id → its next meeting, for the home page, in one statement."""
    rows = (
        Meeting.objects.filter(
            group__in=groups_of_mine,
            closed_at=None,
            cancelled_at=None,
            ends_at__gt=at - rules.STAYS_OPEN,
            starts_at__lt=at + rules.LOOK_AHEAD,
        )
        .select_related("lead", "place")
        .order_by("-starts_at")
    )
    return {row.group_id: row for row in rows}


def my_rsvps(me: Self, meetings: Sequence[str]) -> Mapping[str, str]:
    """meeting id → my answer, in one statement."""
    rows = Rsvp.objects.filter(meeting__in=meetings, membership__person=me.person)
    return dict(rows.values_list("meeting", "answer"))


def coming(ticket: Member, *, at: datetime, most: int = 13) -> tuple[Meeting, ...]:
    """The next dates."""
    return tuple(_live(ticket.group, at - rules.STAYS_OPEN).order_by("starts_at")[:most])


def bare_meeting(ticket: Member, *, meeting: str) -> Meeting:
    """One meeting of my group without anything around it. Raises NotHere."""
    row = _ONE.first(meeting=meeting, group=ticket.group)
    if row is None:
        raise NotHere
    return row


def meeting_of(ticket: Member, *, meeting: str) -> Meeting:
    """One meeting of my group. Raises NotHere."""
    row = (
        Meeting.objects.filter(pk=meeting, group=ticket.group)
        .select_related("lead", "backup", "place")
        .prefetch_related("blocks")
        .first()
    )
    if row is None:
        raise NotHere
    return row


def group_of_mine(me: Self, *, meeting: str, at: datetime) -> str:
    """The group of a meeting, if it is one of mine. Raises NotHere."""
    group = Meeting.objects.filter(pk=meeting).values_list("group", flat=True).first()
    return groups.member(me, group=group or "", at=at).group


@dataclass(frozen=True)
class RsvpLine:
    name: str
    answer: str
    me: bool


def rsvps(ticket: Member, *, meeting: str) -> tuple[RsvpLine, ...]:
    """Who said what; silence is no row. Only people who have a seat now."""
    rows = (
        Rsvp.objects.filter(meeting=meeting, meeting__group=ticket.group, membership__stints__ended_at=None)
        .select_related("membership")
        .order_by("membership__number")
    )
    return tuple(RsvpLine(row.membership.name, row.answer, row.membership_id == ticket.membership) for row in rows)


@dataclass(frozen=True)
class ItemLine:
    id: str
    title: str
    by: str
    mine: bool
    carried: bool


def items(ticket: Member, *, meeting: str) -> tuple[ItemLine, ...]:
    """Topics proposed for a meeting, oldest first."""
    rows = (
        AgendaItem.objects.filter(meeting=meeting, meeting__group=ticket.group, withdrawn_at=None)
        .select_related("by")
        .order_by("at", "id")
    )
    return tuple(
        ItemLine(
            id=row.pk,
            title=row.title,
            by=row.by.name if row.by else "",
            mine=row.by_id == ticket.membership,
            carried=row.carried_at is not None,
        )
        for row in rows
    )


def agenda(meeting: Meeting, *, first: bool = False) -> tuple[rules.Block, ...]:
    """The meeting's blocks as rules know them. Until a group has held a meeting, the pledge opens it."""
    blocks = [rules.Block(rules.BlockKind(row.kind), row.title, row.minutes) for row in meeting.blocks.all()]
    if first and meeting.closed_at is None:
        return rules.with_pledge(blocks, meeting.minutes)
    return tuple(blocks)


@dataclass(frozen=True)
class LeafLine:
    """One line of a record for one reader. `name` is empty for "someone" and for lines without an author."""

    id: str
    kind: str
    text: str
    name: str
    someone: bool
    removed: bool
    mine: bool


@dataclass(frozen=True)
class RecordLine:
    """One sealed record for one reader, its addenda included."""

    id: str
    number: int
    meeting: str
    starts_at: datetime
    day: str  # the meeting's own day, like 2026-10-15
    sealed_at: datetime
    sealed_on: str  # the day of the seal, in the meeting's zone
    hash: str
    addendum: bool
    author: str
    imported: bool
    leaves: tuple[LeafLine, ...]


def records(ticket: Member, *, page: int = 1, a_page: int = RECORDS_A_PAGE) -> tuple[tuple[RecordLine, ...], int]:
    """One page of the group's chain, newest first, and how many pages there are."""
    whole = Record.objects.filter(group=ticket.group)
    pages = max(-(-whole.count() // a_page), 1)
    page = min(max(page, 1), pages)
    rows = _with_leaves(whole).order_by("-number")[(page - 1) * a_page : page * a_page]
    return tuple(_record(row, ticket) for row in rows), pages


def chain(ticket: Member) -> tuple[RecordLine, ...]:
    """The whole chain, oldest first, for an export."""
    return tuple(_record(row, ticket) for row in _with_leaves(Record.objects.filter(group=ticket.group)))


def record_of_meeting(ticket: Member, *, meeting: str) -> tuple[RecordLine, ...]:
    """A meeting's record and its addenda. Empty when it is not sealed yet."""
    return tuple(
        _record(row, ticket) for row in _with_leaves(Record.objects.filter(group=ticket.group, meeting=meeting))
    )


def _with_leaves(rows):
    return rows.select_related("meeting", "addendum_by").prefetch_related(
        Prefetch("leaves", queryset=Leaf.objects.select_related("author"))
    )


def _record(row: Record, ticket: Member) -> RecordLine:
    return RecordLine(
        id=row.pk,
        number=row.number,
        meeting=row.meeting_id,
        starts_at=row.meeting.starts_at,
        day=row.meeting.local[:10],
        sealed_at=row.sealed_at,
        sealed_on=rules.shown_at(row.sealed_at, row.meeting.zone).date().isoformat(),
        hash=row.hash,
        addendum=row.addendum,
        author=row.addendum_by.name if row.addendum_by else "",
        imported=row.meeting.imported,
        leaves=tuple(_leaf(leaf, row, ticket) for leaf in row.leaves.all()),
    )


def _leaf(leaf: Leaf, record: Record, ticket: Member) -> LeafLine:
    mine = leaf.author_id == ticket.membership
    known = mine or record.meeting.starts_at >= ticket.since
    return LeafLine(
        id=leaf.pk,
        kind=leaf.kind,
        text=leaf.text or "",
        name=leaf.author.name if leaf.author and known else "",
        someone=leaf.author_id is not None and not known,
        removed=leaf.removed_at is not None,
        mine=mine,
    )


def groups_with_records(_by: Operator) -> tuple[str, ...]:
    """Ids of groups that have a chain, for the doctor."""
    return tuple(Record.objects.order_by("group").values_list("group", flat=True).distinct())


def links(_by: Operator, *, group: str) -> tuple[rules.Link, ...]:
    """A group's chain as stored, in order. Raises CannotOpen when a sealed line was changed."""
    rows = Record.objects.filter(group=group).prefetch_related("leaves").order_by("number")
    return tuple(
        rules.Link(
            row.number,
            row.previous,
            row.hash,
            tuple(
                rules.StoredLeaf(leaf.number, leaf.kind, leaf.text, leaf.salt, leaf.hash) for leaf in row.leaves.all()
            ),
        )
        for row in rows
    )


def attendance_of(ticket: Member, *, meeting: str) -> tuple[str, ...]:
    """Names of who was there, for whoever was a member then; guests are a number on the page, not names."""
    rows = Attendance.objects.filter(
        meeting=meeting, meeting__group=ticket.group, meeting__starts_at__gte=ticket.since
    ).select_related("membership")
    return tuple(row.membership.name for row in rows.order_by("membership__number"))


def guests_of(ticket: Member, *, meeting: str) -> int:
    return GuestPresence.objects.filter(meeting=meeting, meeting__group=ticket.group).count()


def held(ticket: Member) -> int:
    """How many meetings the group has held."""
    return Meeting.objects.filter(group=ticket.group).exclude(closed_at=None).count()


def unopened_records(_by: Operator, *, group: str) -> tuple[int, ...]:
    """Numbers of a group's records that hold a line whose sealed bytes cannot be opened."""
    closed = set()
    for leaf in Leaf.objects.filter(record__group=group).select_related("record"):
        try:
            _ = (leaf.text, leaf.salt)
        except (CannotOpen, UnicodeDecodeError):
            closed.add(leaf.record.number)
    return tuple(sorted(closed))
