"""Where a group meets."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from leeward.domain.groups import rules as groups
from leeward.domain.groups.rules import Member
from leeward.domain.places import actions, queries
from leeward.domain.places.queries import PlaceSeen
from leeward.domain.pledges import queries as pledges
from leeward.domain.pledges.rules import takes_part
from leeward.lib import clock
from leeward.lib.refusals import Refusal
from leeward.web import tickets
from leeward.web.forms import page
from leeward.web.places.forms import ChangePlaceForm, PlaceForm


@dataclass(frozen=True)
class PlacesPage:
    group: str
    places: tuple[PlaceSeen, ...]
    may_change: bool
    away: bool


@dataclass(frozen=True)
class PlacePage:
    """`place` is None while a new one is written."""

    group: str
    place: PlaceSeen | None
    form: PlaceForm


def _said_yes(ticket: Member) -> bool:
    return takes_part(pledges.standing_of(ticket, at=clock.now()))


def _keeper(request: HttpRequest, group: str) -> Member:
    """Whoever may add, change or retire a place. Raises NotHere, Refusal("pledge_first")."""
    ticket = tickets.member(request, group)
    if groups.is_active(ticket) and not _said_yes(ticket):
        raise Refusal("pledge_first")
    return ticket


@require_safe
def places(request: HttpRequest, group: str) -> HttpResponse:
    ticket = tickets.member(request, group)
    active = groups.is_active(ticket)
    may_change = active and _said_yes(ticket)
    shown = PlacesPage(group=group, places=queries.places(ticket), may_change=may_change, away=not active)
    return page(request, "places/places.html", shown)


def new_place(request: HttpRequest, group: str) -> HttpResponse:
    ticket = _keeper(request, group)
    form = PlaceForm(request)
    if form.sent():
        with form.refusing():
            form.once(tickets.me(request), lambda: actions.add_place(ticket, form.facts(), at=clock.now()))
            messages.success(request, _("The place is on the list."))
            return redirect("places", group)
    return page(request, "places/place.html", PlacePage(group=group, place=None, form=form), form=form)


def place(request: HttpRequest, group: str, place: str) -> HttpResponse:
    ticket = _keeper(request, group)
    seen = queries.place(ticket, place)
    form = ChangePlaceForm(request, initial=ChangePlaceForm.initial_of(seen))
    if form.sent():
        with form.refusing():
            actions.change_place(ticket, form.facts(), place=place, keep_link=form.keeps_link, at=clock.now())
            messages.success(request, _("Changed."))
            return redirect("places", group)
    return page(request, "places/place.html", PlacePage(group=group, place=seen, form=form), form=form)


@require_POST
def retire_place(request: HttpRequest, group: str, place: str) -> HttpResponse:
    ticket = _keeper(request, group)
    actions.retire_place(ticket, place=place, at=clock.now())
    messages.success(request, _("The place is off the list. Dates that have it keep it."))
    return redirect("places", group)
