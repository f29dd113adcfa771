"""Reads of the pledge, for a member."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef

from leeward.domain.groups.models import Stint
from leeward.domain.groups.rules import Member
from leeward.domain.pledges import rules
from leeward.domain.pledges.models import Assent, Pledge
from leeward.domain.pledges.rules import Yes
from leeward.lib.statements import Statement


def current(group: str) -> Pledge | None:
    """The version that holds."""
    return Pledge.objects.filter(group=group, adopted_at__isnull=False).order_by("-number").first()


def draft(group: str) -> Pledge | None:
    return Pledge.objects.filter(group=group, adopted_at=None).first()


def standing_of(ticket: Member, *, at: datetime) -> Yes:
    """Where I stand with the version that holds, in one statement."""
    found = _STANDING.first(group=ticket.group, membership=ticket.membership)
    if found is None:
        return rules.standing(adopted=False, own_at=None, spoken_at=None, at=at)
    return rules.standing(adopted=True, own_at=found.own, spoken_at=found.spoken, at=at)


def _standing(group: str, membership: str):  # an annotated queryset has no writable type
    newest = Pledge.objects.filter(group=group, adopted_at__isnull=False).order_by("-number")
    mine = Assent.objects.filter(pledge=OuterRef("pk"), membership=membership, ended_at=None).order_by("-at")
    return newest.annotate(
        own=mine.filter(own=True).values("at")[:1], spoken=mine.filter(own=False).values("at")[:1]
    ).only("id")[:1]


_STANDING: Statement[Any] = Statement(_standing)


def may_open_room(ticket: Member, *, at: datetime) -> bool:
    return rules.opens_room(standing_of(ticket, at=at), in_core=ticket.in_core, imported=ticket.imported)


def may_read_record(ticket: Member, *, at: datetime) -> bool:
    return rules.opens_record(standing_of(ticket, at=at), in_core=ticket.in_core, imported=ticket.imported)


def assented_ids(group: str, *, at: datetime) -> frozenset[str]:
    """Memberships whose own yes to the version that holds is good at `at`."""
    pledge = current(group)
    if pledge is None:
        return frozenset()
    rows = Assent.objects.filter(pledge=pledge, own=True, ended_at=None, at__gt=at - rules.RENEWED_AFTER)
    return frozenset(rows.values_list("membership", flat=True))


@dataclass(frozen=True)
class YesLine:
    name: str
    own: bool
    at: datetime


def yeses(ticket: Member, pledge: Pledge) -> tuple[YesLine, ...]:
    """Who of those with a seat agreed to a version, in roster order; one line each, the own tap first."""
    rows = (
        Assent.objects.filter(pledge=pledge, ended_at=None, membership__group=ticket.group)
        .filter(Exists(Stint.objects.filter(membership=OuterRef("membership"), ended_at=None)))
        .select_related("membership")
        .order_by("membership__number", "-own")
    )
    lines: dict[str, YesLine] = {}
    for row in rows:
        lines.setdefault(row.membership_id, YesLine(row.membership.name, row.own, row.at))
    return tuple(lines.values())
