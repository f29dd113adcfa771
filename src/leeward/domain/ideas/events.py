"""What happened to ideas."""

from dataclasses import dataclass
from typing import ClassVar

from leeward.lib.events import Event, Kept


@dataclass(frozen=True, kw_only=True)
class IdeaKept(Event):
    kept: ClassVar[Kept] = Kept.NOT

    group: str
    idea: str


@dataclass(frozen=True, kw_only=True)
class IdeaLetGo(Event):
    kept: ClassVar[Kept] = Kept.NOT

    group: str
    idea: str
