"""Pages of meetings: the dates, one date, its agenda, the record."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from leeward.domain.groups import queries as groups
from leeward.domain.groups.rules import Member, is_active, may_found_change, polls_decide
from leeward.domain.meetings import actions, queries, rules
from leeward.domain.meetings.queries import ItemLine, RecordLine, RsvpLine
from leeward.domain.meetings.rules import Answer, Block, Standing, Way
from leeward.domain.places import queries as places
from leeward.domain.places.queries import PlaceSeen
from leeward.domain.pledges import queries as pledges
from leeward.domain.polls import actions as polls
from leeward.domain.polls import queries as poll_queries
from leeward.domain.room import actions as room
from leeward.domain.room.rules import Voice
from leeward.lib import clock
from leeward.lib.refusals import NotHere
from leeward.lib.tickets import Clock
from leeward.web import moments, tickets, words
from leeward.web.forms import page
from leeward.web.meetings.forms import AddendumForm, AgendaForm, DateForm, ItemForm, RhythmForm, TalkForm


@dataclass(frozen=True)
class DateLine:
    """One date as a row of a list."""

    id: str
    starts_at: datetime
    way: Way
    theme: str
    lead: str
    standing: Standing


@dataclass(frozen=True)
class DatesPage:
    group: str
    dates: tuple[DateLine, ...]
    has_rhythm: bool
    may_set: bool
    by_poll: bool
    decides: str


def fold_left_open(ticket: Member, *, at: datetime) -> None:
    """Let the clock do what it owes in rooms of my group that nobody looks at: one left alone closes itself."""
    for meeting in queries.open_meetings(ticket):
        room.fold_due(Clock(), group=ticket.group, meeting=meeting, at=at)


def left_open(row: queries.Meeting | None, at: datetime) -> bool:
    """Whether a meeting's room is open past its end."""
    return row is not None and row.opened_at is not None and row.closed_at is None and row.ends_at <= at


def _standing(row: queries.Meeting, at: datetime) -> Standing:
    return rules.standing_as_of(
        at,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        confirmed=row.confirmed_at is not None,
        cancelled=row.cancelled_at is not None,
        opened=row.opened_at is not None,
        closed=row.closed_at is not None,
    )


def date_line(row: queries.Meeting, at: datetime) -> DateLine:
    return DateLine(
        id=row.pk,
        starts_at=row.starts_at,
        way=Way(row.way),
        theme=row.theme,
        lead=row.lead.name if row.lead else "",
        standing=_standing(row, at),
    )


def _may_set_rhythm(ticket: Member, *, has_one: bool) -> bool:
    return is_active(ticket) and (may_found_change(ticket) or (ticket.imported and not has_one))


@require_safe
def dates(request: HttpRequest, group: str) -> HttpResponse:
    ticket, at = tickets.member(request, group), clock.now()
    has_rhythm = queries.rhythm(group) is not None
    may_set = _may_set_rhythm(ticket, has_one=has_rhythm)
    rows = queries.coming(ticket, at=at)
    if any(left_open(row, at) for row in rows):
        fold_left_open(ticket, at=at)
        rows = queries.coming(ticket, at=at)
    shown = DatesPage(
        group=group,
        dates=tuple(date_line(row, at) for row in rows),
        has_rhythm=has_rhythm,
        may_set=may_set,
        by_poll=not may_set and is_active(ticket) and polls_decide(ticket),
        decides="" if may_set else words.who_decides(ticket),
    )
    return page(request, "meetings/dates.html", shown)


@dataclass(frozen=True)
class RhythmPage:
    group: str
    form: RhythmForm
    zone: str
    has_one: bool


