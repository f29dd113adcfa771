"""What happened to polls: that one opened, and its one word."""

from dataclasses import dataclass
from typing import ClassVar

from leeward.lib.events import Event, Kept


@dataclass(frozen=True, kw_only=True)
class PollOpened(Event):
    kept: ClassVar[Kept] = Kept.WITHOUT_ACTOR

    group: str
    poll: str
    by: str


@dataclass(frozen=True, kw_only=True)
class PollClosed(Event):
    kept: ClassVar[Kept] = Kept.WITHOUT_ACTOR

    group: str
    poll: str
    outcome: str
