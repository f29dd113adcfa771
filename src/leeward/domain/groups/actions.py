"""Writes about groups. Whoever changes seats locks the group's row first: seats and the line are one thing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F, Max, Q

from leeward.domain.groups import queries, rules
from leeward.domain.groups.events import (
    GroupChanged,
    GroupFounded,
    InvitationMade,
    InvitationWithdrawn,
    MemberClaimed,
    MemberJoined,
    MemberLeft,
    MemberPaused,
    MemberReturned,
    SaidImIn,
    SeatOffered,
    StoodInLine,
)
from leeward.domain.groups.models import CoreYes, Founder, Group, Invitation, Membership, Pause, Stint, Waiting
from leeward.domain.groups.rules import Format, Member
from leeward.domain.people import rules as people
from leeward.domain.people.rules import Self
from leeward.lib.events import announce
from leeward.lib.fields import keyring
from leeward.lib.ids import new_token
from leeward.lib.refusals import NotHere, Refusal
from leeward.lib.tickets import Clock
from leeward.lib.words import skeleton


def lock(group: str) -> Group:
    """The group's row, held until the transaction ends: what changes seats, chain, dates or pledge waits its turn.

    Taken before any other row, so that nobody waits for somebody who waits for them. Rows that merely point at the
    group (a journal line, say) need not wait.
    """
    return Group.objects.select_for_update(no_key=True).get(pk=group)


def _next_number(group: str) -> int:
    return (Membership.objects.filter(group=group).aggregate(last=Max("number"))["last"] or 0) + 1


@transaction.atomic
def found(
    me: Self,
    *,
    name: str,
    purpose: str,
    cohort: str,
    format: Format,
    country: str,
    zone: str,
    my_name: str,
    capacity: int = rules.CAPACITY_FULL,
    at: datetime,
) -> Member:
    """A new group with its founder in the first seat and in the core. Raises Refusal beside the field."""
    if not me.adult:
        raise Refusal("adults_only", age=people.ADULT_AGE)
    row = Group(
        name=rules.name(name),
        purpose=rules.purpose(purpose),
        cohort=rules.cohort(cohort),
        format=format.value,
        capacity=rules.capacity(capacity),
        country=country,
        zone=zone,
        founded_at=at,
    )
    row.save(force_insert=True)
    first = Membership(group=row, person_id=me.person, name=people.shown_name(my_name, field="my_name"), number=1)
    first.claimed_at = at
    first.save(force_insert=True)
    Stint.objects.create(group=row, membership=first, began_at=at)
    Founder.objects.create(group=row, membership=first, at=at)
    CoreYes.objects.create(group=row, membership=first, at=at)
    announce(GroupFounded(group=row.pk, by=first.pk, at=at))
    return queries.member(me, group=row.pk, at=at)


@transaction.atomic
def describe(
    ticket: Member,
    *,
    name: str,
    purpose: str,
    cohort: str,
    format: Format,
    capacity: int,
    country: str,
    at: datetime,
) -> None:
    """What founders change by themselves until the first closed meeting. Raises Refusal("by_poll_only") after it."""
    rules.refuse_unless_founding(ticket)
    change_group(
        ticket.group,
        by=ticket.membership,
        changes={
            "name": name,
            "purpose": purpose,
            "cohort": cohort,
            "format": format.value,
            "capacity": capacity,
            "country": country,
        },
        at=at,
    )


def change_group(group: str, *, by: str | None, changes: dict[str, str | int], at: datetime) -> None:
    """Apply checked changes; `by` is None when a poll carried them. Raises Refusal beside the field."""
    row = lock(group)
    checks = {"name": rules.name, "purpose": rules.purpose, "cohort": rules.cohort, "capacity": rules.capacity}
    changed = []
    for field, value in changes.items():
        kept = checks[field](value) if field in checks else value  # type: ignore[operator]
        if getattr(row, field) != kept:
            setattr(row, field, kept)
            changed.append(field)
    if not changed:
        return
    row.save()
    announce(GroupChanged(group=group, by=by, what=tuple(changed), at=at))
    if "capacity" in changed:
        offer_free_seats(group, at=at)


# Invitations -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Made:
    """A fresh invitation; the token is shown to its maker."""

    id: str
    token: str


@transaction.atomic
def invite(ticket: Member, *, address: str = "", claims: str | None = None, uses: int = 1, at: datetime) -> Made:
    """An invitation for 7 days. Bound to `address` when mailed; `claims` is the unclaimed membership it is for.

    Raises Refusal("not_while_paused" | "out_of_bounds" | "too_many_open" | "already_claimed"), NotHere.
    """
    if not rules.is_active(ticket):
        raise Refusal("not_while_paused")
    if not 1 <= uses <= rules.INVITATION_USES_MOST:
        raise Refusal("out_of_bounds", field="uses", least=1, most=rules.INVITATION_USES_MOST)
    lock(ticket.group)
    open_now = Invitation.objects.filter(group=ticket.group, withdrawn_at=None, ends_at__gt=at, uses_left__gt=0).count()
    if open_now >= rules.INVITATIONS_OPEN_MOST:
        raise Refusal("too_many_open", most=rules.INVITATIONS_OPEN_MOST)
    if claims is not None:
        seat = Membership.objects.filter(pk=claims, group=ticket.group, stints__ended_at=None).first()
        if seat is None:
            raise NotHere
        if seat.person_id is not None:
            raise Refusal("already_claimed")
    token = new_token()
    row = Invitation(
        group_id=ticket.group,
        by_id=ticket.membership,
        claims_id=claims,
        digest=keyring().digest(token, queries.INVITATION),
        token=token,
        address=address,
        address_digest=address_digest(address) if address else "",
        uses_left=1 if address or claims else uses,
        made_at=at,
        ends_at=at + rules.INVITATION_LASTS,
    )
    row.save(force_insert=True)
    announce(InvitationMade(group=ticket.group, by=ticket.membership, invitation=row.pk, at=at))
    return Made(row.pk, token)


def address_digest(address: str) -> str:
    return keyring().digest(address.strip().casefold(), "address")


@transaction.atomic
def withdraw_invitation(ticket: Member, *, invitation: str, at: datetime) -> None:
    """Its maker withdraws it, and founders may until the first closed meeting. Twice is once. Raises NotHere."""
    lock(ticket.group)
    rows = Invitation.objects.filter(pk=invitation, group=ticket.group)
    if not rules.may_found_change(ticket):
        rows = rows.filter(by=ticket.membership)
    if not rows.exists():
        raise NotHere
    if rows.filter(withdrawn_at=None).update(withdrawn_at=at):
        announce(InvitationWithdrawn(group=ticket.group, by=ticket.membership, invitation=invitation, at=at))


# Joining and the line ----------------------------------------------------------------------------------------------


@transaction.atomic
def join(me: Self, *, token: str, name: str, addresses: Sequence[str] = (), at: datetime) -> Member | Waiting:
    """Use an invitation: a seat when one is free and nobody waits, else a place in line.

    `addresses` are my verified e-mail addresses, for an invitation bound to one. Joining twice changes nothing.
    Raises NotHere, Refusal("adults_only" | "for_another_address" | "name_taken").
    """
    if not me.adult:
        raise Refusal("adults_only", age=people.ADULT_AGE)
    group = lock(queries.group_of_token(token))
    offer_free_seats(group.pk, at=at)
    try:
        return queries.member(me, group=group.pk, at=at)
    except NotHere:
        pass
    row = queries.invitation_row(token, at=at)
    if row.address_digest and row.address_digest not in {address_digest(address) for address in addresses}:
        raise Refusal("for_another_address")
    standing = Waiting.objects.filter(group=group, person=me.person, ended_at=None)
    if row.claims is not None:
        seat = _claim(me, row, row.claims, at=at)
        if standing.update(ended_at=at):
            offer_free_seats(group.pk, at=at)
        return seat
    in_line = standing.first()
    if in_line is not None:
        return in_line
    shown = people.shown_name(name)
    _refuse_taken_name(group.pk, shown, me)
    Invitation.objects.filter(pk=row.pk).update(uses_left=F("uses_left") - 1)
    if queries.seats(group.pk, at=at).open_to_new:
        return _sit_down(me, group.pk, shown, at=at)
    place = (Waiting.objects.filter(group=group).aggregate(last=Max("place"))["last"] or 0) + 1
    waiting = Waiting(group=group, person_id=me.person, name=shown, place=place, came_at=at)
    waiting.save(force_insert=True)
    announce(StoodInLine(group=group.pk, person=me.person, at=at))
    offer_free_seats(group.pk, at=at)
    return waiting


def _claim(me: Self, invitation: Invitation, seat: Membership, *, at: datetime) -> Member:
    if Membership.objects.filter(group=seat.group_id, person=me.person).exists():
        raise Refusal("has_a_place_already")
    if not Membership.objects.filter(pk=seat.pk, person=None).update(person=me.person, claimed_at=at):
        raise NotHere
    Invitation.objects.filter(pk=invitation.pk).update(uses_left=0)
    announce(MemberClaimed(group=seat.group_id, by=seat.pk, at=at))
    return queries.member(me, group=seat.group_id, at=at)


def _refuse_taken_name(group: str, shown: str, me: Self) -> None:
    """Two people with names that look alike would be taken for one another."""
    mine = skeleton(shown)
    seated = Membership.objects.filter(group=group, stints__ended_at=None).exclude(person=me.person)
    in_line = Waiting.objects.filter(group=group, ended_at=None).exclude(person=me.person)
    taken = [row.name for row in seated.only("id", "name")] + [row.name for row in in_line.only("id", "name")]
    if any(skeleton(name) == mine for name in taken):
        raise Refusal("name_taken", field="name")


def _sit_down(me: Self, group: str, shown: str, *, at: datetime) -> Member:
    """A seat: a new membership, or a new stint of a former one (within 90 days the old stint goes on)."""
    seat = Membership.objects.filter(group=group, person=me.person).first()
    if seat is None:
        seat = Membership(group_id=group, person_id=me.person, name=shown, number=_next_number(group), claimed_at=at)
        seat.save(force_insert=True)
    else:
        seat.name = shown
        seat.save()
    last = seat.stints.order_by("-began_at").first()
    if last is not None and last.ended_at is not None and at < last.ended_at + rules.REJOIN_CONTINUES:
        last.ended_at = None
        last.save()
    else:
        Stint.objects.create(group_id=group, membership=seat, began_at=at)
    announce(MemberJoined(group=group, by=seat.pk, at=at))
    return queries.member(me, group=group, at=at)


def offer_free_seats(group: str, *, at: datetime) -> int:
    """Offer each free seat to the next in line for 48 h; a break of more than 60 days leaves one free. The caller holds
    the group's lock. Returns how many."""
    _end_long_pauses(group, at=at)
    Waiting.objects.filter(group=group, ended_at=None, offered_at__lte=at - rules.OFFER_LASTS).update(ended_at=at)
    due = rules.offers_due(queries.seats(group, at=at))
    for row in Waiting.objects.filter(group=group, ended_at=None, offered_at=None).order_by("place")[:due]:
        Waiting.objects.filter(pk=row.pk).update(offered_at=at)
        announce(SeatOffered(group=group, person=row.person_id, waiting=row.pk, at=at))
    return due


