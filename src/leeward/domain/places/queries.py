"""Reads of a group's places, for a member."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from leeward.domain.groups.rules import Member
from leeward.domain.places import rules
from leeward.domain.places.models import Place
from leeward.lib.refusals import NotHere


@dataclass(frozen=True)
class PlaceSeen:
    """A place as a member sees it. `link` is empty outside the minutes in which it is shown."""

    id: str
    label: str
    address: str
    access_notes: str
    cost_free: bool
    screen_sharing: bool
    reserved_until: date | None
    has_link: bool
    link: str
    link_from: datetime | None
    retired: bool


def _seen(row: Place, *, link: str = "", link_from: datetime | None = None) -> PlaceSeen:
    return PlaceSeen(
        id=row.pk,
        label=row.label,
        address=row.address,
        access_notes=row.access_notes,
        cost_free=row.cost_free,
        screen_sharing=row.screen_sharing,
        reserved_until=row.reserved_until,
        has_link=bool(row.link),
        link=link,
        link_from=link_from,
        retired=row.retired_at is not None,
    )


def places(ticket: Member) -> tuple[PlaceSeen, ...]:
    """The places of my group that are in use, oldest first, without their links, in one statement."""
    rows = Place.objects.filter(group=ticket.group, retired_at=None).order_by("added_at", "id")
    return tuple(_seen(row) for row in rows)


def place_row(ticket: Member, place: str) -> Place:
    """Raises NotHere."""
    row = Place.objects.filter(pk=place, group=ticket.group, retired_at=None).first()
    if row is None:
        raise NotHere
    return row


def place(ticket: Member, place: str) -> PlaceSeen:
    """Raises NotHere."""
    return _seen(place_row(ticket, place))


def place_of_meeting(
    ticket: Member, *, place: Place | None, starts_at: datetime, ends_at: datetime, at: datetime
) -> PlaceSeen | None:
    """The place of a meeting, its link only while it is shown. Costs no statement when `place` is already read."""
    if place is None or place.group_id != ticket.group:
        return None
    shown = rules.link_for(ticket, link=place.link, starts_at=starts_at, ends_at=ends_at, at=at)
    return _seen(place, link=shown, link_from=rules.link_shown_from(starts_at) if place.link else None)
