"""The table of ideas."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from leeward.domain.groups.models import Group
from leeward.lib.fields import IdField, SealedText
from leeward.lib.register import Entry, Keep, seen_by_group


class Idea(models.Model):
    """One line. There is no column for who thought of it."""

    id = IdField()
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="ideas")
    text = SealedText()
    at = models.DateTimeField()
    let_go_at = models.DateTimeField(null=True)

    register: ClassVar[dict[str, Entry]] = {
        name: seen_by_group(Keep.GROUP_LIFE) for name in ("id", "group", "text", "at", "let_go_at")
    }

    class Meta:
        ordering = ["-at", "id"]
        indexes = [models.Index(fields=["group", "-at"], name="ideas_of_a_group")]
