"""Tables of the room: the room, and its entries, which only ever grow until the close deletes them."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from leeward.domain.meetings.models import Meeting
from leeward.lib.fields import IdField, SealedJson
from leeward.lib.register import Entry, Keep, seen_by_group


class Room(models.Model):
    """The live side of one meeting. `opening` is the state it started from, as JSON."""

    id = IdField()
    meeting = models.OneToOneField(Meeting, on_delete=models.CASCADE, related_name="room")
    opening = SealedJson()
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    register: ClassVar[dict[str, Entry]] = {
        "id": seen_by_group(Keep.UNTIL_CLOSE),
        "meeting": seen_by_group(Keep.UNTIL_CLOSE),
        "opening": seen_by_group(Keep.UNTIL_CLOSE),
        "opened_at": seen_by_group(Keep.GROUP_LIFE),
        "closed_at": seen_by_group(Keep.GROUP_LIFE),
    }


class RoomEntry(models.Model):
    """One thing that happened. Two at once are ordered by the unique (room, seq), not by luck."""

    id = IdField()
    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="entries")
    seq = models.PositiveIntegerField()
    entry = SealedJson()

    register: ClassVar[dict[str, Entry]] = {
        name: seen_by_group(Keep.UNTIL_CLOSE) for name in ("id", "room", "seq", "entry")
    }

    class Meta:
        ordering = ["seq"]
        constraints = [models.UniqueConstraint(fields=["room", "seq"], name="one_entry_a_seq")]
