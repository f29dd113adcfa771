"""The live meeting as a state machine.

Theory of operation. A room is a fold: `state_of(opening, entries)`. Each entry is one thing that somebody did, or one
thing that the clock did. `apply(state, entry)` is pure; a move that the table below does not allow is a Refusal and
changes nothing.

Time is folded in. A timer is a deadline, never a count of ticks. Before every command and every look the caller asks
`overdue(state, at)` for the next thing that the clock should have done by now, appends it, and asks again. Each such
entry carries its own due moment, so folding once late gives the same state as folding often.

Phases. *lobby*: the room is open, no block runs. *running*: a block's clock runs to its deadline. *overtime*: the
deadline passed; for 20 seconds anyone may ask for five more minutes, else the next block starts. *paused*: the lead
stopped the clock. *held*: somebody is in distress; clock stopped, until the lead or whoever called it lets go.
*closing*: all blocks are done. *closed*: over; nothing moves any more.

The lead has procedural rights for this meeting only. When the lead is not here five minutes after the start, the
backup may take over, a minute later anyone present: a meeting never dies because one person is late.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime, timedelta
from typing import Any, Self

from leeward.lib.refusals import Refusal
from leeward.lib.words import length

OVERTIME = timedelta(seconds=20)
MORE = timedelta(minutes=5)
LEAD_LATE = timedelta(minutes=5)
BACKUP_FIRST = timedelta(minutes=1)
CLOSES_ITSELF = timedelta(hours=2)
EXTENSIONS_MOST = 12
STEP_LENGTH = 200


class Phase(enum.StrEnum):
    """Where the meeting stands."""

    LOBBY = "lobby"
    RUNNING = "running"
    OVERTIME = "overtime"
    PAUSED = "paused"
    HELD = "held"
    CLOSING = "closing"
    CLOSED = "closed"


class Move(enum.StrEnum):
    """What can happen. The last three are the clock's own."""

    ARRIVE = "arrive"
    STEP_OUT = "step_out"
    MARK_HERE = "mark_here"
    MARK_GONE = "mark_gone"
    START = "start"
    NEXT = "next"
    EXTEND = "extend"
    PAUSE = "pause"
    RESUME = "resume"
    HOLD = "hold"
    RELEASE = "release"
    HAND_OVER = "hand_over"
    TAKE_LEAD = "take_lead"
    COMMIT = "commit"
    CLOSE = "close"
    TIME_UP = "time_up"
    MOVE_ON = "move_on"
    CLOSE_ITSELF = "close_itself"


class Who(enum.StrEnum):
    """Who may make a move."""

    MEMBER = "member"  # anyone of the group, here or not
    PRESENT = "present"
    LEAD = "lead"
    CLOCK = "clock"


@dataclass(frozen=True)
class Rule:
    phases: frozenset[Phase]
    who: Who


_OPEN = frozenset(Phase) - {Phase.CLOSED}
_GOING = frozenset({Phase.RUNNING, Phase.OVERTIME})
OF_A_BLOCK = frozenset({Move.NEXT, Move.EXTEND})  # a second tap, or one that comes late, must not hit the next block

TABLE: Mapping[Move, Rule] = {
    Move.ARRIVE: Rule(_OPEN, Who.MEMBER),
    Move.STEP_OUT: Rule(_OPEN, Who.PRESENT),
    Move.MARK_HERE: Rule(_OPEN, Who.LEAD),
    Move.MARK_GONE: Rule(_OPEN, Who.LEAD),
    Move.START: Rule(frozenset({Phase.LOBBY}), Who.LEAD),
    Move.NEXT: Rule(_GOING | {Phase.PAUSED}, Who.LEAD),
    Move.EXTEND: Rule(_GOING | {Phase.PAUSED}, Who.PRESENT),
    Move.PAUSE: Rule(_GOING, Who.LEAD),
    Move.RESUME: Rule(frozenset({Phase.PAUSED}), Who.LEAD),
    Move.HOLD: Rule(_GOING | {Phase.PAUSED, Phase.LOBBY, Phase.CLOSING}, Who.PRESENT),
    Move.RELEASE: Rule(frozenset({Phase.HELD}), Who.PRESENT),
    Move.HAND_OVER: Rule(_OPEN, Who.LEAD),
    Move.TAKE_LEAD: Rule(_OPEN, Who.PRESENT),
    Move.COMMIT: Rule(_OPEN, Who.PRESENT),
    Move.CLOSE: Rule(_OPEN - {Phase.HELD}, Who.LEAD),
    Move.TIME_UP: Rule(frozenset({Phase.RUNNING}), Who.CLOCK),
    Move.MOVE_ON: Rule(frozenset({Phase.OVERTIME}), Who.CLOCK),
    Move.CLOSE_ITSELF: Rule(_OPEN, Who.CLOCK),
}


