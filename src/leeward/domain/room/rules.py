"""The live meeting as a state machine.

Theory of operation. A room is a fold: `state_of(opening, entries)`. Each entry is one thing that somebody did, or one
thing that the clock did. `apply(state, entry)` is pure; a move that the table below does not allow is a Refusal and
changes nothing.

Time is folded in. A timer is a deadline, never a count of ticks. Before every command and every look the caller asks
`overdue(state, at)` for the next thing that the clock should have done by now, appends it, and asks again. Each such
entry carries its own due moment, so folding once late gives the same state as folding often.

Phases. *lobby*: the room is open, no block runs. *running*: a block's clock runs to its deadline. *overtime*: the
deadline passed; for 20 seconds everybody has a thumb on "five more minutes?", and more ups than downs give them; else
the next block starts. It is settled sooner once everybody gave one. *paused*: the lead
stopped the clock. *held*: somebody is in distress; clock stopped, until the lead or whoever called it lets go.
*closing*: all blocks are done. *closed*: over; nothing moves any more.

The lead has procedural rights for this meeting only. When the lead is not here five minutes after the start, or was
cut off two minutes ago, the backup may take over, a minute later anyone present: a meeting never dies because one
person is late. Being cut off by itself passes nothing on.

The floor. Whoever wants to speak raises a hand. Of the hands, follow-ups come first where the house has them, then
who took the floor least often, then who came first. Somebody who passes the floor on offers it to the next, who
accepts; a hand raised while nobody speaks takes it at once. In blocks that cost tokens, taking the floor pays one.
Tokens are issued on arrival; one may be given away; whoever is exempt goes on without when none is left. For each
person issued + got = given + spent + left, and over all of them got = given.

What the room shows of a person and when. Moods: all at once, when everybody here answered (not before the start: the
first to come would be everybody) or the lead opens them. Thumbs: never, only the outcome's one word, once everybody
answered. Caught lines: without author, from the first moment on. Steps: as their owner says.

Without a device. For whoever has none here, the lead may do what that person says aloud. Whoever makes a move of their
own has one from then on, and nobody does anything for them.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, Self

from leeward.domain.polls.rules import Outcome, Thumb, outcome
from leeward.lib.refusals import Refusal
from leeward.lib.words import length

OVERTIME = timedelta(seconds=20)
MORE = timedelta(minutes=5)
LEAD_LATE = timedelta(minutes=5)
BACKUP_FIRST = timedelta(minutes=1)
MEETING_LEAST = 2
LOST_GRACE = timedelta(minutes=2)
CLOSES_ITSELF = timedelta(hours=2)
EXTENSIONS_MOST = 12
STEP_LENGTH = 200
TOKENS_EACH, TOKENS_LEAST, TOKENS_MOST = 3, 1, 5
MOOD_WORDS, MOOD_LENGTH = 2, 40
LINE_LENGTH, LINES_MOST = 200, 40
QUESTION_LENGTH, QUESTIONS_MOST = 120, 12
TOKEN_BLOCKS = frozenset({"brainstorm", "open"})
SPOTLIGHT = "spotlight"
CATCHING_BLOCKS = TOKEN_BLOCKS | {"practice", "experience"}
SHARED_BELOW, FEW_ABOVE = Fraction(30, 100), Fraction(50, 100)


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
    """What can happen. The last five nobody does: the clock, or a connection."""

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
    MOOD = "mood"
    OPEN_MOODS = "open_moods"
    MORE_TIME = "more_time"
    RAISE = "raise"
    LOWER = "lower"
    ACCEPT = "accept"
    PASS = "pass"  # noqa: S105
    SKIP = "skip"
    GIVE = "give"
    VOLUNTEER = "volunteer"
    UNVOLUNTEER = "unvolunteer"
    CATCH = "catch"
    KEEP_LINE = "keep_line"
    DROP_LINE = "drop_line"
    ASK = "ask"
    THUMB = "thumb"
    END_QUESTION = "end_question"
    COMMIT = "commit"
    CLOSE = "close"
    LOST = "lost"
    BACK = "back"
    TIME_UP = "time_up"
    MOVE_ON = "move_on"
    CLOSE_ITSELF = "close_itself"


class Who(enum.StrEnum):
    """Who may make a move."""

    MEMBER = "member"  # anyone of the group, here or not
    PRESENT = "present"
    LEAD = "lead"
    NOBODY = "nobody"  # kept without who did it; the caller made sure that it was somebody here
    CLOCK = "clock"


@dataclass(frozen=True)
class Rule:
    phases: frozenset[Phase]
    who: Who


_OPEN = frozenset(Phase) - {Phase.CLOSED}
_TALKING = frozenset({Phase.RUNNING, Phase.OVERTIME, Phase.PAUSED})
_GOING = frozenset({Phase.RUNNING, Phase.OVERTIME})
ARRIVALS = frozenset({Move.ARRIVE, Move.MARK_HERE})
OF_A_BLOCK = frozenset({Move.NEXT, Move.EXTEND})  # a second tap, or one that comes late, must not hit the next block

TABLE: Mapping[Move, Rule] = {
    Move.ARRIVE: Rule(_OPEN, Who.MEMBER),
    Move.STEP_OUT: Rule(_OPEN, Who.PRESENT),
    Move.MARK_HERE: Rule(_OPEN, Who.LEAD),
    Move.MARK_GONE: Rule(_OPEN, Who.LEAD),
    Move.START: Rule(frozenset({Phase.LOBBY}), Who.LEAD),
    Move.NEXT: Rule(frozenset({Phase.RUNNING, Phase.PAUSED}), Who.LEAD),
    Move.EXTEND: Rule(frozenset({Phase.RUNNING, Phase.PAUSED}), Who.LEAD),
    Move.MORE_TIME: Rule(frozenset({Phase.OVERTIME}), Who.PRESENT),
    Move.PAUSE: Rule(_GOING, Who.LEAD),
    Move.RESUME: Rule(frozenset({Phase.PAUSED}), Who.LEAD),
    Move.HOLD: Rule(_GOING | {Phase.PAUSED, Phase.LOBBY, Phase.CLOSING}, Who.PRESENT),
    Move.RELEASE: Rule(frozenset({Phase.HELD}), Who.PRESENT),
    Move.HAND_OVER: Rule(_OPEN, Who.LEAD),
    Move.TAKE_LEAD: Rule(_OPEN, Who.PRESENT),
    Move.MOOD: Rule(_OPEN - {Phase.CLOSING}, Who.PRESENT),
    Move.OPEN_MOODS: Rule(_OPEN - {Phase.CLOSING}, Who.LEAD),
    Move.RAISE: Rule(_TALKING, Who.PRESENT),
    Move.LOWER: Rule(_TALKING, Who.PRESENT),
    Move.ACCEPT: Rule(_TALKING, Who.PRESENT),
    Move.PASS: Rule(_TALKING, Who.PRESENT),
    Move.SKIP: Rule(_TALKING, Who.LEAD),
    Move.GIVE: Rule(_TALKING | {Phase.LOBBY}, Who.PRESENT),
    Move.VOLUNTEER: Rule(_OPEN - {Phase.CLOSING}, Who.PRESENT),
    Move.UNVOLUNTEER: Rule(_OPEN - {Phase.CLOSING}, Who.PRESENT),
    Move.CATCH: Rule(_TALKING, Who.NOBODY),
    Move.KEEP_LINE: Rule(_TALKING | {Phase.CLOSING}, Who.PRESENT),
    Move.DROP_LINE: Rule(_TALKING | {Phase.CLOSING}, Who.PRESENT),
    Move.ASK: Rule(_TALKING | {Phase.CLOSING}, Who.PRESENT),
    Move.THUMB: Rule(_TALKING | {Phase.CLOSING}, Who.PRESENT),
    Move.END_QUESTION: Rule(_OPEN, Who.LEAD),
    Move.COMMIT: Rule(_OPEN, Who.PRESENT),
    Move.CLOSE: Rule(_OPEN - {Phase.HELD}, Who.LEAD),
    Move.TIME_UP: Rule(frozenset({Phase.RUNNING}), Who.CLOCK),
    Move.MOVE_ON: Rule(frozenset({Phase.OVERTIME}), Who.CLOCK),
    Move.CLOSE_ITSELF: Rule(_OPEN, Who.CLOCK),
    Move.LOST: Rule(_OPEN, Who.NOBODY),
    Move.BACK: Rule(_OPEN, Who.NOBODY),
}


OF_NOBODY = frozenset(move for move, rule in TABLE.items() if rule.who is Who.CLOCK) | {Move.LOST, Move.BACK}


@dataclass(frozen=True)
class Block:
    """A block of the agenda. `minutes` ≥ 1."""

    kind: str
    title: str
    minutes: int


@dataclass(frozen=True)
class Step:
    """A commitment given in the room. `seen` is "group" or "me"; `own` when its owner wrote it."""

    text: str
    seen: str
    own: bool = True


class Hand(enum.StrEnum):
    """Why somebody wants the floor."""

    TURN = "turn"
    FOLLOW_UP = "follow_up"  # a short question to whoever speaks; costs nothing, where the house has them


@dataclass(frozen=True)
class Raised:
    """A hand in the queue. `order` counts all hands of the meeting."""

    who: str
    hand: Hand
    order: int


@dataclass(frozen=True)
class Question:
    """A live poll. `voters` are those here with a device when it was asked; `thumbs` their last word."""

    text: str
    voters: frozenset[str]
    thumbs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class House:
    """What the group chose beforehand about talking. `each` 1…5 tokens; `refill`: a block starts with a full hand."""

    each: int = TOKENS_EACH
    follow_ups: bool = False
    refill: bool = False


@dataclass(frozen=True)
class Entry:
    """One thing that happened. `by` is a membership id, None for the clock and for what is kept without who did it;
    `whom` somebody it was done for or to; `way` the vocabulary of the move (a way, a thumb, a hand, a line's number);
    `free` whether an arriving person is exempt from tokens."""

    move: Move
    at: datetime
    by: str | None = None
    whom: str = ""
    way: str = "room"
    text: str = ""
    seen: str = "group"
    free: bool = False

    def to_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value not in ("", None, False)} | {
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
    person did something. `before_hold` is the phase a hold interrupted. `on_paper` are members without an account,
    `by_hand` those here whom the lead marked: neither has a device to answer with. `by_tap` made a move of their own.
    `lost` says since when somebody is cut off. `more` are the thumbs of overtime, `settled_at` when they were decided.
    `issued`, `spent`, `given`, `got` count tokens by person; `taken` all floors, `voices` those outside a spotlight.
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
    on_paper: frozenset[str] = frozenset()
    by_hand: frozenset[str] = frozenset()
    by_tap: frozenset[str] = frozenset()
    house: House = field(default_factory=House)
    lost: Mapping[str, datetime] = field(default_factory=dict)
    more: Mapping[str, str] = field(default_factory=dict)
    settled_at: datetime | None = None
    moods: Mapping[str, str] = field(default_factory=dict)
    moods_open: bool = False
    holder: str | None = None
    offered: Raised | None = None
    hands: tuple[Raised, ...] = ()
    raised: int = 0
    followed_up: frozenset[str] = frozenset()
    exempt: frozenset[str] = frozenset()
    issued: Mapping[str, int] = field(default_factory=dict)
    spent: Mapping[str, int] = field(default_factory=dict)
    given: Mapping[str, int] = field(default_factory=dict)
    got: Mapping[str, int] = field(default_factory=dict)
    taken: Mapping[str, int] = field(default_factory=dict)
    voices: Mapping[str, int] = field(default_factory=dict)
    token_blocks: int = 0
    spotlight: str | None = None
    caught: tuple[str, ...] = ()
    kept_lines: frozenset[int] = frozenset()
    question: Question | None = None
    answered: tuple[tuple[str, str], ...] = ()

    @property
    def costs(self) -> bool:
        """Whether taking the floor pays a token in this block."""
        return self.block is not None and self.block.kind in TOKEN_BLOCKS

    @property
    def voters(self) -> frozenset[str]:
        """Who is here with a device of their own."""
        return frozenset(self.present) - self.without_device

    @property
    def without_device(self) -> frozenset[str]:
        """Members on paper, and whoever the lead marked and who has made no move of their own since."""
        return self.on_paper | self.by_hand

    def tokens(self, who: str) -> int:
        """Tokens in somebody's hand."""
        count = self.issued.get(who, 0) + self.got.get(who, 0)
        return count - self.given.get(who, 0) - self.spent.get(who, 0)

    @property
    def queue(self) -> tuple[Raised, ...]:
        """The hands in the order in which they come up."""
        return tuple(sorted(self.hands, key=lambda hand: _rank(self, hand)))

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
        "on_paper": sorted(state.on_paper),
        "house": asdict(state.house),
    }


