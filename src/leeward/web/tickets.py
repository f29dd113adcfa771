"""A door first asks for the visitor's ticket. Without one there is the not-found page, signed out too."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone, translation

from leeward.domain.groups import queries as groups
from leeward.domain.groups.queries import GroupFacts
from leeward.domain.groups.rules import Member
from leeward.domain.people import queries as people
from leeward.domain.people.rules import Self
from leeward.lib import clock
from leeward.lib.refusals import NotHere
from leeward.web import languages


class NotIntroduced(Exception):
    """Signed in, but the first page after the first sign-in was not filled in yet."""


def recognised(request: HttpRequest) -> Self | None:
    """The signed-in person's ticket, read once a request; their language and zone hold from then on."""
    if not hasattr(request, "ticket"):
        user: Any = request.user
        ticket = people.ticket_of(user) if user.is_authenticated and user.is_active else None
        request.ticket = ticket  # type: ignore[attr-defined]
        if ticket:
            translation.activate(languages.spoken(ticket.language))
            timezone.activate(ticket.zone)
        else:
            timezone.deactivate()
    found: Self | None = request.ticket  # type: ignore[attr-defined]
    return found


def me_or_none(request: HttpRequest) -> Self | None:
    """The ticket of whoever is signed in. Raises NotIntroduced before they gave a name and the 18+ statement."""
    found = recognised(request)
    if found is not None and not found.adult:
        raise NotIntroduced
    return found


def me(request: HttpRequest) -> Self:
    """Raises NotHere when nobody is signed in, NotIntroduced."""
    found = me_or_none(request)
    if found is None:
        raise NotHere
    return found


def member(request: HttpRequest, group: str) -> Member:
    """The visitor's ticket for this group. Raises NotHere: absent, forbidden and left alike."""
    ticket = groups.member(me(request), group=group, at=clock.now())
    timezone.activate(ticket.group_zone)
    return ticket


def member_and_group(request: HttpRequest, group: str) -> tuple[Member, GroupFacts]:
    """The ticket and what the group is, in one statement. Raises NotHere."""
    ticket, facts = groups.member_and_group(me(request), group=group, at=clock.now())
    timezone.activate(ticket.group_zone)
    return ticket, facts


def signed_in(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """For pages that belong to everybody with an account (home, account): the signed-out are sent to sign in."""

    @wraps(view)
    def door(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if me_or_none(request) is None:
            return redirect("sign_in")
        return view(request, *args, **kwargs)

    return door
