"""An idea is one line without an author."""

from __future__ import annotations

from leeward.lib import words

TEXT_LENGTH = 200


def text(typed: str, *, field: str = "text") -> str:
    """One line of 1…200 characters. Raises Refusal."""
    return words.line(typed, field=field, most=TEXT_LENGTH)
