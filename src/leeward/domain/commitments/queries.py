"""Reads of commitments: mine whole, the others' only where they chose the group."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from leeward.domain.commitments.models import Commitment
from leeward.domain.commitments.rules import SeenBy
from leeward.domain.groups.rules import Member
from leeward.domain.people.rules import Self
from leeward.lib.statements import Statement


@dataclass(frozen=True)
class Step:
    id: str
    meeting: str
    name: str
    text: str
    seen: SeenBy
    at: datetime
    mine: bool


def _step(row: Commitment, *, me: str) -> Step:
    return Step(
        id=row.pk,
        meeting=row.meeting_id,
        name=row.membership.name,
        text=row.text,
        seen=SeenBy(row.seen),
        at=row.at,
        mine=row.membership_id == me,
    )


def mine(ticket: Member) -> Step | None:
    """My newest step that I have not let go, whoever may read it."""
    row = _MINE.first(membership=ticket.membership)
    return None if row is None else _step(row, me=ticket.membership)


_MINE: Statement[Commitment] = Statement(
    lambda membership: (
        Commitment.objects.select_related("membership")
        .filter(membership=membership, let_go_at=None)
        .order_by("-at")[:1]
    )
)


def of_group(ticket: Member, *, since: datetime) -> tuple[Step, ...]:
    """Steps that their owners chose to show the group, made at or after `since` (never before I joined)."""
    rows = (
        Commitment.objects.select_related("membership")
        .filter(group=ticket.group, seen=SeenBy.GROUP.value, let_go_at=None, at__gte=since)
        .order_by("at")
    )
    return tuple(_step(row, me=ticket.membership) for row in rows)


def mine_by_group(me: Self) -> dict[str, Step]:
    """group id → my newest step there, for the home page, in one statement."""
    rows = (
        Commitment.objects.select_related("membership")
        .filter(membership__person=me.person, membership__stints__ended_at=None, let_go_at=None)
        .order_by("at")
    )
    return {row.group_id: _step(row, me=row.membership_id) for row in rows}
