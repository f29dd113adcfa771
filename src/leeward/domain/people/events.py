"""What happened to a person's account."""

from dataclasses import dataclass
from typing import ClassVar

from leeward.lib.events import Event, Kept


@dataclass(frozen=True, kw_only=True)
class PersonJoined(Event):
    kept: ClassVar[Kept] = Kept.NOT

    person: str


@dataclass(frozen=True, kw_only=True)
class DevicesSignedOut(Event):
    kept: ClassVar[Kept] = Kept.NOT

    person: str
    number: int
