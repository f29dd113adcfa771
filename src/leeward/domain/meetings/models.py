"""Tables of meetings: the rhythm, the dates, the agenda, who comes, who came, and the sealed record."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from leeward.domain.groups.models import Group, Membership
from leeward.domain.places.models import Place
from leeward.lib.fields import IdField, SealedText
from leeward.lib.register import Entry, Keep, kept_secret, seen_by_group


class Rhythm(models.Model):
    """How often a group meets, from one local wall time on. The newest row holds."""

    id = IdField()
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="rhythms")
    starts_local = models.CharField(max_length=16)  # "2026-10-15T19:00", wall time in `zone`
    zone = models.CharField(max_length=64)
    every_weeks = models.PositiveSmallIntegerField()
    minutes = models.PositiveSmallIntegerField()
    cycle = models.CharField(max_length=120)  # ways of meeting in turn, comma separated
    place = models.ForeignKey(Place, null=True, on_delete=models.SET_NULL, related_name="+")
    set_by = models.ForeignKey(Membership, null=True, on_delete=models.SET_NULL, related_name="+")
    set_at = models.DateTimeField()

    register: ClassVar[dict[str, Entry]] = {
        name: seen_by_group(Keep.GROUP_LIFE)
        for name in (
            "id", "group", "starts_local", "zone", "every_weeks", "minutes", "cycle", "place", "set_by", "set_at",
        )
    }  # fmt: skip


class TalkRules(models.Model):
    """What a group chose about talk tokens. The newest row holds from the next room on; none means: the defaults."""

    id = IdField()
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="talk_rules")
    each = models.PositiveSmallIntegerField()
    follow_ups = models.BooleanField()
    refill = models.BooleanField()
    set_by = models.ForeignKey(Membership, null=True, on_delete=models.SET_NULL, related_name="+")
    set_at = models.DateTimeField()

    register: ClassVar[dict[str, Entry]] = {
        name: seen_by_group(Keep.GROUP_LIFE)
        for name in ("id", "group", "each", "follow_ups", "refill", "set_by", "set_at")
    }


class Meeting(models.Model):
    """One date. What became of it are dated facts: confirmed, cancelled, opened, closed."""

    id = IdField()
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="meetings")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    local = models.CharField(max_length=16)
    zone = models.CharField(max_length=64)
    minutes = models.PositiveSmallIntegerField()
    way = models.CharField(max_length=12)
    place = models.ForeignKey(Place, null=True, on_delete=models.SET_NULL, related_name="meetings")
    theme = SealedText()
    lead = models.ForeignKey(Membership, null=True, on_delete=models.SET_NULL, related_name="leads")
    backup = models.ForeignKey(Membership, null=True, on_delete=models.SET_NULL, related_name="backs_up")
    rhythm = models.ForeignKey(Rhythm, null=True, on_delete=models.SET_NULL, related_name="meetings")
    planned_for = models.DateTimeField(null=True)  # the rhythm's own moment, which moving does not change
    confirmed_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    imported = models.BooleanField(default=False)
    voice = models.CharField(max_length=8, default="", blank=True)  # how the talking was shared: a word, never a name

    register: ClassVar[dict[str, Entry]] = {
        name: seen_by_group(Keep.GROUP_LIFE)
        for name in (
            "id", "group", "starts_at", "ends_at", "local", "zone", "minutes", "way", "place", "theme", "lead",
            "backup", "rhythm", "planned_for", "confirmed_at", "cancelled_at", "opened_at", "closed_at", "imported",
            "voice",
        )
    }  # fmt: skip

    class Meta:
        ordering = ["starts_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["group", "planned_for"], condition=~Q(planned_for=None), name="a_date_is_planned_once"
            ),
            models.CheckConstraint(condition=Q(ends_at__gt=models.F("starts_at")), name="a_meeting_takes_time"),
        ]
        indexes = [
            models.Index(fields=["group", "starts_at"], name="meetings_of_a_group"),
            models.Index(
                fields=["group", "starts_at"], condition=Q(closed_at=None, cancelled_at=None), name="meetings_to_come"
            ),
        ]


class AgendaBlock(models.Model):
    """One block of a meeting's agenda."""

    id = IdField()
    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="blocks")
    number = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=16)
    title = SealedText()
    minutes = models.PositiveSmallIntegerField()

    register: ClassVar[dict[str, Entry]] = {
        name: seen_by_group(Keep.GROUP_LIFE) for name in ("id", "meeting", "number", "kind", "title", "minutes")
    }

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["meeting", "number"], name="one_block_a_number")]


