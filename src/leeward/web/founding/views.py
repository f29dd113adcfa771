"""The launch path."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from leeward.domain.founding import actions, queries
from leeward.domain.founding.queries import Launch
from leeward.domain.founding.rules import CORE_LEAST, CORE_MOST
from leeward.domain.groups import rules as groups
from leeward.lib import clock
from leeward.web import tickets
from leeward.web.forms import page


@dataclass(frozen=True)
class LaunchPage:
    group: str
    launch: Launch
    core_least: int
    core_most: int
    in_core: bool
    may_take: bool


@require_safe
def launch(request: HttpRequest, group: str) -> HttpResponse:
    ticket = tickets.member(request, group)
    seen = queries.launch(ticket, at=clock.now())
    shown = LaunchPage(
        group=group,
        launch=seen,
        core_least=CORE_LEAST,
        core_most=CORE_MOST,
        in_core=ticket.in_core,
        may_take=seen.founding and groups.is_active(ticket),
    )
    return page(request, "founding/launch.html", shown)


@require_POST
def take_step(request: HttpRequest, group: str, step: str) -> HttpResponse:
    actions.take_step(tickets.member(request, group), step=step, at=clock.now())
    return redirect("launch", group)


@require_POST
def give_step_back(request: HttpRequest, group: str, step: str) -> HttpResponse:
    actions.give_step_back(tickets.member(request, group), step=step, at=clock.now())
    return redirect("launch", group)


@require_POST
def mark_step_done(request: HttpRequest, group: str, step: str) -> HttpResponse:
    actions.mark_step_done(tickets.member(request, group), step=step, at=clock.now())
    return redirect("launch", group)
