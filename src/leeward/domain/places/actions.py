"""Writes about places. Any member on no break may add, change or retire one: nobody owns the group's rooms."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from leeward.domain.groups import actions as groups
from leeward.domain.groups import rules as group_rules
from leeward.domain.groups.rules import Member
from leeward.domain.places import queries, rules
from leeward.domain.places.events import PlaceAdded, PlaceChanged, PlaceRetired
from leeward.domain.places.models import Place
from leeward.domain.places.rules import Facts
from leeward.lib.events import announce
from leeward.lib.refusals import NotHere, Refusal


def _refuse_while_paused(ticket: Member) -> None:
    if not group_rules.is_active(ticket):
        raise Refusal("not_while_paused")


@transaction.atomic
def add_place(ticket: Member, facts: Facts, *, at: datetime) -> str:
    """Returns the place's id. Raises Refusal beside the field, or "too_many_places"."""
    _refuse_while_paused(ticket)
    kept = rules.checked(facts)
    groups.lock(ticket.group)
    if Place.objects.filter(group=ticket.group, retired_at=None).count() >= rules.PLACES_MOST:
        raise Refusal("too_many_places", most=rules.PLACES_MOST)
    row = Place(group_id=ticket.group, added_at=at)
    _write(row, kept)
    announce(PlaceAdded(group=ticket.group, by=ticket.membership, place=row.pk, at=at))
    return row.pk


@transaction.atomic
def change_place(ticket: Member, facts: Facts, *, place: str, keep_link: bool, at: datetime) -> None:
    """With `keep_link` the link stays as it is, whatever `facts` says. Raises NotHere, Refusal beside the field."""
    _refuse_while_paused(ticket)
    groups.lock(ticket.group)
    row = queries.place_row(ticket, place)
    _write(row, rules.checked(Facts(**(vars(facts) | {"link": row.link if keep_link else facts.link}))))
    announce(PlaceChanged(group=ticket.group, by=ticket.membership, place=row.pk, at=at))


def _write(row: Place, facts: Facts) -> None:
    for name, value in vars(facts).items():
        setattr(row, name, value)
    row.save()


@transaction.atomic
def retire_place(ticket: Member, *, place: str, at: datetime) -> None:
    """It is offered for new dates no more; dates that have it keep it. Twice is once. Raises NotHere."""
    _refuse_while_paused(ticket)
    rows = Place.objects.filter(pk=place, group=ticket.group)
    if not rows.exists():
        raise NotHere
    if rows.filter(retired_at=None).update(retired_at=at):
        announce(PlaceRetired(group=ticket.group, by=ticket.membership, place=place, at=at))
