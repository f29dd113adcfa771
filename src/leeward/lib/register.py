"""The field register's vocabulary: who may see a field, and how long it is kept.

Every model says it for each of its fields in a class attribute `register`; the labels beside inputs, the exports,
the data inventory and the canary matrix are read from there. A field without an entry fails the house tests.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import timedelta


class Seen(enum.StrEnum):
    """Who may see what a field holds, widest circle first."""

    PUBLIC = "public"
    NETWORK = "network"
    GROUP = "group"
    PERSON = "person"
    SECRET = "secret"  # noqa: S105


class Keep(enum.StrEnum):
    """How long a field is kept, from the later of the fact and its import."""

    ACCOUNT = "account"  # until the person deletes the account
    GROUP_LIFE = "group_life"  # while the group lives
    MONTHS_13 = "months_13"
    MONTHS_24 = "months_24"
    UNTIL_CLOSE = "until_close"  # until the meeting or poll closes
    DAYS_7_AFTER = "days_7_after"  # seven days after it ends
    HOURS_48 = "hours_48"
    MINUTES_30 = "minutes_30"
    DAYS_14 = "days_14"
    OPERATOR = "operator"  # while the operator keeps it


LASTS = {
    Keep.MONTHS_13: timedelta(days=396),
    Keep.MONTHS_24: timedelta(days=731),
    Keep.DAYS_7_AFTER: timedelta(days=7),
}


@dataclass(frozen=True)
class Entry:
    seen: Seen
    keep: Keep


def seen_by_all(keep: Keep) -> Entry:
    return Entry(Seen.PUBLIC, keep)


def seen_by_group(keep: Keep) -> Entry:
    return Entry(Seen.GROUP, keep)


def seen_by_person(keep: Keep) -> Entry:
    return Entry(Seen.PERSON, keep)


def kept_secret(keep: Keep) -> Entry:
    return Entry(Seen.SECRET, keep)


def entry_of(place: str) -> Entry:
    """The entry of `noun.Model.field`. Raises LookupError."""
    from django.apps import apps

    noun, model, field = place.split(".")
    entries: dict[str, Entry] = apps.get_model(noun, model).register
    return entries[field]
