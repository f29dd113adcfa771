"""The live meeting under random moves at random times, beside a second account of it that counts seconds down.

`Paper` is written from the prose of the rules, as somebody would keep a meeting with a kitchen timer, a box of tokens
and a sheet of paper: it has numbers of its own, no deadlines and no table, and calls nothing of `rules`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import Phase as Part
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from leeward.domain.room import rules
from leeward.domain.room.rules import Block, Entry, Hand, House, Move, Phase, Raised, Rule, State, Step, Who
from leeward.lib.refusals import Refusal

MEMBERS = ("ana", "ben", "chidi", "dara", "eli")
START = datetime(2026, 10, 8, 16, 0, tzinfo=UTC)
SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000  # all times here are whole milliseconds after the start
END = 60 * MINUTE


def moment(ms: int) -> datetime:
    return START + timedelta(milliseconds=ms)


class Paper:
    """A meeting on a sheet of paper, with a timer and a box of tokens beside it."""

    def __init__(
        self,
        now: int,
        blocks: list[tuple[str, int]],
        lead: str | None,
        backup: str | None,
        *,
        each: int = 3,
        follow_ups: bool = False,
        refill: bool = False,
        no_account: frozenset[str] = frozenset(),
    ) -> None:
        self.now, self.blocks, self.lead, self.backup = now, blocks, lead, backup
        self.each, self.follow_ups, self.refill, self.no_account = each, follow_ups, refill, no_account
        self.phase, self.block, self.timer, self.window = "lobby", -1, 0, 0
        self.more = 0
        self.here: dict[str, str] = {}
        self.came: dict[str, str] = {}
        self.without_device: set[str] = set()
        self.did_something: set[str] = set()
        self.cut_off: dict[str, int] = {}
        self.steps: dict[str, tuple[str, str, bool]] = {}
        self.caller: str | None = None
        self.interrupted = ""
        self.touched: int | None = None
        self.started: int | None = None
        self.ended: int | None = None
        self.about_time: dict[str, str] = {}
        self.moods: dict[str, str] = {}
        self.moods_shown = False
        # The floor: who speaks, whom it was offered to, and who waits; a hand is (number, who, why).
        self.speaks: str | None = None
        self.offered: tuple[int, str, str] | None = None
        self.waiting: list[tuple[int, str, str]] = []
        self.hands_so_far = 0
        self.asked_back: set[str] = set()
        self.spoke: Counter[str] = Counter()
        self.heard: Counter[str] = Counter()
        self.lit: str | None = None
        # Tokens: what is in each hand, what came out of the box, what went back, and every gift.
        self.purse: dict[str, int] = {}
        self.drawn: Counter[str] = Counter()
        self.paid: Counter[str] = Counter()
        self.gifts: list[tuple[str, str]] = []
        self.needs_none: set[str] = set()
        self.counted_blocks = 0
        self.lines: list[str] = []
        self.to_ideas: set[int] = set()
        self.question = ""
        self.asked: set[str] = set()
        self.thumbs: dict[str, str] = {}
        self.answers: list[tuple[str, str]] = []

    # The clock

    def next_bell(self) -> tuple[int, str]:
        """In how many milliseconds something happens by itself, and what. Of two at once, the block's comes first."""
        alone = max(END, END if self.touched is None else self.touched) + 2 * HOUR - self.now
        bells = [(alone, "nobody is left")]
        if self.phase == "running":
            bells.insert(0, (self.timer, "time is up"))
        elif self.phase == "overtime":
            bells.insert(0, (self.window, "the thumbs are counted"))
        return min(bells, key=lambda bell: bell[0])

    def let_pass(self, until: int) -> None:
        while self.phase != "closed":
            bell, what = self.next_bell()
            passed = min(bell, until - self.now)
            self.now += passed
            if self.phase == "running":
                self.timer -= passed
            elif self.phase == "overtime":
                self.window -= passed
            if passed < bell:
                return
            if what == "time is up":
                self.phase, self.window, self.about_time = "overtime", 20 * SECOND, {}
            elif what == "the thumbs are counted":
                self.count_thumbs_about_time()
            else:
                self.close()
        self.now = until

    def count_thumbs_about_time(self) -> None:
        said = list(self.about_time.values())
        self.about_time = {}
        if said.count("up") > said.count("down") and self.more < 12:
            self.phase, self.timer, self.more = "running", 5 * MINUTE, self.more + 1
        else:
            self.begin(self.block + 1)

    def close(self) -> None:
        if self.question:
            self.end_question()
        self.phase, self.ended, self.timer, self.about_time = "closed", self.now, 0, {}
        self.speaks, self.offered, self.waiting = None, None, []

    def begin(self, block: int) -> None:
        self.block, self.timer, self.about_time = block, 0, {}
        self.speaks, self.offered, self.waiting, self.asked_back = None, None, [], set()
        if block >= len(self.blocks):
            self.phase = "closing"
            return
        kind, minutes = self.blocks[block]
        self.phase, self.timer = "running", minutes * MINUTE
        if kind == "spotlight" and self.lit in self.here:
            self.speaks = self.lit
        if kind in ("open", "brainstorm"):
            self.counted_blocks += 1
            for who, tokens in list(self.purse.items()):
                if self.refill and self.counted_blocks > 1 and tokens < self.each:
                    self.draws(who, self.each - tokens)

    # Tokens and the floor

    def draws(self, who: str, tokens: int) -> None:
        self.purse[who] = self.purse.get(who, 0) + tokens
        self.drawn[who] += tokens

    def kind(self) -> str:
        return self.blocks[self.block][0] if 0 <= self.block < len(self.blocks) else ""

    def must_pay(self, who: str, why: str) -> bool:
        if self.kind() not in ("open", "brainstorm") or why == "follow_up":
            return False
        return self.purse[who] > 0 or who not in self.needs_none

    def can_pay(self, who: str, why: str) -> bool:
        return not self.must_pay(who, why) or self.purse[who] > 0

    def takes_floor(self, who: str, why: str) -> None:
        if self.must_pay(who, why):
            self.purse[who] -= 1
            self.paid[who] += 1
        self.speaks, self.offered = who, None
        self.asked_back = self.asked_back | {who} if why == "follow_up" else set()
        self.spoke[who] += 1
        if self.kind() != "spotlight":
            self.heard[who] += 1

    def comes_up(self) -> tuple[int, str, str]:
        """Follow-ups before turns; then whoever spoke least often; then the first hand."""
        first = [hand for hand in self.waiting if hand[2] == "follow_up"] or self.waiting
        least = min(self.spoke[who] for _number, who, _why in first)
        return min(hand for hand in first if self.spoke[hand[1]] == least)

    def line(self) -> list[str]:
        rest, kept = list(self.waiting), []
        while self.waiting:
            kept.append(self.comes_up())
            self.waiting.remove(kept[-1])
        self.waiting = rest
        return [who for _number, who, _why in kept]

    def offer(self) -> None:
        if self.speaks is not None or self.offered is not None:
            return
        self.waiting = [hand for hand in self.waiting if self.can_pay(hand[1], hand[2])]
        if self.waiting:
            self.offered = self.comes_up()
            self.waiting.remove(self.offered)

    def has_hand_up(self, who: str) -> bool:
        return who in [hand[1] for hand in [*self.waiting, *([self.offered] if self.offered else [])]]

    def takes_hand_down(self, who: str) -> None:
        self.waiting = [hand for hand in self.waiting if hand[1] != who]
        if self.offered is not None and self.offered[1] == who:
            self.offered = None

    # Coming and going

    def comes(self, who: str, way: str, needs_none: bool) -> None:
        if who not in self.purse:
            self.draws(who, self.each)
        self.here[who] = self.came[who] = way
        self.cut_off.pop(who, None)
        if needs_none:
            self.needs_none.add(who)

    def goes(self, who: str) -> None:
        self.here.pop(who, None)
        self.cut_off.pop(who, None)
        self.about_time.pop(who, None)
        self.takes_hand_down(who)
        if self.speaks == who:
            self.speaks = None
        if self.question and who in self.asked:
            self.asked.discard(who)
            self.thumbs.pop(who, None)
            self.end_question_if_all_said()
        self.show_moods_if_all_said()
        self.offer()

    def has_device(self, who: str) -> bool:
        return who not in self.no_account and who not in self.without_device

    def with_device(self) -> set[str]:
        return {who for who in self.here if self.has_device(who)}

    def show_moods_if_all_said(self) -> None:
        if self.started is not None and self.here and set(self.here) <= set(self.moods):
            self.moods_shown = True

    # Questions

    def end_question_if_all_said(self) -> None:
        if len(self.thumbs) == len(self.asked):
            self.end_question()

    def end_question(self) -> None:
        said = list(self.thumbs.values())
        if not said or 2 * len(said) < len(self.asked):
            word = "not_enough_answered"
        else:
            word = "carried" if said.count("up") > said.count("down") else "not_carried"
        self.answers.append((self.question, word))
        self.question, self.asked, self.thumbs = "", set(), {}

    # What people do

    def wanted(self, move: str, by: str | None, facts: Mapping[str, Any]) -> bool:
        """Whether it was allowed; then it is done."""
        if self.phase == "closed":
            return False
        if move in ("catch", "lost", "back"):
            return by is None and self.without_name(move, **facts)
        if by is None or not self.about_the_meeting(move, by, **facts):
            return False
        self.touched = self.now
        self.without_device.discard(by)  # a tap of their own: there is a device, and it is not cut off
        self.cut_off.pop(by, None)
        self.did_something.add(by)
        return True

    def without_name(self, move: str, whom: str, text: str, **_facts: Any) -> bool:
        talking = self.phase in ("running", "overtime", "paused")
        if move == "catch" and talking and self.kind() in ("open", "brainstorm", "practice", "experience"):
            if whom or not 1 <= len(text) <= 200 or len(self.lines) >= 40:
                return False
            self.lines.append(text)
        elif move == "lost" and whom in self.here and whom not in self.cut_off:
            self.cut_off[whom] = self.now
        elif move == "back" and whom in self.cut_off:
            del self.cut_off[whom]
        else:
            return False
        return True

    def about_the_meeting(self, move: str, by: str, whom: str, way: str, text: str, seen: str, free: bool) -> bool:
        here, leads, phase = by in self.here, by == self.lead and by in self.here, self.phase
        if move == "arrive" and way in ("room", "online"):
            self.comes(by, way, free)
        elif move == "step_out" and here:
            self.goes(by)
        elif move == "mark_here" and leads and whom and way in ("room", "online"):
            if whom not in self.here:
                self.without_device.add(whom)
            self.comes(whom, way, free)
        elif move == "mark_gone" and leads and whom in self.came and not self.has_device(whom):
            self.goes(whom)
            if whom not in self.did_something:
                del self.came[whom]
                self.moods.pop(whom, None)
                self.steps.pop(whom, None)
        elif move == "start" and leads and phase == "lobby":
            self.started = self.now
            self.begin(0)
            self.show_moods_if_all_said()
        elif move == "next" and leads and phase in ("running", "paused"):
            self.begin(self.block + 1)
        elif move == "extend" and leads and self.more < 12 and phase in ("running", "paused"):
            self.more += 1
            self.timer += 5 * MINUTE
        elif move == "pause" and leads and phase in ("running", "overtime"):
            self.phase, self.about_time = "paused", {}
        elif move == "resume" and leads and phase == "paused":
            self.phase = "running"
        elif move == "hold" and here and phase != "held":
            self.phase, self.caller, self.interrupted, self.about_time = "held", by, phase, {}
        elif move == "release" and here and phase == "held" and (leads or by == self.caller):
            # A block whose time was up goes on with nothing left; time is up again at once.
            self.phase = "running" if self.interrupted == "overtime" else self.interrupted
            self.caller = None
        elif move == "hand_over" and by == self.lead and whom in self.here and self.has_device(whom):
            self.lead = whom
        elif move == "take_lead" and self.lead_is_open(by):
            self.lead = by
        elif move == "close" and leads and phase != "held" and len(self.came) >= 2:
            if phase == "lobby" and self.now < 0:
                return False
            self.close()
        elif here and (not whom or whom == by or (leads and whom in self.here and not self.has_device(whom))):
            return self.about_people(move, by, whom or by, way, text, seen)
        elif here and whom != by and whom in self.here and move == "give":
            return self.about_people(move, by, whom, way, text, seen)
        elif here and move in WITHOUT_A_WHOM:
            return self.about_people(move, by, by, way, text, seen)
        else:
            return False
        return True

    def about_people(self, move: str, by: str, who: str, way: str, text: str, seen: str) -> bool:
        """`who` is whom it is for: whoever does it, or somebody for whom the lead does it."""
        leads, phase = by == self.lead, self.phase
        talking = phase in ("running", "overtime", "paused")
        if move == "mood" and phase != "closing" and len(text.split()) <= 2 and len(text) <= 40:
            self.moods[who] = text
            self.show_moods_if_all_said()
        elif move == "open_moods" and leads and phase != "closing":
            self.moods_shown = True
        elif move == "more_time" and phase == "overtime" and by in self.with_device() and way in THUMBS:
            self.about_time[by] = way
            if self.with_device() == set(self.about_time):
                self.window = 0
        elif move == "raise" and talking and self.speaks != who and not self.has_hand_up(who):
            return self.raises(who, way)
        elif move == "lower" and talking and self.has_hand_up(who):
            self.takes_hand_down(who)
            self.offer()
        elif move == "accept" and talking and self.offered is not None and self.offered[1] == who:
            if not self.can_pay(who, self.offered[2]):
                return False
            self.takes_floor(who, self.offered[2])
        elif move == "pass" and talking and self.speaks == who:
            self.speaks = None
            self.offer()
        elif move == "skip" and leads and talking and self.offered is not None:
            self.offered = None
            self.offer()
        elif move == "skip" and leads and talking and self.speaks in self.cut_off:
            self.speaks = None
            self.offer()
        elif move == "give" and (talking or phase == "lobby") and who != by and self.purse[by] > 0:
            self.purse[by] -= 1
            self.purse[who] += 1
            self.gifts.append((by, who))
        elif move == "volunteer" and phase != "closing" and self.lit in (None, who):
            self.lit = who
            if self.kind() == "spotlight" and self.speaks is None:
                if self.offered is not None:
                    self.waiting.append(self.offered)
                self.offered = None
                self.takes_hand_down(who)
                self.speaks, self.asked_back = who, set()
        elif move == "unvolunteer" and phase != "closing" and self.lit is not None and (leads or by == self.lit):
            if self.kind() == "spotlight" and self.speaks == self.lit:
                self.speaks = None
            self.lit = None
            self.offer()
        elif move in ("keep_line", "drop_line") and (talking or phase == "closing"):
            if way not in [str(number) for number in range(len(self.lines))]:
                return False
            self.to_ideas ^= {int(way)} & self.to_ideas if move == "drop_line" else {int(way)} - self.to_ideas
        elif move == "ask" and (talking or phase == "closing") and not self.question and 1 <= len(text) <= 120:
            if len(self.answers) >= 12:
                return False
            self.question, self.asked, self.thumbs = text, self.with_device(), {}
            self.asked |= {by} - self.no_account
            self.end_question_if_all_said()
        elif move == "thumb" and (talking or phase == "closing") and by in self.asked and way in THUMBS:
            if by not in self.with_device():
                return False
            self.thumbs[by] = way
            self.end_question_if_all_said()
        elif move == "end_question" and leads and self.question:
            self.end_question()
        elif move == "commit" and 1 <= len(text) <= 200 and seen in ("group", "me"):
            own_already = who in self.steps and self.steps[who][2]
            if who != by and (own_already or seen == "me"):
                return False
            self.steps[who] = (text, seen, who == by)
        else:
            return False
        return True

    def raises(self, who: str, way: str) -> bool:
        if way == "follow_up":
            if not self.follow_ups or self.speaks is None or who in self.asked_back:
                return False
        elif way != "turn" or not self.can_pay(who, way):
            return False
        number, self.hands_so_far = self.hands_so_far, self.hands_so_far + 1
        if self.speaks is None and self.offered is None:
            self.takes_floor(who, way)
        else:
            self.waiting.append((number, who, way))
        return True

    def lead_is_open(self, by: str) -> bool:
        """Nobody leads; or the lead is not here five past, or cut off two minutes; then the backup is first."""
        if by not in self.here or by == self.lead:
            return False
        if self.lead is None:
            return True
        since = 5 * MINUTE
        if self.lead in self.here:
            if self.lead not in self.cut_off:
                return False
            since = max(self.cut_off[self.lead] + 2 * MINUTE, 0)
        if self.backup in self.here and self.backup != by:
            since += MINUTE
        return self.now >= since


