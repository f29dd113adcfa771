"""Tables of polls: the question, and one ballot for each person who may answer, until it closes."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from leeward.domain.groups.models import Group, Membership
from leeward.domain.meetings.models import Meeting
from leeward.lib.fields import IdField, SealedJson, SealedText
from leeward.lib.register import Entry, Keep, kept_secret, seen_by_group


class Poll(models.Model):
    """A question to the group. `kind` says what is asked, `subject` names the thing, `change` what carrying it does."""

    id = IdField()
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="polls")
    kind = models.CharField(max_length=16)
    subject = models.CharField(max_length=16, default="", blank=True)
    meeting = models.ForeignKey(Meeting, null=True, on_delete=models.CASCADE, related_name="polls")
    question = SealedText()
    change = SealedJson(null=True)
    opened_by = models.ForeignKey(Membership, null=True, on_delete=models.SET_NULL, related_name="+")
    opened_at = models.DateTimeField()
    closes_at = models.DateTimeField(db_index=True)
    closed_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=24, default="", blank=True)
    eligible = models.PositiveSmallIntegerField()

    register: ClassVar[dict[str, Entry]] = {
        name: seen_by_group(Keep.GROUP_LIFE)
        for name in (
            "id", "group", "kind", "subject", "meeting", "question", "change", "opened_by", "opened_at", "closes_at",
            "closed_at", "outcome", "eligible",
        )
    }  # fmt: skip

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["group", "kind", "subject"], condition=Q(closed_at=None), name="one_open_poll_a_subject"
            )
        ]


class Ballot(models.Model):
    """Who may answer, made when the poll opens, deleted when it closes. `thumb` is up, down, pass, or none yet."""

    id = IdField()
    poll = models.ForeignKey(Poll, on_delete=models.CASCADE, related_name="ballots")
    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="ballots")
    thumb = SealedText(null=True)

    register: ClassVar[dict[str, Entry]] = {
        "id": kept_secret(Keep.UNTIL_CLOSE),
        "poll": kept_secret(Keep.UNTIL_CLOSE),
        "membership": kept_secret(Keep.UNTIL_CLOSE),
        "thumb": kept_secret(Keep.UNTIL_CLOSE),
    }

    class Meta:
        constraints = [models.UniqueConstraint(fields=["poll", "membership"], name="one_ballot_each")]
