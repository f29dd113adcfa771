"""What happened to commitments. Nothing of it is kept in the journal: a step is its owner's."""

from dataclasses import dataclass
from typing import ClassVar

from leeward.lib.events import Event, Kept


@dataclass(frozen=True, kw_only=True)
class CommitmentMade(Event):
    kept: ClassVar[Kept] = Kept.NOT

    group: str
    meeting: str
    by: str


@dataclass(frozen=True, kw_only=True)
class CommitmentLetGo(Event):
    kept: ClassVar[Kept] = Kept.NOT

    group: str
    meeting: str
    by: str