THUMBS = ("up", "down", "pass")
# A move that is of the whole room, or of one's own device: whom is not asked about.
WITHOUT_A_WHOM = (
    "open_moods", "more_time", "skip", "unvolunteer", "keep_line", "drop_line", "ask", "thumb", "end_question",
)  # fmt: skip

LEAD, CALLER, SPEAKS, OFFERED = "whoever leads", "whoever called the hold", "whoever speaks", "who was offered it"
BEFORE, WHEN, AFTER = "just before the block's bell", "at the bell", "just after the bell"
FIVE_PAST, SIX_PAST = "at five past the hour", "at six past the hour"
TWO_AFTER, THREE_AFTER = "two minutes after the lead was cut off", "three minutes after"
CLOCKS_OWN = (Move.TIME_UP, Move.MOVE_ON, Move.CLOSE_ITSELF)
OF_PEOPLE = [move for move in Move if move not in (*CLOCKS_OWN, Move.CLOSE)]
FITTING = {
    "lobby": (Move.START, Move.START, Move.HOLD, Move.MOOD),
    "running": (
        Move.PAUSE,
        Move.PAUSE,
        Move.PAUSE,
        Move.HOLD,
        Move.EXTEND,
        Move.NEXT,
        Move.NEXT,
        Move.MOOD,
        Move.OPEN_MOODS,
    ),
    "overtime": (Move.MORE_TIME, Move.MORE_TIME, Move.PAUSE, Move.HOLD),
    "paused": (Move.RESUME, Move.RESUME, Move.RESUME, Move.EXTEND, Move.HOLD, Move.NEXT),
    "held": (Move.RELEASE, Move.RELEASE, Move.MOOD),
    "closing": (Move.HOLD, Move.COMMIT),
    "closed": tuple(Move),
}

