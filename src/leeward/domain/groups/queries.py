"""Reads about groups, always for a ticket."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from leeward.domain.groups import rules
from leeward.domain.groups.models import CoreYes, Founder, Group, Invitation, Membership, Pause, Stint, Waiting
from leeward.domain.groups.rules import Format, Member, Seats, Stage
from leeward.domain.people.rules import Self
from leeward.lib.fields import keyring
from leeward.lib.refusals import NotHere
from leeward.lib.statements import Statement
from leeward.lib.tickets import Bearer, Clock

INVITATION = "invitation"


def _open_stint(at: datetime, long_ago: datetime) -> Exists:
    """Whether a membership holds a seat: a break that began before `long_ago` gave it up, whoever has looked."""
    seats = Stint.objects.filter(membership=OuterRef("pk"), began_at__lte=at, ended_at=None)
    return Exists(seats.filter(~Exists(_long_break(OuterRef("membership"), long_ago))))


def _long_break(membership: OuterRef, long_ago: datetime) -> QuerySet[Pause]:
    return Pause.objects.filter(membership=membership, ended_at=None, began_at__lte=long_ago)


def _gave_up(at: datetime) -> QuerySet[Pause, Any]:
    """Memberships whose break has lasted longer than it keeps the seat."""
    return Pause.objects.filter(ended_at=None, began_at__lte=at - rules.PAUSE_KEEPS_SEAT).values("membership")


def _open_pause(at: datetime) -> Exists:
    return Exists(Pause.objects.filter(membership=OuterRef("pk"), began_at__lte=at, ended_at=None))


def _paused_at(at: datetime) -> Exists:
    """As `_open_pause`, for a moment that may lie behind us: a break that ended since was one then."""
    then = Pause.objects.filter(membership=OuterRef("pk"), began_at__lte=at)
    return Exists(then.filter(Q(ended_at=None) | Q(ended_at__gt=at)))


def _seated_at(at: datetime) -> Exists:
    """As `_open_stint`, for a moment that may lie behind us."""
    then = Stint.objects.filter(membership=OuterRef("pk"), began_at__lte=at)
    return Exists(then.filter(Q(ended_at=None) | Q(ended_at__gt=at)))


def _founder_seated() -> Exists:
    """Whether somebody who founded the membership's group still has a seat."""
    return Exists(Founder.objects.filter(group=OuterRef("group"), membership__stints__ended_at=None))


def _tickets(at: datetime, long_ago: datetime):  # an annotated queryset has no writable type
    return Membership.objects.select_related("group").annotate(
        seated=_open_stint(at, long_ago),
        pausing=_open_pause(at),
        founded=Exists(Founder.objects.filter(membership=OuterRef("pk"))),
        founder_seated=_founder_seated(),
        said_yes=Exists(CoreYes.objects.filter(membership=OuterRef("pk"))),
        since=Stint.objects.filter(membership=OuterRef("pk"), ended_at=None).values("began_at")[:1],
    )


def _ticket(row: Membership) -> Member:
    return Member(
        group=row.group_id,
        membership=row.pk,
        person=row.person_id or "",
        name=row.name,
        stage=rules.stage_of(met=row.met, paused=row.pausing, left=not row.seated),  # type: ignore[attr-defined]
        number=row.number,
        since=row.since,  # type: ignore[attr-defined]
        founder=row.founded,  # type: ignore[attr-defined]
        in_core=row.said_yes,  # type: ignore[attr-defined]
        group_zone=row.group.zone,
        first_closed_at=row.group.first_closed_at,
        imported=row.group.imported_at is not None,
        founder_left=not row.founder_seated,  # type: ignore[attr-defined]
    )


def member(me: Self, *, group: str, at: datetime) -> Member:
    """My ticket for `group`, in one statement. Raises NotHere: absent, forbidden and left are one answer."""
    return _ticket(_seated(me, group, at))


def _seated(me: Self, group: str, at: datetime) -> Membership:
    row = _SEATED.first(group=group, person=me.person, at=at, long_ago=at - rules.PAUSE_KEEPS_SEAT)
    if row is None:
        raise NotHere
    return row


_SEATED: Statement[Membership] = Statement(
    lambda group, person, at, long_ago: (
        _tickets(at, long_ago).filter(group=group, person=person, seated=True, group__closed_at=None).order_by("pk")[:1]
    )
)


def memberships_of(me: Self, *, at: datetime) -> tuple[tuple[Member, Group], ...]:
    """My groups, each with my ticket for it, in one statement."""
    asked = _tickets(at, at - rules.PAUSE_KEEPS_SEAT)
    rows = asked.filter(person=me.person, seated=True, group__closed_at=None).order_by("group__founded_at")
    return tuple((_ticket(row), row.group) for row in rows)


def group(ticket: Member) -> Group:
    return Group.objects.get(pk=ticket.group)


@dataclass(frozen=True)
class GroupFacts:
    """What members read about their group."""

    id: str
    name: str
    purpose: str
    cohort: str
    format: Format
    capacity: int
    country: str
    zone: str
    founded_at: datetime
    first_closed_at: datetime | None
    imported: bool


