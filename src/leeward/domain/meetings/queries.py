"""Reads of meetings, always for a ticket. A page names what it needs, and gets it in a fixed number of statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Prefetch

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
)
from leeward.domain.people.rules import Self
from leeward.lib.crypto import CannotOpen
from leeward.lib.refusals import NotHere
from leeward.lib.statements import Statement
from leeward.lib.tickets import Clock, Operator

RECORDS_A_PAGE = 20


def rhythm(group: str) -> Rhythm | None:
    """The rhythm that holds now."""
    return Rhythm.objects.filter(group=group).order_by("-set_at", "-id").first()


def groups_with_rhythm(_by: Clock) -> tuple[str, ...]:
    return tuple(Rhythm.objects.filter(group__closed_at=None).values_list("group", flat=True).distinct())


def _live(group: str, over_after: datetime):
    """Meetings that are still to come or going on: not closed, not cancelled, not over for hours."""
    return Meeting.objects.filter(
        group=group, closed_at=None, cancelled_at=None, ends_at__gt=over_after
    ).select_related("lead", "backup", "place")


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
    sealed_at: datetime
    hash: str
    addendum: bool
    author: str
    imported: bool
    leaves: tuple[LeafLine, ...]


def records(ticket: Member, *, page: int = 1) -> tuple[tuple[RecordLine, ...], int]:
    """One page of the group's chain, newest first, and how many pages there are."""
    whole = Record.objects.filter(group=ticket.group)
    pages = max(-(-whole.count() // RECORDS_A_PAGE), 1)
    page = min(max(page, 1), pages)
    rows = _with_leaves(whole).order_by("-number")[(page - 1) * RECORDS_A_PAGE : page * RECORDS_A_PAGE]
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
        sealed_at=row.sealed_at,
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