BY = st.sampled_from((LEAD, LEAD, CALLER, SPEAKS, OFFERED, *MEMBERS))
WHOM = st.sampled_from(("", "", "", LEAD, SPEAKS, OFFERED, *MEMBERS))
PERSON = st.sampled_from(MEMBERS)
WAYS: dict[Move, tuple[str, ...]] = {
    Move.ARRIVE: ("room", "online", "room", ""),
    Move.MARK_HERE: ("room", "online", "room", ""),
    Move.MORE_TIME: ("up", "up", "down", "pass", "sideways"),
    Move.THUMB: ("up", "down", "pass", "sideways"),
    Move.RAISE: ("turn", "turn", "follow_up", "follow_up", "room"),
    Move.KEEP_LINE: ("0", "1", "2", "9", ""),
    Move.DROP_LINE: ("0", "1", "2", "9", ""),
}
TEXTS: dict[Move, tuple[str, ...]] = {
    Move.COMMIT: ("Walk", "Früh ins Bett 🌙", "x" * 200, "x" * 201, ""),
    Move.MOOD: ("quite calm", "tired", "", "", "one two three", "x" * 41),
    Move.CATCH: ("Ask a friend", "Write it down", "x" * 200, "x" * 201, ""),
    Move.ASK: ("A walk together?", "Tea?", "x" * 120, "x" * 121, ""),
}
SEEN = ("group", "me", "group", "world")
WAITS: st.SearchStrategy[int | str] = st.sampled_from(
    (
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        FIVE_PAST,
        SIX_PAST,
        TWO_AFTER,
        THREE_AFTER,
        1,
        SECOND,
        7 * SECOND,
        20 * SECOND,
        MINUTE,
        BEFORE,
        WHEN,
        AFTER,
    )
)
PICK, SEED = st.integers(0, 9999), st.integers(0, 2**32 - 1)


def copied(state: State) -> State:
    """With mappings of its own: whoever writes into the old state's is found out."""
    own: dict[str, Any] = {name: dict(value) for name, value in vars(state).items() if isinstance(value, dict)}
    if state.question is not None:
        own["question"] = replace(state.question, thumbs=dict(state.question.thumbs))
    return replace(state, **own)


