"""What happened in a room. The journal keeps nothing of it."""

from dataclasses import dataclass
from typing import ClassVar

from leeward.lib.events import Event, Kept


@dataclass(frozen=True, kw_only=True)
class RoomMoved(Event):
    """The room's picture changed; `seq` numbers it."""

    kept: ClassVar[Kept] = Kept.NOT

    group: str
    meeting: str
    seq: int


@dataclass(frozen=True, kw_only=True)
class RoomForgotten(Event):
    """The room is closed and its entries are gone."""

    kept: ClassVar[Kept] = Kept.NOT

    group: str
    meeting: str