def facts(ticket: Member) -> GroupFacts:
    return _facts(group(ticket))


def member_and_group(me: Self, *, group: str, at: datetime) -> tuple[Member, GroupFacts]:
    """My ticket and what the group is, in one statement. Raises NotHere."""
    row = _seated(me, group, at)
    return _ticket(row), _facts(row.group)


def _facts(row: Group) -> GroupFacts:
    return GroupFacts(
        id=row.pk,
        name=row.name,
        purpose=row.purpose,
        cohort=row.cohort,
        format=Format(row.format),
        capacity=row.capacity,
        country=row.country,
        zone=row.zone,
        founded_at=row.founded_at,
        first_closed_at=row.first_closed_at,
        imported=row.imported_at is not None,
    )


@dataclass(frozen=True)
class PersonLine:
    """One member as the others of the group see them."""

    membership: str
    name: str
    stage: Stage
    since: datetime
    unclaimed: bool
    in_core: bool
    me: bool


def people(ticket: Member, *, at: datetime) -> tuple[PersonLine, ...]:
    """Who has a seat now, in roster order, in one statement."""
    return tuple(
        PersonLine(
            membership=row.pk,
            name=row.name,
            stage=rules.stage_of(met=row.met, paused=row.pausing, left=False),
            since=row.since,
            unclaimed=row.person_id is None,
            in_core=row.said_yes,
            me=row.pk == ticket.membership,
        )
        for row in _PEOPLE.rows(group=ticket.group, at=at, long_ago=at - rules.PAUSE_KEEPS_SEAT)
    )


_PEOPLE: Statement[Any] = Statement(
    lambda group, at, long_ago: (
        Membership.objects.filter(_open_stint(at, long_ago), group=group)
        .annotate(
            pausing=_open_pause(at),
            said_yes=Exists(CoreYes.objects.filter(membership=OuterRef("pk"))),
            since=Stint.objects.filter(membership=OuterRef("pk"), ended_at=None).values("began_at")[:1],
        )
        .order_by("number")
    )
)


def needs_no_tokens(membership: str) -> bool:
    """For the room's rules, and for the person themselves; never for a page of somebody else."""
    return Membership.objects.only("id", "no_tokens").get(pk=membership).no_tokens == "yes"


def unclaimed_ids(group: str) -> tuple[str, ...]:
    """Seats on paper, for rules that ask who has a device."""
    rows = Membership.objects.filter(group=group, person=None, stints__ended_at=None)
    return tuple(rows.order_by("number").values_list("pk", flat=True))


def names(ticket: Member) -> dict[str, str]:
    """membership id → shown name, of everybody who ever had a seat in my group."""
    return {row.pk: row.name for row in Membership.objects.filter(group=ticket.group).only("id", "name")}


def active_ids(group: str, *, at: datetime) -> tuple[str, ...]:
    """Membership ids with a seat and not on a break at `at`, in roster order. For rules that count, not for pages."""
    return tuple(
        Membership.objects.annotate(pausing=_paused_at(at), seated=_seated_at(at))
        .filter(group=group, pausing=False, seated=True)
        .order_by("number")
        .values_list("pk", flat=True)
    )


def claimed_active_ids(group: str, *, at: datetime) -> tuple[str, ...]:
    """As `active_ids`, less the unclaimed: who can vote and assent."""
    return tuple(
        Membership.objects.annotate(pausing=_paused_at(at), seated=_seated_at(at))
        .filter(group=group, pausing=False, seated=True, person__isnull=False)
        .order_by("number")
        .values_list("pk", flat=True)
    )


def seats(group: str, *, at: datetime) -> Seats:
    """Seats of a group, in one statement. An offer counts for 48 h; `waiting` is who has none."""
    fresh = Q(line__ended_at=None, line__offered_at__gt=at - rules.OFFER_LASTS)
    row = Group.objects.annotate(
        taken=Count("stints", filter=Q(stints__ended_at=None) & ~Q(stints__membership__in=_gave_up(at)), distinct=True),
        on_offer=Count("line", filter=fresh, distinct=True),
        in_line=Count("line", filter=Q(line__ended_at=None), distinct=True),
    ).get(pk=group)
    return Seats(capacity=row.capacity, taken=row.taken, on_offer=row.on_offer, waiting=row.in_line - row.on_offer)


@dataclass(frozen=True)
class InvitationLine:
    id: str
    token: str
    address: str
    for_name: str
    uses_left: int
    ends_at: datetime
    by_me: bool
    by_name: str


def invitations(ticket: Member, *, at: datetime) -> tuple[InvitationLine, ...]:
    """Open invitations of my group. Their link and address are shown to whoever made them only."""
    rows = (
        Invitation.objects.filter(group=ticket.group, withdrawn_at=None, ends_at__gt=at, uses_left__gt=0)
        .select_related("by", "claims")
        .order_by("made_at")
    )
    return tuple(
        InvitationLine(
            id=row.pk,
            token=row.token if row.by_id == ticket.membership else "",
            address=row.address if row.by_id == ticket.membership else "",
            for_name=row.claims.name if row.claims else "",
            uses_left=row.uses_left,
            ends_at=row.ends_at,
            by_me=row.by_id == ticket.membership,
            by_name=row.by.name if row.by else "",
        )
        for row in rows
    )


