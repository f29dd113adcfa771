"""The journal writes one row for each fact that its event says is kept."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q

from leeward.domain.journal.models import JournalRow
from leeward.lib.events import Event, Kept
from leeward.lib.register import LASTS, Keep
from leeward.lib.tickets import Clock

SUBJECTS = ("poll", "record", "invitation", "pledge", "place", "meeting")


def note(event: Event) -> None:
    """A reaction to every event of a group; events that are not kept leave nothing."""
    group = getattr(event, "group", None)
    if event.kept is Kept.NOT or group is None:
        return
    subject = next((getattr(event, name) for name in SUBJECTS if getattr(event, name, None)), "")
    actor = getattr(event, "by", None) if event.kept is Kept.WITH_ACTOR else None
    JournalRow.objects.create(group_id=group, event=type(event).__name__, subject=subject, actor_id=actor, at=event.at)


def forget_old(_by: Clock, *, at: datetime) -> int:
    """Facts are forgotten 24 months after they happened, or after their group was taken in here. Returns how many."""
    long_ago = at - LASTS[Keep.MONTHS_24]
    imported_lately = Q(group__imported_at__gt=long_ago)
    return JournalRow.objects.filter(at__lte=long_ago).exclude(imported_lately).delete()[0]