@dataclass(frozen=True)
class Block:
    """A block of the agenda. `minutes` ≥ 1."""

    kind: str
    title: str
    minutes: int


@dataclass(frozen=True)
class Step:
    """A commitment given in the room. `seen` is "group" or "me"."""

    text: str
    seen: str


@dataclass(frozen=True)
class Entry:
    """One thing that happened. `by` is a membership id, None for the clock; `whom` somebody it was done for or to."""

    move: Move
    at: datetime
    by: str | None = None
    whom: str = ""
    way: str = "room"
    text: str = ""
    seen: str = "group"

    def to_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value not in ("", None)} | {
            "at": self.at.isoformat()
        }

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        known = {item.name for item in fields(cls)}
        values = {name: value for name, value in row.items() if name in known}
        return cls(**values | {"move": Move(row["move"]), "at": datetime.fromisoformat(row["at"])})


@dataclass(frozen=True)
class State:
    """`deadline` holds while a block runs or is in overtime; `left` while its clock stands still.

    `present` maps who is here to "room" or "online"; `came` whoever was here at any time. `touched` is the last time a
    person did something. `before_hold` is the phase a hold interrupted.
    """

    starts_at: datetime
    ends_at: datetime
    blocks: tuple[Block, ...]
    lead: str | None
    backup: str | None
    phase: Phase = Phase.LOBBY
    index: int = -1
    deadline: datetime | None = None
    left: timedelta = timedelta(0)
    extensions: int = 0
    present: Mapping[str, str] = field(default_factory=dict)
    came: Mapping[str, str] = field(default_factory=dict)
    steps: Mapping[str, Step] = field(default_factory=dict)
    held_by: str | None = None
    before_hold: Phase | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    touched: datetime | None = None

    @property
    def block(self) -> Block | None:
        return self.blocks[self.index] if 0 <= self.index < len(self.blocks) else None

    @property
    def following(self) -> Block | None:
        return self.blocks[self.index + 1] if self.index + 1 < len(self.blocks) else None

    @property
    def stand(self) -> str:
        """Which block, extended how often: a page says with a command what it showed when it was tapped."""
        return f"{self.index}.{self.extensions}"

    @property
    def lead_here(self) -> bool:
        return self.lead is not None and self.lead in self.present


def opening_json(state: State) -> dict[str, Any]:
    """The state a room starts from, as JSON values."""
    return {
        "starts_at": state.starts_at.isoformat(),
        "ends_at": state.ends_at.isoformat(),
        "blocks": [[block.kind, block.title, block.minutes] for block in state.blocks],
        "lead": state.lead,
        "backup": state.backup,
    }


def opening_of(row: Mapping[str, Any]) -> State:
    return State(
        starts_at=datetime.fromisoformat(row["starts_at"]),
        ends_at=datetime.fromisoformat(row["ends_at"]),
        blocks=tuple(Block(*block) for block in row["blocks"]),
        lead=row["lead"],
        backup=row["backup"],
    )


def state_of(opening: State, entries: Iterable[Entry]) -> State:
    state = opening
    for entry in entries:
        state = apply(state, entry)
    return state


def seconds_left(state: State, at: datetime) -> int:
    """Whole seconds of the block that are left, never below 0."""
    if state.phase is Phase.RUNNING and state.deadline is not None:
        return max(int((state.deadline - at).total_seconds()), 0)
    return max(int(state.left.total_seconds()), 0) if state.phase in (Phase.PAUSED, Phase.HELD) else 0


# Who may ----------------------------------------------------------------------------------------------------------


def lead_open_to(state: State, member: str, at: datetime) -> bool:
    """Whether `member` may take the lead: nobody leads, or the lead is absent five minutes after the start."""
    if member == state.lead or member not in state.present:
        return False
    if state.lead is None:
        return True
    if state.lead_here or at < state.starts_at + LEAD_LATE:
        return False
    return member == state.backup or state.backup is None or at >= state.starts_at + LEAD_LATE + BACKUP_FIRST


