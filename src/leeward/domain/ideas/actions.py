"""Writes of ideas."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from leeward.domain.groups.rules import Member, is_active
from leeward.domain.ideas import rules
from leeward.domain.ideas.events import IdeaKept, IdeaLetGo
from leeward.domain.ideas.models import Idea
from leeward.lib.events import announce
from leeward.lib.refusals import NotHere, Refusal


def keep_from_room(group: str, *, lines: Sequence[str], at: datetime) -> None:
    """What a meeting chose to keep of what it caught; the close calls this once."""
    for line in lines:
        row = Idea(group_id=group, text=rules.text(line), at=at)
        row.save(force_insert=True)
        announce(IdeaKept(group=group, idea=row.pk, at=at))


@transaction.atomic
def let_go(ticket: Member, *, idea: str, at: datetime) -> None:
    """Off the list. Twice is once. Raises NotHere, Refusal("not_while_paused")."""
    row = Idea.objects.filter(pk=idea, group=ticket.group, at__gte=ticket.since).first()
    if row is None:
        raise NotHere
    if not is_active(ticket):
        raise Refusal("not_while_paused")
    if Idea.objects.filter(pk=row.pk, let_go_at=None).update(let_go_at=at):
        announce(IdeaLetGo(group=ticket.group, idea=row.pk, at=at))
