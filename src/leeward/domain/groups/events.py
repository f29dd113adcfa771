"""What happened in a group's membership."""

from dataclasses import dataclass
from typing import ClassVar

from leeward.lib.events import Event, Kept


@dataclass(frozen=True, kw_only=True)
class GroupFounded(Event):
    kept: ClassVar[Kept] = Kept.WITH_ACTOR

    group: str
    by: str


@dataclass(frozen=True, kw_only=True)
class GroupChanged(Event):
    """Name, purpose, cohort, format or capacity; `what` names the fields."""

    kept: ClassVar[Kept] = Kept.WITH_ACTOR

    group: str
    by: str | None
    what: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class InvitationMade(Event):
    kept: ClassVar[Kept] = Kept.WITH_ACTOR

    group: str
    by: str
    invitation: str


@dataclass(frozen=True, kw_only=True)
class InvitationWithdrawn(Event):
    kept: ClassVar[Kept] = Kept.WITH_ACTOR

    group: str
    by: str
    invitation: str


@dataclass(frozen=True, kw_only=True)
class MemberJoined(Event):
    kept: ClassVar[Kept] = Kept.WITH_ACTOR

    group: str
    by: str


@dataclass(frozen=True, kw_only=True)
class MemberClaimed(Event):
    """Somebody took over the unclaimed place that was kept for them."""

    kept: ClassVar[Kept] = Kept.WITH_ACTOR

    group: str
    by: str


@dataclass(frozen=True, kw_only=True)
class MemberPaused(Event):
    kept: ClassVar[Kept] = Kept.WITHOUT_ACTOR

    group: str
    by: str


@dataclass(frozen=True, kw_only=True)
class MemberReturned(Event):
    kept: ClassVar[Kept] = Kept.WITHOUT_ACTOR

    group: str
    by: str


@dataclass(frozen=True, kw_only=True)
class MemberLeft(Event):
    kept: ClassVar[Kept] = Kept.WITH_ACTOR

    group: str
    by: str


@dataclass(frozen=True, kw_only=True)
class StoodInLine(Event):
    kept: ClassVar[Kept] = Kept.NOT

    group: str
    person: str


@dataclass(frozen=True, kw_only=True)
class SeatOffered(Event):
    kept: ClassVar[Kept] = Kept.NOT

    group: str
    person: str
    waiting: str


@dataclass(frozen=True, kw_only=True)
class SaidImIn(Event):
    kept: ClassVar[Kept] = Kept.WITH_ACTOR

    group: str
    by: str
