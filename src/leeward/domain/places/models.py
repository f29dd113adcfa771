"""The table of a group's places."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from leeward.domain.groups.models import Group
from leeward.lib.fields import IdField, SealedText
from leeward.lib.register import Entry, Keep, seen_by_group


class Place(models.Model):
    """A room, a link, or both. Empty text means: none."""

    id = IdField()
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="places")
    label = SealedText()
    address = SealedText()
    link = SealedText()
    access_notes = SealedText()
    cost_free = models.BooleanField(default=True)
    screen_sharing = models.BooleanField(default=False)
    reserved_until = models.DateField(null=True)
    added_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)

    register: ClassVar[dict[str, Entry]] = {
        name: seen_by_group(Keep.GROUP_LIFE)
        for name in (
            "id", "group", "label", "address", "link", "access_notes", "cost_free", "screen_sharing",
            "reserved_until", "added_at", "retired_at",
        )
    }  # fmt: skip
