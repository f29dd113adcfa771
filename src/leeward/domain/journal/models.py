"""The table of the journal."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from leeward.domain.groups.models import Group, Membership
from leeward.lib.fields import IdField
from leeward.lib.register import Entry, Keep, seen_by_group


class JournalRow(models.Model):
    """One fact. `subject` is the id of the thing it is about, where that is not the group itself."""

    id = IdField()
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="journal")
    event = models.CharField(max_length=40)
    subject = models.CharField(max_length=16, default="", blank=True)
    actor = models.ForeignKey(Membership, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField()

    register: ClassVar[dict[str, Entry]] = {
        name: seen_by_group(Keep.MONTHS_24) for name in ("id", "group", "event", "subject", "actor", "at")
    }

    class Meta:
        indexes = [models.Index(fields=["group", "at"], name="journal_of_a_group")]
