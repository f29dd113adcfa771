"""Home, a group, founding one, its people, invitations, the line, settings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings as config
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from leeward.domain.commitments import queries as commitments
from leeward.domain.commitments.queries import Step
from leeward.domain.founding import actions as founding
from leeward.domain.founding import queries as founding_queries
from leeward.domain.founding.queries import Launch
from leeward.domain.groups import actions, queries, rules
from leeward.domain.groups.queries import INVITATION, GroupFacts, InvitationLine, InvitationSeen, PersonLine, WaitLine
from leeward.domain.groups.rules import Format, Member, Seats
from leeward.domain.meetings import queries as meetings
from leeward.domain.people.rules import Self
from leeward.domain.pledges import actions as pledge_actions
from leeward.domain.pledges import queries as pledges
from leeward.domain.pledges.rules import Yes, may_invite, opens_record
from leeward.domain.polls import actions as polls
from leeward.domain.polls.queries import PollSeen
from leeward.domain.polls.rules import Change, Kind
from leeward.domain.safety import queries as safety
from leeward.lib import clock
from leeward.lib.ids import is_id
from leeward.lib.refusals import NotHere
from leeward.lib.tickets import Bearer
from leeward.notices import letters
from leeward.notices.letters import Letter
from leeward.web import tickets, words
from leeward.web.forms import page
from leeward.web.groups.forms import ClaimForm, FoundForm, InviteForm, JoinForm, MyNameForm, SettingsForm, TokensForm
from leeward.web.meetings.views import fold_left_open, left_open

LINE = "line"


# Home --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class NextMeeting:
    """The meeting that comes next, or goes on."""

    id: str
    starts_at: datetime
    place: str
    lead: str
    mine: bool
    opened: bool
    unconfirmed: bool
    answer: str


def _next(row: Any, ticket: Member, *, answer: str = "") -> NextMeeting | None:
    """`row` is a meeting with its lead and place, from `meetings.queries`."""
    if row is None:
        return None
    return NextMeeting(
        id=row.pk,
        starts_at=row.starts_at,
        place=row.place.label if row.place else "",
        lead=row.lead.name if row.lead else "",
        mine=row.lead_id == ticket.membership,
        opened=row.opened_at is not None,
        unconfirmed=row.confirmed_at is None,
        answer=answer,
    )


@dataclass(frozen=True)
class Card:
    """One of my groups on the home page."""

    ticket: Member
    name: str
    next: NextMeeting | None
    step: str


@dataclass(frozen=True)
class HomePage:
    name: str
    cards: tuple[Card, ...]
    waits: tuple[WaitLine, ...]


@require_safe
@tickets.signed_in
def home(request: HttpRequest) -> HttpResponse:
    me, at = tickets.me(request), clock.now()
    mine = queries.memberships_of(me, at=at)
    coming = meetings.next_by_group(me, groups_of_mine=[row.pk for _ticket, row in mine], at=at)
    answers = meetings.my_rsvps(me, [meeting.pk for meeting in coming.values()])
    steps = commitments.mine_by_group(me)
    cards = tuple(
        Card(
            ticket=ticket,
            name=row.name,
            next=_next(
                coming.get(row.pk), ticket, answer=answers.get(coming[row.pk].pk, "") if row.pk in coming else ""
            ),
            step=steps[row.pk].text if row.pk in steps else "",
        )
        for ticket, row in mine
    )
    waits = actions.my_places_in_line(me, at=at)
    return page(request, "groups/home.html", HomePage(name=me.name, cards=cards, waits=waits))


# Founding ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FoundPage:
    """`ready` is false when no country has help lines that somebody checked."""

    form: FoundForm
    ready: bool
    explained: tuple[tuple[str, str], ...]


def _explained() -> tuple[tuple[str, str], ...]:
    return tuple((words.label(kind), str(words.EXPLAINED[kind])) for kind in Format)


@tickets.signed_in
def found(request: HttpRequest) -> HttpResponse:
    me = tickets.me(request)
    ready = safety.ready_countries(at=clock.now())
    form = FoundForm(request, ready=ready, initial={"zone": me.zone, "my_name": me.name})
    if form.sent():
        with form.refusing():
            made = form.once(
                me,
                lambda: (
                    founding.found(
                        me,
                        **form.facts("name", "purpose", "cohort", "country", "zone", "my_name"),
                        format=form.format_chosen,
                        at=clock.now(),
                    ).group
                ),
            )
            return redirect("launch", made)
    shown = FoundPage(form=form, ready=bool(ready), explained=_explained())
    return page(request, "groups/found.html", shown, form=form)


# The group ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class GroupPage:
    ticket: Member
    group: GroupFacts
    people: tuple[PersonLine, ...]
    launch: Launch | None
    next: NextMeeting | None
    newcomer: bool
    step: Step | None
    polls: tuple[OpenPoll, ...]
    pledge: Yes
    may_read_record: bool
    may_set_rhythm: bool
    planned: bool


@dataclass(frozen=True)
class OpenPoll:
    """A question that waits for thumbs. `wanted` while mine is missing."""

    id: str
    title: str
    closes_at: datetime
    wanted: bool


def _open_poll(seen: PollSeen, *, away: bool) -> OpenPoll:
    if seen.kind is Kind.CHANGE:
        title = _("Change: %(what)s") % {"what": words.label(Change(seen.subject))}
    else:
        title = _("Topic: %(title)s") % {"title": seen.question}
    return OpenPoll(seen.id, title, seen.closes_at, not away and seen.may_answer and not seen.my_thumb)


@require_safe
def group(request: HttpRequest, group: str) -> HttpResponse:
    at = clock.now()
    ticket, row = tickets.member_and_group(request, group)
    asked = polls.open_now(ticket, at=at)
    yes = pledges.standing_of(ticket, at=at)
    begins = row.first_closed_at is None and not row.imported
    launch = founding_queries.launch_in_brief(ticket, at=at) if begins else None
    coming = meetings.next_meeting(ticket, at=at)
    if left_open(coming, at):
        fold_left_open(ticket, at=at)
        coming = meetings.next_meeting(ticket, at=at)
    planned = coming is not None or (not launch and meetings.rhythm(group) is not None)
    shown = GroupPage(
        ticket=ticket,
        group=row,
        people=queries.people(ticket, at=at),
        launch=launch,
        next=_next(coming, ticket),
        newcomer=ticket.stage is rules.Stage.NEWCOMER,
        step=None if launch else commitments.mine(ticket),  # a first step is made in the first meeting
        polls=tuple(_open_poll(seen, away=not rules.is_active(ticket)) for seen in asked),
        pledge=yes,
        may_read_record=opens_record(yes, in_core=ticket.in_core, imported=ticket.imported),
        may_set_rhythm=rules.is_active(ticket)
        and (
            (row.imported and not planned)
            or (rules.may_found_change(ticket) and launch is not None and rules.core_complete(launch.core))
        ),
        planned=planned,
    )
    return page(request, "groups/group.html", shown)


@dataclass(frozen=True)
class SettingsPage:
    group: str
    row: GroupFacts
    form: SettingsForm | None
    founder: bool
    decides: str
    explained: tuple[tuple[str, str], ...]


def settings(request: HttpRequest, group: str) -> HttpResponse:
    ticket = tickets.member(request, group)
    row = queries.facts(ticket)
    form = None
    if rules.is_active(ticket) and rules.may_found_change(ticket):
        form = SettingsForm(request, group=row, ready=safety.ready_countries(at=clock.now()))
    if request.method == "POST" and form is None:
        raise NotHere
    if form is not None and form.sent():
        with form.refusing():
            founding.describe(
                ticket,
                **form.facts("name", "purpose", "cohort", "capacity", "country"),
                format=form.format_chosen,
                at=clock.now(),
            )
            messages.success(request, _("Changed."))
            return redirect("group_settings", group)
    shown = SettingsPage(
        group=group,
        row=row,
        form=form,
        founder=ticket.founder,
        decides=words.who_decides(ticket),
        explained=_explained(),
    )
    return page(request, "groups/settings.html", shown, form=form)


# People and my place among them ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PeoplePage:
    ticket: Member
    people: tuple[PersonLine, ...]
    seats: Seats
    founding: bool
    active: bool
    form: MyNameForm
    tokens_form: TokensForm


def people(request: HttpRequest, group: str) -> HttpResponse:
    ticket, at = tickets.member(request, group), clock.now()
    form = MyNameForm(request, initial={"name": ticket.name})
    if form.sent():
        with form.refusing():
            actions.rename_myself(ticket, tickets.me(request), name=form.cleaned_data["name"], at=at)
            messages.success(request, _("Your name here is changed."))
            return redirect("group_people", group)
    shown = PeoplePage(
        ticket=ticket,
        people=queries.people(ticket, at=at),
        seats=queries.seats(group, at=at),
        founding=ticket.first_closed_at is None,
        active=rules.is_active(ticket),
        form=form,
        tokens_form=TokensForm(initial={"free": queries.needs_no_tokens(ticket.membership)}),
    )
    return page(request, "groups/people.html", shown, form=form)


@require_POST
def tokens(request: HttpRequest, group: str) -> HttpResponse:
    ticket = tickets.member(request, group)
    form = TokensForm(request)
    if form.sent():
        actions.need_no_tokens(ticket, needed=form.cleaned_data["free"], at=clock.now())
        messages.success(request, _("Kept. Only you see it."))
    return redirect("group_people", group)


@require_POST
def pause(request: HttpRequest, group: str) -> HttpResponse:
    actions.pause(tickets.member(request, group), at=clock.now())
    messages.success(request, _("You are on a break. Your seat is kept for 60 days."))
    return redirect("group_people", group)


@require_POST
def come_back(request: HttpRequest, group: str) -> HttpResponse:
    actions.come_back(tickets.member(request, group), at=clock.now())
    messages.success(request, _("Good to have you back."))
    return redirect("group_people", group)


@require_POST
def say_im_in(request: HttpRequest, group: str) -> HttpResponse:
    actions.say_im_in(tickets.member(request, group), at=clock.now())
    return redirect("launch", group)


@require_POST
def take_back_im_in(request: HttpRequest, group: str) -> HttpResponse:
    actions.take_back_im_in(tickets.member(request, group), at=clock.now())
    return redirect("launch", group)


@dataclass(frozen=True)
class LeavePage:
    group: str
    name: str


def leave(request: HttpRequest, group: str) -> HttpResponse:
    ticket = tickets.member(request, group)
    if request.method == "POST":
        actions.leave(ticket, at=clock.now())
        messages.success(request, _("You have left. Take care of yourself."))
        return redirect("home")
    return page(request, "groups/leave.html", LeavePage(group=group, name=queries.group(ticket).name))


# Invitations -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class InvitationShown:
    line: InvitationLine
    link: str
    may_withdraw: bool


@dataclass(frozen=True)
class InvitationsPage:
    group: str
    form: InviteForm
    claim_form: ClaimForm | None
    invitations: tuple[InvitationShown, ...]
    seats: Seats
    may_invite: bool
    paused: bool


def invitations(request: HttpRequest, group: str) -> HttpResponse:
    ticket = tickets.member(request, group)
    form = InviteForm(request)
    if form.sent():
        with form.refusing():
            _invite(request, ticket, form, address=form.cleaned_data["address"], uses=form.cleaned_data["uses"])
            return redirect("invitations", group)
    return _invitations(request, ticket, form=form, claim_form=None)


def claim_invitations(request: HttpRequest, group: str) -> HttpResponse:
    ticket = tickets.member(request, group)
    form = ClaimForm(request, seats=_seats_on_paper(ticket))
    if form.sent():
        with form.refusing():
            _invite(
                request, ticket, form, address=form.cleaned_data["claim_address"], claims=form.cleaned_data["claims"]
            )
            return redirect("invitations", group)
    return _invitations(request, ticket, form=InviteForm(), claim_form=form)


def _invite(
    request: HttpRequest,
    ticket: Member,
    form: InviteForm | ClaimForm,
    *,
    address: str,
    claims: str | None = None,
    uses: int = 1,
) -> None:
    def do() -> str:
        with transaction.atomic():
            made = pledge_actions.invite(ticket, address=address, claims=claims, uses=uses, at=clock.now())
            if address:
                letters.send(address, Letter.INVITATION, reverse("invitation", args=[made.token]))
            return made.id

    form.once(tickets.me(request), do)
    if not address:
        said = _("The link is below. It is shown to you only.")
    elif letters.are_sent():
        said = _("The letter is on its way.")
    else:
        said = _("This server sends no letters. The link is below: please hand it on yourself.")
    messages.success(request, said)


def _seats_on_paper(ticket: Member) -> list[tuple[str, str]]:
    return [(seat.membership, seat.name) for seat in queries.unclaimed(ticket)]


def _invitations(
    request: HttpRequest, ticket: Member, *, form: InviteForm, claim_form: ClaimForm | None
) -> HttpResponse:
    at = clock.now()
    on_paper = _seats_on_paper(ticket)
    if claim_form is None and on_paper:
        claim_form = ClaimForm(seats=on_paper)
    shown = InvitationsPage(
        group=ticket.group,
        form=form,
        claim_form=claim_form if on_paper else None,
        invitations=tuple(
            InvitationShown(
                line=line,
                link=f"{config.PUBLIC_URL}{reverse('invitation', args=[line.token])}" if line.token else "",
                may_withdraw=line.by_me or rules.may_found_change(ticket),
            )
            for line in queries.invitations(ticket, at=at)
        ),
        seats=queries.seats(ticket.group, at=at),
        may_invite=rules.is_active(ticket) and may_invite(pledges.standing_of(ticket, at=at)),
        paused=ticket.stage is rules.Stage.PAUSED,
    )
    sent = claim_form if claim_form is not None and claim_form.posted else form
    return page(request, "groups/invitations.html", shown, form=sent)


@require_POST
def withdraw_invitation(request: HttpRequest, group: str, invitation: str) -> HttpResponse:
    actions.withdraw_invitation(tickets.member(request, group), invitation=invitation, at=clock.now())
    messages.success(request, _("The invitation opens nothing any more."))
    return redirect("invitations", group)


@dataclass(frozen=True)
class InvitationPage:
    """What a stranger sees: no group, no name, no place. `form` is None while signed out, or for a kept place."""

    token: str
    seen: InvitationSeen
    format: str
    explained: str
    signed_in: bool
    form: JoinForm | None


def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows what it is and changes nothing; POST joins, after signing in. Every unusable one is the one 404."""
    me = tickets.me_or_none(request)
    if me is None:
        seen = queries.invitation_of(Bearer(INVITATION, token), at=clock.now())
        if request.method == "POST":
            request.session["pending"] = request.path
            return redirect("sign_in")
        return _invitation(request, token, seen, form=None, signed_in=False)
    form = JoinForm(request, initial={"name": me.name})
    if form.sent():
        with form.refusing():
            return _joined(request, form.once(me, lambda: _join(me, token, form.cleaned_data["name"])))
    seen = queries.invitation_of(Bearer(INVITATION, token), at=clock.now())
    return _invitation(request, token, seen, form=form, signed_in=True)