def my_places_in_line(me: Self, *, at: datetime) -> tuple[queries.WaitLine, ...]:
    """Where I stand in line. A seat that became free for me is held from this look on, whether or not the clock ran."""
    lines = queries.waits_of(me, at=at)
    due = [line.group for line in lines if line.due]
    for group in due:
        offer_due_seats(Clock(), group=group, at=at)
    return queries.waits_of(me, at=at) if due else lines


@transaction.atomic
def take_offered_seat(me: Self, *, waiting: str, at: datetime) -> Member:
    """Say yes to the seat held for me. Raises NotHere, Refusal("offer_over")."""
    row = Waiting.objects.filter(pk=waiting, person=me.person).first()
    if row is None:
        raise NotHere
    lock(row.group_id)
    offer_free_seats(row.group_id, at=at)
    row.refresh_from_db()
    if row.ended_at is not None or row.offered_at is None or at >= row.offered_at + rules.OFFER_LASTS:
        raise Refusal("offer_over")
    Waiting.objects.filter(pk=row.pk).update(ended_at=at)
    return _sit_down(me, row.group_id, row.name, at=at)


@transaction.atomic
def leave_line(me: Self, *, waiting: str, at: datetime) -> None:
    """Raises NotHere."""
    row = Waiting.objects.filter(pk=waiting, person=me.person).first()
    if row is None:
        raise NotHere
    lock(row.group_id)
    Waiting.objects.filter(pk=row.pk, ended_at=None).update(ended_at=at)
    offer_free_seats(row.group_id, at=at)


