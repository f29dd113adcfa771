"""What happened to meetings."""

from dataclasses import dataclass
from typing import ClassVar

from leeward.lib.events import Event, Kept


@dataclass(frozen=True, kw_only=True)
class RhythmSet(Event):
    kept: ClassVar[Kept] = Kept.WITH_ACTOR

    group: str
    by: str | None


@dataclass(frozen=True, kw_only=True)
class TalkRulesSet(Event):
    kept: ClassVar[Kept] = Kept.WITH_ACTOR

    group: str
    by: str | None


@dataclass(frozen=True, kw_only=True)
class MeetingPlanned(Event):
    kept: ClassVar[Kept] = Kept.NOT

    group: str
    meeting: str


@dataclass(frozen=True, kw_only=True)
class MeetingMoved(Event):
    kept: ClassVar[Kept] = Kept.WITH_ACTOR

    group: str
    meeting: str
    by: str


@dataclass(frozen=True, kw_only=True)
class MeetingCancelled(Event):
    kept: ClassVar[Kept] = Kept.WITH_ACTOR

    group: str
    meeting: str
    by: str


@dataclass(frozen=True, kw_only=True)
class MeetingConfirmed(Event):
    kept: ClassVar[Kept] = Kept.WITH_ACTOR

    group: str
    meeting: str
    by: str


@dataclass(frozen=True, kw_only=True)
class RsvpGiven(Event):
    kept: ClassVar[Kept] = Kept.NOT

    group: str
    meeting: str
    by: str


@dataclass(frozen=True, kw_only=True)
class AgendaChanged(Event):
    kept: ClassVar[Kept] = Kept.WITH_ACTOR

    group: str
    meeting: str
    by: str


@dataclass(frozen=True, kw_only=True)
class MeetingOpened(Event):
    kept: ClassVar[Kept] = Kept.WITHOUT_ACTOR

    group: str
    meeting: str
    by: str


@dataclass(frozen=True, kw_only=True)
class MeetingClosed(Event):
    kept: ClassVar[Kept] = Kept.WITHOUT_ACTOR

    group: str
    meeting: str
    by: str | None


@dataclass(frozen=True, kw_only=True)
class RecordSealed(Event):
    kept: ClassVar[Kept] = Kept.WITHOUT_ACTOR

    group: str
    record: str
    meeting: str


@dataclass(frozen=True, kw_only=True)
class RecordCorrected(Event):
    kept: ClassVar[Kept] = Kept.WITH_ACTOR

    group: str
    record: str
    meeting: str
    by: str


@dataclass(frozen=True, kw_only=True)
class LeafRemoved(Event):
    kept: ClassVar[Kept] = Kept.WITHOUT_ACTOR

    group: str
    record: str
    by: str