class AgendaItem(models.Model):
    """A topic that somebody proposes for a meeting. The group's thumbs decide it (`polls`)."""

    id = IdField()
    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="items")
    by = models.ForeignKey(Membership, null=True, on_delete=models.SET_NULL, related_name="+")
    title = SealedText()
    at = models.DateTimeField()
    carried_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    register: ClassVar[dict[str, Entry]] = {
        name: seen_by_group(Keep.GROUP_LIFE)
        for name in ("id", "meeting", "by", "title", "at", "carried_at", "withdrawn_at")
    }


class Rsvp(models.Model):
    """ "In the room", "online" or "I can't come". No row means: no word, which is fine."""

    id = IdField()
    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="rsvps")
    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="rsvps")
    answer = models.CharField(max_length=8)
    at = models.DateTimeField()

    register: ClassVar[dict[str, Entry]] = {
        name: seen_by_group(Keep.MONTHS_13) for name in ("id", "meeting", "membership", "answer", "at")
    }

    class Meta:
        constraints = [models.UniqueConstraint(fields=["meeting", "membership"], name="one_rsvp_each")]


class Attendance(models.Model):
    """A member was there."""

    id = IdField()
    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="attendances")
    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="attendances")
    way = models.CharField(max_length=8, default="room")

    register: ClassVar[dict[str, Entry]] = {
        name: seen_by_group(Keep.MONTHS_13) for name in ("id", "meeting", "membership", "way")
    }

    class Meta:
        constraints = [models.UniqueConstraint(fields=["meeting", "membership"], name="present_once")]


class GuestPresence(models.Model):
    """Somebody was there who is not a member: nobody's attendance."""

    id = IdField()
    meeting = models.ForeignKey(Meeting, on_delete=models.CASCADE, related_name="guests")
    name = SealedText()

    register: ClassVar[dict[str, Entry]] = {name: seen_by_group(Keep.MONTHS_13) for name in ("id", "meeting", "name")}


class Record(models.Model):
    """A sealed link of the group's chain: a meeting's record, or an addendum to one (`addendum_by` is its author).

    `hash` = SHA-256(previous ‖ leaf hashes in order), lower-case hex.
    """

    id = IdField()
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="records")
    number = models.PositiveIntegerField()
    meeting = models.ForeignKey(Meeting, on_delete=models.PROTECT, related_name="records")
    addendum = models.BooleanField(default=False)
    addendum_by = models.ForeignKey(Membership, null=True, on_delete=models.SET_NULL, related_name="+")
    previous = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)
    sealed_at = models.DateTimeField()

    register: ClassVar[dict[str, Entry]] = {
        name: seen_by_group(Keep.GROUP_LIFE)
        for name in ("id", "group", "number", "meeting", "addendum", "addendum_by", "previous", "hash", "sealed_at")
    }

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["group", "number"], name="one_record_a_number"),
            models.UniqueConstraint(fields=["meeting"], condition=Q(addendum=False), name="one_record_a_meeting"),
        ]


class Leaf(models.Model):
    """One line of a record. `salt` is 32 hex digits. A removed leaf keeps only its hash."""

    id = IdField()
    record = models.ForeignKey(Record, on_delete=models.CASCADE, related_name="leaves")
    number = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=16)
    text = SealedText(null=True)
    salt = SealedText(null=True)
    hash = models.CharField(max_length=64)
    author = models.ForeignKey(Membership, null=True, on_delete=models.SET_NULL, related_name="leaves")
    removed_at = models.DateTimeField(null=True)

    register: ClassVar[dict[str, Entry]] = {
        "id": seen_by_group(Keep.GROUP_LIFE),
        "record": seen_by_group(Keep.GROUP_LIFE),
        "number": seen_by_group(Keep.GROUP_LIFE),
        "kind": seen_by_group(Keep.GROUP_LIFE),
        "text": seen_by_group(Keep.GROUP_LIFE),
        "salt": kept_secret(Keep.GROUP_LIFE),
        "hash": seen_by_group(Keep.GROUP_LIFE),
        "author": seen_by_group(Keep.GROUP_LIFE),
        "removed_at": seen_by_group(Keep.GROUP_LIFE),
    }

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["record", "number"], name="one_leaf_a_number")]
