"""Reads of polls: the question, my own thumb, and after the close the one word. Never a count."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, FilteredRelation, Q, QuerySet

from leeward.domain.groups.rules import Member
from leeward.domain.polls.models import Ballot, Poll
from leeward.domain.polls.rules import Kind
from leeward.lib.refusals import NotHere
from leeward.lib.statements import Statement
from leeward.lib.tickets import Clock


@dataclass(frozen=True)
class PollSeen:
    """A poll as one member sees it. `my_thumb` is "" when I gave none, `may_answer` whether I have a ballot."""

    id: str
    kind: Kind
    subject: str
    meeting: str
    question: str
    change: dict[str, Any]
    opened_at: datetime
    closes_at: datetime
    outcome: str
    may_answer: bool
    my_thumb: str


def _for(ticket: Member, rows: QuerySet[Poll]) -> tuple[PollSeen, ...]:
    """Polls with my own ballot beside each, in one statement."""
    return tuple(_seen(row) for row in _with_mine(rows, group=ticket.group, membership=ticket.membership))


def _with_mine(rows: QuerySet[Poll], *, group: str, membership: str):  # an annotated queryset has no writable type
    mine = FilteredRelation("ballots", condition=Q(ballots__membership=membership))
    return rows.filter(group=group).annotate(mine=mine, mine_id=F("mine__id"), mine_thumb=F("mine__thumb"))


_OPEN: Statement[Poll] = Statement(
    lambda group, membership: _with_mine(
        Poll.objects.filter(closed_at=None).order_by("closes_at", "id"), group=group, membership=membership
    )
)


def _seen(row: Any) -> PollSeen:
    ballot = Ballot(id=row.mine_id, thumb=row.mine_thumb) if row.mine_id else None  # opened as a row of its own
    return PollSeen(
        id=row.pk,
        kind=Kind(row.kind),
        subject=row.subject,
        meeting=row.meeting_id or "",
        question=row.question,
        change=row.change or {},
        opened_at=row.opened_at,
        closes_at=row.closes_at,
        outcome=row.outcome,
        may_answer=ballot is not None,
        my_thumb=(ballot.thumb or "") if ballot else "",
    )


def open_polls(ticket: Member) -> tuple[PollSeen, ...]:
    """Polls of my group that nobody has closed, the soonest due first. `actions.open_now` closes what is due."""
    return tuple(map(_seen, _OPEN.rows(group=ticket.group, membership=ticket.membership)))


def item_polls(ticket: Member, *, meeting: str, at: datetime) -> tuple[PollSeen, ...]:
    """Polls about topics of one meeting, oldest first."""
    return _for(ticket, Poll.objects.filter(kind=Kind.ITEM.value, meeting=meeting).order_by("opened_at", "id"))


def poll(ticket: Member, *, poll: str) -> PollSeen:
    """Raises NotHere."""
    found = _for(ticket, Poll.objects.filter(pk=poll))
    if not found:
        raise NotHere
    return found[0]


def groups_with_due_polls(_by: Clock, *, at: datetime) -> tuple[str, ...]:
    return tuple(Poll.objects.filter(closed_at=None, closes_at__lte=at).values_list("group", flat=True).distinct())
