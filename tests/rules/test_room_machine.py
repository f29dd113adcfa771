"""The live meeting under random moves at random times, beside a second account of it that counts seconds down.

`Paper` is written from the prose of the rules, as somebody would keep a meeting with a kitchen timer and a sheet of
paper: it has numbers of its own, no deadlines and no table, and calls nothing of `rules`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import Phase as Part
from hypothesis import settings
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
from leeward.domain.room.rules import Block, Entry, Move, Phase, State, Step
from leeward.lib.refusals import Refusal

MEMBERS = ("ana", "ben", "chidi", "dara", "eli")
START = datetime(2026, 10, 8, 16, 0, tzinfo=UTC)
SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000  # all times here are whole milliseconds after the start
END = 60 * MINUTE


def moment(ms: int) -> datetime:
    return START + timedelta(milliseconds=ms)


class Paper:
    """A meeting on a sheet of paper."""

    def __init__(self, now: int, minutes: list[int], lead: str | None, backup: str | None) -> None:
        self.now, self.minutes, self.lead, self.backup = now, minutes, lead, backup
        self.phase, self.block, self.timer, self.window = "lobby", -1, 0, 0
        self.more = 0
        self.here: dict[str, str] = {}
        self.came: dict[str, str] = {}
        self.steps: dict[str, tuple[str, str]] = {}
        self.caller: str | None = None
        self.interrupted = ""
        self.touched: int | None = None
        self.started: int | None = None
        self.ended: int | None = None

    def next_bell(self) -> tuple[int, str]:
        """In how many milliseconds something happens by itself, and what. Of two at once, the block's comes first."""
        alone = max(END, END if self.touched is None else self.touched) + 2 * HOUR - self.now
        bells = [(alone, "nobody is left")]
        if self.phase == "running":
            bells.insert(0, (self.timer, "time is up"))
        elif self.phase == "overtime":
            bells.insert(0, (self.window, "nobody asked"))
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
                self.phase, self.window = "overtime", 20 * SECOND
            elif what == "nobody asked":
                self.begin(self.block + 1)
            else:
                self.phase, self.ended = "closed", self.now
        self.now = until

    def begin(self, block: int) -> None:
        self.block, self.timer = block, 0
        self.phase = "running" if block < len(self.minutes) else "closing"
        if self.phase == "running":
            self.timer = self.minutes[block] * MINUTE

    def asked(self, move: str, by: str, whom: str, way: str, text: str, seen: str) -> bool:
        """Whether it was allowed; then it is done."""
        if self.phase == "closed" or not self.try_it(move, by, whom, way, text, seen):
            return False
        self.touched = self.now
        return True

    def try_it(self, move: str, by: str, whom: str, way: str, text: str, seen: str) -> bool:
        here, leads, phase = by in self.here, by == self.lead, self.phase
        going = phase in ("running", "overtime")
        if move == "arrive" and way in ("room", "online"):
            self.here[by] = self.came[by] = way
        elif move == "step_out" and here:
            del self.here[by]
        elif move == "mark_here" and leads and whom and way in ("room", "online"):
            self.here[whom] = self.came[whom] = way
        elif move == "mark_gone" and leads and whom in self.here:
            del self.here[whom], self.came[whom]
        elif move == "start" and leads and phase == "lobby":
            self.started = self.now
            self.begin(0)
        elif move == "next" and leads and (going or phase == "paused"):
            self.begin(self.block + 1)
        elif move == "extend" and here and self.more < 12 and self.more_time_is_open(leads):
            self.more += 1
            self.timer += 5 * MINUTE
            self.phase = "paused" if phase == "paused" else "running"
        elif move == "pause" and leads and going:
            self.phase = "paused"
        elif move == "resume" and leads and phase == "paused":
            self.phase = "running"
        elif move == "hold" and here and phase != "held":
            self.phase, self.caller, self.interrupted = "held", by, phase
        elif move == "release" and here and phase == "held" and (leads or by == self.caller):
            # A block whose time was up goes on with nothing left; time is up again at once.
            self.phase = "running" if self.interrupted == "overtime" else self.interrupted
            self.caller = None
        elif move == "hand_over" and leads and whom in self.here:
            self.lead = whom
        elif move == "take_lead" and self.lead_is_open(by):
            self.lead = by
        elif move == "commit" and here and 1 <= len(text) <= 200 and seen in ("group", "me"):
            if whom not in ("", by) and not (leads and whom in self.here and seen == "group"):
                return False
            self.steps[whom or by] = (text, seen)
        elif move == "close" and leads and phase != "held":
            self.phase, self.ended, self.timer = "closed", self.now, 0
        else:
            return False
        return True

    def more_time_is_open(self, leads: bool) -> bool:
        return self.phase == "overtime" or (leads and self.phase in ("running", "paused"))

    def lead_is_open(self, by: str) -> bool:
        if by not in self.here:
            return False
        if self.lead is None:
            return True
        if self.lead in self.here or self.now < 5 * MINUTE:
            return False
        return self.backup in (None, by) or self.now >= 6 * MINUTE


