"""What happened at the group's door."""

from dataclasses import dataclass
from typing import ClassVar

from leeward.lib.events import Event, Kept


@dataclass(frozen=True, kw_only=True)
class GroupTakenIn(Event):
    kept: ClassVar[Kept] = Kept.WITHOUT_ACTOR

    group: str