class RoomMachine(RuleBasedStateMachine):
    """The rules and the paper side by side. `counted` is what the series did in all, by name."""

    counted: Counter[str] = Counter()

    @initialize(
        early=st.sampled_from((-10 * MINUTE, -1, 0, 4 * MINUTE)),
        minutes=st.lists(st.sampled_from((20, 5, 1, 25, 130)), min_size=4, max_size=8),
        kinds=st.lists(
            st.sampled_from(("open", "open", "brainstorm", "spotlight", "mood", "practice")), min_size=8, max_size=8
        ),
        lead=st.sampled_from(("ben", "ben", "ben", "ben", "ana", None)),
        backup=st.sampled_from(("ana", "ben", "chidi", None)),
        here=st.sets(PERSON, min_size=2),
        begun=st.sampled_from((True, True, False)),
        extended=st.sampled_from((0, 0, 0, 0, 0, 0, 0, 11)),
        patience=st.sampled_from((50, 100, 150, 200)),
        house=st.builds(House, st.sampled_from((1, 2, 3)), st.sampled_from((True, True, False)), st.booleans()),
        exempt=st.sets(PERSON, max_size=2),
        no_account=st.sampled_from((frozenset(), frozenset({"eli"}), frozenset({"eli", "dara"}))),
    )
    def the_room_is_opened(
        self,
        early: int,
        minutes: list[int],
        kinds: list[str],
        lead: str | None,
        backup: str | None,
        here: set[str],
        begun: bool,
        extended: int,
        patience: int,
        house: House,
        exempt: set[str],
        no_account: frozenset[str],
    ) -> None:
        """Nobody closes it, and nobody forgets it for hours, before there was `patience` for so many moves."""
        plan = list(zip(kinds, minutes, strict=False))
        blocks = tuple(Block(kind, kind, number) for kind, number in plan)
        self.opening = State(moment(0), moment(END), blocks, lead, backup, house=house, on_paper=no_account)
        self.state, self.entries = self.opening, list[Entry]()
        self.paper = Paper(
            early, plan, lead, backup,
            each=house.each, follow_ups=house.follow_ups, refill=house.refill, no_account=no_account,
        )  # fmt: skip
        self.ran, self.granted = Counter[int](), Counter[int]()
        self.last, self.patience, self.exempt = moment(early), patience, exempt
        for member in sorted(here | ({lead} if lead and begun else set())):
            self.happens(0, Move.ARRIVE, member)
            if patience == 100:
                self.happens(0, Move.MOOD, member, text="tired")
        if begun:
            self.happens(0, Move.START, LEAD)
            for _ in range(extended):
                self.happens(0, Move.EXTEND, LEAD)

    # What moves it on

    def keep(self, entry: Entry) -> None:
        """One entry that was allowed, with what may be said about any entry."""
        before, copy = self.state, copied(self.state)
        after = rules.apply(before, entry)
        assert before == copy
        assert before.phase is not Phase.CLOSED
        assert entry.at >= self.last
        if before.phase is Phase.RUNNING:
            self.ran[before.index] += (entry.at - self.last) // timedelta(milliseconds=1)
        if after.extensions > before.extensions:
            self.granted[before.index] += 5 * MINUTE
        if entry.move is Move.TIME_UP:
            given = self.opening.blocks[before.index].minutes * MINUTE + self.granted[before.index]
            assert self.ran[before.index] == given
        if before.lead is not None and entry.move not in (Move.HAND_OVER, Move.TAKE_LEAD):
            assert after.lead == before.lead
        assert after.lead is not None or before.lead is None
        if after.index != before.index:
            assert (after.offered, after.hands) == (None, ())
            assert after.holder is None or after.holder == after.spotlight
        if after.moods_open != before.moods_open:
            everybody = after.started_at is not None and after.present.keys() <= after.moods.keys()
            assert after.moods_open
            assert everybody or (entry.move is Move.OPEN_MOODS and entry.by == before.lead)
        if before.question is not None and after.question is None:
            assert len(after.answered) == len(before.answered) + 1
        if entry.move is Move.CATCH:
            assert replace(after, caught=before.caught) == before
        self.state, self.last = after, entry.at
        self.entries.append(entry)

    def fold(self, at: int) -> None:
        while (due := rules.overdue(self.state, moment(at))) is not None:
            self.counted[due.move] += 1
            for false in (replace(due, by=self.who(LEAD)), *(replace(due, move=move) for move in CLOCKS_OWN)):
                if false != due:
                    self.is_refused(false)
            self.keep(due)

    def time_passes(self, wait: int | str) -> None:
        """Fold once at the end, and beside it at moments between: both give the same entries and the same state."""
        wait = self.milliseconds(wait) if isinstance(wait, str) else wait
        often, made = self.state, list[Entry]()
        for part in (0, 1, 3, 4, 6, 7) if wait else (0,):
            between = moment(self.paper.now + wait * part // 7)
            while (due := rules.overdue(often, between)) is not None:
                often = rules.apply(often, due)
                made.append(due)
        until, known = self.paper.now + wait, len(self.entries)
        self.fold(until)
        assert (self.entries[known:], self.state) == (made, often)
        self.paper.let_pass(until)

    def milliseconds(self, wait: str) -> int:
        """Until that moment, 0 when it is past."""
        paper = self.paper
        bell = paper.next_bell()[0] if paper.phase in ("running", "overtime") else 0
        lost = paper.cut_off.get(paper.lead or "", -HOUR)
        until = {
            BEFORE: bell - 1,
            WHEN: bell,
            AFTER: bell + 1,
            FIVE_PAST: 5 * MINUTE - paper.now,
            SIX_PAST: 6 * MINUTE - paper.now,
            TWO_AFTER: lost + 2 * MINUTE - paper.now,
            THREE_AFTER: lost + 3 * MINUTE - paper.now,
        }
        return max(until[wait], 0)

    def who(self, name: str | None) -> str | None:
        paper = self.paper
        known = {
            LEAD: paper.lead or "ana",
            CALLER: paper.caller or "ana",
            SPEAKS: paper.speaks or "ana",
            OFFERED: paper.offered[1] if paper.offered else "ana",
        }
        return known.get(name, name) if name is not None else None

    def happens(
        self,
        wait: int | str,
        move: Move,
        by: str | None,
        whom: str = "",
        way: str = "room",
        text: str = "",
        seen: str = "group",
    ) -> bool:
        self.time_passes(wait)
        by, whom = self.who(by), self.who(whom) or ""
        free = move in (Move.ARRIVE, Move.MARK_HERE) and (whom or by) in self.exempt
        facts = {"whom": whom, "way": way, "text": text, "seen": seen, "free": free}
        entry = Entry(move, moment(self.paper.now), by, **facts)  # type: ignore[arg-type]
        closed, before, code = self.state.phase is Phase.CLOSED, copied(self.state), rules.why_not(self.state, entry)
        allowed = self.paper.wanted(move.value, by, facts)
        self.counted["steps"] += 1
        self.patience -= 1
        self.counted["allowed" if allowed else "refused"] += 1
        if allowed:
            assert code is None
            self.keep(entry)
            self.counted[move] += 1
        else:
            self.is_refused(entry)
            assert self.state == before
            assert code is not None
            assert (code == "room_closed") == closed
        self.time_passes(0)
        self.all_is_well()
        return allowed

    def is_refused(self, entry: Entry) -> None:
        try:
            rules.apply(self.state, entry)
        except Refusal as refusal:
            assert refusal.code == rules.why_not(self.state, entry)
        else:
            raise AssertionError(f"allowed: {entry}")

    def tries(self, wait: int | str, move: Move, by: str | None, whom: str = "", *, pick: int) -> bool:
        """A move with words that more or less fit it."""
        ways, texts = WAYS.get(move, ("room",)), TEXTS.get(move, ("",))
        way, text, seen = ways[pick % len(ways)], texts[pick // 7 % len(texts)], SEEN[pick // 49 % len(SEEN)]
        return self.happens(wait, move, by, whom, way, text, seen if move is Move.COMMIT else "group")

    @rule(wait=WAITS, by=st.one_of(BY, st.none()), whom=WHOM, pick=PICK, move=st.sampled_from(OF_PEOPLE))
    def anyone_tries_anything(self, wait: int | str, move: Move, by: str | None, whom: str, pick: int) -> None:
        self.tries(wait, move, by, whom, pick=pick)

    @rule(wait=WAITS, seed=SEED)
    def they_meet_for_a_while(self, wait: int | str, seed: int) -> None:
        self.time_passes(wait)
        rng = Random(f"{seed} after {len(self.entries)}")
        for _ in range(rng.randint(3, 12)):
            self.time_passes(rng.choice((0, 0, 0, 0, 0, 1, SECOND, 7 * SECOND, 20 * SECOND)))
            if rng.random() < 0.4 and self.paper.phase not in ("running", "closed"):
                self.it_goes_on(rng)
            else:
                rng.choice(self.acts)(self, rng)

    def they_talk(self, rng: Random) -> None:
        for _ in range(rng.randint(1, 10)):
            self.somebody_talks(rng)

    def somebody_talks(self, rng: Random) -> None:
        """Something that people do about the floor, mostly by the one whose it is."""
        here = sorted(self.paper.here) if self.paper.here and rng.random() < 0.9 else MEMBERS
        paper, by, other, chance = self.paper, rng.choice(here), rng.choice(here), rng.random()
        for_them = rng.random() < 0.2
        if paper.kind() == "spotlight" and paper.offered is not None and rng.random() < 0.5:
            self.happens(0, Move.UNVOLUNTEER if paper.lit else Move.VOLUNTEER, LEAD if paper.lit else by)
        elif chance < 0.35:
            way = "follow_up" if paper.follow_ups and paper.speaks and rng.random() < 0.5 else "turn"
            self.happens(0, Move.RAISE, LEAD if for_them else by, by if for_them else "", way)
        elif chance < 0.5 and paper.speaks is not None:
            self.happens(0, Move.PASS, LEAD if for_them else SPEAKS, SPEAKS if for_them else "")
        elif chance < 0.75 and paper.offered is not None:
            move = rng.choice((Move.ACCEPT, Move.ACCEPT, Move.ACCEPT, Move.LOWER, Move.SKIP))
            by_lead = for_them or move is Move.SKIP
            self.happens(0, move, LEAD if by_lead else OFFERED, OFFERED if for_them else "")
        elif chance < 0.8:
            self.happens(0, Move.GIVE, rng.choice((SPEAKS, OFFERED, by)), other)
        elif chance < 0.9 and paper.waiting:
            who = rng.choice(paper.waiting)[1]
            self.happens(0, rng.choice((Move.LOWER, Move.GIVE)), LEAD if for_them else who, who if for_them else other)
        elif chance < 0.95:
            move = rng.choice((Move.VOLUNTEER, Move.VOLUNTEER, Move.UNVOLUNTEER))
            self.happens(0, move, LEAD if for_them else by, by if for_them else "")
        else:
            self.happens(0, Move.LOST, None, rng.choice((SPEAKS, by)))
            self.happens(0, Move.SKIP, LEAD)

    def they_follow_up_on_one_another(self, rng: Random) -> None:
        here = sorted(self.paper.here)
        for _ in range(rng.randint(2, 4)):
            for by in rng.sample(here, min(2, len(here))):
                self.happens(0, Move.RAISE, by, way="follow_up" if self.paper.speaks else "turn")
            self.happens(0, Move.PASS, SPEAKS)
            self.happens(0, Move.ACCEPT, OFFERED)

    def it_goes_on(self, rng: Random) -> None:
        """What lets a meeting go on: a lead who is here, and what fits now."""
        if self.paper.lead not in self.paper.here:
            move, by = rng.choice(((Move.ARRIVE, LEAD), (Move.TAKE_LEAD, rng.choice(MEMBERS))))
            self.happens(rng.choice((0, FIVE_PAST, SIX_PAST)), move, by)
        moves = FITTING[self.paper.phase]
        self.tries(
            0, rng.choice(moves), rng.choice((LEAD, LEAD, CALLER, rng.choice(MEMBERS))), pick=rng.randrange(9999)
        )

    def they_ask_and_answer(self, rng: Random) -> None:
        paper = self.paper
        if not paper.question:
            self.tries(0, Move.ASK, rng.choice(MEMBERS), pick=rng.randrange(9999))
        for voter in sorted(paper.asked, key=lambda _: rng.random()):
            if rng.random() < 0.7 and paper.question:
                self.tries(0, Move.THUMB, voter, pick=rng.randrange(9999))
        if paper.asked and rng.random() < 0.3:
            self.happens(0, Move.STEP_OUT, rng.choice(sorted(paper.asked)))
        if paper.question and rng.random() < 0.3:
            self.happens(0, Move.END_QUESTION, LEAD)

    def everybody_has_a_thumb_about_the_time(self, rng: Random) -> None:
        if self.paper.phase == "running" and rng.random() < 0.3:
            self.time_passes(WHEN)
        for by in sorted(self.paper.here, key=lambda _: rng.random()):
            if self.paper.phase == "overtime" and rng.random() < 0.8:
                self.tries(0, Move.MORE_TIME, by, pick=rng.randrange(9999))

    def they_say_how_they_are(self, rng: Random) -> None:
        for member in sorted(self.paper.here):
            if rng.random() < 0.8:
                by, text = LEAD if rng.random() < 0.2 else member, rng.choice(("quite calm", "tired", ""))
                self.happens(0, Move.MOOD, by, member, text=text)

    def they_catch_and_keep(self, rng: Random) -> None:
        for _ in range(rng.choice((1, 2, 15))):
            self.tries(0, Move.CATCH, None, pick=rng.randrange(9999))
        for _ in self.paper.lines[:2]:
            move = rng.choice((Move.KEEP_LINE, Move.KEEP_LINE, Move.DROP_LINE))
            self.happens(0, move, rng.choice(MEMBERS), way=str(rng.randrange(len(self.paper.lines))))

    def people_come_and_go(self, rng: Random) -> None:
        by = rng.choice((LEAD, SPEAKS, OFFERED, *MEMBERS))
        self.happens(0, rng.choice((Move.STEP_OUT, Move.ARRIVE, Move.ARRIVE, Move.TAKE_LEAD)), by)
        self.happens(0, rng.choice((Move.MARK_HERE, Move.MARK_HERE, Move.MARK_GONE)), LEAD, rng.choice(MEMBERS))

    def the_lead_marks_somebody_by_mistake(self, rng: Random) -> None:
        """Mostly somebody who has not been here yet, and with what the lead wrote down for them."""
        paper = self.paper
        new = [who for who in MEMBERS if who not in paper.here and who not in paper.did_something]
        whom = rng.choice(new or MEMBERS)
        self.happens(0, Move.MARK_HERE, LEAD, whom)
        for move, text in ((Move.MOOD, "tired"), (Move.COMMIT, "Walk"), (Move.HAND_OVER, "")):
            if rng.random() < 0.5:
                self.happens(0, move, LEAD, whom, text=text)
        if rng.random() < 0.7:
            self.happens(0, Move.MARK_GONE, LEAD, whom)

    def the_lead_changes(self, rng: Random) -> None:
        chance = rng.random()
        if chance < 0.4:
            self.happens(0, Move.HAND_OVER, LEAD, rng.choice(MEMBERS))
        elif chance < 0.7:
            self.happens(0, Move.LOST, None, LEAD)
            self.happens(rng.choice((0, TWO_AFTER, THREE_AFTER)), Move.TAKE_LEAD, rng.choice(MEMBERS))
        else:
            if not self.paper.cut_off:
                self.happens(0, Move.LOST, None, rng.choice(MEMBERS))
            self.happens(0, Move.BACK, None, rng.choice(sorted(self.paper.cut_off) or MEMBERS))

    def somebody_says_a_step(self, rng: Random) -> None:
        whom = rng.choice(("", "", *MEMBERS))
        self.tries(0, Move.COMMIT, rng.choice((LEAD, *MEMBERS)), whom, pick=rng.randrange(9999))

    acts: tuple[Callable[[RoomMachine, Random], None], ...] = (
        *[they_talk] * 8, *[they_ask_and_answer] * 3, *[everybody_has_a_thumb_about_the_time] * 2, *[it_goes_on] * 3,
        they_say_how_they_are, they_catch_and_keep, *[people_come_and_go] * 2, *[the_lead_changes] * 2,
        the_lead_marks_somebody_by_mistake,
        somebody_says_a_step, they_follow_up_on_one_another,
    )  # fmt: skip

    @precondition(lambda self: self.patience <= 0)
    @rule(by=BY)
    def somebody_closes_it(self, by: str) -> None:
        self.happens(0, Move.CLOSE, by)

    @precondition(lambda self: self.patience <= 0)
    @rule(wait=st.sampled_from((HOUR, 2 * HOUR, 12 * HOUR)), by=BY)
    def nobody_comes_for_hours(self, wait: int, by: str) -> None:
        self.happens(wait, Move.ARRIVE, by)

    @rule(wait=WAITS, move=st.sampled_from(CLOCKS_OWN), by=st.sampled_from((None, *MEMBERS)))
    def the_clock_is_imitated(self, wait: int | str, move: Move, by: str | None) -> None:
        """All that the clock owes is done, so its moves are too early now, and never anybody's."""
        self.time_passes(wait)
        self.counted["steps"] += 1
        before = copied(self.state)
        self.is_refused(Entry(move, moment(self.paper.now), by))
        assert self.state == before

    # What always holds

    @invariant()
    def all_is_well(self) -> None:
        """After every rule, and after every move within one."""
        self.it_is_as_on_paper()
        self.the_talk_is_as_on_paper()
        self.no_token_is_lost_or_found()
        self.one_person_at_most_has_the_floor_and_nobody_waits_twice()
        self.a_thumb_is_gone_once_it_was_counted()
        self.moods_that_are_closed_are_those_of_people_who_wait_for_somebody()
        self.a_deadline_is_set_while_a_block_runs_or_is_over_time_and_only_then()
        self.no_block_runs_longer_than_it_was_given()
        self.one_person_at_most_has_the_rights_of_the_lead()
        self.the_lead_is_open_to_those_on_paper()
        self.whoever_is_here_came_and_whoever_is_cut_off_is_here()
        self.a_second_look_owes_nothing()

    def it_is_as_on_paper(self) -> None:
        state, paper = self.state, self.paper
        assert (state.phase.value, state.index, state.lead) == (paper.phase, paper.block, paper.lead)
        assert (state.present, state.came) == (paper.here, paper.came)
        assert state.voters == paper.with_device()
        assert {who for who in MEMBERS if who not in state.without_device} == set(filter(paper.has_device, MEMBERS))
        assert state.lost == {who: moment(ms) for who, ms in paper.cut_off.items()}
        assert state.steps == {member: Step(*step) for member, step in paper.steps.items()}
        assert (state.extensions, state.held_by) == (paper.more, paper.caller)
        assert [state.touched, state.started_at, state.ended_at] == [
            None if ms is None else moment(ms) for ms in (paper.touched, paper.started, paper.ended)
        ]
        shown = paper.timer // SECOND if paper.phase in ("running", "paused", "held") else 0
        assert rules.seconds_left(state, moment(paper.now)) == shown
        assert (state.moods, state.moods_open, state.more) == (paper.moods, paper.moods_shown, paper.about_time)

    def the_talk_is_as_on_paper(self) -> None:
        state, paper = self.state, self.paper
        offered = None if state.offered is None else (state.offered.order, state.offered.who, state.offered.hand.value)
        assert (state.holder, offered) == (paper.speaks, paper.offered)
        assert [hand.who for hand in state.queue] == paper.line()
        assert sorted(state.hands, key=lambda hand: hand.order) == [
            Raised(who, Hand(why), number) for number, who, why in sorted(paper.waiting)
        ]
        assert {who: state.tokens(who) for who in state.issued} == paper.purse
        assert (state.issued, state.spent) == (dict(paper.drawn), {who: n for who, n in paper.paid.items() if n})
        assert (state.given, state.got) == (Counter(a for a, _ in paper.gifts), Counter(b for _, b in paper.gifts))
        assert (state.taken, state.voices) == (dict(paper.spoke), dict(paper.heard))
        assert (state.spotlight, state.exempt) == (paper.lit, paper.needs_none)
        assert (list(state.caught), state.kept_lines) == (paper.lines, paper.to_ideas)
        assert list(state.answered) == paper.answers
        asked = state.question
        on_the_table = ("", set(), {}) if asked is None else (asked.text, asked.voters, asked.thumbs)
        assert on_the_table == (paper.question, paper.asked, paper.thumbs)

    def no_token_is_lost_or_found(self) -> None:
        state = self.state
        everybody = {*state.issued, *state.spent, *state.given, *state.got}
        assert everybody == set(state.issued)
        for who in everybody:
            left = state.tokens(who)
            assert left >= 0
            assert state.issued[who] + state.got.get(who, 0) == (
                state.given.get(who, 0) + state.spent.get(who, 0) + left
            )
        assert sum(state.got.values()) == sum(state.given.values())

    def one_person_at_most_has_the_floor_and_nobody_waits_twice(self) -> None:
        state = self.state
        named = [hand.who for hand in state.hands]
        named += [state.offered.who] if state.offered else []
        named += [state.holder] if state.holder else []
        assert len(named) == len(set(named))
        assert set(named) <= state.present.keys()
        assert state.holder is None or state.offered is None
        assert not state.hands or state.holder is not None or state.offered is not None

    def a_thumb_is_gone_once_it_was_counted(self) -> None:
        state = self.state
        assert state.more == {} or state.phase is Phase.OVERTIME
        assert state.settled_at is None or state.phase is Phase.OVERTIME
        assert state.more.keys() <= state.voters
        if state.question is not None:
            assert state.question.thumbs.keys() <= state.question.voters <= state.present.keys()
            assert state.phase is not Phase.CLOSED

    def moods_that_are_closed_are_those_of_people_who_wait_for_somebody(self) -> None:
        state = self.state
        if state.started_at is not None and state.present and not state.moods_open:
            assert not state.present.keys() <= state.moods.keys()

    def a_deadline_is_set_while_a_block_runs_or_is_over_time_and_only_then(self) -> None:
        state, now = self.state, moment(self.paper.now)
        assert (state.deadline is not None) == (state.phase in (Phase.RUNNING, Phase.OVERTIME))
        if state.deadline is not None:
            assert (state.deadline > now) == (state.phase is Phase.RUNNING)
            assert state.deadline - now > timedelta(seconds=-20)
        assert state.left >= timedelta(0)
        assert state.left == timedelta(0) or state.phase in (Phase.PAUSED, Phase.HELD)
        if state.phase is not Phase.CLOSED:
            held = state.phase is Phase.HELD
            assert (state.held_by is not None, state.before_hold is not None) == (held, held)

    def no_block_runs_longer_than_it_was_given(self) -> None:
        running = (moment(self.paper.now) - self.last) // timedelta(milliseconds=1)
        for index, block in enumerate(self.state.blocks):
            now = running if self.state.phase is Phase.RUNNING and self.state.index == index else 0
            assert self.ran[index] + now <= block.minutes * MINUTE + self.granted[index]
        assert sum(self.granted.values()) == self.state.extensions * 5 * MINUTE <= 60 * MINUTE

    def one_person_at_most_has_the_rights_of_the_lead(self) -> None:
        now = moment(self.paper.now)
        leads = {by for by in MEMBERS if rules.may(self.state, by, Move.MARK_HERE, now, whom="eli")}
        assert leads == (set() if self.state.phase is Phase.CLOSED else {self.state.lead} & self.state.present.keys())

    def the_lead_is_open_to_those_on_paper(self) -> None:
        open_to = [by for by in MEMBERS if rules.lead_open_to(self.state, by, moment(self.paper.now))]
        assert open_to == [by for by in MEMBERS if self.paper.lead_is_open(by)]

    def whoever_is_here_came_and_whoever_is_cut_off_is_here(self) -> None:
        assert self.state.lost.keys() <= self.state.present.keys() <= self.state.came.keys()

    def a_second_look_owes_nothing(self) -> None:
        now = moment(self.paper.now)
        assert rules.overdue(self.state, now) is None
        change = rules.next_change(self.state, now)
        assert (change is None) == (self.state.phase is Phase.CLOSED)
        assert change is None or change > now

    def teardown(self) -> None:
        """Read back from what was stored, the room is the same."""
        if not hasattr(self, "opening"):
            return
        opening, entries = json.loads(
            json.dumps([rules.opening_json(self.opening), [entry.to_json() for entry in self.entries]])
        )
        read = [Entry.from_json(entry) for entry in entries]
        assert read == self.entries
        assert rules.state_of(rules.opening_of(opening), read) == self.state
        assert not [entry for entry in entries if entry["move"] == "catch" and entry.keys() & {"by", "whom"}]


def series(examples: int, steps: int, **more: Any) -> Counter[str]:
    """Run the machine in a series that is always the same. Returns what it did, by name."""

    class Machine(RoomMachine):
        counted = Counter[str]()

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            **more,
        ),
    )
    return Machine.counted


