"""What happened to a group's places."""

from dataclasses import dataclass
from typing import ClassVar

from leeward.lib.events import Event, Kept


@dataclass(frozen=True, kw_only=True)
class PlaceAdded(Event):
    kept: ClassVar[Kept] = Kept.WITH_ACTOR

    group: str
    by: str
    place: str


@dataclass(frozen=True, kw_only=True)
class PlaceChanged(Event):
    kept: ClassVar[Kept] = Kept.WITH_ACTOR

    group: str
    by: str
    place: str


@dataclass(frozen=True, kw_only=True)
class PlaceRetired(Event):
    kept: ClassVar[Kept] = Kept.WITH_ACTOR

    group: str
    by: str
    place: str