def rhythm(request: HttpRequest, group: str) -> HttpResponse:
    ticket, at = tickets.member(request, group), clock.now()
    row = queries.rhythm(group)
    if not _may_set_rhythm(ticket, has_one=row is not None):
        raise NotHere
    listed = places.places(ticket)
    initial: dict[str, Any] = {"place": listed[0].id} if len(listed) == 1 else {}
    if row is not None:
        initial = {"every_weeks": row.every_weeks, "minutes": row.minutes, "cycle": row.cycle, "place": row.place_id}
    form = RhythmForm(request, places=listed, initial=initial)
    if form.sent():
        with form.refusing():
            actions.set_rhythm(ticket, form.rhythm(ticket.group_zone), place=form.place_chosen, at=at)
            messages.success(request, _("The dates of the next half year are planned."))
            return redirect("dates", group)
    shown = RhythmPage(group, form, ticket.group_zone, row is not None)
    return page(request, "meetings/rhythm.html", shown, form=form)


@dataclass(frozen=True)
class TalkPage:
    group: str
    form: TalkForm


def talk(request: HttpRequest, group: str) -> HttpResponse:
    """Talk tokens, for founders until the first closed meeting; later a poll changes them."""
    ticket, at = tickets.member(request, group), clock.now()
    if not (is_active(ticket) and may_found_change(ticket)):
        raise NotHere
    form = TalkForm(request, initial=asdict(queries.talk(group)))
    if form.sent():
        with form.refusing():
            actions.set_talk(ticket, form.talk(), at=at)
            messages.success(request, _("Kept. It holds from the next meeting on."))
            return redirect("dates", group)
    return page(request, "meetings/talk.html", TalkPage(group, form), form=form)


# One meeting -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ItemRow:
    """A proposed topic with its poll: `thumb` is mine, `outcome` the poll's one word."""

    item: ItemLine
    poll: str
    thumb: str
    outcome: str


@dataclass(frozen=True)
class MeetingPage:
    group: str
    group_name: str
    purpose: str
    ticket: Member
    meeting: DateLine
    minutes: int
    local: str
    zone: str
    agenda: tuple[Block, ...]
    spare: int
    place: PlaceSeen | None
    rsvps: tuple[RsvpLine, ...]
    answers: tuple[Answer, ...]
    mine: str
    items: tuple[ItemRow, ...]
    form: ItemForm
    backup: str
    i_lead: bool
    i_back_up: bool
    may_take_turn: bool
    may_change: bool
    may_enter: bool
    may_propose: bool
    may_add: bool
    away: bool
    opens_at: datetime
    pledge_first: bool
    records: tuple[RecordLine, ...]
    came: tuple[str, ...]
    guests: int
    voice: str