def test_random_moves_at_random_times_go_as_on_paper() -> None:
    counted = series(30, 12)
    assert counted["steps"] >= 2_000
    assert min(counted["allowed"], counted["refused"]) >= 500


@pytest.mark.drill
def test_ten_thousand_random_moves_go_as_on_paper() -> None:
    counted = series(300, 25)
    assert counted["steps"] >= 30_000
    assert counted["allowed"] >= 10_000
    assert {move: counted[move] for move in Move if counted[move] < 20} == {}


# Rules that are broken go red --------------------------------------------------------------------------------------

Effect = Callable[[State, Entry], State]
Break = Callable[[pytest.MonkeyPatch], None]


def effect(move: Move, broken: Callable[[Effect, State, Entry], State]) -> Break:
    """The move does something else; `broken` is given what it did before."""

    def breaks(patch: pytest.MonkeyPatch) -> None:
        right = rules._EFFECTS[move]
        patch.setitem(rules._EFFECTS, move, lambda state, entry: broken(right, state, entry))

    return breaks


def check(move: Move, broken: Callable[[State, Entry], str | None] | None) -> Break:
    """What is asked about the move before it is done is something else, or nothing."""

    def breaks(patch: pytest.MonkeyPatch) -> None:
        if broken is None:
            patch.delitem(rules._MORE_CHECKS, move)
        else:
            patch.setitem(rules._MORE_CHECKS, move, broken)

    return breaks


