"""Bringing in a group that exists: upload, check, progress, report. Nothing becomes a group before the yes."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.translation import gettext as _

from leeward.domain.groups import queries as group_queries
from leeward.domain.groups import rules as groups
from leeward.domain.groups.rules import Format
from leeward.domain.meetings.rules import meeting_minutes, wall_time, zone_named
from leeward.domain.people.rules import Self
from leeward.domain.portability import actions, queries
from leeward.domain.portability.rules import ImportPlan, checked
from leeward.domain.safety import queries as safety
from leeward.lib import clock
from leeward.lib.refusals import NotHere, Refusal
from leeward.web import moments, tickets, words
from leeward.web.forms import page
from leeward.web.portability.forms import BringForm, WhoForm

LINES_SHOWN = 50
_CUT = "<!--progress-->"


@dataclass(frozen=True)
class BringPage:
    form: BringForm
    ready: bool


@tickets.signed_in
def bring(request: HttpRequest) -> HttpResponse:
    me, at = tickets.me(request), clock.now()
    ready = safety.ready_countries(at=at)
    form = BringForm(request, ready=ready, initial={"zone": me.zone, "time": "18:00", "minutes": 60})
    if form.sent():
        with form.refusing():
            files, facts = form.uploaded, form.facts
            _naming(facts)
            if not _checked(files, facts, at).history.active:
                raise Refusal("import_nobody_active", field="members")
            return redirect("bring_checked", actions.keep_upload(me, files=files, facts=facts, at=at))
    return page(request, "portability/bring.html", BringPage(form, bool(ready)), form=form)


def _naming(facts: Mapping[str, Any]) -> actions.Naming:
    """Raises Refusal beside the field."""
    return actions.Naming(
        name=groups.name(facts["name"]),
        purpose=groups.purpose(facts["purpose"]),
        zone=zone_named(facts["zone"]),
        time=wall_time(facts["time"]),
        minutes=meeting_minutes(facts["minutes"]),
        country=facts["country"],
        cohort=groups.cohort(facts["cohort"]) if facts["cohort"] else "",
        format=Format(facts["format"]),
    )


def _checked(files: Mapping[str, bytes], facts: Mapping[str, Any], at: datetime) -> ImportPlan:
    zone = ZoneInfo(facts["zone"])
    return checked(
        {name: io.BytesIO(data) for name, data in files.items()}, zone=zone, until=at.astimezone(zone).date()
    )


@dataclass(frozen=True)
class LeftOut:
    file: str
    line: int
    reason: str


@dataclass(frozen=True)
class Differs:
    """A day on which another number was counted than came by the lists; `listed` is None where none was counted."""

    day: str
    listed: int | None
    found: int


@dataclass(frozen=True)
class CheckedPage:
    form: WhoForm
    meetings: int
    people: int
    members: int
    active: int
    attendances: int
    guest_visits: int
    refused: tuple[LeftOut, ...]
    refused_total: int
    differs: tuple[Differs, ...]
    differs_total: int


def bring_checked(request: HttpRequest, upload: str) -> HttpResponse | StreamingHttpResponse:
    """The report of the check; then "take it in"."""
    me, at = tickets.me(request), clock.now()
    seen = queries.upload(me, upload=upload, at=at)
    if not seen.files:
        return redirect("group", seen.group) if _mine(me, seen.group) else redirect("home")
    plan = _checked(seen.files, seen.facts, at)
    form = WhoForm(request, people=[(person.key, person.name) for person in plan.history.active])
    if form.sent():
        taking = _Taking(me, upload, plan, _naming(seen.facts), form.cleaned_data["me"])
        return StreamingHttpResponse(taking.page(request))
    history = plan.history
    shown = CheckedPage(
        form=form,
        meetings=len(history.rosters),
        people=len(history.people),
        members=len(history.members),
        active=len(history.active),
        attendances=history.attendances,
        guest_visits=history.guest_visits,
        refused=tuple(
            LeftOut(row.file, row.line, words.row_reason(row.reason, row.facts)) for row in plan.refused[:LINES_SHOWN]
        ),
        refused_total=plan.refused_total,
        differs=tuple(
            Differs(moments.short_day(odd.date), odd.listed, odd.found) for odd in plan.mismatches[:LINES_SHOWN]
        ),
        differs_total=len(plan.mismatches),
    )
    return page(request, "portability/checked.html", shown, form=form)


@dataclass(frozen=True)
class _Taking:
    """The work of taking a checked group in. `who` is the key of the person that `me` is."""

    me: Self
    upload: str
    plan: ImportPlan
    naming: actions.Naming
    who: str

    def page(self, request: HttpRequest) -> Iterator[str]:
        """Sent while the work goes on: needs no script, and ends with the report or with what was wrong."""
        before, _cut, after = render_to_string("portability/taking_in.html", {"page": None}, request).partition(_CUT)
        yield before
        yield _line(_("The files are checked."))
        try:
            taken = actions.take_in(self.me, self.plan, self.naming, me=self.who, at=clock.now())
        except Refusal as refusal:
            yield _line(words.sentence(refusal), _("Nothing was stored."))
        else:
            actions.forget_upload(self.me, upload=self.upload, plan=self.plan)
            yield _line(_("You brought these lists before.") if taken.already else _("All of it is here."))
            group = taken.group if _mine(self.me, taken.group) else ""
            yield render_to_string("portability/taken_in.html", {"group": group})
        yield after


def _mine(me: Self, group: str) -> bool:
    """Whether I have a seat there: whoever brought a group may have left it since."""
    try:
        group_queries.member(me, group=group, at=clock.now())
    except NotHere:
        return False
    return True


def _line(*sentences: str) -> str:
    return f"<li>{escape(' '.join(sentences))}</li>\n"
