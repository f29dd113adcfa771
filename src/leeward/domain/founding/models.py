"""Who took which step of the launch path. Whether a step is done is read from what it made."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from leeward.domain.groups.models import Group, Membership
from leeward.lib.fields import IdField
from leeward.lib.register import Entry, Keep, seen_by_group


class StepTaken(models.Model):
    """Somebody said "I'll do this one"; `done_at` is set only for steps that leave no other trace."""

    id = IdField()
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="launch_steps")
    step = models.CharField(max_length=16)
    by = models.ForeignKey(Membership, null=True, on_delete=models.SET_NULL, related_name="launch_steps")
    at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)

    register: ClassVar[dict[str, Entry]] = {
        name: seen_by_group(Keep.GROUP_LIFE) for name in ("id", "group", "step", "by", "at", "done_at")
    }

    class Meta:
        constraints = [models.UniqueConstraint(fields=["group", "step"], name="a_step_is_taken_once")]
