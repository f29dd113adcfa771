"""Tables of people: the person, their visits (signed-in devices), and the keys of forms already sent."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

from leeward.lib.fields import IdField, SealedJson, SealedText
from leeward.lib.register import Entry, Keep, kept_secret, seen_by_person


class People(BaseUserManager["Person"]):
    def get_by_natural_key(self, username: str | None) -> Person:
        return self.get(pk=username)


class Person(AbstractBaseUser):
    """Somebody with an account. E-mail addresses stand in the sign-in library's own table only."""

    id = IdField()
    name = SealedText()
    language = models.CharField(max_length=12, default="en")
    zone = models.CharField(max_length=64, default="UTC")
    quick_exit = models.BooleanField(default=False)
    adult_at = models.DateTimeField(null=True)
    joined_at = models.DateTimeField()
    is_active = models.BooleanField(default=True)
    last_login = None  # when somebody was here is nobody's business

    objects = People()

    USERNAME_FIELD = "id"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    is_staff = False
    is_superuser = False

    register: ClassVar[dict[str, Entry]] = {
        "id": seen_by_person(Keep.ACCOUNT),
        "password": kept_secret(Keep.ACCOUNT),
        "name": seen_by_person(Keep.ACCOUNT),
        "language": seen_by_person(Keep.ACCOUNT),
        "zone": seen_by_person(Keep.ACCOUNT),
        "quick_exit": seen_by_person(Keep.ACCOUNT),
        "adult_at": seen_by_person(Keep.ACCOUNT),
        "joined_at": seen_by_person(Keep.ACCOUNT),
        "is_active": seen_by_person(Keep.ACCOUNT),
    }

    def __str__(self) -> str:
        return self.id


class Visit(models.Model):
    """One signed-in device. Its cookie's key is kept as a digest, the contents sealed; no address, no full agent."""

    id = IdField()
    digest = models.CharField(max_length=64, unique=True)
    person = models.ForeignKey(Person, null=True, on_delete=models.CASCADE, related_name="visits")
    contents = SealedJson()
    device = SealedText()
    started_at = models.DateTimeField()
    seen_on = models.DateField()
    ends_at = models.DateTimeField(db_index=True)

    register: ClassVar[dict[str, Entry]] = {
        "id": kept_secret(Keep.ACCOUNT),
        "digest": kept_secret(Keep.ACCOUNT),
        "person": seen_by_person(Keep.ACCOUNT),
        "contents": kept_secret(Keep.ACCOUNT),
        "device": seen_by_person(Keep.ACCOUNT),
        "started_at": seen_by_person(Keep.ACCOUNT),
        "seen_on": seen_by_person(Keep.ACCOUNT),
        "ends_at": seen_by_person(Keep.ACCOUNT),
    }


class FormKey(models.Model):
    """A form that was sent once: the same key with the same content has one effect."""

    id = IdField()
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=64)
    content = models.CharField(max_length=64)
    answer = models.CharField(max_length=200)
    at = models.DateTimeField(db_index=True)

    register: ClassVar[dict[str, Entry]] = {
        name: kept_secret(Keep.HOURS_48) for name in ("id", "person", "key", "content", "answer", "at")
    }

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "key", "content"], name="form_sent_once")]


class EntryLink(models.Model):
    """A link that signs one person in: printed by the operator's command line, or for the demo's cast (`reusable`)."""

    id = IdField()
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    reusable = models.BooleanField(default=False)
    ends_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)

    register: ClassVar[dict[str, Entry]] = {
        name: kept_secret(Keep.DAYS_7_AFTER) for name in ("id", "person", "digest", "reusable", "ends_at", "used_at")
    }
