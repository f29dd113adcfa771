"""Reads of ideas, for a member: those of their own time in the group."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from leeward.domain.groups.rules import Member
from leeward.domain.ideas.models import Idea

IDEAS_SHOWN = 200


@dataclass(frozen=True)
class IdeaLine:
    id: str
    text: str
    at: datetime


def ideas(ticket: Member) -> tuple[IdeaLine, ...]:
    """What the group kept since I joined, newest first."""
    rows = Idea.objects.filter(group=ticket.group, let_go_at=None, at__gte=ticket.since)[:IDEAS_SHOWN]
    return tuple(IdeaLine(row.pk, row.text, row.at) for row in rows)
