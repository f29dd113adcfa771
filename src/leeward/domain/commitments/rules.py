"""A commitment: one concrete step, who may read it, and how it went."""

from __future__ import annotations

import enum

from leeward.lib import words

TEXT_LENGTH = 200


class SeenBy(enum.StrEnum):
    """Whose eyes a commitment is for: its owner chooses."""

    GROUP = "group"
    ME = "me"


def step(text: str, *, field: str = "text") -> str:
    """One line of 1…200 characters. Raises Refusal."""
    return words.line(text, field=field, most=TEXT_LENGTH)
