"""Tables of groups: the group, its members with their dated stints and pauses, invitations, the waiting list."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from leeward.domain.groups.rules import Format
from leeward.domain.people.models import Person
from leeward.lib.fields import IdField, SealedText
from leeward.lib.register import Entry, Keep, kept_secret, seen_by_group, seen_by_person


class Group(models.Model):
    """A peer support group."""

    id = IdField()
    name = SealedText()
    purpose = SealedText()
    cohort = SealedText()
    format = models.CharField(max_length=24, choices=[(f.value, f.value) for f in Format])
    capacity = models.PositiveSmallIntegerField()
    country = models.CharField(max_length=2)
    zone = models.CharField(max_length=64)
    founded_at = models.DateTimeField()
    first_closed_at = models.DateTimeField(null=True)
    imported_at = models.DateTimeField(null=True)
    import_digest = models.CharField(max_length=64, null=True)
    closed_at = models.DateTimeField(null=True)

    register: ClassVar[dict[str, Entry]] = {
        "id": seen_by_group(Keep.GROUP_LIFE),
        "name": seen_by_group(Keep.GROUP_LIFE),
        "purpose": seen_by_group(Keep.GROUP_LIFE),
        "cohort": seen_by_group(Keep.GROUP_LIFE),
        "format": seen_by_group(Keep.GROUP_LIFE),
        "capacity": seen_by_group(Keep.GROUP_LIFE),
        "country": seen_by_group(Keep.GROUP_LIFE),
        "zone": seen_by_group(Keep.GROUP_LIFE),
        "founded_at": seen_by_group(Keep.GROUP_LIFE),
        "first_closed_at": seen_by_group(Keep.GROUP_LIFE),
        "imported_at": seen_by_group(Keep.GROUP_LIFE),
        "import_digest": kept_secret(Keep.GROUP_LIFE),
        "closed_at": seen_by_group(Keep.GROUP_LIFE),
    }

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["import_digest"], name="imported_once"),
            models.CheckConstraint(condition=Q(capacity__gte=5, capacity__lte=16), name="capacity_5_to_16"),
        ]


class Membership(models.Model):
    """Somebody's place in a group, over all their stints. Without a person it is unclaimed: a name on paper."""

    id = IdField()
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="memberships")
    person = models.ForeignKey(Person, null=True, on_delete=models.SET_NULL, related_name="memberships")
    name = SealedText()
    number = models.PositiveIntegerField()
    met = models.PositiveIntegerField(default=0)
    claimed_at = models.DateTimeField(null=True)
    no_tokens = SealedText(null=True)  # "yes": talk tokens do not count for them, which nobody else learns

    register: ClassVar[dict[str, Entry]] = {
        "id": seen_by_group(Keep.GROUP_LIFE),
        "group": seen_by_group(Keep.GROUP_LIFE),
        "no_tokens": seen_by_person(Keep.ACCOUNT),
        "person": kept_secret(Keep.ACCOUNT),
        "name": seen_by_group(Keep.GROUP_LIFE),
        "number": seen_by_group(Keep.GROUP_LIFE),
        "met": seen_by_person(Keep.GROUP_LIFE),
        "claimed_at": seen_by_group(Keep.GROUP_LIFE),
    }

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["group", "person"], name="one_membership_a_person"),
            models.UniqueConstraint(fields=["group", "number"], name="one_number_a_member"),
        ]


class Stint(models.Model):
    """From joining to leaving. An open stint is a seat."""

    id = IdField()
    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="stints")
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="stints")
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    register: ClassVar[dict[str, Entry]] = {
        name: seen_by_group(Keep.GROUP_LIFE) for name in ("id", "membership", "group", "began_at", "ended_at")
    }

    class Meta:
        ordering = ["began_at"]
        constraints = [
            models.UniqueConstraint(fields=["membership"], condition=Q(ended_at=None), name="one_open_stint"),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=models.F("began_at")), name="stint_runs_on"
            ),
        ]
        indexes = [models.Index(fields=["group"], condition=Q(ended_at=None), name="open_stints")]