LEAD, CALLER = "whoever leads", "whoever called the hold"
BEFORE, WHEN, AFTER = "just before the block's bell", "at the bell", "just after the bell"
FIVE_PAST, SIX_PAST = "at five past the hour", "at six past the hour"
CLOCKS_OWN = (Move.TIME_UP, Move.MOVE_ON, Move.CLOSE_ITSELF)
OF_THE_LEAD = (Move.HAND_OVER, Move.MARK_HERE, Move.MARK_GONE)
OF_ANYONE = (Move.STEP_OUT, Move.TAKE_LEAD, Move.ARRIVE)
FITTING = {
    "lobby": (Move.START, Move.HOLD),
    "running": (Move.PAUSE, Move.PAUSE, Move.HOLD, Move.HOLD, Move.EXTEND, Move.EXTEND, Move.NEXT),
    "overtime": (Move.EXTEND, Move.EXTEND, Move.PAUSE, Move.HOLD, Move.NEXT),
    "paused": (Move.RESUME, Move.RESUME, Move.EXTEND, Move.HOLD, Move.NEXT),
    "held": (Move.RELEASE,),
    "closing": (Move.HOLD, Move.COMMIT),
    "closed": tuple(Move),
}

BY = st.sampled_from((LEAD, LEAD, LEAD, CALLER, CALLER, *MEMBERS))
WHOM = st.sampled_from(("", LEAD, *MEMBERS))
WAYS = st.sampled_from(("room", "online", "room", "online", ""))
TEXTS = st.sampled_from(("Walk", "Früh ins Bett 🌙", "x" * 200, "x" * 201, ""))
SEEN = st.sampled_from(("group", "me", "group", "me", "world"))
WAITS: st.SearchStrategy[int | str] = st.sampled_from(
    (0, 0, 0, FIVE_PAST, SIX_PAST, 1, SECOND, 7 * SECOND, 20 * SECOND, MINUTE, 5 * MINUTE, BEFORE, WHEN, AFTER)
)


def copied(state: State) -> State:
    return replace(state, present=dict(state.present), came=dict(state.came), steps=dict(state.steps))