def why_not(state: State, entry: Entry) -> str | None:
    """The refusal's code for a move, or None when it is allowed."""
    rule = TABLE[entry.move]
    if state.phase is Phase.CLOSED:
        return "room_closed"
    if state.phase not in rule.phases:
        return "room_not_now"
    if rule.who is Who.CLOCK:
        return None if entry.by is None and _is_due(state, entry) else "room_not_now"
    if entry.by is None or (rule.who is Who.PRESENT and entry.by not in state.present):
        return "room_come_in_first"
    if rule.who is Who.LEAD and entry.by != state.lead:
        return "room_lead_only"
    return _MORE_CHECKS.get(entry.move, _fine)(state, entry)


def may(state: State, member: str, move: Move, at: datetime, **facts: str) -> bool:
    """The same question, for whether a button is drawn."""
    return why_not(state, Entry(move, at, member, **facts)) is None


def _fine(state: State, entry: Entry) -> str | None:
    return None


def _way_known(state: State, entry: Entry) -> str | None:
    return None if entry.way in ("room", "online") else "room_not_now"


def _whom_known(state: State, entry: Entry) -> str | None:
    return "room_who" if not entry.whom else _way_known(state, entry)


def _whom_here(state: State, entry: Entry) -> str | None:
    return None if entry.whom in state.present else "room_not_here"


def _may_take(state: State, entry: Entry) -> str | None:
    return None if lead_open_to(state, entry.by or "", entry.at) else "room_lead_here"


def _may_extend(state: State, entry: Entry) -> str | None:
    if state.phase is not Phase.OVERTIME and entry.by != state.lead:
        return "room_lead_only"
    return "room_extended_enough" if state.extensions >= EXTENSIONS_MOST else None


def _may_release(state: State, entry: Entry) -> str | None:
    return None if entry.by in (state.held_by, state.lead) else "room_lead_only"


def _may_commit(state: State, entry: Entry) -> str | None:
    if not 1 <= length(entry.text) <= STEP_LENGTH or entry.seen not in ("group", "me"):
        return "room_not_now"
    if entry.whom and entry.whom != entry.by:
        if entry.by != state.lead:
            return "room_lead_only"
        if entry.seen != "group":
            return "room_own_only"
        return _whom_here(state, entry)
    return None


_MORE_CHECKS = {
    Move.ARRIVE: _way_known,
    Move.MARK_HERE: _whom_known,
    Move.MARK_GONE: _whom_here,
    Move.HAND_OVER: _whom_here,
    Move.TAKE_LEAD: _may_take,
    Move.EXTEND: _may_extend,
    Move.RELEASE: _may_release,
    Move.COMMIT: _may_commit,
}


# What the clock does ------------------------------------------------------------------------------------------------


def overdue(state: State, at: datetime) -> Entry | None:
    """The next thing that the clock should have done by `at`, dated when it was due; None when nothing is."""
    if state.phase is Phase.CLOSED:
        return None
    due = _due(state)
    return due if due is not None and due.at <= at else None


def _due(state: State) -> Entry | None:
    closes = Entry(Move.CLOSE_ITSELF, max(state.ends_at, state.touched or state.starts_at) + CLOSES_ITSELF)
    if state.phase is Phase.RUNNING and state.deadline is not None:
        return min(Entry(Move.TIME_UP, state.deadline), closes, key=lambda entry: entry.at)
    if state.phase is Phase.OVERTIME and state.deadline is not None:
        return min(Entry(Move.MOVE_ON, state.deadline + OVERTIME), closes, key=lambda entry: entry.at)
    return closes


def _is_due(state: State, entry: Entry) -> bool:
    due = _due(state)
    return due is not None and (due.move, due.at) == (entry.move, entry.at)


# What a move does ---------------------------------------------------------------------------------------------------


def apply(state: State, entry: Entry) -> State:
    """The state after `entry`. Raises Refusal and changes nothing when the move is not allowed."""
    code = why_not(state, entry)
    if code is not None:
        raise Refusal(code)
    after = _EFFECTS[entry.move](state, entry)
    return after if entry.by is None else replace(after, touched=entry.at)