def meeting(request: HttpRequest, group: str, meeting: str) -> HttpResponse:
    ticket, at = tickets.member(request, group), clock.now()
    polls.open_now(ticket, at=at)
    row = queries.meeting_of(ticket, meeting=meeting)
    form = ItemForm(request)
    if form.sent():
        with form.refusing():
            form.once(
                tickets.me(request),
                lambda: polls.propose_item(ticket, meeting=meeting, title=form.cleaned_data["title"], at=at),
            )
            messages.success(request, _("Proposed. Thumbs decide until the meeting starts."))
            return redirect("meeting", group, meeting)
    line = date_line(row, at)
    agenda = queries.agenda(row, first=ticket.first_closed_at is None)
    answers = queries.rsvps(ticket, meeting=meeting)
    to_come = line.standing in (Standing.PLANNED, Standing.CONFIRMED, Standing.UNCONFIRMED)
    in_charge = row.lead_id in (None, ticket.membership) or may_found_change(ticket)
    held = line.standing is Standing.HELD
    may_read = held and pledges.may_read_record(ticket, at=at)
    if held and not may_read:
        line = replace(line, theme="")
    place = places.place_of_meeting(ticket, place=row.place, starts_at=row.starts_at, ends_at=row.ends_at, at=at)
    takes_part = actions.may_take_part(ticket, at=at)
    pledge_first = not pledges.may_open_room(ticket, at=at)
    if place is not None and pledge_first:
        place = replace(place, link="", link_from=None)
    facts = groups.facts(ticket)
    shown = MeetingPage(
        group=group,
        group_name=facts.name,
        purpose=facts.purpose,
        ticket=ticket,
        meeting=line,
        minutes=row.minutes,
        local=row.local,
        zone=row.zone,
        agenda=agenda,
        spare=rules.spare(agenda, row.minutes),
        place=place,
        rsvps=answers,
        answers=rules.ANSWERS[line.way] if is_active(ticket) and (to_come or line.standing is Standing.OPEN) else (),
        mine=next((answer.answer for answer in answers if answer.me), ""),
        items=_items(ticket, meeting, at),
        form=form,
        backup=row.backup.name if row.backup else "",
        i_lead=row.lead_id == ticket.membership,
        i_back_up=row.backup_id == ticket.membership,
        may_take_turn=to_come
        and takes_part
        and ticket.membership not in (row.lead_id, row.backup_id)
        and (row.lead_id is None or row.backup_id is None),
        may_change=to_come and in_charge and takes_part,
        may_enter=is_active(ticket)
        and (
            line.standing is Standing.OPEN
            or (to_come and rules.may_open(at, starts_at=row.starts_at, ends_at=row.ends_at))
        ),
        may_propose=to_come and takes_part,
        may_add=may_read and actions.may_add_to_record(ticket, at=at),
        away=not is_active(ticket),
        opens_at=row.starts_at - rules.OPENS_BEFORE,
        pledge_first=pledge_first,
        records=queries.record_of_meeting(ticket, meeting=meeting) if may_read else (),
        came=queries.attendance_of(ticket, meeting=meeting) if may_read else (),
        guests=queries.guests_of(ticket, meeting=meeting) if may_read else 0,
        voice=words.label(Voice(row.voice)) if may_read and row.voice and row.starts_at >= ticket.since else "",
    )
    return page(request, "meetings/meeting.html", shown, form=form)


def _items(ticket: Member, meeting: str, at: datetime) -> tuple[ItemRow, ...]:
    asked = {poll.subject: poll for poll in poll_queries.item_polls(ticket, meeting=meeting, at=at)}
    rows = []
    for item in queries.items(ticket, meeting=meeting):
        poll = asked.get(item.id)
        rows.append(
            ItemRow(
                item=item,
                poll=poll.id if poll and not poll.outcome else "",
                thumb=poll.my_thumb if poll else "",
                outcome=poll.outcome if poll else "",
            )
        )
    return tuple(rows)


@require_POST
def rsvp(request: HttpRequest, group: str, meeting: str) -> HttpResponse:
    ticket = tickets.member(request, group)
    try:
        answer = Answer(request.POST.get("answer", ""))
    except ValueError:
        raise NotHere from None
    actions.answer_rsvp(ticket, meeting=meeting, answer=answer, at=clock.now())
    if request.POST.get("back") == "home":
        return redirect("home")
    return redirect("meeting", group, meeting)


@require_POST
def turn(request: HttpRequest, group: str, meeting: str) -> HttpResponse:
    actions.take_turn(tickets.member(request, group), meeting=meeting, at=clock.now())
    return redirect("meeting", group, meeting)


@require_POST
def turn_back(request: HttpRequest, group: str, meeting: str) -> HttpResponse:
    actions.give_turn_back(tickets.member(request, group), meeting=meeting, at=clock.now())
    return redirect("meeting", group, meeting)


@require_POST
def confirm(request: HttpRequest, group: str, meeting: str) -> HttpResponse:
    actions.confirm(tickets.member(request, group), meeting=meeting, at=clock.now())
    return redirect("meeting", group, meeting)


@require_POST
def cancel(request: HttpRequest, group: str, meeting: str) -> HttpResponse:
    actions.cancel(tickets.member(request, group), meeting=meeting, at=clock.now())
    messages.success(request, _("This date does not happen."))
    return redirect("dates", group)


@require_POST
def withdraw_item(request: HttpRequest, group: str, meeting: str, item: str) -> HttpResponse:
    ticket = tickets.member(request, group)
    queries.meeting_of(ticket, meeting=meeting)
    polls.withdraw_item(ticket, item=item, at=clock.now())
    return redirect("meeting", group, meeting)


