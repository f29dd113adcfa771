"""Tables of the pledge: its versions with their lines, and who agreed to which."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from leeward.domain.groups.models import Group, Membership
from leeward.lib.fields import IdField, SealedJson
from leeward.lib.register import Entry, Keep, seen_by_group


class Pledge(models.Model):
    """One version of a group's pledge. `lines` is a list of sentences. Without `adopted_at` it is the draft."""

    id = IdField()
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="pledges")
    number = models.PositiveIntegerField()
    lines = SealedJson()
    drafted_by = models.ForeignKey(Membership, null=True, on_delete=models.SET_NULL, related_name="+")
    drafted_at = models.DateTimeField()
    adopted_at = models.DateTimeField(null=True)

    register: ClassVar[dict[str, Entry]] = {
        name: seen_by_group(Keep.GROUP_LIFE)
        for name in ("id", "group", "number", "lines", "drafted_by", "drafted_at", "adopted_at")
    }

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["group", "number"], name="one_pledge_a_number"),
            models.UniqueConstraint(fields=["group"], condition=Q(adopted_at=None), name="one_draft"),
        ]


class Assent(models.Model):
    """A yes to one version: by one's own tap, or said in the room before a witness (`own` is false)."""

    id = IdField()
    pledge = models.ForeignKey(Pledge, on_delete=models.CASCADE, related_name="assents")
    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="assents")
    own = models.BooleanField()
    recorded_by = models.ForeignKey(Membership, null=True, on_delete=models.SET_NULL, related_name="+")
    witness = models.ForeignKey(Membership, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    register: ClassVar[dict[str, Entry]] = {
        name: seen_by_group(Keep.GROUP_LIFE)
        for name in ("id", "pledge", "membership", "own", "recorded_by", "witness", "at", "ended_at")
    }

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["pledge", "membership", "own"], condition=Q(ended_at=None), name="one_yes_of_a_kind"
            )
        ]
