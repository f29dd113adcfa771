"""What happened to the pledge."""

from dataclasses import dataclass
from typing import ClassVar

from leeward.lib.events import Event, Kept


@dataclass(frozen=True, kw_only=True)
class PledgeDrafted(Event):
    kept: ClassVar[Kept] = Kept.WITH_ACTOR

    group: str
    pledge: str
    by: str


@dataclass(frozen=True, kw_only=True)
class PledgeAdopted(Event):
    kept: ClassVar[Kept] = Kept.WITHOUT_ACTOR

    group: str
    pledge: str
    by: str | None


@dataclass(frozen=True, kw_only=True)
class PledgeAgreed(Event):
    kept: ClassVar[Kept] = Kept.WITH_ACTOR

    group: str
    pledge: str
    by: str
