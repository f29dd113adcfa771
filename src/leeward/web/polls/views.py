"""Pages of polls: one poll with its thumbs, and proposing a change."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.functional import lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from leeward.domain.groups import queries as groups
from leeward.domain.groups import rules as group_rules
from leeward.domain.groups.rules import Format, Member, is_active, may_found_change, polls_decide
from leeward.domain.meetings import queries as meetings
from leeward.domain.places import queries as places
from leeward.domain.pledges import queries as pledges
from leeward.domain.pledges import rules as pledge_rules
from leeward.domain.polls import actions, queries
from leeward.domain.polls.queries import PollSeen
from leeward.domain.polls.rules import Change, Kind, Thumb
from leeward.lib import clock
from leeward.lib.refusals import NotHere, Refusal
from leeward.web import moments, tickets, words
from leeward.web.forms import Form, Number, page
from leeward.web.meetings.forms import RhythmForm, TalkForm
from leeward.web.meetings.views import fold_left_open


@dataclass(frozen=True)
class PollPage:
    group: str
    poll: PollSeen
    may_answer: bool
    title: str
    now_text: str
    new_text: str


@require_safe
def poll(request: HttpRequest, group: str, poll: str) -> HttpResponse:
    ticket, at = tickets.member(request, group), clock.now()
    actions.open_now(ticket, at=at)
    seen = queries.poll(ticket, poll=poll)
    if seen.kind is Kind.ITEM:
        return redirect("meeting", group, seen.meeting)
    what = Change(seen.change["what"])
    shown = PollPage(
        group=group,
        poll=seen,
        may_answer=seen.may_answer and is_active(ticket),
        title=words.label(what),
        now_text=_now(ticket, what),
        new_text=described(what, seen.change["to"]),
    )
    return page(request, "polls/poll.html", shown)


def described(what: Change, to: Any) -> str:
    """What a change would make of it, in words."""
    if what is Change.PLEDGE:
        return "\n".join(to)
    if what is Change.FORMAT:
        return words.label(Format(to))
    if what is Change.TALK:
        said = [ngettext("%(number)s token each", "%(number)s tokens each", to["each"]) % {"number": to["each"]}]
        said += [_("Short questions are free.")] if to["follow_ups"] else []
        said += [_("Every block starts with a full hand.")] if to["refill"] else []
        return "\n".join(said)
    if what is Change.RHYTHM:
        from datetime import datetime

        start = moments.wall_time(datetime.fromisoformat(to["start_local"]), to["zone"])
        return _("From %(start)s, every %(weeks)s weeks, %(minutes)s minutes") % {
            "start": start, "weeks": to["every_weeks"], "minutes": to["minutes"],
        }  # fmt: skip
    return str(to)


def _now(ticket: Any, what: Change) -> str:
    if what is Change.PLEDGE:
        row = pledges.current(ticket.group)
        return "\n".join(row.lines) if row else _("none yet")
    if what is Change.RHYTHM:
        rhythm = meetings.rhythm(ticket.group)
        if rhythm is None:
            return _("none yet")
        return described(
            what,
            {
                "start_local": rhythm.starts_local, "zone": rhythm.zone, "every_weeks": rhythm.every_weeks,
                "minutes": rhythm.minutes,
            },
        )  # fmt: skip
    if what is Change.TALK:
        return described(what, asdict(meetings.talk(ticket.group)))
    facts = groups.facts(ticket)
    value = getattr(facts, what.value)
    return words.label(Format(value)) if what is Change.FORMAT else str(value)


@require_POST
def vote(request: HttpRequest, group: str, poll: str) -> HttpResponse:
    ticket, at = tickets.member(request, group), clock.now()
    try:
        thumb = Thumb(request.POST.get("thumb", ""))
    except ValueError:
        raise NotHere from None
    seen = queries.poll(ticket, poll=poll)
    actions.vote(ticket, poll=poll, thumb=thumb, at=at)
    messages.success(request, _("Your thumb is kept. You can change it until the poll closes."))
    if seen.kind is Kind.ITEM:
        return redirect("meeting", group, seen.meeting)
    return redirect("poll", group, poll)


class ChooseForm(Form):
    what = forms.ChoiceField(
        label=gettext_lazy("What should change?"),
        choices=lazy(lambda: words.choices(Change), list)(),
        widget=forms.RadioSelect,
    )


class ChangeForm(Form):
    """One field of the group; which one stands in the address."""

    seen: ClassVar[dict[str, str]] = {"to": "polls.Poll.change"}

    def __init__(self, request: HttpRequest | None = None, *, what: Change, now: str, **options: Any) -> None:
        super().__init__(request, **options)
        self.fields["to"] = _FIELDS[what]()
        self.initial.setdefault("to", now)

    def beside(self, refusal: Refusal) -> str | None:
        return "to" if refusal.field else None


def _text(most: int) -> forms.CharField:
    return forms.CharField(label=gettext_lazy("New"), max_length=most)


_FIELDS = {
    Change.NAME: lambda: _text(group_rules.NAME_LENGTH),
    Change.PURPOSE: lambda: _text(group_rules.PURPOSE_LENGTH),
    Change.COHORT: lambda: _text(group_rules.COHORT_LENGTH),
    Change.FORMAT: lambda: forms.ChoiceField(
        label=gettext_lazy("New"), choices=words.choices(Format), widget=forms.RadioSelect
    ),
    Change.CAPACITY: lambda: Number(
        label=gettext_lazy("New"), min_value=group_rules.CAPACITY_LEAST, max_value=group_rules.CAPACITY_MOST
    ),
    Change.PLEDGE: lambda: forms.CharField(
        label=gettext_lazy("The new text, one sentence on each line"),
        widget=forms.Textarea(attrs={"rows": 10}),
        max_length=pledge_rules.LINES_MOST * (pledge_rules.LINE_LENGTH + 2),
    ),
}


@dataclass(frozen=True)
class NewPage:
    group: str
    changes: tuple[tuple[str, str], ...]


def _may_propose(ticket: Member) -> bool:
    """Until the first closed meeting founders change things, and no poll does."""
    return polls_decide(ticket) and not may_found_change(ticket)


@require_safe
def new_poll(request: HttpRequest, group: str) -> HttpResponse:
    ticket = tickets.member(request, group)
    if not _may_propose(ticket):
        raise NotHere
    changes = tuple((change.value, words.label(change)) for change in Change)
    return page(request, "polls/new.html", NewPage(group, changes))


@dataclass(frozen=True)
class ProposePage:
    group: str
    title: str
    now_text: str
    form: Form


def propose(request: HttpRequest, group: str, what: str) -> HttpResponse:
    ticket, at = tickets.member(request, group), clock.now()
    try:
        change = Change(what)
    except ValueError:
        raise NotHere from None
    if not _may_propose(ticket):
        raise NotHere
    form: Form
    if change is Change.RHYTHM:
        form = RhythmForm(request, places=places.places(ticket))
    elif change is Change.TALK:
        form = TalkForm(request, initial=asdict(meetings.talk(group)))
    else:
        facts = groups.facts(ticket)
        now = _now(ticket, change) if change is Change.PLEDGE else str(getattr(facts, change.value))
        form = ChangeForm(request, what=change, now=now)
    if form.sent():
        fold_left_open(ticket, at=at)
        with form.refusing():
            made = form.once(
                tickets.me(request),
                lambda: actions.propose_change(ticket, what=change, value=_value(form, change, ticket), at=at),
            )
            return redirect("poll", group, made)
    shown = ProposePage(group, words.label(change), _now(ticket, change), form)
    return page(request, "polls/propose.html", shown, form=form)


def _value(form: Form, change: Change, ticket: Any) -> Any:
    if isinstance(form, RhythmForm):
        return form.rhythm(ticket.group_zone)
    if isinstance(form, TalkForm):
        return form.talk()
    value = form.cleaned_data["to"]
    return value.splitlines() if change is Change.PLEDGE else value
