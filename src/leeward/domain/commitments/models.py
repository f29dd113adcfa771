"""The table of commitments."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from leeward.domain.groups.models import Group, Membership
from leeward.domain.meetings.models import Meeting
from leeward.lib.fields import IdField, SealedText
from leeward.lib.register import Entry, Keep, seen_by_group, seen_by_person


class Commitment(models.Model):
    """One step. `seen` is who may read it: the group, or only its owner."""

    id = IdField()
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="commitments")
    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="commitments")
    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="commitments")
    text = SealedText()
    seen = models.CharField(max_length=8)
    at = models.DateTimeField()
    let_go_at = models.DateTimeField(null=True)

    register: ClassVar[dict[str, Entry]] = {
        "id": seen_by_person(Keep.MONTHS_13),
        "group": seen_by_person(Keep.MONTHS_13),
        "meeting": seen_by_person(Keep.MONTHS_13),
        "membership": seen_by_group(Keep.MONTHS_13),
        "text": seen_by_person(Keep.MONTHS_13),
        "seen": seen_by_person(Keep.MONTHS_13),
        "at": seen_by_person(Keep.MONTHS_13),
        "let_go_at": seen_by_person(Keep.MONTHS_13),
    }

    class Meta:
        constraints = [models.UniqueConstraint(fields=["meeting", "membership"], name="one_step_a_meeting")]
