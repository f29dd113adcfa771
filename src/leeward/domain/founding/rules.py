"""The launch path: seven steps from asking around to a first date, within 28 days (RULES 8, 9).

Whether a step is done is read from what it left behind: people who said "I'm in", a draft, a place, a date. Two steps
may leave nothing behind, and are done by a tap. The steps are an advice, not a lock; one gate alone is kept: no
first date before five people are in. More than seven in the core is fine, it only takes longer to agree.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from leeward.domain.groups.rules import CORE_LEAST, CORE_MOST, LAUNCH_TAKES, Member, core_complete
from leeward.lib.refusals import Refusal

__all__ = ["CORE_LEAST", "CORE_MOST", "Facts", "Path", "Step", "StepState", "path", "refuse_before_core"]


class Step(enum.StrEnum):
    """In the order in which they are proposed."""

    SURVEY = "survey"
    CORE = "core"
    PURPOSE = "purpose"
    PLEDGE = "pledge"
    PLACE = "place"
    AGENDA = "agenda"
    DATE = "date"


TAPPED = frozenset({Step.SURVEY, Step.AGENDA})


@dataclass(frozen=True)
class Facts:
    """What a group has by now."""

    core: int
    purpose: bool
    pledge: bool
    place: bool
    agenda: bool
    date: bool


@dataclass(frozen=True)
class Taken:
    """Somebody took a step; `done_at` by a tap."""

    membership: str | None
    name: str
    done_at: datetime | None


@dataclass(frozen=True)
class StepState:
    step: Step
    done: bool
    next: bool
    taken_by: str
    mine: bool
    tapped: bool


@dataclass(frozen=True)
class Path:
    """The launch path at one moment. `days_left` is 0 on the target day's last moments and after it."""

    steps: tuple[StepState, ...]
    target_at: datetime
    days_left: int

    @property
    def done(self) -> int:
        return sum(state.done for state in self.steps)

    @property
    def complete(self) -> bool:
        return self.done == len(self.steps)

    @property
    def next(self) -> StepState | None:
        return next((state for state in self.steps if state.next), None)


def path(facts: Facts, taken: Mapping[Step, Taken], *, membership: str, founded_at: datetime, at: datetime) -> Path:
    """The path as `membership` sees it."""
    left = {
        Step.SURVEY: False,
        Step.CORE: core_complete(facts.core),
        Step.PURPOSE: facts.purpose,
        Step.PLEDGE: facts.pledge,
        Step.PLACE: facts.place,
        Step.AGENDA: facts.agenda,
        Step.DATE: facts.date,
    }
    done = {step: left[step] or (step in TAPPED and step in taken and taken[step].done_at is not None) for step in Step}
    first_open = next((step for step in Step if not done[step]), None)
    target = founded_at + LAUNCH_TAKES
    return Path(
        steps=tuple(
            StepState(
                step=step,
                done=done[step],
                next=step is first_open,
                taken_by=taken[step].name if step in taken else "",
                mine=step in taken and taken[step].membership == membership,
                tapped=step in TAPPED,
            )
            for step in Step
        ),
        target_at=target,
        days_left=max(math.ceil((target - at) / timedelta(days=1)), 0),
    )


def step_of(code: str) -> Step:
    """Raises Refusal("no_such_step")."""
    try:
        return Step(code)
    except ValueError:
        raise Refusal("no_such_step") from None


def founding(ticket: Member) -> bool:
    """A group is being founded until its first meeting is closed."""
    return ticket.first_closed_at is None


def refuse_before_core(core: int) -> None:
    """The core gate: raises Refusal("core_first") before five people said "I'm in"."""
    if not core_complete(core):
        raise Refusal("core_first", least=CORE_LEAST, missing=CORE_LEAST - core)
