"""The live meeting: ordinary pages whose every command is a form. A script may send the same forms in the background
(`X-Leeward-Live`); then the answer is empty, and the new picture comes by the socket."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

import segno
from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from leeward.domain.groups import queries as groups
from leeward.domain.groups.rules import Member
from leeward.domain.meetings import queries as meetings
from leeward.domain.meetings import rules as meeting_rules
from leeward.domain.places import queries as places
from leeward.domain.places.queries import PlaceSeen
from leeward.domain.places.rules import video_link
from leeward.domain.pledges import queries as pledges
from leeward.domain.room import actions, queries, rules
from leeward.domain.room.rules import Move, Phase, State
from leeward.lib import clock
from leeward.lib.refusals import NotHere
from leeward.lib.tickets import Clock
from leeward.web import tickets
from leeward.web.errors import LIVE
from leeward.web.forms import Form, page
from leeward.web.room import picture
from leeward.web.room.picture import MEMBER, SCREEN, RoomSeen


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


class MoodForm(Form):
    mood = forms.CharField(
        label=gettext_lazy("Two words, or none"), max_length=rules.MOOD_LENGTH, required=False,
        help_text=gettext_lazy("Shown to everybody here once all have answered. Gone when the meeting closes."),
    )  # fmt: skip


class LineForm(Form):
    line = forms.CharField(
        label=gettext_lazy("A line for all"), max_length=rules.LINE_LENGTH,
        help_text=gettext_lazy("Everybody here sees the line at once. Who wrote it is not kept."),
    )  # fmt: skip


class QuestionForm(Form):
    question = forms.CharField(
        label=gettext_lazy("What shall we decide?"), max_length=rules.QUESTION_LENGTH,
        help_text=gettext_lazy("Everybody here has a thumb. What is carried stands in the record as a topic."),
    )  # fmt: skip


@dataclass(frozen=True)
class RoomPage:
    """`seen` is None before the room is open. What is mine only (`my_…`) never stands in a picture."""

    group: str
    meeting: str
    may_open: bool
    opens_at: datetime
    seen: RoomSeen | None
    socket: str
    me: str
    here: bool
    form: StepForm
    mood_form: MoodForm
    line_form: LineForm
    question_form: QuestionForm
    mood_time: bool
    my_mood: str | None
    my_step: str
    ways: tuple[str, ...]
    place: PlaceSeen | None


def socket_path(group: str, meeting: str, role: str) -> str:
    return f"/live/{group}/{meeting}/{role}/"


def _look(ticket: Member, meeting: str, at: datetime) -> tuple[State, RoomSeen] | None:
    """The room with what the clock owed done; None while it is not open. Raises NotHere, Refusal."""
    look = actions.look(ticket, meeting=meeting, at=at)
    if look is None or look.state.phase is Phase.CLOSED:
        return None
    scene = queries.scene(Clock(), meeting=meeting, at=at)
    return None if scene is None else (scene.state, picture.seen(scene, at=at))


def room(request: HttpRequest, group: str, meeting: str) -> HttpResponse:
    ticket, at = tickets.member(request, group), clock.now()
    if not pledges.may_open_room(ticket, at=at):
        meetings.meeting_of(ticket, meeting=meeting)
        return redirect("pledge", group)
    looked = _look(ticket, meeting, at)
    row = meetings.meeting_of(ticket, meeting=meeting)
    if looked is None and row.closed_at is not None:
        return redirect("meeting", group, meeting)
    form = StepForm(request)
    if form.sent():
        with form.refusing():
            data = form.cleaned_data
            actions.move(ticket, meeting=meeting, move=Move.COMMIT, text=data["text"], seen=data["seen_by"], at=at)
            return _done(request, group, meeting, _("Your step is kept."))
    if form.posted and LIVE in request.headers:
        return _said_wrong(form)
    return _room(request, ticket, row, looked, at, form=form)


def _room(
    request: HttpRequest,
    ticket: Member,
    row: meetings.Meeting,
    looked: tuple[State, RoomSeen] | None,
    at: datetime,
    *,
    form: StepForm | None = None,
    mood_form: MoodForm | None = None,
    line_form: LineForm | None = None,
    question_form: QuestionForm | None = None,
) -> HttpResponse:
    state, seen = looked if looked else (None, None)
    mine = ticket.membership
    step = state.steps.get(mine) if state else None
    way = meeting_rules.Way(row.way)
    place = places.place_of_meeting(ticket, place=row.place, starts_at=row.starts_at, ends_at=row.ends_at, at=at)
    if place is not None and place.link:
        place = replace(place, link=video_link(place.link))
    shown = RoomPage(
        group=ticket.group,
        meeting=row.pk,
        may_open=meeting_rules.may_open(at, starts_at=row.starts_at, ends_at=row.ends_at),
        opens_at=row.starts_at - meeting_rules.OPENS_BEFORE,
        seen=seen,
        socket=socket_path(ticket.group, row.pk, MEMBER),
        me=mine,
        here=state is not None and mine in state.present,
        form=form or StepForm(),
        mood_form=mood_form or MoodForm(),
        line_form=line_form or LineForm(),
        question_form=question_form or QuestionForm(),
        mood_time=seen is not None and (seen.phase == Phase.LOBBY.value or seen.kind in ("mood", "pledge")),
        my_mood=state.moods.get(mine) if state else None,
        my_step=step.text if step else "",
        ways=tuple(answer.value for answer in meeting_rules.ANSWERS[way] if answer.value != "cant"),
        place=place,
    )
    forms_here = (form, mood_form, line_form, question_form)
    sent = next((one for one in forms_here if one is not None and one.posted), None)
    return page(request, "room/room.html", shown, form=sent, me=mine, role=MEMBER)


def _done(request: HttpRequest, group: str, meeting: str, said: str = "") -> HttpResponse:
    if LIVE in request.headers:
        return HttpResponse(status=204)
    if said:
        messages.success(request, said)
    return redirect("room", group, meeting)


def _said_wrong(form: Form) -> JsonResponse:
    """What is wrong with a form that a script sent, in one line."""
    sentences = [str(error) for errors in form.errors.values() for error in errors]
    return JsonResponse({"sentence": " ".join(sentences)}, status=422)


def _way(request: HttpRequest) -> str:
    """A way, a thumb, a hand or a line's number: the vocabulary of the move."""
    return request.POST.get("way", "room")[:16]