def _with(mapping: Mapping[str, Any], key: str, value: Any) -> dict[str, Any]:
    return {**mapping, key: value}


def _without(mapping: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in mapping.items() if name != key}


def _come_in(state: State, who: str, way: str) -> State:
    return replace(state, present=_with(state.present, who, way), came=_with(state.came, who, way))


def _arrive(state: State, entry: Entry) -> State:
    return _come_in(state, entry.by or "", entry.way)


def _mark_here(state: State, entry: Entry) -> State:
    return _come_in(state, entry.whom, entry.way)


def _step_out(state: State, entry: Entry) -> State:
    return replace(state, present=_without(state.present, entry.by or ""))


def _mark_gone(state: State, entry: Entry) -> State:
    """A slip of the lead's finger: that person is not counted as having been here."""
    return replace(state, present=_without(state.present, entry.whom), came=_without(state.came, entry.whom))


def _enter(state: State, index: int, at: datetime) -> State:
    if index >= len(state.blocks):
        return replace(state, phase=Phase.CLOSING, index=len(state.blocks), deadline=None, left=timedelta(0))
    return replace(
        state,
        phase=Phase.RUNNING,
        index=index,
        deadline=at + timedelta(minutes=state.blocks[index].minutes),
        left=timedelta(0),
    )


def _start(state: State, entry: Entry) -> State:
    return replace(_enter(state, 0, entry.at), started_at=entry.at)


def _next(state: State, entry: Entry) -> State:
    return _enter(state, state.index + 1, entry.at)


def _extend(state: State, entry: Entry) -> State:
    more = replace(state, extensions=state.extensions + 1)
    if state.phase is Phase.PAUSED:
        return replace(more, left=state.left + MORE)
    from_when = entry.at if state.phase is Phase.OVERTIME else state.deadline or entry.at
    return replace(more, phase=Phase.RUNNING, deadline=from_when + MORE)


def _stopped(state: State, at: datetime, phase: Phase) -> State:
    """The clock stands still; what is left is kept."""
    left = max(state.deadline - at, timedelta(0)) if state.deadline is not None else state.left
    return replace(state, phase=phase, deadline=None, left=left)


def _pause(state: State, entry: Entry) -> State:
    return _stopped(state, entry.at, Phase.PAUSED)


def _resume(state: State, entry: Entry) -> State:
    return replace(state, phase=Phase.RUNNING, deadline=entry.at + state.left, left=timedelta(0))


def _hold(state: State, entry: Entry) -> State:
    return replace(_stopped(state, entry.at, Phase.HELD), held_by=entry.by, before_hold=state.phase)


def _release(state: State, entry: Entry) -> State:
    """Back to where it was; a block that ran goes on with what was left of it."""
    before = state.before_hold or Phase.LOBBY
    free = replace(state, held_by=None, before_hold=None)
    if before in _GOING:
        return _resume(free, entry)
    return replace(free, phase=before)


def _hand_over(state: State, entry: Entry) -> State:
    return replace(state, lead=entry.whom)


def _take_lead(state: State, entry: Entry) -> State:
    return replace(state, lead=entry.by)


def _commit(state: State, entry: Entry) -> State:
    whom = entry.whom or entry.by or ""
    return replace(state, steps=_with(state.steps, whom, Step(entry.text, entry.seen)))


def _close(state: State, entry: Entry) -> State:
    return replace(state, phase=Phase.CLOSED, deadline=None, left=timedelta(0), ended_at=entry.at)


def _time_up(state: State, entry: Entry) -> State:
    return replace(state, phase=Phase.OVERTIME)


_EFFECTS = {
    Move.ARRIVE: _arrive,
    Move.STEP_OUT: _step_out,
    Move.MARK_HERE: _mark_here,
    Move.MARK_GONE: _mark_gone,
    Move.START: _start,
    Move.NEXT: _next,
    Move.EXTEND: _extend,
    Move.PAUSE: _pause,
    Move.RESUME: _resume,
    Move.HOLD: _hold,
    Move.RELEASE: _release,
    Move.HAND_OVER: _hand_over,
    Move.TAKE_LEAD: _take_lead,
    Move.COMMIT: _commit,
    Move.CLOSE: _close,
    Move.TIME_UP: _time_up,
    Move.MOVE_ON: _next,
    Move.CLOSE_ITSELF: _close,
}