def group_of_token(token: str) -> str:
    """The group an invitation belongs to, usable or not. Raises NotHere."""
    digest = keyring().digest(token, INVITATION)
    row = Invitation.objects.filter(digest=digest, group__closed_at=None).values_list("group", flat=True).first()
    if row is None:
        raise NotHere
    return row


def invitation_row(token: str, *, at: datetime) -> Invitation:
    """The usable invitation behind a token. Raises NotHere when it ended, was used up, withdrawn, or its maker left."""
    row = (
        Invitation.objects.select_related("group", "claims", "by")
        .filter(digest=keyring().digest(token, INVITATION), group__closed_at=None)
        .annotate(
            maker_seated=Exists(Stint.objects.filter(membership=OuterRef("by"), ended_at=None)),
        )
        .first()
    )
    if row is None:
        raise NotHere
    standing = rules.Standing(
        uses_left=row.uses_left,
        ends_at=row.ends_at,
        withdrawn=row.withdrawn_at is not None,
        maker_left=row.by_id is not None and not row.maker_seated,
        address_digest=row.address_digest,
    )
    if not rules.usable(standing, at=at) or (row.claims is not None and row.claims.person_id is not None):
        raise NotHere
    return row


@dataclass(frozen=True)
class InvitationSeen:
    """What an invitation's page may say: no name, no place, no group."""

    ends_at: datetime
    bound: bool
    claim: bool
    format: str


def invitation_of(bearer: Bearer, *, at: datetime) -> InvitationSeen:
    """Raises NotHere."""
    row = invitation_row(bearer.subject, at=at)
    return InvitationSeen(
        ends_at=row.ends_at, bound=bool(row.address_digest), claim=row.claims_id is not None, format=row.group.format
    )


@dataclass(frozen=True)
class WaitLine:
    """My own place in a line; the others in it stay unseen."""

    id: str
    group: str
    place: int
    came_at: datetime
    offered_until: datetime | None
    due: bool  # the seat is free by now, and nobody has written down yet that it is held


def waits_of(me: Self, *, at: datetime) -> tuple[WaitLine, ...]:
    """Where I stand in line, and until when a seat is held for me, in one statement.

    Decided on looking: an offer that is over is no place in line, and a seat that is free by now is held from now.
    """
    fresh = at - rules.OFFER_LASTS
    seated = Q(group__stints__ended_at=None) & ~Q(group__stints__membership__in=_gave_up(at))
    live = Q(group__line__ended_at=None) & (Q(group__line__offered_at=None) | Q(group__line__offered_at__gt=fresh))
    rows = (
        Waiting.objects.filter(person=me.person, ended_at=None, group__closed_at=None)
        .exclude(offered_at__lte=fresh)
        .annotate(
            before=Count("group__line", filter=live & Q(group__line__place__lt=F("place")), distinct=True),
            ahead=Count(
                "group__line",
                filter=live & Q(group__line__place__lt=F("place")) & Q(group__line__offered_at=None),
                distinct=True,
            ),
            on_offer=Count("group__line", filter=live & Q(group__line__offered_at__gt=fresh), distinct=True),
            taken=Count("group__stints", filter=seated, distinct=True),
            capacity=F("group__capacity"),
        )
        .order_by("came_at")
    )
    return tuple(
        WaitLine(
            id=row.pk,
            group=row.group_id,
            place=row.before + 1,
            came_at=row.came_at,
            offered_until=_held_until(row, at),
            due=row.offered_at is None and _held_until(row, at) is not None,
        )
        for row in rows
    )


def groups_with_due_seats(_by: Clock, *, at: datetime) -> tuple[str, ...]:
    """Groups in which somebody stands in line, or whose longest break is over."""
    waiting = Exists(Waiting.objects.filter(group=OuterRef("pk"), ended_at=None))
    breaks = Pause.objects.filter(ended_at=None, began_at__lte=at - rules.PAUSE_KEEPS_SEAT)
    over = Exists(breaks.filter(membership__group=OuterRef("pk")))
    return tuple(Group.objects.filter(waiting | over, closed_at=None).values_list("pk", flat=True))


def _held_until(row: Waiting, at: datetime) -> datetime | None:
    if row.offered_at is not None:
        return row.offered_at + rules.OFFER_LASTS
    free = row.capacity - row.taken - row.on_offer  # type: ignore[attr-defined]
    return at + rules.OFFER_LASTS if row.ahead < free else None  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Claimable:
    """A seat on paper."""

    membership: str
    name: str


def unclaimed(ticket: Member) -> tuple[Claimable, ...]:
    """Seats on paper that somebody could take over, in roster order."""
    rows = Membership.objects.filter(group=ticket.group, person=None, stints__ended_at=None).order_by("number")
    return tuple(Claimable(row.pk, row.name) for row in rows)
