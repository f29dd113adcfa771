"""What happened on a launch path. `step` is a code of `rules.Step`."""

from dataclasses import dataclass
from typing import ClassVar

from leeward.lib.events import Event, Kept


@dataclass(frozen=True, kw_only=True)
class LaunchStepTaken(Event):
    kept: ClassVar[Kept] = Kept.WITH_ACTOR

    group: str
    by: str
    step: str


@dataclass(frozen=True, kw_only=True)
class LaunchStepGivenBack(Event):
    kept: ClassVar[Kept] = Kept.WITHOUT_ACTOR

    group: str
    by: str
    step: str


@dataclass(frozen=True, kw_only=True)
class LaunchStepDone(Event):
    kept: ClassVar[Kept] = Kept.WITH_ACTOR

    group: str
    by: str
    step: str
