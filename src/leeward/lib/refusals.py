"""The one exception of the domain that people see. Its sentence stands in `web/words.py`, never here."""

from __future__ import annotations


class Refusal(Exception):
    """A rule said no. Nothing was stored.

    `code` names the sentence; `facts` fill it (numbers, dates, vocabulary codes: never what somebody typed).
    `field` is the form field that the sentence belongs beside, or None for the whole form.
    """

    def __init__(self, code: str, *, field: str | None = None, **facts: object) -> None:
        super().__init__(code)
        self.code = code
        self.field = field
        self.facts = facts

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Refusal) and (self.code, self.field, self.facts) == (
            other.code,
            other.field,
            other.facts,
        )

    def __hash__(self) -> int:
        return hash((self.code, self.field))


class NotHere(Exception):
    """Absent, forbidden and left are one answer: the visitor gets the one not-found page."""
