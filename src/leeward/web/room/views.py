"""The live meeting as ordinary pages: every command is a form, every look folds time first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from leeward.domain.groups import queries as groups
from leeward.domain.groups.rules import Stage
from leeward.domain.meetings import queries as meetings
from leeward.domain.meetings import rules as meeting_rules
from leeward.domain.meetings.rules import BlockKind
from leeward.domain.places import queries as places
from leeward.domain.places.queries import PlaceSeen
from leeward.domain.pledges import queries as pledges
from leeward.domain.room import actions, rules
from leeward.domain.room.rules import Move, Phase, State
from leeward.lib import clock
from leeward.lib.refusals import NotHere
from leeward.web import tickets
from leeward.web.forms import Form, page


class StepForm(Form):
    seen: ClassVar[dict[str, str]] = {"text": "commitments.Commitment.text"}

    text = forms.CharField(label=gettext_lazy("One small step before next time"), max_length=rules.STEP_LENGTH)
    seen_by = forms.ChoiceField(
        label=gettext_lazy("Who may read it?"),
        choices=[("me", gettext_lazy("only me")), ("group", gettext_lazy("the group, and it stands in the record"))],
        widget=forms.RadioSelect,
        initial="me",
    )

    def seen_label(self, name: str) -> str:
        return _("You choose below who may read it.") if name == "text" else ""


@dataclass(frozen=True)
class PersonHere:
    """One member as the room lists them."""

    membership: str
    name: str
    here: bool
    way: str
    lead: bool
    unclaimed: bool
    said_step: bool


@dataclass(frozen=True)
class RoomPage:
    group: str
    meeting: str
    starts_at: datetime
    open: bool
    may_open: bool
    opens_at: datetime
    state: State | None
    now: datetime
    clock: str
    me: str
    here: bool
    i_lead: bool
    i_may_lead: bool
    lead_name: str
    people: tuple[PersonHere, ...]
    form: StepForm
    my_step: str
    ways: tuple[str, ...]
    may: frozenset[str]
    place: PlaceSeen | None

    @property
    def here_count(self) -> int:
        return sum(line.here for line in self.people)

    @property
    def step_time(self) -> bool:
        """Whether the meeting has come to the steps."""
        block = self.state.block if self.state else None
        at_steps = block is not None and block.kind == BlockKind.COMMITMENT.value
        return at_steps or (self.state is not None and self.state.phase is Phase.CLOSING)


def _seconds(number: int) -> str:
    return f"{number // 60}:{number % 60:02}"


def room(request: HttpRequest, group: str, meeting: str) -> HttpResponse:
    ticket, at = tickets.member(request, group), clock.now()
    row = meetings.meeting_of(ticket, meeting=meeting)
    if not pledges.may_open_room(ticket, at=at):
        return redirect("pledge", group)
    seen = actions.look(ticket, meeting=meeting, at=at)
    if seen is None and row.closed_at is not None:
        return redirect("meeting", group, meeting)
    form = StepForm(request)
    if form.sent():
        with form.refusing():
            data = form.cleaned_data
            actions.move(ticket, meeting=meeting, move=Move.COMMIT, text=data["text"], seen=data["seen_by"], at=at)
            messages.success(request, _("Your step is kept."))
            return redirect("room", group, meeting)
    state = seen.state if seen else None
    if state is not None and state.phase is Phase.CLOSED:
        return redirect("meeting", group, meeting)
    mine = ticket.membership
    lines = tuple(
        PersonHere(
            membership=line.membership,
            name=line.name,
            here=state is not None and line.membership in state.present,
            way=state.present.get(line.membership, "") if state else "",
            lead=state is not None and state.lead == line.membership,
            unclaimed=line.unclaimed,
            said_step=state is not None and line.membership in state.steps,
        )
        for line in groups.people(ticket, at=at)
        if line.stage is not Stage.PAUSED or (state is not None and line.membership in state.present)
    )
    step = state.steps.get(mine) if state else None
    way = meeting_rules.Way(row.way)
    shown = RoomPage(
        group=group,
        meeting=meeting,
        starts_at=row.starts_at,
        open=state is not None,
        may_open=meeting_rules.may_open(at, starts_at=row.starts_at, ends_at=row.ends_at),
        opens_at=row.starts_at - meeting_rules.OPENS_BEFORE,
        state=state,
        now=at,
        clock=_seconds(rules.seconds_left(state, at)) if state else "",
        me=mine,
        here=state is not None and mine in state.present,
        i_lead=state is not None and state.lead == mine,
        i_may_lead=state is not None and rules.may(state, mine, Move.TAKE_LEAD, at),
        lead_name=next((line.name for line in lines if line.lead), ""),
        people=lines,
        form=form,
        my_step=step.text if step else "",
        ways=tuple(answer.value for answer in meeting_rules.ANSWERS[way] if answer.value != "cant"),
        may=frozenset(move.value for move in Move if state and rules.may(state, mine, move, at)),
        place=places.place_of_meeting(ticket, place=row.place, starts_at=row.starts_at, ends_at=row.ends_at, at=at),
    )
    return page(request, "room/room.html", shown, form=form)


def _way(request: HttpRequest) -> str:
    """Raises NotHere for a way that there is not."""
    way = request.POST.get("way", "room")
    if way not in ("room", "online"):
        raise NotHere
    return way


@require_POST
def open_room(request: HttpRequest, group: str, meeting: str) -> HttpResponse:
    ticket = tickets.member(request, group)
    actions.open_room(ticket, meeting=meeting, way=_way(request), at=clock.now())
    return redirect("room", group, meeting)


@require_POST
def move(request: HttpRequest, group: str, meeting: str, move: str) -> HttpResponse:
    """One command: start, next, extend, pause, resume, hold, release, mark-here, hand-over, take-lead, close …"""
    ticket = tickets.member(request, group)
    try:
        chosen = Move(move.replace("-", "_"))
    except ValueError:
        raise NotHere from None
    if chosen is Move.COMMIT:
        raise NotHere
    look = actions.move(
        ticket,
        meeting=meeting,
        move=chosen,
        whom=request.POST.get("whom", "")[:16],
        way=_way(request),
        stand=request.POST.get("stand", "")[:16],
        at=clock.now(),
    )
    if look.state.phase is Phase.CLOSED:
        messages.success(request, _("The meeting is closed. What was in the room is gone; the record is sealed."))
        return redirect("meeting", group, meeting)
    if chosen is Move.STEP_OUT:
        return redirect("meeting", group, meeting)
    return redirect("room", group, meeting)


@dataclass(frozen=True)
class ClosePage:
    group: str
    meeting: str
    unfinished: tuple[str, ...]


@require_safe
def close_room(request: HttpRequest, group: str, meeting: str) -> HttpResponse:
    """What closing means, before it is done: it cannot be taken back."""
    ticket, at = tickets.member(request, group), clock.now()
    seen = actions.look(ticket, meeting=meeting, at=at)
    if seen is None or not rules.may(seen.state, ticket.membership, Move.CLOSE, at):
        raise NotHere
    names = groups.names(ticket)
    unfinished = tuple(names[who] for who in seen.state.present if who not in seen.state.steps)
    return page(request, "room/close.html", ClosePage(group, meeting, unfinished))


@dataclass(frozen=True)
class StepForPage:
    group: str
    meeting: str
    whom: str
    name: str
    form: StepForForm


class StepForForm(Form):
    """The lead writes a step for somebody without a device; it is for the group."""

    seen: ClassVar[dict[str, str]] = {"text": "commitments.Commitment.membership"}

    text = forms.CharField(label=gettext_lazy("One small step before next time"), max_length=rules.STEP_LENGTH)


def step_for(request: HttpRequest, group: str, meeting: str, whom: str) -> HttpResponse:
    ticket, at = tickets.member(request, group), clock.now()
    seen = actions.look(ticket, meeting=meeting, at=at)
    name = groups.names(ticket).get(whom)
    if seen is None or name is None or seen.state.lead != ticket.membership:
        raise NotHere
    form = StepForForm(request)
    if form.sent():
        with form.refusing():
            actions.move(ticket, meeting=meeting, move=Move.COMMIT, whom=whom, text=form.cleaned_data["text"], at=at)
            return redirect("room", group, meeting)
    return page(request, "room/step_for.html", StepForPage(group, meeting, whom, name, form), form=form)