@transaction.atomic
def offer_due_seats(_by: Clock, *, group: str, at: datetime) -> int:
    lock(group)
    return offer_free_seats(group, at=at)


@transaction.atomic
def forget_ended_invitations(_by: Clock, *, at: datetime) -> int:
    """Invitations are forgotten seven days after they end. Returns how many."""
    ended = Q(ends_at__lte=at - rules.INVITATION_KEPT) | Q(withdrawn_at__lte=at - rules.INVITATION_KEPT)
    return Invitation.objects.filter(ended).delete()[0]


# Staying, pausing, leaving -----------------------------------------------------------------------------------------


@transaction.atomic
def say_im_in(ticket: Member, *, at: datetime) -> None:
    """Count me to the core. Saying it twice changes nothing."""
    lock(ticket.group)
    _, new = CoreYes.objects.get_or_create(
        membership_id=ticket.membership, defaults={"group_id": ticket.group, "at": at}
    )
    if new:
        announce(SaidImIn(group=ticket.group, by=ticket.membership, at=at))


@transaction.atomic
def take_back_im_in(ticket: Member, *, at: datetime) -> None:
    CoreYes.objects.filter(membership=ticket.membership).delete()


@transaction.atomic
def rename_myself(ticket: Member, me: Self, *, name: str, at: datetime) -> None:
    """The name this group sees. Raises Refusal("name_taken")."""
    shown = people.shown_name(name)
    lock(ticket.group)
    _refuse_taken_name(ticket.group, shown, me)
    row = Membership.objects.get(pk=ticket.membership)
    row.name = shown
    row.save()


