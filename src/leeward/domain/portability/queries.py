"""Reads of portability: a whole group as plain values, for one file.

What leaves: every field of the group's own class. What stays: who somebody is (people stay with their host), what is
only a person's own (steps marked "only me"), what opens something (invitations, ballots), and rooms that are open.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.apps import apps
from django.db import models

from leeward.domain.groups.models import Group
from leeward.domain.people.rules import Self
from leeward.domain.portability.models import Upload
from leeward.domain.portability.rules import UPLOAD_LASTS
from leeward.lib.refusals import NotHere
from leeward.lib.register import Seen
from leeward.lib.tickets import Operator

WHAT = "a Leeward group"
MODELS = (
    "groups.Group",
    "groups.Membership",
    "groups.Stint",
    "groups.Pause",
    "groups.Founder",
    "groups.CoreYes",
    "places.Place",
    "founding.StepTaken",
    "pledges.Pledge",
    "pledges.Assent",
    "ideas.Idea",
    "meetings.Rhythm",
    "meetings.TalkRules",
    "meetings.Meeting",
    "meetings.AgendaBlock",
    "meetings.AgendaItem",
    "meetings.Rsvp",
    "meetings.Attendance",
    "meetings.GuestPresence",
    "meetings.Record",
    "meetings.Leaf",
    "polls.Poll",
    "commitments.Commitment",
    "journal.JournalRow",
)
# Of the group, though the register keeps them from every page: without them a chain cannot be checked, nor a member
# be counted, in the new home.
NEEDED = {"meetings.Leaf.salt", "groups.Membership.met", "groups.Group.import_digest"}
OF_GROUP = {"commitments.Commitment"}


def _taken(label: str) -> tuple[str, ...]:
    model = apps.get_model(label)
    return tuple(
        field.name
        for field in model._meta.local_fields
        if model.register[field.name].seen in (Seen.PUBLIC, Seen.GROUP)
        or f"{label}.{field.name}" in NEEDED
        or (label in OF_GROUP)
    )


class _Taken(dict[str, tuple[str, ...]]):
    def __missing__(self, label: str) -> tuple[str, ...]:
        self[label] = _taken(label)
        return self[label]


TAKEN: Mapping[str, tuple[str, ...]] = _Taken()


def _path_to_group(model: type[models.Model]) -> str:
    """The lookup from a table to its group: its own key, or its parent's."""
    names = {field.name for field in model._meta.local_fields}
    if model is Group:
        return "pk"
    if "group" in names:
        return "group"
    for parent in ("meeting", "membership", "pledge", "record"):
        if parent in names:
            return f"{parent}__group"
    raise LookupError(model._meta.label)


def payload(_by: Operator, *, group: str) -> dict[str, Any]:
    """The group as plain values: one list of rows a table. Raises NotHere."""
    if not Group.objects.filter(pk=group).exists():
        raise NotHere
    return {"what": WHAT, "tables": {label: _table(label, group) for label in MODELS}}


def _table(label: str, group: str) -> list[dict[str, Any]]:
    model = apps.get_model(label)
    rows = model._default_manager.filter(**{_path_to_group(model): group}).order_by("pk")
    if label == "commitments.Commitment":
        rows = rows.filter(seen="group")
    if label == "polls.Poll":
        rows = rows.exclude(closed_at=None)
    return [{name: _value(row, name) for name in TAKEN[label]} for row in rows]


def _value(row: models.Model, name: str) -> Any:
    field = row._meta.get_field(name)
    assert isinstance(field, models.Field)
    value = getattr(row, field.attname)
    return value.isoformat() if isinstance(value, datetime | date) else value


def group_of_digest(digest: str) -> str | None:
    """The group that this history made, if it was taken in before."""
    return Group.objects.filter(import_digest=digest).values_list("pk", flat=True).first()


@dataclass(frozen=True)
class UploadSeen:
    """Files by name, as they were uploaded, and what the form said about the group. Once they were taken in, only the
    `group` that they became."""

    files: Mapping[str, bytes]
    facts: Mapping[str, Any]
    group: str = ""


def upload(me: Self, *, upload: str, at: datetime) -> UploadSeen:
    """My own upload of the last hour. Raises NotHere."""
    row = Upload.objects.filter(pk=upload, person=me.person, at__gt=at - UPLOAD_LASTS).first()
    if row is None:
        raise NotHere
    files = {name: base64.b64decode(text) for name, text in row.files.items()}
    taken = "" if files else str(row.facts.get("taken", ""))
    return UploadSeen(files, row.facts, (group_of_digest(taken) or "") if taken else "")