def part(name: str, broken: Callable[[Any], Any]) -> Break:
    """A part of the rules is something else; `broken` is given what it was."""
    return lambda patch: patch.setattr(rules, name, broken(getattr(rules, name)))


def dates_what_was_due_when_it_was_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    overdue = rules.overdue
    monkeypatch.setattr(
        rules, "_is_due", lambda state, entry: (due := overdue(state, entry.at)) is not None and due.move is entry.move
    )
    monkeypatch.setattr(rules, "overdue", lambda state, at: (entry := overdue(state, at)) and replace(entry, at=at))


def stores_half(monkeypatch: pytest.MonkeyPatch) -> None:
    to_json = Entry.to_json
    monkeypatch.setattr(Entry, "to_json", lambda self: {k: v for k, v in to_json(self).items() if k != "whom"})


def keeps_who_caught_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    right = rules.TABLE[Move.CATCH]
    monkeypatch.setitem(rules.TABLE, Move.CATCH, Rule(right.phases, Who.PRESENT))  # type: ignore[index]


def settles_what_cannot_change(right: Effect, state: State, entry: Entry) -> State:
    after = right(state, entry)
    said = list(after.more.values())
    ahead, rest = said.count("up") - said.count("down"), len(after.voters - set(after.more))
    return replace(after, settled_at=entry.at) if ahead > rest or -ahead >= rest else after


