"""Facts in the past tense: ids and a moment, never free text. Each says what the journal keeps of it."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar


class Kept(enum.StrEnum):
    """What the journal keeps of an event: a row that names who did it, a row that does not, or nothing."""

    WITH_ACTOR = "with_actor"
    WITHOUT_ACTOR = "without_actor"
    NOT = "not"


@dataclass(frozen=True, kw_only=True)
class Event:
    """`at` is an aware moment in UTC. A subclass declares `kept`; without it the house tests are red."""

    kept: ClassVar[Kept]

    at: datetime


Reaction = Callable[[Any], None]
_wiring: Mapping[type[Event], Sequence[Reaction]] | None = None


def connect(wiring: Mapping[type[Event], Sequence[Reaction]]) -> None:
    """Take `config/wiring.py`'s table as the one place that says what follows from what."""
    global _wiring
    _wiring = wiring


def announce(event: Event) -> None:
    """Run the reactions to `event` in order, in the caller's transaction. Raises LookupError for an unknown one."""
    if _wiring is None or type(event) not in _wiring:
        raise LookupError(f"{type(event).__name__} is not in config/wiring.py")
    for reaction in _wiring[type(event)]:
        reaction(event)
