"""The journal writes one row for each fact that its event says is kept."""

from __future__ import annotations

from leeward.domain.journal.models import JournalRow
from leeward.lib.events import Event, Kept

SUBJECTS = ("poll", "record", "invitation", "pledge", "place", "meeting")


def note(event: Event) -> None:
    """A reaction to every event of a group; events that are not kept leave nothing."""
    group = getattr(event, "group", None)
    if event.kept is Kept.NOT or group is None:
        return
    subject = next((getattr(event, name) for name in SUBJECTS if getattr(event, name, None)), "")
    actor = getattr(event, "by", None) if event.kept is Kept.WITH_ACTOR else None
    JournalRow.objects.create(group_id=group, event=type(event).__name__, subject=subject, actor_id=actor, at=event.at)
