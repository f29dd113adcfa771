"""Pages of the pledge: read it, say yes, draft it, write down a yes that was said in the room."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from leeward.domain.groups import queries as groups
from leeward.domain.groups.rules import Member, is_active, polls_decide
from leeward.domain.meetings import queries as meetings
from leeward.domain.pledges import actions, queries, rules
from leeward.domain.pledges.queries import YesLine
from leeward.domain.pledges.rules import Yes
from leeward.domain.room import actions as room
from leeward.lib import clock
from leeward.lib.refusals import NotHere, Refusal
from leeward.web import tickets, words
from leeward.web.forms import Form, page

FIRST_DRAFT = (
    gettext_lazy("What is said here stays here."),
    gettext_lazy("I speak of myself, and I do not pass on what others said, not even without names."),
    gettext_lazy("I do not record, photograph or copy what happens in a meeting."),
    gettext_lazy("I listen. I give advice only when somebody asks for it."),
    gettext_lazy("Each of us may pass, pause or leave at any time, without a reason."),
)


class DraftForm(Form):
    seen: ClassVar[dict[str, str]] = {"lines": "pledges.Pledge.lines"}

    lines = forms.CharField(
        label=gettext_lazy("The pledge, one sentence on each line"),
        widget=forms.Textarea(attrs={"rows": 10}),
        max_length=rules.LINES_MOST * (rules.LINE_LENGTH + 2),
    )

    def sentences(self) -> list[str]:
        return str(self.cleaned_data["lines"]).splitlines()


class SpokenForm(Form):
    seen: ClassVar[dict[str, str]] = {"membership": "pledges.Assent.membership", "witness": "pledges.Assent.witness"}

    membership = forms.ChoiceField(label=gettext_lazy("Who says yes?"))
    witness = forms.ChoiceField(label=gettext_lazy("Who heard it too?"))

    def __init__(self, request: HttpRequest | None = None, *, people: list[tuple[str, str]], **options: Any) -> None:
        super().__init__(request, **options)
        for name in ("membership", "witness"):
            self.fields[name].choices = people  # type: ignore[attr-defined]


@dataclass(frozen=True)
class PledgePage:
    group: str
    pledge: str
    lines: tuple[str, ...]
    yes: Yes
    yeses: tuple[YesLine, ...]
    draft: tuple[str, ...]
    may_draft: bool
    may_adopt: bool
    by_poll: bool
    decides: str


@require_safe
def pledge(request: HttpRequest, group: str) -> HttpResponse:
    ticket, at = tickets.member(request, group), clock.now()
    row, draft = queries.current(group), queries.draft(group)
    may_draft = actions.may_draft(ticket, adopted=row is not None)
    may_poll = row is not None and not may_draft and is_active(ticket) and polls_decide(ticket)
    shown = PledgePage(
        group=group,
        pledge=row.pk if row else "",
        lines=tuple(row.lines) if row else (),
        yes=queries.standing_of(ticket, at=at),
        yeses=queries.yeses(ticket, row) if row else (),
        draft=tuple(draft.lines) if draft else (),
        may_draft=may_draft,
        may_adopt=draft is not None and actions.may_adopt(ticket, adopted=row is not None),
        by_poll=may_poll,
        decides=words.who_decides(ticket) if row is not None and not may_draft else "",
    )
    return page(request, "pledges/pledge.html", shown)


@require_POST
def agree(request: HttpRequest, group: str) -> HttpResponse:
    ticket = tickets.member(request, group)
    actions.agree(ticket, pledge=request.POST.get("pledge", "")[:16], at=clock.now())
    messages.success(request, _("Thank you. Your yes is kept for a year, or until the text changes."))
    return redirect("pledge", group)


@dataclass(frozen=True)
class DraftPage:
    group: str
    form: DraftForm


def draft(request: HttpRequest, group: str) -> HttpResponse:
    ticket, at = tickets.member(request, group), clock.now()
    row, there = queries.current(group), queries.draft(group)
    if not actions.may_draft(ticket, adopted=row is not None):
        raise NotHere
    text = there.lines if there else row.lines if row else [str(line) for line in FIRST_DRAFT]
    form = DraftForm(request, initial={"lines": "\n".join(text)})
    if form.sent():
        with form.refusing():
            actions.draft(ticket, lines=form.sentences(), at=at)
            messages.success(request, _("The draft is kept. Everybody in the group can read it."))
            return redirect("pledge", group)
    return page(request, "pledges/draft.html", DraftPage(group, form), form=form)


@require_POST
def adopt(request: HttpRequest, group: str) -> HttpResponse:
    actions.adopt(tickets.member(request, group), at=clock.now())
    messages.success(request, _("The pledge holds from now on. Each of you is asked for a yes."))
    return redirect("pledge", group)


@dataclass(frozen=True)
class SpokenPage:
    """`form` is None for whoever may not write it down now; `sentence` says why."""

    group: str
    form: SpokenForm | None
    sentence: str


def _people(ticket: Member, here: Collection[str], at: datetime) -> list[tuple[str, str]]:
    """The others in the room, to choose from."""
    lines = groups.people(ticket, at=at)
    others = ((line.membership, line.name) for line in lines if not line.me and line.membership in here)
    return [("", _("choose")), *others]


def _room_i_lead(ticket: Member, at: datetime) -> tuple[str, Collection[str]]:
    """The meeting going on that I lead, and who is there. Raises Refusal("spoken_in_the_room" | "pledge_first")."""
    for meeting in meetings.open_meetings(ticket):
        look = room.look(ticket, meeting=meeting, at=at)
        if look is not None and look.state.lead == ticket.membership:
            return meeting, look.state.present
    raise Refusal("spoken_in_the_room")


def spoken_yes(request: HttpRequest, group: str) -> HttpResponse:
    ticket, at = tickets.member(request, group), clock.now()
    if queries.current(group) is None:
        raise NotHere
    try:
        meeting, here = _room_i_lead(ticket, at)
    except Refusal as refusal:
        if request.method == "POST":
            raise
        return page(request, "pledges/spoken.html", SpokenPage(group, None, words.sentence(refusal)))
    form = SpokenForm(request, people=_people(ticket, here, at))
    if form.sent():
        with form.refusing():
            data = form.cleaned_data
            room.record_spoken_yes(
                ticket, meeting=meeting, membership=data["membership"], witness=data["witness"], at=at
            )
            messages.success(request, _("Written down. It opens the room; the record needs their own tap."))
            return redirect("pledge", group)
    return page(request, "pledges/spoken.html", SpokenPage(group, form, ""), form=form)
