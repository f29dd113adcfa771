"""Reads of the journal, for a member."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from leeward.domain.groups.rules import Member
from leeward.domain.journal.models import JournalRow


@dataclass(frozen=True)
class Line:
    event: str
    at: datetime
    actor: str


def lines(ticket: Member, *, most: int = 50) -> tuple[Line, ...]:
    """The newest facts of my group."""
    rows = JournalRow.objects.filter(group=ticket.group).select_related("actor").order_by("-at", "-id")[:most]
    return tuple(Line(row.event, row.at, row.actor.name if row.actor else "") for row in rows)
