"""Who a person is to Leeward, and the ticket that proves it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from leeward.lib import words
from leeward.lib.refusals import Refusal

NAME_LENGTH = 40
VISIT_LASTS = timedelta(days=60)
FORM_KEY_LASTS = timedelta(hours=48)
INTRODUCTION_LASTS = timedelta(hours=24)
ADULT_AGE = 18
CODE_LASTS = timedelta(minutes=15)


@dataclass(frozen=True)
class Self:
    """A signed-in person's ticket: opens what is theirs and nothing else."""

    person: str
    name: str
    language: str
    zone: str
    quick_exit: bool
    adult: bool
    visit: str = ""


def shown_name(text: str, *, field: str = "name") -> str:
    """A name of 1…40 characters that starts with a letter or a digit. Raises Refusal."""
    name = words.line(text, field=field, most=NAME_LENGTH)
    if not name[0].isalnum():
        raise Refusal("name_starts_oddly", field=field)
    return name


def visit_ends(last_seen: datetime) -> datetime:
    return last_seen + VISIT_LASTS