def closes_what_cannot_change(right: Callable[[State], State]) -> Callable[[State], State]:
    def closes(state: State) -> State:
        asked = state.question
        if asked is None or not asked.thumbs:
            return right(state)
        said = list(asked.thumbs.values())
        ahead, rest = said.count("up") - said.count("down"), len(asked.voters) - len(said)
        sure = 2 * len(said) >= len(asked.voters) and (ahead > rest or -ahead >= rest)
        return rules._closed_question(state) if sure else right(state)

    return closes


def only_coming_in_is_a_tap(right: Effect) -> Effect:
    def applies(state: State, entry: Entry) -> State:
        after = right(state, entry)
        return after if entry.move is Move.ARRIVE else replace(after, by_hand=after.by_hand | state.by_hand)

    return applies


def leaves_cut_off_who_does_something(right: Effect) -> Effect:
    def applies(state: State, entry: Entry) -> State:
        after, by = right(state, entry), entry.by or ""
        cut_off = by in state.lost and by in after.present and entry.move is not Move.ARRIVE
        return replace(after, lost={**after.lost, by: state.lost[by]}) if cut_off else after

    return applies


def forgets_all_of_whoever_is_marked_gone(right: Effect, state: State, entry: Entry) -> State:
    return right(replace(state, by_tap=frozenset()), entry)


def counts_every_thumb_twice(right: Effect, state: State, entry: Entry) -> State:
    return right(right(state, replace(entry, by=f"{entry.by} again")), entry)


def takes_the_floor_from_who_speaks(_right: Effect, state: State, entry: Entry) -> State:
    return rules._take(state, Raised(entry.whom or entry.by or "", Hand(entry.way), state.raised))


def puts_the_speaker_back_in_line(right: Effect, state: State, entry: Entry) -> State:
    after = right(state, entry)
    return replace(after, hands=(*after.hands, Raised(after.holder or "", Hand.TURN, after.raised)))