@dataclass(frozen=True)
class ChangePage:
    group: str
    meeting: DateLine
    form: DateForm
    zone: str


def _is_over(row: queries.Meeting) -> bool:
    """Opened, closed or cancelled: nothing about it is changed any more."""
    return any((row.opened_at, row.closed_at, row.cancelled_at))


def change(request: HttpRequest, group: str, meeting: str) -> HttpResponse:
    """Another day, another place, a theme."""
    ticket, at = tickets.member(request, group), clock.now()
    row = queries.meeting_of(ticket, meeting=meeting)
    if request.method != "POST" and _is_over(row):
        return redirect("meeting", group, meeting)
    local = datetime.fromisoformat(row.local)
    form = DateForm(
        request,
        places=places.places(ticket),
        initial={
            "date": local.date(), "time": local.time(), "theme": row.theme, "way": row.way, "place": row.place_id or "",
        },
    )  # fmt: skip
    if form.sent():
        with form.refusing():
            actions.arrange(
                ticket,
                meeting=meeting,
                local=form.local,
                theme=form.cleaned_data["theme"],
                way=Way(form.cleaned_data["way"]),
                place=form.place_chosen,
                at=at,
            )
            return redirect("meeting", group, meeting)
    return page(request, "meetings/change.html", ChangePage(group, date_line(row, at), form, row.zone), form=form)


@dataclass(frozen=True)
class AgendaRow:
    order: object
    kind: object
    title: object
    minutes: object


@dataclass(frozen=True)
class AgendaPage:
    group: str
    meeting: DateLine
    form: AgendaForm
    rows: tuple[AgendaRow, ...]
    total: int
    minutes: int


def agenda(request: HttpRequest, group: str, meeting: str) -> HttpResponse:
    ticket, at = tickets.member(request, group), clock.now()
    row = queries.meeting_of(ticket, meeting=meeting)
    if request.method != "POST" and _is_over(row):
        return redirect("meeting", group, meeting)
    blocks = queries.agenda(row, first=ticket.first_closed_at is None)
    form = AgendaForm(request, blocks=blocks)
    if form.sent():
        with form.refusing():
            actions.set_agenda(ticket, meeting=meeting, blocks=form.blocks(), at=at)
            return redirect("meeting", group, meeting)
    rows = tuple(
        AgendaRow(*(form[f"{name}_{place}"] for name in ("order", "kind", "title", "minutes")))
        for place in range(form.rows)
    )
    shown = AgendaPage(group, date_line(row, at), form, rows, rules.total(blocks), row.minutes)
    return page(request, "meetings/agenda.html", shown, form=form)


# The record --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RecordPage:
    group: str
    group_name: str
    records: tuple[RecordLine, ...]
    number: int
    pages: int
    printing: bool


def _reader(request: HttpRequest, group: str) -> Member:
    """Raises NotHere without a yes to the pledge by one's own tap."""
    ticket = tickets.member(request, group)
    if not pledges.may_read_record(ticket, at=clock.now()):
        raise NotHere
    return ticket


@require_safe
def record(request: HttpRequest, group: str) -> HttpResponse:
    """Twenty entries a page; with ?all=1, for printing, five hundred."""
    ticket = _reader(request, group)
    asked, printing = request.GET.get("page", "1"), request.GET.get("all") == "1"
    wanted = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 6 else 1
    a_page = queries.RECORDS_PRINTED if printing else queries.RECORDS_A_PAGE
    records, pages = queries.records(ticket, page=wanted, a_page=a_page)
    number = min(max(wanted, 1), pages)
    shown = RecordPage(group, groups.facts(ticket).name, records, number, pages, printing)
    return page(request, "meetings/record.html", shown)


@dataclass(frozen=True)
class AddendumPage:
    group: str
    meeting: DateLine
    form: AddendumForm