class RoomMachine(RuleBasedStateMachine):
    """The rules and the paper side by side. `counted` is what the series did in all, by name."""

    counted: Counter[str] = Counter()

    @initialize(
        early=st.sampled_from((-10 * MINUTE, -1, 0, 4 * MINUTE)),
        minutes=st.lists(st.sampled_from((20, 5, 1, 25, 130)), min_size=4, max_size=8),
        lead=st.sampled_from(("ben", "ben", "ben", "ben", "ana", None)),
        backup=st.sampled_from(("ana", "ben", "chidi", None)),
        here=st.sets(st.sampled_from(MEMBERS), min_size=1),
        begun=st.sampled_from((True, True, True, False)),
        extended=st.sampled_from((0, 0, 0, 11)),
        patience=st.sampled_from((10, 20, 30, 40, 50)),
    )
    def the_room_is_opened(
        self,
        early: int,
        minutes: list[int],
        lead: str | None,
        backup: str | None,
        here: set[str],
        begun: bool,
        extended: int,
        patience: int,
    ) -> None:
        """Nobody closes it, and nobody forgets it for hours, before there was `patience` for so many moves."""
        blocks = tuple(Block("open", "Open", number) for number in minutes)
        self.opening = State(moment(0), moment(END), blocks, lead, backup)
        self.state, self.entries, self.paper = self.opening, list[Entry](), Paper(early, minutes, lead, backup)
        self.ran, self.granted = Counter[int](), Counter[int]()
        self.last, self.patience = moment(early), patience
        for member in sorted(here):
            self.happens(0, Move.ARRIVE, member)
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
        if entry.move is Move.EXTEND:
            self.granted[before.index] += 5 * MINUTE
        if entry.move is Move.TIME_UP:
            given = self.opening.blocks[before.index].minutes * MINUTE + self.granted[before.index]
            assert self.ran[before.index] == given
        if before.lead is not None and entry.move not in (Move.HAND_OVER, Move.TAKE_LEAD):
            assert after.lead == before.lead
        assert after.lead is not None or before.lead is None
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
        for part in (0, 1, 3, 4, 6, 7):
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
        until = {BEFORE: bell - 1, WHEN: bell, AFTER: bell + 1}
        until |= {FIVE_PAST: 5 * MINUTE - paper.now, SIX_PAST: 6 * MINUTE - paper.now}
        return max(until[wait], 0)

    def who(self, name: str) -> str:
        return {LEAD: self.paper.lead or "ana", CALLER: self.paper.caller or "ana"}.get(name, name)

    def happens(
        self,
        wait: int | str,
        move: Move,
        by: str,
        whom: str = "",
        way: str = "room",
        text: str = "",
        seen: str = "group",
    ) -> None:
        self.time_passes(wait)
        by, whom = self.who(by), self.who(whom)
        entry = Entry(move, moment(self.paper.now), by, whom, way, text, seen)
        closed, before, code = self.state.phase is Phase.CLOSED, copied(self.state), rules.why_not(self.state, entry)
        allowed = self.paper.asked(move.value, by, whom, way, text, seen)
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

    def is_refused(self, entry: Entry) -> None:
        try:
            rules.apply(self.state, entry)
        except Refusal as refusal:
            assert refusal.code == rules.why_not(self.state, entry)
        else:
            raise AssertionError(f"allowed: {entry}")

    @rule(
        wait=WAITS, move=st.sampled_from([move for move in Move if move not in (*CLOCKS_OWN, Move.CLOSE)]),
        by=BY, whom=WHOM, way=WAYS, text=TEXTS, seen=SEEN,
    )  # fmt: skip
    def anyone_tries_anything(
        self, wait: int | str, move: Move, by: str, whom: str, way: str, text: str, seen: str
    ) -> None:
        if move is Move.COMMIT:
            self.happens(wait, move, by, whom, text=text, seen=seen)
        else:
            self.happens(wait, move, by, whom, way if move in (Move.ARRIVE, Move.MARK_HERE) else "room")

    @rule(wait=WAITS, pick=st.integers(0, 100))
    def the_lead_does_what_fits(self, wait: int | str, pick: int) -> None:
        self.somebody_does_what_fits(wait, pick, LEAD)

    @rule(wait=WAITS, pick=st.integers(0, 100), by=BY)
    def somebody_does_what_fits(self, wait: int | str, pick: int, by: str) -> None:
        self.time_passes(wait)
        moves = FITTING[self.paper.phase]
        self.happens(0, moves[pick % len(moves)], by, text="Rest")

    @rule(wait=WAITS, move=st.sampled_from(OF_THE_LEAD), whom=st.sampled_from(MEMBERS))
    def the_lead_names_somebody(self, wait: int | str, move: Move, whom: str) -> None:
        self.happens(wait, move, LEAD, whom)

    @rule(wait=WAITS, move=st.sampled_from(OF_ANYONE), by=BY)
    def people_come_and_go(self, wait: int | str, move: Move, by: str) -> None:
        self.happens(wait, move, by)

    @rule(wait=WAITS, by=BY, whom=WHOM, text=TEXTS, seen=SEEN)
    def somebody_says_a_step(self, wait: int | str, by: str, whom: str, text: str, seen: str) -> None:
        self.happens(wait, Move.COMMIT, by, whom, text=text, seen=seen)

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
    def it_is_as_on_paper(self) -> None:
        state, paper = self.state, self.paper
        assert (state.phase.value, state.index, state.lead) == (paper.phase, paper.block, paper.lead)
        assert (state.present, state.came) == (paper.here, paper.came)
        assert state.steps == {member: Step(*step) for member, step in paper.steps.items()}
        assert (state.extensions, state.held_by) == (paper.more, paper.caller)
        assert [state.touched, state.started_at, state.ended_at] == [
            None if ms is None else moment(ms) for ms in (paper.touched, paper.started, paper.ended)
        ]
        shown = paper.timer // SECOND if paper.phase in ("running", "paused", "held") else 0
        assert rules.seconds_left(state, moment(paper.now)) == shown

    @invariant()
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

    @invariant()
    def no_block_runs_longer_than_it_was_given(self) -> None:
        running = (moment(self.paper.now) - self.last) // timedelta(milliseconds=1)
        for index, block in enumerate(self.state.blocks):
            now = running if self.state.phase is Phase.RUNNING and self.state.index == index else 0
            assert self.ran[index] + now <= block.minutes * MINUTE + self.granted[index]
        assert sum(self.granted.values()) == self.state.extensions * 5 * MINUTE <= 60 * MINUTE

    @invariant()
    def one_person_at_most_has_the_rights_of_the_lead(self) -> None:
        now = moment(self.paper.now)
        leads = {by for by in MEMBERS if rules.may(self.state, by, Move.MARK_HERE, now, whom="eli")}
        assert leads == (set() if self.state.phase is Phase.CLOSED else {self.state.lead} - {None})

    @invariant()
    def the_lead_is_open_to_those_on_paper(self) -> None:
        open_to = [by for by in MEMBERS if rules.lead_open_to(self.state, by, moment(self.paper.now))]
        assert open_to == [by for by in MEMBERS if self.paper.lead_is_open(by)]

    @invariant()
    def whoever_is_here_came(self) -> None:
        assert self.state.present.keys() <= self.state.came.keys()

    @invariant()
    def a_second_look_owes_nothing(self) -> None:
        assert rules.overdue(self.state, moment(self.paper.now)) is None

    def teardown(self) -> None:
        """Read back from what was stored, the room is the same."""
        if not hasattr(self, "opening"):
            return
        opening, entries = json.loads(
            json.dumps([rules.opening_json(self.opening), [entry.to_json() for entry in self.entries]])
        )
        assert [Entry.from_json(entry) for entry in entries] == self.entries
        assert rules.state_of(rules.opening_of(opening), map(Entry.from_json, entries)) == self.state