@require_POST
def open_room(request: HttpRequest, group: str, meeting: str) -> HttpResponse:
    ticket = tickets.member(request, group)
    way = _way(request)
    if way not in ("room", "online"):
        raise NotHere
    actions.open_room(ticket, meeting=meeting, way=way, at=clock.now())
    return redirect("room", group, meeting)


# Moves that come with something typed have a door of their own.
TYPED = frozenset({Move.COMMIT, Move.MOOD, Move.CATCH, Move.ASK})


@require_POST
def move(request: HttpRequest, group: str, meeting: str, move: str) -> HttpResponse:
    """One command that is a tap: start, next, raise, accept, pass, give, thumb, pause, hold, hand-over, close …"""
    ticket = tickets.member(request, group)
    try:
        chosen = Move(move.replace("-", "_"))
    except ValueError:
        raise NotHere from None
    if chosen in TYPED:
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
    if look.state.phase is Phase.CLOSED or chosen is Move.STEP_OUT:
        return redirect("meeting", group, meeting)
    return _done(request, group, meeting)


def _typed(request: HttpRequest, group: str, meeting: str, *, form: Form, move: Move, field: str) -> HttpResponse:
    """A move with something typed: kept, or the room's page again with what is wrong beside the field."""
    ticket, at = tickets.member(request, group), clock.now()
    if form.sent():
        with form.refusing():
            actions.move(ticket, meeting=meeting, move=move, text=form.cleaned_data[field], at=at)
            return _done(request, group, meeting)
    if LIVE in request.headers:
        return _said_wrong(form)
    looked = _look(ticket, meeting, at)
    if looked is None:
        raise NotHere
    row = meetings.meeting_of(ticket, meeting=meeting)
    return _room(
        request,
        ticket,
        row,
        looked,
        at,
        mood_form=form if isinstance(form, MoodForm) else None,
        line_form=form if isinstance(form, LineForm) else None,
        question_form=form if isinstance(form, QuestionForm) else None,
    )


@require_POST
def say_mood(request: HttpRequest, group: str, meeting: str) -> HttpResponse:
    return _typed(request, group, meeting, form=MoodForm(request), move=Move.MOOD, field="mood")