BROKEN: dict[str, Break] = {
    # the clock and the lead
    "forgets what is left": effect(Move.PAUSE, lambda right, s, e: replace(right(s, e), left=timedelta(0))),
    "lets a held clock run": effect(
        Move.RELEASE, lambda right, s, e: replace(right(s, e), left=s.left - timedelta(seconds=1))
    ),
    "lets anyone end a hold": check(Move.RELEASE, None),
    "gives the lead away too soon": part("LEAD_LATE", lambda _: timedelta(minutes=4)),
    "takes a lead who was cut off for away at once": part("LOST_GRACE", lambda _: timedelta(0)),
    "passes the lead on when it is cut off": effect(
        Move.LOST, lambda right, s, e: replace(right(s, e), lead=s.backup if e.whom == s.lead else s.lead)
    ),
    "lets anyone take the lead with the backup": part("BACKUP_FIRST", lambda _: timedelta(0)),
    "waits too long for an answer": part("OVERTIME", lambda _: timedelta(seconds=21)),
    "lets the lead decide alone about more time": effect(
        Move.MORE_TIME, lambda right, s, e: replace(right(s, e), settled_at=e.at if e.by == s.lead else None)
    ),
    "counts a thumb down as up": effect(
        Move.MOVE_ON,
        lambda right, s, e: right(
            replace(s, more={**s.more, next(iter(s.more)): "up"}) if len(set(s.more.values())) > 1 else s, e
        ),
    ),
    "keeps the thumbs about the time": effect(Move.PAUSE, lambda right, s, e: replace(right(s, e), more=s.more)),
    "counts who never came": effect(Move.MARK_GONE, lambda right, s, e: rules._go(s, e.whom)),
    "writes into what was": part(
        "_with", lambda _: lambda mapping, key, value: mapping.update({key: value}) or mapping
    ),
    "dates what was due when it was seen": dates_what_was_due_when_it_was_seen,
    "moves after the close": effect(Move.CLOSE, lambda right, s, e: replace(s, phase=Phase.CLOSING, ended_at=e.at)),
    "stores half": stores_half,
    "settles more time once it cannot change": effect(Move.MORE_TIME, settles_what_cannot_change),
    "lets the lead mark anybody gone": check(
        Move.MARK_GONE, lambda s, e: None if e.whom in s.came else "room_not_here"
    ),
    "forgets who came by their own tap": effect(Move.MARK_GONE, forgets_all_of_whoever_is_marked_gone),
    "hands the lead to somebody without a device": check(Move.HAND_OVER, rules._whom_here),
    "takes only coming in for a tap": part("apply", only_coming_in_is_a_tap),
    "leaves cut off who does something": part("apply", leaves_cut_off_who_does_something),
    "takes the thumb of whoever the lead marks": effect(
        Move.MARK_HERE, lambda right, s, e: replace(right(s, e), by_hand=s.by_hand | {e.whom})
    ),
    # tokens
    "mints a token on a pass": effect(
        Move.PASS, lambda right, s, e: replace(right(s, e), issued=rules._plus(s.issued, s.holder or ""))
    ),
    "does not take a gift from the giver": effect(Move.GIVE, lambda right, s, e: replace(right(s, e), given=s.given)),
    "takes a token when the floor is offered": part(
        "_offer_next",
        lambda right: (
            lambda s: (
                after
                if (after := right(s)).offered is None or s.offered is not None
                else replace(after, spent=rules._plus(after.spent, after.offered.who))
            )
        ),
    ),
    "lets people speak without a token": part("cost", lambda _: lambda state, who, hand: 0),
    "takes a token for a follow-up": part("cost", lambda right: lambda state, who, hand: right(state, who, Hand.TURN)),
    "stops those who need no tokens": part(
        "cost", lambda right: lambda state, who, hand: right(replace(state, exempt=frozenset()), who, hand)
    ),
    "hands out tokens again to whoever comes back": effect(
        Move.ARRIVE, lambda right, s, e: right(replace(s, issued=rules._without(s.issued, e.by or "")), e)
    ),
    "fills hands up where the house has not chosen it": part(
        "_refilled",
        lambda right: lambda s: replace(right(replace(s, house=replace(s.house, refill=True))), house=s.house),
    ),
    # the floor
    "has two people with the floor": effect(Move.RAISE, takes_the_floor_from_who_speaks),
    "has somebody speak and wait": effect(Move.ACCEPT, puts_the_speaker_back_in_line),
    "leaves the offer when it is taken": effect(
        Move.ACCEPT, lambda right, s, e: replace(right(s, e), offered=s.offered)
    ),
    "keeps the floor over a change of blocks": part(
        "_enter", lambda right: lambda s, index, at: replace(right(s, index, at), holder=s.holder, hands=s.hands)
    ),
    "keeps the floor of who went out": effect(Move.STEP_OUT, lambda right, s, e: replace(right(s, e), holder=s.holder)),
    "lets whoever came first speak first": part("_rank", lambda _: lambda state, hand: (True, 0, hand.order)),
    "lets people follow up again and again": effect(
        Move.PASS, lambda right, s, e: replace(right(s, e), followed_up=frozenset())
    ),
    "lets anyone act for anyone": part("_own_or_by_lead", lambda _: lambda state, entry: None),
    "lets the lead speak for who has a device": part("_whom_without_device", lambda _: lambda state, entry: None),
    "skips whoever speaks": check(Move.SKIP, lambda s, e: None if s.offered or s.holder else "room_nobody_to_skip"),
    "counts the spotlight among the voices": part("SPOTLIGHT", lambda _: "no such block"),
    "takes the offer from others for the spotlight": effect(
        Move.VOLUNTEER,
        lambda right, s, e: replace(after, hands=s.hands) if (after := right(s, e)).holder != s.holder else after,
    ),
    # moods, lines, questions, steps
    "opens moods early": effect(Move.MOOD, lambda right, s, e: replace(right(s, e), moods_open=True)),
    "opens moods for who comes first": part(
        "_moods_opened",
        lambda right: lambda s: replace(right(replace(s, started_at=s.starts_at)), started_at=s.started_at),
    ),
    "closes moods again for somebody new": effect(
        Move.ARRIVE, lambda right, s, e: replace(right(s, e), moods_open=s.moods_open and e.by in s.moods)
    ),
    "keeps the mood of who was not here": effect(
        Move.MARK_GONE, lambda right, s, e: replace(right(s, e), moods=s.moods)
    ),
    "keeps who caught a line": keeps_who_caught_a_line,
    "catches lines without end": check(Move.CATCH, lambda s, e: None),
    "counts a thumb twice": effect(Move.THUMB, counts_every_thumb_twice),
    "counts the thumb of who went out": effect(
        Move.STEP_OUT, lambda right, s, e: replace(right(s, e), question=s.question, answered=s.answered)
    ),
    "closes a question too soon": part("_settled", lambda _: rules._closed_question),
    "closes a question once it cannot change": part("_settled", closes_what_cannot_change),
    "closes a question too late": part("_settled", lambda _: lambda s: s),
    "lets newcomers answer": check(Move.THUMB, lambda s, e: None if s.question else "poll_closed"),
    "writes over somebody's own step": check(Move.COMMIT, rules._own_or_by_lead),
}


# Those that every run makes; the others belong to the long series.
ALWAYS = {
    "mints a token on a pass", "does not take a gift from the giver", "has two people with the floor",
    "opens moods early", "keeps the floor over a change of blocks", "keeps who caught a line", "counts a thumb twice",
    "passes the lead on when it is cut off", "stops those who need no tokens", "writes into what was",
    "closes a question once it cannot change", "lets the lead speak for who has a device",
}  # fmt: skip


@pytest.mark.parametrize(
    "broken", [pytest.param(name, marks=() if name in ALWAYS else pytest.mark.drill) for name in BROKEN]
)
def test_a_broken_rule_goes_red(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    BROKEN[broken](monkeypatch)
    with pytest.raises((AssertionError, Refusal)):
        series(150, 25, phases=[Part.generate], report_multiple_bugs=False)