def opening_of(row: Mapping[str, Any]) -> State:
    return State(
        starts_at=datetime.fromisoformat(row["starts_at"]),
        ends_at=datetime.fromisoformat(row["ends_at"]),
        blocks=tuple(Block(*block) for block in row["blocks"]),
        lead=row["lead"],
        backup=row["backup"],
        on_paper=frozenset(row.get("on_paper", ())),
        house=House(**row.get("house", {})),
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


def lead_open_from(state: State, member: str) -> datetime | None:
    """From when on `member`, who is here, may take the lead: at once when nobody leads, never while the lead is here.

    The lead counts as away five minutes after the start when not here, and two minutes after being cut off; then the
    backup comes first for a minute.
    """
    if member == state.lead or member not in state.present:
        return None
    if state.lead is None:
        return state.starts_at - timedelta(days=1)
    if not state.lead_here:
        away = state.starts_at + LEAD_LATE
    elif state.lead in state.lost:
        away = max(state.lost[state.lead] + LOST_GRACE, state.starts_at)
    else:
        return None
    first = state.backup in (None, member) or state.backup not in state.present
    return away if first else away + BACKUP_FIRST


def lead_open_to(state: State, member: str, at: datetime) -> bool:
    """Whether `member` may take the lead now."""
    since = lead_open_from(state, member)
    return since is not None and at >= since


def next_change(state: State, at: datetime) -> datetime | None:
    """When the room looks different by itself: the clock's next duty, or somebody may take the lead. None: never."""
    if state.phase is Phase.CLOSED:
        return None
    due = _due(state)
    moments = [] if due is None else [due.at]
    opens = (lead_open_from(state, member) for member in state.present)
    return min([*moments, *(moment for moment in opens if moment is not None and moment > at)], default=None)


def why_not(state: State, entry: Entry) -> str | None:
    """The refusal's code for a move, or None when it is allowed."""
    rule = TABLE[entry.move]
    if state.phase is Phase.CLOSED:
        return "room_closed"
    if state.phase not in rule.phases:
        return "room_not_now"
    if rule.who is Who.CLOCK:
        return None if entry.by is None and _is_due(state, entry) else "room_not_now"
    if rule.who is Who.NOBODY:
        return _MORE_CHECKS[entry.move](state, entry) if entry.by is None else "room_not_now"
    if entry.by is None or (rule.who is Who.PRESENT and entry.by not in state.present):
        return "room_come_in_first"
    if rule.who is Who.LEAD and entry.by != state.lead:
        return "room_lead_only"
    if rule.who is Who.LEAD and entry.by not in state.present and entry.move is not Move.HAND_OVER:
        return "room_come_in_first"
    return _MORE_CHECKS.get(entry.move, _fine)(state, entry)


def may(state: State, member: str, move: Move, at: datetime, **facts: Any) -> bool:
    """The same question, for whether a button is drawn."""
    return why_not(state, Entry(move, at, member, **facts)) is None


def _fine(state: State, entry: Entry) -> str | None:
    return None


def _way_known(state: State, entry: Entry) -> str | None:
    return None if entry.way in ("room", "online") else "room_not_now"


def _whom_known(state: State, entry: Entry) -> str | None:
    return "room_who" if not entry.whom else _way_known(state, entry)


def _may_close(state: State, entry: Entry) -> str | None:
    """Not before its time, and not alone: one person is no meeting."""
    if state.phase is Phase.LOBBY and entry.at < state.starts_at:
        return "room_before_start"
    return "room_one_is_no_meeting" if len(state.came) < MEETING_LEAST else None


def _whom_came(state: State, entry: Entry) -> str | None:
    """Whom the lead marked, the lead may unmark; who came in by their own tap was here."""
    return _whom_without_device(state, entry) if entry.whom in state.came else "room_not_here"


def _whom_here(state: State, entry: Entry) -> str | None:
    return None if entry.whom in state.present else "room_not_here"


def _whom_without_device(state: State, entry: Entry) -> str | None:
    return None if entry.whom in state.without_device else "room_own_device"


def _may_hand_over(state: State, entry: Entry) -> str | None:
    """Not to somebody without a device: nobody could take the lead back from them while they are here."""
    return "room_no_lead" if entry.whom in state.without_device else _whom_here(state, entry)


def _may_take(state: State, entry: Entry) -> str | None:
    return None if lead_open_to(state, entry.by or "", entry.at) else "room_lead_here"


def _may_extend(state: State, entry: Entry) -> str | None:
    return "room_extended_enough" if state.extensions >= EXTENSIONS_MOST else None


def _thumb_known(state: State, entry: Entry) -> str | None:
    if entry.by not in state.voters:
        return "room_not_now"
    return None if entry.way in tuple(Thumb) else "room_not_now"


def _for_whom(entry: Entry) -> str:
    """Whom a move is for: whoever makes it, or somebody for whom the lead makes it."""
    return entry.whom or entry.by or ""


def _own_or_by_lead(state: State, entry: Entry) -> str | None:
    """For oneself; or the lead for somebody here without a device. Who has one is nobody's to speak for."""
    if entry.whom and entry.whom != entry.by:
        if entry.by != state.lead:
            return "room_lead_only"
        return _whom_here(state, entry) or _whom_without_device(state, entry)
    return None


def _may_say_mood(state: State, entry: Entry) -> str | None:
    if length(entry.text) > MOOD_LENGTH or len(entry.text.split()) > MOOD_WORDS:
        return "room_two_words"
    return _own_or_by_lead(state, entry)


def cost(state: State, who: str, hand: Hand) -> int:
    """Tokens that taking the floor would pay. Who is exempt pays like anybody while they have one: it does not show."""
    if not state.costs or hand is not Hand.TURN or (who in state.exempt and state.tokens(who) == 0):
        return 0
    return 1


def _may_raise(state: State, entry: Entry) -> str | None:
    who, refused = _for_whom(entry), _own_or_by_lead(state, entry)
    if refused is not None:
        return refused  # first of all: whether somebody could pay is not for everybody to find out
    if entry.way not in tuple(Hand):
        return "room_not_now"
    if who == state.holder or _in_queue(state, who):
        return "room_hand_up"
    if entry.way == Hand.FOLLOW_UP:
        if not state.house.follow_ups or state.holder is None or who in state.followed_up:
            return "room_no_follow_up"
    elif cost(state, who, Hand.TURN) > state.tokens(who):
        return "room_no_token"
    return None


def _in_queue(state: State, who: str) -> bool:
    return any(hand.who == who for hand in state.hands) or (state.offered is not None and state.offered.who == who)


def _may_lower(state: State, entry: Entry) -> str | None:
    return _own_or_by_lead(state, entry) if _in_queue(state, _for_whom(entry)) else "room_no_hand"


def _may_accept(state: State, entry: Entry) -> str | None:
    offered, refused = state.offered, _own_or_by_lead(state, entry)
    if refused is not None:
        return refused
    if offered is None or offered.who != _for_whom(entry):
        return "room_not_your_turn"
    return "room_no_token" if cost(state, offered.who, offered.hand) > state.tokens(offered.who) else None


def _may_pass(state: State, entry: Entry) -> str | None:
    return _own_or_by_lead(state, entry) if state.holder == _for_whom(entry) else "room_no_floor"


def _may_skip(state: State, entry: Entry) -> str | None:
    """Whoever was offered the floor and does not come; of those who have it, only somebody who is cut off."""
    if state.offered is not None or (state.holder is not None and state.holder in state.lost):
        return None
    return "room_nobody_to_skip"


def _may_give(state: State, entry: Entry) -> str | None:
    if not entry.whom or entry.whom == entry.by:
        return "room_who"
    if state.tokens(entry.by or "") < 1:
        return "room_no_token"
    return _whom_here(state, entry)


def _may_volunteer(state: State, entry: Entry) -> str | None:
    if state.spotlight not in (None, _for_whom(entry)):
        return "room_spotlight_taken"
    return _own_or_by_lead(state, entry)


def _may_unvolunteer(state: State, entry: Entry) -> str | None:
    if state.spotlight is None or (entry.by not in (state.spotlight, state.lead)):
        return "room_not_now"
    return None


def _may_catch(state: State, entry: Entry) -> str | None:
    if entry.whom:
        return "room_not_now"  # nobody's name beside it, not even as whom it was for
    if state.block is None or state.block.kind not in CATCHING_BLOCKS or not 1 <= length(entry.text) <= LINE_LENGTH:
        return "room_not_now"
    return "room_lines_enough" if len(state.caught) >= LINES_MOST else None


def _line_known(state: State, entry: Entry) -> str | None:
    return None if entry.way.isdecimal() and int(entry.way) < len(state.caught) else "room_not_now"


def _may_ask(state: State, entry: Entry) -> str | None:
    if state.question is not None:
        return "room_asked_already"
    if not 1 <= length(entry.text) <= QUESTION_LENGTH:
        return "room_not_now"
    return "room_asked_enough" if len(state.answered) >= QUESTIONS_MOST else None


def _may_thumb(state: State, entry: Entry) -> str | None:
    if state.question is None:
        return "poll_closed"
    if entry.by not in state.question.voters:
        return "not_eligible"
    return _thumb_known(state, entry)


def _is_asked(state: State, entry: Entry) -> str | None:
    return None if state.question is not None else "poll_closed"


def _may_lose(state: State, entry: Entry) -> str | None:
    return None if entry.whom in state.present and entry.whom not in state.lost else "room_not_now"


def _may_be_back(state: State, entry: Entry) -> str | None:
    return None if entry.whom in state.lost else "room_not_now"


def _may_release(state: State, entry: Entry) -> str | None:
    return None if entry.by in (state.held_by, state.lead) else "room_lead_only"


def _may_commit(state: State, entry: Entry) -> str | None:
    if not 1 <= length(entry.text) <= STEP_LENGTH or entry.seen not in ("group", "me"):
        return "room_not_now"
    if entry.whom and entry.whom != entry.by and entry.seen != "group":
        return "room_lead_only" if entry.by != state.lead else "room_own_only"
    kept = state.steps.get(_for_whom(entry))
    if kept is not None and kept.own and entry.whom and entry.whom != entry.by:
        return "room_lead_only" if entry.by != state.lead else "room_own_step"
    return _own_or_by_lead(state, entry)


_MORE_CHECKS = {
    Move.ARRIVE: _way_known,
    Move.MARK_HERE: _whom_known,
    Move.MARK_GONE: _whom_came,
    Move.HAND_OVER: _may_hand_over,
    Move.TAKE_LEAD: _may_take,
    Move.EXTEND: _may_extend,
    Move.MORE_TIME: _thumb_known,
    Move.MOOD: _may_say_mood,
    Move.RAISE: _may_raise,
    Move.LOWER: _may_lower,
    Move.ACCEPT: _may_accept,
    Move.PASS: _may_pass,
    Move.SKIP: _may_skip,
    Move.GIVE: _may_give,
    Move.VOLUNTEER: _may_volunteer,
    Move.UNVOLUNTEER: _may_unvolunteer,
    Move.CATCH: _may_catch,
    Move.KEEP_LINE: _line_known,
    Move.DROP_LINE: _line_known,
    Move.ASK: _may_ask,
    Move.THUMB: _may_thumb,
    Move.END_QUESTION: _is_asked,
    Move.LOST: _may_lose,
    Move.BACK: _may_be_back,
    Move.RELEASE: _may_release,
    Move.COMMIT: _may_commit,
    Move.CLOSE: _may_close,
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
        ends = state.settled_at or state.deadline + OVERTIME
        return min(Entry(Move.MOVE_ON, ends), closes, key=lambda entry: entry.at)
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
    if entry.by is None:
        return _EFFECTS[entry.move](state, entry)
    own = replace(
        state,
        by_hand=state.by_hand - {entry.by},
        by_tap=state.by_tap | {entry.by},
        lost=_without(state.lost, entry.by),
    )
    return replace(_EFFECTS[entry.move](own, entry), touched=entry.at)


def _with(mapping: Mapping[str, Any], key: str, value: Any) -> dict[str, Any]:
    return {**mapping, key: value}


def _without(mapping: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in mapping.items() if name != key}


def _plus(mapping: Mapping[str, int], key: str, number: int = 1) -> dict[str, int]:
    return {**mapping, key: mapping.get(key, 0) + number}


def _come_in(state: State, who: str, entry: Entry) -> State:
    """Here, by a way; the first time with a hand of tokens."""
    issued = state.issued if who in state.issued else _with(state.issued, who, state.house.each)
    return replace(
        state,
        present=_with(state.present, who, entry.way),
        came=_with(state.came, who, entry.way),
        issued=issued,
        exempt=state.exempt | {who} if entry.free else state.exempt,
        lost=_without(state.lost, who),
    )


def _arrive(state: State, entry: Entry) -> State:
    who = entry.by or ""
    return replace(_come_in(state, who, entry), by_hand=state.by_hand - {who})


def _go(state: State, who: str) -> State:
    """Not here any more: the floor and the hand go with them, their place in a question stays uncounted."""
    gone = replace(state, present=_without(state.present, who), lost=_without(state.lost, who))
    gone = replace(gone, hands=tuple(hand for hand in gone.hands if hand.who != who))
    if gone.offered is not None and gone.offered.who == who:
        gone = replace(gone, offered=None)
    if gone.holder == who:
        gone = replace(gone, holder=None)
    if gone.question is not None and who in gone.question.voters:
        asked = gone.question
        asked = replace(asked, voters=asked.voters - {who}, thumbs=_without(asked.thumbs, who))
        gone = _settled(replace(gone, question=asked))
    gone = replace(gone, more=_without(gone.more, who))
    return _offer_next(_moods_opened(gone))


def _mark_here(state: State, entry: Entry) -> State:
    """Whoever came in with a device of their own keeps their thumb, whatever the lead marks."""
    by_hand = state.by_hand if entry.whom in state.present else state.by_hand | {entry.whom}
    return replace(_come_in(state, entry.whom, entry), by_hand=by_hand)


def _step_out(state: State, entry: Entry) -> State:
    return _go(state, entry.by or "")


def _mark_gone(state: State, entry: Entry) -> State:
    """A slip of the lead's finger: that person was not here, and said nothing. Who came by their own tap before was,
    and is only out again."""
    gone, who = _go(state, entry.whom), entry.whom
    if who in state.by_tap:
        return gone
    return replace(
        gone,
        came=_without(gone.came, who),
        steps=_without(gone.steps, who),
        moods=_without(gone.moods, who),
    )


def _enter(state: State, index: int, at: datetime) -> State:
    """The next block begins with a free floor; a spotlight gives it to whoever volunteered."""
    quiet = replace(
        state, left=timedelta(0), holder=None, offered=None, hands=(), followed_up=frozenset(), more={}, settled_at=None
    )
    if index >= len(state.blocks):
        return replace(quiet, phase=Phase.CLOSING, index=len(state.blocks), deadline=None)
    block = state.blocks[index]
    entered = replace(quiet, phase=Phase.RUNNING, index=index, deadline=at + timedelta(minutes=block.minutes))
    if block.kind == SPOTLIGHT and state.spotlight in state.present:
        return replace(entered, holder=state.spotlight)
    if block.kind not in TOKEN_BLOCKS:
        return entered
    return replace(_refilled(entered), token_blocks=state.token_blocks + 1)


def _refilled(state: State) -> State:
    """Where the house refills, every token block after the first starts with a full hand."""
    if not state.house.refill or state.token_blocks == 0:
        return state
    short = {who: max(state.house.each - state.tokens(who), 0) for who in state.issued}
    return replace(state, issued={who: number + short[who] for who, number in state.issued.items()})


def _start(state: State, entry: Entry) -> State:
    return _moods_opened(replace(_enter(state, 0, entry.at), started_at=entry.at))


def _next(state: State, entry: Entry) -> State:
    return _enter(state, state.index + 1, entry.at)


def _extend(state: State, entry: Entry) -> State:
    more = replace(state, extensions=state.extensions + 1)
    if state.phase is Phase.PAUSED:
        return replace(more, left=state.left + MORE)
    return replace(more, deadline=(state.deadline or entry.at) + MORE)


def _more_time(state: State, entry: Entry) -> State:
    """A thumb on five more minutes; settled once everybody who has one gave it."""
    thumbs = _with(state.more, entry.by or "", entry.way)
    return replace(state, more=thumbs, settled_at=None if state.voters - set(thumbs) else entry.at)


def _move_on(state: State, entry: Entry) -> State:
    """Overtime is over: more ups than downs give five minutes, else the next block starts."""
    count = Counter(thumb for who, thumb in state.more.items() if who in state.present)
    if count[Thumb.UP] > count[Thumb.DOWN] and state.extensions < EXTENSIONS_MOST:
        return replace(
            state, phase=Phase.RUNNING, extensions=state.extensions + 1, deadline=entry.at + MORE, more={},
            settled_at=None,
        )  # fmt: skip
    return _enter(state, state.index + 1, entry.at)


def _stopped(state: State, at: datetime, phase: Phase) -> State:
    """The clock stands still; what is left is kept."""
    left = max(state.deadline - at, timedelta(0)) if state.deadline is not None else state.left
    return replace(state, phase=phase, deadline=None, left=left, more={}, settled_at=None)


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


# Moods


def _say_mood(state: State, entry: Entry) -> State:
    return _moods_opened(replace(state, moods=_with(state.moods, _for_whom(entry), entry.text)))


def _moods_opened(state: State) -> State:
    """Once everybody here has answered they are open, and stay so. Not before the start: people still come in, and
    the first of them is everybody."""
    started = state.started_at is not None
    everybody = started and bool(state.present) and all(who in state.moods for who in state.present)
    return replace(state, moods_open=True) if everybody else state


def _open_moods(state: State, entry: Entry) -> State:
    return replace(state, moods_open=True)


# The floor


def _rank(state: State, hand: Raised) -> tuple[int, int, int]:
    return (hand.hand is not Hand.FOLLOW_UP, state.taken.get(hand.who, 0), hand.order)


def _take(state: State, hand: Raised) -> State:
    """The floor is theirs, and paid."""
    paid = cost(state, hand.who, hand.hand)
    counted = state.block is None or state.block.kind != SPOTLIGHT
    return replace(
        state,
        holder=hand.who,
        offered=None,
        hands=tuple(other for other in state.hands if other.who != hand.who),
        followed_up=state.followed_up | {hand.who} if hand.hand is Hand.FOLLOW_UP else frozenset(),
        spent=_plus(state.spent, hand.who, paid) if paid else state.spent,
        taken=_plus(state.taken, hand.who),
        voices=_plus(state.voices, hand.who) if counted else state.voices,
    )


def _offer_next(state: State) -> State:
    """Offer a free floor to whoever comes up; hands that cannot pay any more go down."""
    if state.holder is not None or state.offered is not None or not state.hands:
        return state
    able = tuple(hand for hand in state.queue if cost(state, hand.who, hand.hand) <= state.tokens(hand.who))
    return replace(state, offered=able[0] if able else None, hands=able[1:])


def _raise(state: State, entry: Entry) -> State:
    hand = Raised(_for_whom(entry), Hand(entry.way), state.raised)
    more = replace(state, raised=state.raised + 1)
    if state.holder is None and state.offered is None and not state.hands:
        return _take(more, hand)
    return _offer_next(replace(more, hands=(*state.hands, hand)))


def _lower(state: State, entry: Entry) -> State:
    who = _for_whom(entry)
    down = replace(state, hands=tuple(hand for hand in state.hands if hand.who != who))
    if down.offered is not None and down.offered.who == who:
        down = replace(down, offered=None)
    return _offer_next(down)


def _accept(state: State, entry: Entry) -> State:
    return state if state.offered is None else _take(state, state.offered)


def _pass_on(state: State, entry: Entry) -> State:
    return _offer_next(replace(state, holder=None))


def _skip(state: State, entry: Entry) -> State:
    """Somebody who does not come keeps nothing but their tokens."""
    if state.offered is not None:
        return _offer_next(replace(state, offered=None))
    return _pass_on(state, entry)


def _give(state: State, entry: Entry) -> State:
    by = entry.by or ""
    return replace(state, given=_plus(state.given, by), got=_plus(state.got, entry.whom))


# The spotlight, what is caught, questions


def _volunteer(state: State, entry: Entry) -> State:
    who = _for_whom(entry)
    lit = replace(state, spotlight=who)
    if state.block is None or state.block.kind != SPOTLIGHT or state.holder is not None:
        return lit
    waiting = state.hands if state.offered is None else (*state.hands, state.offered)
    hands = tuple(hand for hand in waiting if hand.who != who)
    return replace(lit, holder=who, offered=None, hands=hands, followed_up=frozenset())


def _unvolunteer(state: State, entry: Entry) -> State:
    dark = replace(state, spotlight=None)
    if state.block is not None and state.block.kind == SPOTLIGHT and state.holder == state.spotlight:
        return _offer_next(replace(dark, holder=None))
    return dark


def _catch(state: State, entry: Entry) -> State:
    return replace(state, caught=(*state.caught, entry.text))


def _keep_line(state: State, entry: Entry) -> State:
    return replace(state, kept_lines=state.kept_lines | {int(entry.way)})


def _drop_line(state: State, entry: Entry) -> State:
    return replace(state, kept_lines=state.kept_lines - {int(entry.way)})


def _ask(state: State, entry: Entry) -> State:
    return _settled(replace(state, question=Question(entry.text, state.voters)))


def _thumb(state: State, entry: Entry) -> State:
    if state.question is None:
        return state
    asked = replace(state.question, thumbs=_with(state.question.thumbs, entry.by or "", entry.way))
    return _settled(replace(state, question=asked))


def _outcome(question: Question) -> Outcome:
    count = Counter(question.thumbs.values())
    return outcome(
        ups=count[Thumb.UP],
        downs=count[Thumb.DOWN],
        passes=count[Thumb.PASS],
        eligible=len(question.voters),
    )


def _settled(state: State) -> State:
    """A question closes once everybody answered (sooner would tell how they did); the thumbs go at once."""
    asked = state.question
    if asked is None:
        return state
    return state if asked.voters - set(asked.thumbs) else _closed_question(state)


def _closed_question(state: State) -> State:
    if state.question is None:
        return state
    answer = (state.question.text, _outcome(state.question).value)
    return replace(state, question=None, answered=(*state.answered, answer))


def _end_question(state: State, entry: Entry) -> State:
    return _closed_question(state)


# Connections


def _lose(state: State, entry: Entry) -> State:
    return replace(state, lost=_with(state.lost, entry.whom, entry.at))


def _be_back(state: State, entry: Entry) -> State:
    return replace(state, lost=_without(state.lost, entry.whom))


# Steps and the end


def _commit(state: State, entry: Entry) -> State:
    whom = _for_whom(entry)
    return replace(state, steps=_with(state.steps, whom, Step(entry.text, entry.seen, whom == entry.by)))


def _close(state: State, entry: Entry) -> State:
    return replace(
        _closed_question(state), phase=Phase.CLOSED, deadline=None, left=timedelta(0), ended_at=entry.at, holder=None,
        offered=None, hands=(), more={}, settled_at=None,
    )  # fmt: skip


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
    Move.MORE_TIME: _more_time,
    Move.MOOD: _say_mood,
    Move.OPEN_MOODS: _open_moods,
    Move.RAISE: _raise,
    Move.LOWER: _lower,
    Move.ACCEPT: _accept,
    Move.PASS: _pass_on,
    Move.SKIP: _skip,
    Move.GIVE: _give,
    Move.VOLUNTEER: _volunteer,
    Move.UNVOLUNTEER: _unvolunteer,
    Move.CATCH: _catch,
    Move.KEEP_LINE: _keep_line,
    Move.DROP_LINE: _drop_line,
    Move.ASK: _ask,
    Move.THUMB: _thumb,
    Move.END_QUESTION: _end_question,
    Move.LOST: _lose,
    Move.BACK: _be_back,
    Move.PAUSE: _pause,
    Move.RESUME: _resume,
    Move.HOLD: _hold,
    Move.RELEASE: _release,
    Move.HAND_OVER: _hand_over,
    Move.TAKE_LEAD: _take_lead,
    Move.COMMIT: _commit,
    Move.CLOSE: _close,
    Move.TIME_UP: _time_up,
    Move.MOVE_ON: _move_on,
    Move.CLOSE_ITSELF: _close,
}


# Afterwards ---------------------------------------------------------------------------------------------------------


class Voice(enum.StrEnum):
    """How the talking was shared, said to the group only, afterwards, without names."""

    SHARED = "shared"
    UNEVEN = "uneven"
    FEW = "few"


def gini(counts: Sequence[int]) -> Fraction:
    """Gini coefficient corrected for small groups, n/(n−1) · Σ|xᵢ−xⱼ| / (2n²·mean), 0…1 (Deltas 2003). 0 when nobody
    spoke or only one was here."""
    n, total = len(counts), sum(counts)
    if n < 2 or total == 0:
        return Fraction(0)
    ordered = sorted(counts)
    weighted = sum((2 * place - n - 1) * count for place, count in enumerate(ordered, 1))
    return Fraction(weighted, n * total) * Fraction(n, n - 1)


def voice(state: State) -> Voice | None:
    """Over everybody who was here, silent ones included, spotlights left out; None when nobody took the floor."""
    counts = [state.voices.get(who, 0) for who in state.came]
    if not sum(counts):
        return None
    share = gini(counts)
    if share < SHARED_BELOW:
        return Voice.SHARED
    return Voice.UNEVEN if share <= FEW_ABOVE else Voice.FEW


def proposed_tokens(minutes: int, people: int) -> int:
    """Tokens each for a block: its minutes shared out, half rounded up, 1…5."""
    return min(max(int(Fraction(minutes, max(people, 1)) + Fraction(1, 2)), TOKENS_LEAST), TOKENS_MOST)


def mood_words(text: str) -> str:
    """At most two words of together 40 characters; none is a pass. Raises Refusal("room_two_words")."""
    words = text.split()
    if len(words) > MOOD_WORDS or length(" ".join(words)) > MOOD_LENGTH:
        raise Refusal("room_two_words", field="mood")
    return " ".join(words)
