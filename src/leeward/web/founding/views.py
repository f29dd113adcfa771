"""The launch path."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from leeward.domain.founding import actions, queries
from leeward.domain.founding.queries import Launch
from leeward.domain.founding.rules import CORE_LEAST, CORE_MOST, Step, StepState
from leeward.domain.groups import rules as groups
from leeward.domain.meetings.rules import MINUTES, Block, agenda_for, spare, with_pledge
from leeward.lib import clock
from leeward.web import tickets, words
from leeward.web.forms import page
from leeward.web.words import Words

# Where a step is made, and the words on the way there.
MADE_AT: dict[Step, tuple[str, Words]] = {
    Step.CORE: ("invitations", _("Invite somebody")),
    Step.PLEDGE: ("pledge", _("Go to the pledge")),
    Step.PLACE: ("new_place", _("Add a place")),
    Step.DATE: ("dates", _("Plan the dates")),
}
TAPS: dict[Step, Words] = {
    Step.SURVEY: _("We have asked around"),
    Step.AGENDA: _("This agenda suits us"),
}


@dataclass(frozen=True)
class StepShown:
    """A step with what one can do about it; empty text means: nothing here."""

    state: StepState
    name: str
    text: str
    link: str
    verb: str
    tap: str


def _shown(state: StepState, group: str) -> StepShown:
    made_at, verb = MADE_AT.get(state.step, ("", ""))
    return StepShown(
        state=state,
        name=words.label(state.step),
        text=str(words.EXPLAINED[state.step]),
        link=reverse(made_at, args=[group]) if made_at else "",
        verb=str(verb),
        tap=str(TAPS.get(state.step, "")),
    )


@dataclass(frozen=True)
class LaunchPage:
    group: str
    launch: Launch
    steps: tuple[StepShown, ...]
    core_least: int
    core_most: int
    in_core: bool
    may_take: bool
    agenda: tuple[Block, ...]
    spare: int


@require_safe
def launch(request: HttpRequest, group: str) -> HttpResponse:
    ticket, facts = tickets.member_and_group(request, group)
    seen = queries.launch(ticket, at=clock.now())
    agenda = with_pledge(agenda_for(facts.format.value, MINUTES), MINUTES)
    shown = LaunchPage(
        group=group,
        launch=seen,
        steps=tuple(_shown(state, group) for state in seen.path.steps),
        core_least=CORE_LEAST,
        core_most=CORE_MOST,
        in_core=ticket.in_core,
        may_take=seen.founding and groups.is_active(ticket),
        agenda=agenda,
        spare=spare(agenda, MINUTES),
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