def series(examples: int, steps: int, **more: Any) -> Counter[str]:
    """Run the machine in a series that is always the same. Returns what it did, by name."""

    class Machine(RoomMachine):
        counted = Counter[str]()

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples, stateful_step_count=steps, derandomize=True, database=None, deadline=None, **more
        ),
    )
    return Machine.counted


def test_random_moves_at_random_times_go_as_on_paper() -> None:
    counted = series(50, 30)
    assert counted["steps"] >= 1_000
    assert min(counted["allowed"], counted["refused"]) >= 200


@pytest.mark.drill
def test_ten_thousand_random_moves_go_as_on_paper() -> None:
    counted = series(400, 50)
    assert counted["steps"] >= 10_000
    assert {move: counted[move] for move in Move if counted[move] < 20} == {}


# Rules that are broken go red --------------------------------------------------------------------------------------


def forgets_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    pause = rules._EFFECTS[Move.PAUSE]
    monkeypatch.setitem(
        rules._EFFECTS, Move.PAUSE, lambda state, entry: replace(pause(state, entry), left=timedelta(0))
    )


def lets_a_held_clock_run(monkeypatch: pytest.MonkeyPatch) -> None:
    release = rules._EFFECTS[Move.RELEASE]
    monkeypatch.setitem(
        rules._EFFECTS,
        Move.RELEASE,
        lambda state, entry: replace(release(state, entry), left=state.left - timedelta(seconds=1)),
    )


def lets_anyone_end_a_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(rules._MORE_CHECKS, Move.RELEASE)


def gives_the_lead_away_too_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "LEAD_LATE", timedelta(minutes=4))


def waits_too_long_for_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "OVERTIME", timedelta(seconds=21))


def counts_who_never_came(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        rules._EFFECTS, Move.MARK_GONE, lambda state, entry: rules._step_out(state, replace(entry, by=entry.whom))
    )


def writes_into_what_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "_with", lambda mapping, key, value: mapping.update({key: value}) or mapping)


def dates_what_was_due_when_it_was_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    overdue = rules.overdue
    monkeypatch.setattr(
        rules, "_is_due", lambda state, entry: (due := overdue(state, entry.at)) is not None and due.move is entry.move
    )
    monkeypatch.setattr(rules, "overdue", lambda state, at: (entry := overdue(state, at)) and replace(entry, at=at))


def moves_after_the_close(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        rules._EFFECTS, Move.CLOSE, lambda state, entry: replace(state, phase=Phase.CLOSING, ended_at=entry.at)
    )


def stores_half(monkeypatch: pytest.MonkeyPatch) -> None:
    to_json = Entry.to_json
    monkeypatch.setattr(Entry, "to_json", lambda self: {k: v for k, v in to_json(self).items() if k != "whom"})


@pytest.mark.parametrize(
    "broken",
    [
        forgets_what_is_left,
        lets_a_held_clock_run,
        pytest.param(lets_anyone_end_a_hold, marks=pytest.mark.drill),
        gives_the_lead_away_too_soon,
        waits_too_long_for_an_answer,
        counts_who_never_came,
        writes_into_what_was,
        dates_what_was_due_when_it_was_seen,
        moves_after_the_close,
        stores_half,
    ],
)
def test_a_broken_rule_goes_red(broken: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch) -> None:
    broken(monkeypatch)
    with pytest.raises((AssertionError, Refusal)):
        series(400, 50, phases=[Part.generate], report_multiple_bugs=False)
