"""Writes of the pledge."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from leeward.domain.groups import actions as groups
from leeward.domain.groups import queries as group_queries
from leeward.domain.groups.events import MemberLeft
from leeward.domain.groups.rules import Member, is_active, may_found_change, refuse_unless_founding
from leeward.domain.pledges import queries, rules
from leeward.domain.pledges.events import PledgeAdopted, PledgeAgreed, PledgeDrafted
from leeward.domain.pledges.models import Assent, Pledge
from leeward.lib.events import announce
from leeward.lib.refusals import NotHere, Refusal


def may_draft(ticket: Member, *, adopted: bool) -> bool:
    """Before the first version the core (in an imported group anyone active) drafts; later founders, then a poll."""
    if not is_active(ticket):
        return False
    return (ticket.in_core or ticket.imported) if not adopted else may_found_change(ticket)


def may_adopt(ticket: Member, *, adopted: bool) -> bool:
    return is_active(ticket) and (may_found_change(ticket) or (ticket.imported and not adopted))


def _refuse_unless(ticket: Member, may: bool) -> None:
    """Says why not: a break, who decides before the first meeting, or that a poll does after it."""
    if not may:
        refuse_unless_founding(ticket)
        raise Refusal("by_poll_only")


@transaction.atomic
def draft(ticket: Member, *, lines: Sequence[str], at: datetime) -> str:
    """The group's draft becomes `lines`. Returns its id. Raises Refusal("by_poll_only") and beside "lines"."""
    groups.lock(ticket.group)
    _refuse_unless(ticket, may_draft(ticket, adopted=queries.current(ticket.group) is not None))
    row = _draft(ticket.group, rules.lines(lines), by=ticket.membership, at=at)
    announce(PledgeDrafted(group=ticket.group, pledge=row.pk, by=ticket.membership, at=at))
    return row.pk


def _draft(group: str, lines: list[str], *, by: str | None, at: datetime) -> Pledge:
    row = queries.draft(group)
    if row is None:
        last = Pledge.objects.filter(group=group).aggregate(last=Max("number"))["last"] or 0
        row = Pledge(group_id=group, number=last + 1)
    row.lines, row.drafted_by_id, row.drafted_at = lines, by, at
    row.save()
    return row


@transaction.atomic
def adopt(ticket: Member, *, at: datetime) -> str:
    """The draft holds from now on; everybody is asked anew. Raises NotHere without a draft, Refusal("by_poll_only")."""
    groups.lock(ticket.group)
    _refuse_unless(ticket, may_adopt(ticket, adopted=queries.current(ticket.group) is not None))
    row = queries.draft(ticket.group)
    if row is None:
        raise NotHere
    return _adopt(row, by=ticket.membership, at=at)


def _adopt(row: Pledge, *, by: str | None, at: datetime) -> str:
    row.adopted_at = at
    row.save()
    announce(PledgeAdopted(group=row.group_id, pledge=row.pk, by=by, at=at))
    return row.pk


def adopt_by_poll(group: str, *, lines: list[str], at: datetime) -> str:
    """A poll carried these lines. The caller holds the group's lock."""
    return _adopt(_draft(group, lines, by=None, at=at), by=None, at=at)


@transaction.atomic
def agree(ticket: Member, *, pledge: str, at: datetime) -> None:
    """My own yes to the version I read. Twice is once. Raises Refusal("pledge_changed") when another holds by now."""
    groups.lock(ticket.group)
    row = queries.current(ticket.group)
    if row is None:
        raise NotHere
    if row.pk != pledge:
        raise Refusal("pledge_changed")
    mine = Assent.objects.filter(pledge=row, membership=ticket.membership, own=True, ended_at=None)
    if mine.filter(at__gt=at - rules.RENEWED_AFTER).exists():
        return
    mine.update(ended_at=at)
    Assent.objects.create(
        pledge=row, membership_id=ticket.membership, own=True, recorded_by_id=ticket.membership, at=at
    )
    announce(PledgeAgreed(group=ticket.group, pledge=row.pk, by=ticket.membership, at=at))


@transaction.atomic
def invite(ticket: Member, *, address: str = "", claims: str | None = None, uses: int = 1, at: datetime) -> groups.Made:
    """An invitation by somebody who said yes to the pledge. Raises Refusal("pledge_first"), and as `groups.invite`."""
    if not rules.may_invite(queries.standing_of(ticket, at=at)):
        raise Refusal("pledge_first")
    return groups.invite(ticket, address=address, claims=claims, uses=uses, at=at)


def keep_spoken_yes(ticket: Member, *, membership: str, witness: str, at: datetime) -> None:
    """Somebody said yes in the room; I write it down, `witness` heard it. It opens the room, not the record.

    Called down by the room, which knows who is there; the caller holds the group's lock. Raises NotHere,
    Refusal("witness_another" | "pledge_first" | "witness_pledge_first").
    """
    rules.refuse_witness(membership=membership, witness=witness, recorder=ticket.membership)
    seated = group_queries.active_ids(ticket.group, at=at)
    row = queries.current(ticket.group)
    if row is None or membership not in seated or witness not in seated:
        raise NotHere
    assented = queries.assented_ids(ticket.group, at=at)
    if ticket.membership not in assented:
        raise Refusal("pledge_first")
    if witness not in assented:
        raise Refusal("witness_pledge_first", field="witness")
    spoken = Assent.objects.filter(pledge=row, membership=membership, own=False, ended_at=None)
    if spoken.filter(at__gt=at - rules.RENEWED_AFTER).exists():
        return
    spoken.update(ended_at=at)
    Assent.objects.create(
        pledge=row, membership_id=membership, own=False, recorded_by_id=ticket.membership, witness_id=witness, at=at
    )
    announce(PledgeAgreed(group=ticket.group, pledge=row.pk, by=membership, at=at))


def after_member_left(event: MemberLeft) -> None:
    """A yes ends with the seat."""
    Assent.objects.filter(membership=event.by, ended_at=None).update(ended_at=event.at)
