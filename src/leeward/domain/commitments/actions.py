"""Writes of commitments."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from leeward.domain.commitments import rules
from leeward.domain.commitments.events import CommitmentLetGo, CommitmentMade
from leeward.domain.commitments.models import Commitment
from leeward.domain.commitments.rules import SeenBy
from leeward.domain.groups.rules import Member
from leeward.lib.events import announce
from leeward.lib.refusals import NotHere
from leeward.lib.register import LASTS, Keep
from leeward.lib.tickets import Clock


def keep_from_room(group: str, *, meeting: str, membership: str, text: str, seen: SeenBy, at: datetime) -> None:
    """What somebody committed to in the room; the close calls this once for each. A meeting's newest text holds."""
    row = Commitment.objects.filter(meeting=meeting, membership=membership).first() or Commitment(
        group_id=group, meeting_id=meeting, membership_id=membership, at=at
    )
    row.text, row.seen, row.let_go_at = rules.step(text), seen.value, None
    row.save()
    announce(CommitmentMade(group=group, meeting=meeting, by=membership, at=at))


@transaction.atomic
def let_go(ticket: Member, *, commitment: str, at: datetime) -> None:
    """My step is off my list: no reason asked. Twice is once. Raises NotHere when it is not mine."""
    row = Commitment.objects.filter(pk=commitment, membership=ticket.membership).first()
    if row is None:
        raise NotHere
    if row.let_go_at is None:
        Commitment.objects.filter(pk=row.pk).update(let_go_at=at)
        announce(CommitmentLetGo(group=row.group_id, meeting=row.meeting_id, by=row.membership_id, at=at))


def forget_old(_by: Clock, *, at: datetime) -> int:
    """Steps are forgotten 13 months after they were taken on, or after their group was taken in here. Returns how many.

    What a record says of them stays in the record.
    """
    long_ago = at - LASTS[Keep.MONTHS_13]
    imported_lately = Q(group__imported_at__gt=long_ago)
    return Commitment.objects.filter(at__lte=long_ago).exclude(imported_lately).delete()[0]
