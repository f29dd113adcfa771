"""What a group is, who has a seat, and who may do what.

Numbers are RULES §1–2. A seat is an open stint, paused or not (a pause keeps it 60 days), plus a seat on offer to
somebody in the line. Joining takes a free seat only when nobody waits; otherwise it means standing in line.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta

from leeward.lib import words
from leeward.lib.refusals import Refusal

NAME_LENGTH = 60
PURPOSE_LENGTH = 200
COHORT_LENGTH = 120
CAPACITY_LEAST, CAPACITY_MOST = 5, 16
CAPACITY_WELCOMING, CAPACITY_FULL = 8, 12
SPLIT_FROM = 16
CORE_LEAST, CORE_MOST = 5, 7
NEWCOMER_MEETINGS = 3
PAUSE_KEEPS_SEAT = timedelta(days=60)
INVITATION_LASTS = timedelta(days=7)
INVITATION_USES_MOST = 12
INVITATIONS_OPEN_MOST = 30
INVITATION_KEPT = timedelta(days=7)
OFFER_LASTS = timedelta(hours=48)
REJOIN_CONTINUES = timedelta(days=90)
LAUNCH_TAKES = timedelta(days=28)


class Format(enum.StrEnum):
    """How a group works; each kind buffers stress in its own way (`web/words.py` says it in plain words)."""

    TOPIC_CIRCLE = "topic_circle"
    SKILL_POD = "skill_pod"
    LIFE_STAGE_COHORT = "life_stage_cohort"
    HYBRID_COMMUNITY = "hybrid_community"


class Stage(enum.StrEnum):
    """Where somebody stands in a group."""

    INVITED = "invited"
    NEWCOMER = "newcomer"
    MEMBER = "member"
    PAUSED = "paused"
    LEFT = "left"


@dataclass(frozen=True)
class Member:
    """A member's ticket for one group, made from rows read in this request: revoking bites at once."""

    group: str
    membership: str
    person: str
    name: str
    stage: Stage
    number: int
    since: datetime
    founder: bool
    in_core: bool
    group_zone: str
    first_closed_at: datetime | None
    imported: bool
    founder_left: bool = False  # nobody who founded the group has a seat any more


def stage_of(*, met: int, paused: bool, left: bool) -> Stage:
    """A newcomer is somebody with fewer than three meetings behind them."""
    if left:
        return Stage.LEFT
    if paused:
        return Stage.PAUSED
    return Stage.NEWCOMER if met < NEWCOMER_MEETINGS else Stage.MEMBER


def pause_over(began_at: datetime, at: datetime) -> bool:
    return at >= began_at + PAUSE_KEEPS_SEAT


def purpose(text: str) -> str:
    return words.line(text, field="purpose", most=PURPOSE_LENGTH)


def name(text: str) -> str:
    return words.line(text, field="name", most=NAME_LENGTH)


def cohort(text: str) -> str:
    return words.line(text, field="cohort", most=COHORT_LENGTH)


def capacity(number: int) -> int:
    """Raises Refusal("out_of_bounds")."""
    if not CAPACITY_LEAST <= number <= CAPACITY_MOST:
        raise Refusal("out_of_bounds", field="capacity", least=CAPACITY_LEAST, most=CAPACITY_MOST)
    return number


@dataclass(frozen=True)
class Seats:
    """Seats of a group at one moment."""

    capacity: int
    taken: int
    on_offer: int
    waiting: int

    @property
    def free(self) -> int:
        return max(self.capacity - self.taken - self.on_offer, 0)

    @property
    def open_to_new(self) -> bool:
        """Whether somebody new sits down at once: a seat is free and nobody stands in line."""
        return self.free > 0 and self.waiting == 0

    @property
    def welcoming(self) -> bool:
        return self.taken < CAPACITY_WELCOMING

    @property
    def too_many_to_split(self) -> bool:
        """13–15 people cannot become two groups of 8–12."""
        return CAPACITY_FULL < self.taken < SPLIT_FROM

    @property
    def can_split(self) -> bool:
        return self.taken >= SPLIT_FROM


def offers_due(seats: Seats) -> int:
    """How many people in line are offered a seat now."""
    return min(seats.free, seats.waiting)


def may_found_change(member: Member) -> bool:
    """Founders change purpose, format, capacity, rhythm and pledge by themselves until the first closed meeting.

    When none of them has a seat any more, this passes to whoever is in the core. An imported group has no founder.
    """
    if member.first_closed_at is not None:
        return False
    heir = member.founder_left and not member.imported and member.in_core and is_active(member)
    return member.founder or heir


def polls_decide(member: Member) -> bool:
    """From the first closed meeting on; an imported group has met before."""
    return member.first_closed_at is not None or member.imported


def refuse_before_polls(member: Member) -> None:
    """Raises Refusal("founders_decide" | "core_decides") until the first closed meeting."""
    if not polls_decide(member):
        raise Refusal("core_decides" if member.founder_left else "founders_decide")


def refuse_unless_founding(member: Member) -> None:
    """Raises Refusal("not_while_paused" | "founders_decide" | "core_decides" | "by_poll_only")."""
    if not is_active(member):
        raise Refusal("not_while_paused")
    if not may_found_change(member):
        refuse_before_polls(member)
        raise Refusal("by_poll_only")


def is_active(member: Member) -> bool:
    return member.stage in (Stage.NEWCOMER, Stage.MEMBER)


@dataclass(frozen=True)
class Standing:
    """An invitation at one moment."""

    uses_left: int
    ends_at: datetime
    withdrawn: bool
    maker_left: bool
    address_digest: str


def usable(standing: Standing, *, at: datetime) -> bool:
    return standing.uses_left > 0 and at < standing.ends_at and not standing.withdrawn and not standing.maker_left


def core_complete(yes: int) -> bool:
    return yes >= CORE_LEAST