@transaction.atomic
def need_no_tokens(ticket: Member, *, needed: bool, at: datetime) -> None:
    """Whether talk tokens shall not count for me, from the next time I come in. Nobody else learns of it."""
    row = Membership.objects.get(pk=ticket.membership)
    row.no_tokens = "yes" if needed else "no"
    row.save()


@transaction.atomic
def pause(ticket: Member, *, at: datetime) -> None:
    """A break; the seat is kept 60 days. Pausing twice changes nothing."""
    lock(ticket.group)
    _, new = Pause.objects.get_or_create(membership_id=ticket.membership, ended_at=None, defaults={"began_at": at})
    if new:
        announce(MemberPaused(group=ticket.group, by=ticket.membership, at=at))


@transaction.atomic
def come_back(ticket: Member, *, at: datetime) -> None:
    """The break is over."""
    lock(ticket.group)
    if Pause.objects.filter(membership=ticket.membership, ended_at=None).update(ended_at=at):
        announce(MemberReturned(group=ticket.group, by=ticket.membership, at=at))


@transaction.atomic
def leave(ticket: Member, *, at: datetime) -> None:
    """From the next request on this person sees nothing here. Their open invitations end with them."""
    lock(ticket.group)
    if not Stint.objects.filter(membership=ticket.membership, ended_at=None).update(ended_at=at):
        return
    Pause.objects.filter(membership=ticket.membership, ended_at=None).update(ended_at=at)
    CoreYes.objects.filter(membership=ticket.membership).delete()
    Invitation.objects.filter(by=ticket.membership, withdrawn_at=None).update(withdrawn_at=at)
    announce(MemberLeft(group=ticket.group, by=ticket.membership, at=at))
    offer_free_seats(ticket.group, at=at)


@transaction.atomic
def end_long_pauses(_by: Clock, *, group: str, at: datetime) -> int:
    """A pause of more than 60 days gives the seat up. Returns how many."""
    lock(group)
    number = _end_long_pauses(group, at=at)
    if number:
        offer_free_seats(group, at=at)
    return number


def _end_long_pauses(group: str, *, at: datetime) -> int:
    over = Pause.objects.filter(
        membership__group=group, ended_at=None, began_at__lte=at - rules.PAUSE_KEEPS_SEAT
    ).select_related("membership")
    number = 0
    for row in over:
        Stint.objects.filter(membership=row.membership, ended_at=None).update(ended_at=at)
        Pause.objects.filter(pk=row.pk).update(ended_at=at)
        CoreYes.objects.filter(membership=row.membership).delete()
        Invitation.objects.filter(by=row.membership, withdrawn_at=None).update(withdrawn_at=at)
        announce(MemberLeft(group=group, by=row.membership_id, at=at))
        number += 1
    return number


# Called down from higher nouns -------------------------------------------------------------------------------------


def refuse_incomplete_core(group: Group) -> None:
    """The core gate: a first date needs five people who said "I'm in". Imported groups have met already.

    Raises Refusal("core_first").
    """
    core = CoreYes.objects.filter(group=group).count()
    if not (rules.core_complete(core) or group.imported_at is not None):
        raise Refusal("core_first", least=rules.CORE_LEAST, missing=rules.CORE_LEAST - core)


def note_meeting_closed(group: str, *, present: Sequence[str], at: datetime) -> None:
    """`meetings.close` says who was there: newcomers come of age, and the founders' rights end with the first."""
    Group.objects.filter(pk=group, first_closed_at=None).update(first_closed_at=at)
    Membership.objects.filter(group=group, pk__in=present).update(met=F("met") + 1)


@transaction.atomic
def claims_for_all(group: str, *, at: datetime) -> list[tuple[str, str]]:
    """(name, token) of a fresh claim invitation for each seat on paper. For whoever brought the group in."""
    lock(group)
    made = []
    for seat in Membership.objects.filter(group=group, person=None, stints__ended_at=None).order_by("number"):
        token = new_token()
        Invitation(
            group_id=group,
            claims=seat,
            digest=keyring().digest(token, queries.INVITATION),
            token=token,
            uses_left=1,
            made_at=at,
            ends_at=at + rules.INVITATION_LASTS,
        ).save(force_insert=True)
        made.append((seat.name, token))
    return made
