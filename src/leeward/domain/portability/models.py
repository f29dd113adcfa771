"""What somebody uploaded and has not taken in yet."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from leeward.domain.people.models import Person
from leeward.lib.fields import IdField, SealedJson
from leeward.lib.register import Entry, Keep, seen_by_person


class Upload(models.Model):
    """Files of one import between the check and the yes: texts by file name, and what the form said about the group.

    After the yes no files, and the digest by which the group that they became is known.
    """

    id = IdField()
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    files = SealedJson()
    facts = SealedJson()
    at = models.DateTimeField(db_index=True)

    register: ClassVar[dict[str, Entry]] = {
        name: seen_by_person(Keep.HOURS_48) for name in ("id", "person", "files", "facts", "at")
    }