def addendum(request: HttpRequest, group: str, meeting: str) -> HttpResponse:
    ticket, at = _reader(request, group), clock.now()
    row = queries.meeting_of(ticket, meeting=meeting)
    form = AddendumForm(request)
    if form.sent():
        with form.refusing():
            form.once(
                tickets.me(request),
                lambda: actions.add_to_record(ticket, meeting=meeting, text=form.cleaned_data["text"], at=at),
            )
            messages.success(request, _("Added to the record."))
            return redirect("meeting", group, meeting)
    return page(request, "meetings/addendum.html", AddendumPage(group, date_line(row, at), form), form=form)


@require_POST
def remove_leaf(request: HttpRequest, group: str, leaf: str) -> HttpResponse:
    actions.remove_leaf(_reader(request, group), leaf=leaf, at=clock.now())
    messages.success(request, _("Your line is gone from the record. The chain still holds."))
    return redirect("record", group)


@require_safe
def record_markdown(request: HttpRequest, group: str) -> HttpResponse:
    ticket = _reader(request, group)
    text = markdown(groups.facts(ticket).name, queries.chain(ticket))
    return _file(text, "text/markdown; charset=utf-8", "record.md")


@require_safe
def record_csv(request: HttpRequest, group: str) -> HttpResponse:
    return _file(as_csv(queries.chain(_reader(request, group))), "text/csv; charset=utf-8", "record.csv")


def _file(text: str, kind: str, name: str) -> HttpResponse:
    response = HttpResponse(text, content_type=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def leaf_text(leaf: queries.LeafLine) -> str:
    """A line of the record in the reader's words."""
    if leaf.removed:
        return _("removed by its author")
    if leaf.kind == rules.LeafKind.WAY and leaf.text in set(Way):
        return words.label(Way(leaf.text))
    if leaf.kind in (rules.LeafKind.DATE, rules.LeafKind.NEXT):
        local, _space, zone = leaf.text.partition(" ")
        return moments.wall_time(datetime.fromisoformat(local), zone)
    if leaf.kind == rules.LeafKind.ORIGIN:
        return _("taken in from the group's own lists")
    if leaf.kind == rules.LeafKind.STEP:
        return f"{leaf.text} ({_('someone') if leaf.someone or not leaf.name else leaf.name})"
    return leaf.text


def markdown(name: str, records: Sequence[RecordLine]) -> str:
    """The chain as Markdown; what people typed is escaped."""
    lines = [f"# {_escaped(name)}", ""]
    for record in records:
        lines.append(f"## {record.number}. {moments.day(date.fromisoformat(record.day))}")
        if record.addendum:
            added = {"who": _escaped(record.author) or _("someone"), "day": _added_on(record)}
            lines.append(_("Addendum by %(who)s, %(day)s") % added)
        lines += [f"- {words.label(rules.LeafKind(leaf.kind))}: {_escaped(leaf_text(leaf))}" for leaf in record.leaves]
        lines += [f"- SHA-256: `{record.hash}`", ""]
    return "\n".join(lines)


def _added_on(record: RecordLine) -> str:
    return moments.day(date.fromisoformat(record.sealed_on))


def _escaped(text: str) -> str:
    return "".join(f"\\{c}" if c in "\\`*_{}[]()#+-.!|<>&~" else c for c in text.replace("\n", " "))


def as_csv(records: Sequence[RecordLine]) -> str:
    """The chain as CSV; a cell that a spreadsheet would run as a formula starts with an apostrophe.

    `date` is the meeting's day where it was; `author` and `added` say of an addendum by whom and on which day.
    """
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(["number", "date", "addendum", "author", "added", "line", "text", "hash"])
    for record in records:
        addendum = ["yes", _cell(record.author or _("someone")), record.sealed_on] if record.addendum else ["", "", ""]
        for leaf in record.leaves:
            rows.writerow([record.number, record.day, *addendum, leaf.kind, _cell(leaf_text(leaf)), record.hash])
    return out.getvalue()


def _cell(text: str) -> str:
    return f"'{text}" if text[:1] in {*"=+-@\t\r\n＝＋－＠"} else text