class Pause(models.Model):
    """A member's break. The seat is kept for 60 days."""

    id = IdField()
    membership = models.ForeignKey(Membership, on_delete=models.CASCADE, related_name="pauses")
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    register: ClassVar[dict[str, Entry]] = {
        name: seen_by_group(Keep.GROUP_LIFE) for name in ("id", "membership", "began_at", "ended_at")
    }

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["membership"], condition=Q(ended_at=None), name="one_open_pause")
        ]


class Founder(models.Model):
    """Who founded the group. Its rights end with the first closed meeting."""

    id = IdField()
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="founders")
    membership = models.OneToOneField(Membership, on_delete=models.CASCADE, related_name="founder")
    at = models.DateTimeField()

    register: ClassVar[dict[str, Entry]] = {
        name: seen_by_group(Keep.GROUP_LIFE) for name in ("id", "group", "membership", "at")
    }


class CoreYes(models.Model):
    """ "I'm in": somebody counts themselves to the core of 5–7 that a first date needs."""

    id = IdField()
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="core")
    membership = models.OneToOneField(Membership, on_delete=models.CASCADE, related_name="core_yes")
    at = models.DateTimeField()

    register: ClassVar[dict[str, Entry]] = {
        name: seen_by_group(Keep.GROUP_LIFE) for name in ("id", "group", "membership", "at")
    }


class Invitation(models.Model):
    """A letter or a link that lets somebody ask for a seat. The token is kept as a digest, and sealed for its maker."""

    id = IdField()
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="invitations")
    by = models.ForeignKey(Membership, null=True, on_delete=models.CASCADE, related_name="invitations_made")
    claims = models.ForeignKey(Membership, null=True, on_delete=models.CASCADE, related_name="claim_invitations")
    digest = models.CharField(max_length=64, unique=True)
    token = SealedText()
    address_digest = models.CharField(max_length=64, default="", blank=True)
    address = SealedText()
    uses_left = models.PositiveSmallIntegerField(default=1)
    made_at = models.DateTimeField()
    ends_at = models.DateTimeField(db_index=True)
    withdrawn_at = models.DateTimeField(null=True)

    register: ClassVar[dict[str, Entry]] = {
        "id": seen_by_group(Keep.DAYS_7_AFTER),
        "group": seen_by_group(Keep.DAYS_7_AFTER),
        "by": seen_by_group(Keep.DAYS_7_AFTER),
        "claims": seen_by_group(Keep.DAYS_7_AFTER),
        "digest": kept_secret(Keep.DAYS_7_AFTER),
        "token": seen_by_person(Keep.DAYS_7_AFTER),
        "address_digest": kept_secret(Keep.DAYS_7_AFTER),
        "address": seen_by_person(Keep.DAYS_7_AFTER),
        "uses_left": seen_by_group(Keep.DAYS_7_AFTER),
        "made_at": seen_by_group(Keep.DAYS_7_AFTER),
        "ends_at": seen_by_group(Keep.DAYS_7_AFTER),
        "withdrawn_at": seen_by_group(Keep.DAYS_7_AFTER),
    }


class Waiting(models.Model):
    """A place in the line, first come first served. `offered_at` starts 48 hours in which a free seat is theirs."""

    id = IdField()
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="line")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="waits")
    name = SealedText()
    place = models.PositiveIntegerField()
    came_at = models.DateTimeField()
    offered_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    register: ClassVar[dict[str, Entry]] = {
        "id": seen_by_person(Keep.GROUP_LIFE),
        "group": seen_by_person(Keep.GROUP_LIFE),
        "person": seen_by_person(Keep.GROUP_LIFE),
        "name": seen_by_person(Keep.GROUP_LIFE),
        "place": seen_by_person(Keep.GROUP_LIFE),
        "came_at": seen_by_person(Keep.GROUP_LIFE),
        "offered_at": seen_by_person(Keep.GROUP_LIFE),
        "ended_at": seen_by_person(Keep.GROUP_LIFE),
    }

    class Meta:
        ordering = ["place"]
        constraints = [
            models.UniqueConstraint(fields=["group", "place"], name="one_place_in_line"),
            models.UniqueConstraint(fields=["group", "person"], condition=Q(ended_at=None), name="in_line_once"),
        ]