def _invitation(
    request: HttpRequest, token: str, seen: InvitationSeen, *, form: JoinForm | None, signed_in: bool
) -> HttpResponse:
    kind = Format(seen.format)
    shown = InvitationPage(
        token=token,
        seen=seen,
        format=words.label(kind),
        explained=str(words.EXPLAINED[kind]),
        signed_in=signed_in,
        form=form,
    )
    return page(request, "groups/invitation.html", shown, form=form)


def _join(me: Self, token: str, name: str) -> str:
    """Answers `g:<group>` for a seat, `w:<waiting>` for a place in line."""
    addresses = EmailAddress.objects.filter(user_id=me.person, verified=True).values_list("email", flat=True)
    got = actions.join(me, token=token, name=name, addresses=tuple(addresses), at=clock.now())
    return f"g:{got.group}" if isinstance(got, Member) else f"w:{got.pk}"


def _joined(request: HttpRequest, answer: str) -> HttpResponse:
    kind, _colon, what = answer.partition(":")
    if not is_id(what):
        raise NotHere
    if kind == "g":
        messages.success(request, _("Welcome. You have a seat."))
        return redirect("group", what)
    return redirect("waiting", what)


# The line ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class WaitingPage:
    wait: WaitLine


def _my_wait(me: Self, waiting: str) -> WaitLine:
    found = next((line for line in actions.my_places_in_line(me, at=clock.now()) if line.id == waiting), None)
    if found is None:
        raise NotHere
    return found


@require_safe
def waiting(request: HttpRequest, waiting: str) -> HttpResponse:
    return page(request, "groups/waiting.html", WaitingPage(_my_wait(tickets.me(request), waiting)))


@require_POST
def take_seat(request: HttpRequest, waiting: str) -> HttpResponse:
    ticket = actions.take_offered_seat(tickets.me(request), waiting=waiting, at=clock.now())
    messages.success(request, _("Welcome. You have a seat."))
    return redirect("group", ticket.group)


@require_POST
def leave_line(request: HttpRequest, waiting: str) -> HttpResponse:
    actions.leave_line(tickets.me(request), waiting=waiting, at=clock.now())
    messages.success(request, _("You are out of the line."))
    return redirect("home")