@require_POST
def catch_line(request: HttpRequest, group: str, meeting: str) -> HttpResponse:
    return _typed(request, group, meeting, form=LineForm(request), move=Move.CATCH, field="line")


@require_POST
def ask(request: HttpRequest, group: str, meeting: str) -> HttpResponse:
    return _typed(request, group, meeting, form=QuestionForm(request), move=Move.ASK, field="question")


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


# For somebody without a device -------------------------------------------------------------------------------------


class StepForForm(Form):
    """The lead writes a step for somebody without a device; it is for the group."""

    seen: ClassVar[dict[str, str]] = {"text": "commitments.Commitment.membership"}

    text = forms.CharField(label=gettext_lazy("One small step before next time"), max_length=rules.STEP_LENGTH)


@dataclass(frozen=True)
class SpeakForPage:
    group: str
    meeting: str
    whom: str
    name: str
    form: StepForForm
    mood_form: MoodForm
    may_write_step: bool
    may_light: bool


def speak_for(request: HttpRequest, group: str, meeting: str, whom: str) -> HttpResponse:
    """The lead writes what somebody says: two words, or a step. A form that was sent says which by its field."""
    ticket, at = tickets.member(request, group), clock.now()
    look = actions.look(ticket, meeting=meeting, at=at)
    name = groups.names(ticket).get(whom)
    if look is None or name is None or look.state.lead != ticket.membership:
        raise NotHere
    mood = request.method == "POST" and "mood" in request.POST
    mood_form = MoodForm(request if mood else None)
    form = StepForForm(request if not mood else None)
    if mood and mood_form.sent():
        with mood_form.refusing():
            text = mood_form.cleaned_data["mood"]
            actions.move(ticket, meeting=meeting, move=Move.MOOD, whom=whom, text=text, at=at)
            return redirect("room", group, meeting)
    if not mood and form.sent():
        with form.refusing():
            text = form.cleaned_data["text"]
            actions.move(ticket, meeting=meeting, move=Move.COMMIT, whom=whom, text=text, at=at)
            return redirect("room", group, meeting)
    step = look.state.steps.get(whom)
    shown = SpeakForPage(
        group=group,
        meeting=meeting,
        whom=whom,
        name=name,
        form=form,
        mood_form=mood_form,
        may_write_step=step is None or not step.own,
        may_light=look.state.spotlight is None,
    )
    return page(request, "room/speak_for.html", shown, form=mood_form if mood else form)


# The big screen, and the way in from it -------------------------------------------------------------------------------


@dataclass(frozen=True)
class ScreenPage:
    """`qr` is an SVG drawing of the way in."""

    group: str
    meeting: str
    seen: RoomSeen
    socket: str
    qr: str


@require_safe
def big_screen(request: HttpRequest, group: str, meeting: str) -> HttpResponse:
    """What a projector shows: the shared picture, large, with nobody's own marks."""
    ticket, at = tickets.member(request, group), clock.now()
    looked = _look(ticket, meeting, at)
    if looked is None:
        meetings.meeting_of(ticket, meeting=meeting)
        return redirect("room", group, meeting)
    shown = ScreenPage(
        group=group,
        meeting=meeting,
        seen=looked[1],
        socket=socket_path(group, meeting, SCREEN),
        qr=_code(f"{settings.PUBLIC_URL}{reverse('join_room', args=[meeting])}"),
    )
    return page(request, "room/screen.html", shown, me="", role=SCREEN)


def _code(address: str) -> str:
    drawn = io.BytesIO()
    segno.make(address, micro=False).save(
        drawn, kind="svg", xmldecl=False, svgns=False, border=2, scale=6, title=_("The way in"), omitsize=True
    )
    return drawn.getvalue().decode()


@dataclass(frozen=True)
class JoinPage:
    path: str


def join_room(request: HttpRequest, meeting: str) -> HttpResponse:
    """Where the code leads: members on into the room; who is not signed in to a page that names nothing."""
    me = tickets.me_or_none(request)
    if me is None:
        if request.method == "POST":
            request.session["pending"] = request.path
            return redirect("sign_in")
        return page(request, "room/join.html", JoinPage(request.path))
    group = meetings.group_of_mine(me, meeting=meeting, at=clock.now())
    return redirect("room", group, meeting)
