"""The live meeting by example: who may do what in which phase, and what the clock does on its own.

Ben leads, Ana is the backup, Chidi calls a hold where there is one, Dara is here, Eli is not.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from leeward.domain.room import rules
from leeward.domain.room.rules import Block, Entry, Move, Phase, State, Step
from leeward.lib.refusals import Refusal

ANA, BEN, CHIDI, DARA, ELI = "ana", "ben", "chidi", "dara", "eli"
START = datetime(2026, 10, 8, 16, 0, tzinfo=UTC)
MINUTE, HOUR = 60, 3600
BLOCKS = (
    Block("mood", "Mood", 5),
    Block("spotlight", "Sleep", 20),
    Block("brainstorm", "Ideas", 25),
    Block("commitment", "One step", 5),
)
OPENING = State(starts_at=START, ends_at=START + timedelta(minutes=60), blocks=BLOCKS, lead=BEN, backup=ANA)
CLOCKS_OWN = (Move.TIME_UP, Move.MOVE_ON, Move.CLOSE_ITSELF)


def moment(seconds: float) -> datetime:
    """Seconds after the start of the meeting, as a moment."""
    return START + timedelta(seconds=seconds)


def opening(**changes: Any) -> State:
    return replace(OPENING, **changes)


class Room:
    """A room as it is told: who does what, so many seconds after the start. The clock first does what it owes."""

    def __init__(self, state: State = OPENING, *, here: tuple[str, ...] = (ANA, BEN, CHIDI, DARA)) -> None:
        self.opening, self.state, self.entries = state, state, list[Entry]()
        for member in here:
            self.do(Move.ARRIVE, member, -5 * MINUTE)

    def keep(self, entry: Entry) -> State:
        before, copied = self.state, deepcopy(self.state)
        self.state = rules.apply(before, entry)
        assert before == copied
        self.entries.append(entry)
        return self.state

    def look(self, at: float) -> State:
        while (due := rules.overdue(self.state, moment(at))) is not None:
            self.keep(due)
        return self.state

    def do(self, move: Move, by: str | None, at: float, **facts: str) -> State:
        self.look(at)
        return self.keep(Entry(move, moment(at), by, **facts))

    def refusal(self, move: Move, by: str | None, at: float, **facts: str) -> str:
        """The code of the refusal. Nothing has changed, and no button was drawn."""
        before = deepcopy(self.look(at))
        assert by is None or not rules.may(self.state, by, move, moment(at), **facts)
        with pytest.raises(Refusal) as caught:
            rules.apply(self.state, Entry(move, moment(at), by, **facts))
        assert self.state == before
        return caught.value.code

    def left(self, at: float) -> int:
        return rules.seconds_left(self.look(at), moment(at))


BEGUN = 10 * MINUTE  # Ben is in no hurry: it is ten past when the first block starts
NOW = BEGUN + MINUTE


def room_in(phase: Phase) -> Room:
    """A room that has come to this phase by `NOW` by what people did."""
    room = Room(opening(blocks=(Block("mood", "Mood", 1), *BLOCKS[1:])) if phase is Phase.OVERTIME else OPENING)
    if phase is not Phase.LOBBY:
        room.do(Move.START, BEN, BEGUN)
    if phase is Phase.PAUSED:
        room.do(Move.PAUSE, BEN, NOW)
    elif phase is Phase.HELD:
        room.do(Move.HOLD, CHIDI, NOW)
    elif phase is Phase.CLOSING:
        for _ in BLOCKS:
            room.do(Move.NEXT, BEN, NOW)
    elif phase is Phase.CLOSED:
        room.do(Move.CLOSE, BEN, NOW)
    assert room.look(NOW).phase is phase
    return room


# Who may do what, when ---------------------------------------------------------------------------------------------

# all: everyone of the group. here: Ben, Chidi, Dara. lead: Ben. call: Ben, and Chidi who called the hold.
# rest: whoever is here when the lead has gone out. -: nobody.
WHO_MAY = """
             lobby  running  overtime  paused  held  closing  closed
arrive       all    all      all       all     all   all      -
step_out     here   here     here      here    here  here     -
mark_here    lead   lead     lead      lead    lead  lead     -
mark_gone    lead   lead     lead      lead    lead  lead     -
start        lead   -        -         -       -     -        -
next         -      lead     lead      lead    -     -        -
extend       -      lead     here      lead    -     -        -
pause        -      lead     lead      -       -     -        -
resume       -      -        -         lead    -     -        -
hold         here   here     here      here    -     here     -
release      -      -        -         -       call  -        -
hand_over    lead   lead     lead      lead    lead  lead     -
take_lead    rest   rest     rest      rest    rest  rest     -
commit       here   here     here      here    here  here     -
close        lead   lead     lead      lead    -     lead     -
"""
PEOPLE = {
    "all": {BEN, CHIDI, DARA, ELI},
    "here": {BEN, CHIDI, DARA},
    "lead": {BEN},
    "call": {BEN, CHIDI},
    "rest": {CHIDI, DARA},
    "-": set[str](),
}
FACTS: dict[str, dict[str, str]] = {
    "mark_here": {"whom": ELI},
    "mark_gone": {"whom": DARA},
    "hand_over": {"whom": DARA},
    "commit": {"text": "A walk"},
}
ONES_OWN = {"step_out", "extend", "hold", "release", "take_lead", "commit"}  # whoever is not here is asked in first

HEAD, *ROWS = (line.split() for line in WHO_MAY.strip().splitlines())


def expected_refusal(name: str, phase: str, cell: str, by: str) -> str | None:
    if by in PEOPLE[cell]:
        return None
    if phase == "closed":
        return "room_closed"
    if cell == "-":
        return "room_not_now"
    here = by != ELI and not (by == BEN and cell == "rest")
    return "room_come_in_first" if name in ONES_OWN and not here else "room_lead_only"


def test_the_table_of_who_may_do_what_is_whole() -> None:
    assert set(HEAD) == set(Phase)
    assert [row[0] for row in ROWS] == [move.value for move in Move if move not in CLOCKS_OWN]
    assert {len(row) for row in ROWS} == {1 + len(Phase)}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_move_is_open_to_those_and_in_those_phases_that_the_table_names(row: list[str]) -> None:
    name, *cells = row
    found, expected = {}, {}
    for phase, cell in zip(HEAD, cells, strict=True):
        room = room_in(Phase(phase))
        if cell == "rest":
            room.do(Move.STEP_OUT, BEN, NOW)
        for by in (BEN, CHIDI, DARA, ELI):
            entry = Entry(Move(name), moment(NOW), by, **FACTS.get(name, {}))
            expected[phase, by] = expected_refusal(name, phase, cell, by)
            found[phase, by] = rules.why_not(room.state, entry)
            if found[phase, by] is None:
                assert rules.apply(room.state, entry).touched == moment(NOW)
            else:
                assert room.refusal(entry.move, by, NOW, **FACTS.get(name, {})) == found[phase, by]
    assert found == expected


@pytest.mark.parametrize("phase", list(Phase))
def test_nobody_takes_the_lead_from_a_lead_who_is_here(phase: Phase) -> None:
    room = room_in(phase)
    code = "room_closed" if phase is Phase.CLOSED else "room_lead_here"
    assert [room.refusal(Move.TAKE_LEAD, by, NOW) for by in (ANA, BEN, CHIDI)] == [code] * 3


# What the clock owes in each phase, as the move and the seconds after the start.
CLOCK_OWES: dict[Phase, tuple[Move, int] | None] = {
    Phase.LOBBY: (Move.CLOSE_ITSELF, 3 * HOUR),
    Phase.RUNNING: (Move.TIME_UP, BEGUN + 5 * MINUTE),
    Phase.OVERTIME: (Move.MOVE_ON, BEGUN + MINUTE + 20),
    Phase.PAUSED: (Move.CLOSE_ITSELF, 3 * HOUR),
    Phase.HELD: (Move.CLOSE_ITSELF, 3 * HOUR),
    Phase.CLOSING: (Move.CLOSE_ITSELF, 3 * HOUR),
    Phase.CLOSED: None,
}


@pytest.mark.parametrize("phase", list(Phase))
def test_the_clock_does_what_is_due_when_it_is_due_and_nothing_else(phase: Phase) -> None:
    state, owed = room_in(phase).state, CLOCK_OWES[phase]
    due = rules.overdue(state, moment(12 * HOUR))
    assert (due and (due.move, due.at, due.by)) == (owed and (owed[0], moment(owed[1]), None))
    allowed = set()
    for move in CLOCKS_OWN:
        for second in {NOW, 0 if owed is None else owed[1]}:
            for early in (timedelta(0), timedelta(microseconds=-1), timedelta(microseconds=1)):
                for by in (None, BEN, DARA):
                    if rules.why_not(state, Entry(move, moment(second) + early, by)) is None:
                        allowed.add((move, moment(second) + early, by))
    assert allowed == (set() if owed is None else {(owed[0], moment(owed[1]), None)})


@pytest.mark.parametrize("phase", list(Phase))
def test_the_clock_does_nothing_that_people_do(phase: Phase) -> None:
    room = room_in(phase)
    codes = {room.refusal(Move(row[0]), None, NOW, **FACTS.get(row[0], {})) for row in ROWS}
    assert codes <= {"room_closed", "room_not_now", "room_come_in_first"}


# A block's time ----------------------------------------------------------------------------------------------------


def test_a_block_runs_its_minutes_and_twenty_seconds_later_the_next_one_starts() -> None:
    room = Room()
    room.do(Move.START, BEN, 0)
    pictures = []
    for second in (0, 299.999, 300, 319.999, 320, 320 + 20 * MINUTE):
        state = room.look(second)
        pictures.append((state.phase, state.index, state.deadline))
    assert pictures == [
        (Phase.RUNNING, 0, moment(300)),
        (Phase.RUNNING, 0, moment(300)),
        (Phase.OVERTIME, 0, moment(300)),
        (Phase.OVERTIME, 0, moment(300)),
        (Phase.RUNNING, 1, moment(320 + 20 * MINUTE)),
        (Phase.OVERTIME, 1, moment(320 + 20 * MINUTE)),
    ]


def test_a_meeting_begins_when_the_lead_starts_it_early_or_late() -> None:
    for second in (-200, 700):
        state = Room().do(Move.START, BEN, second)
        assert (state.started_at, state.deadline) == (moment(second), moment(second + 300))


def test_nobody_needs_to_touch_anything_from_the_start_to_the_last_block() -> None:
    room = Room()
    room.do(Move.START, BEN, 0)
    room.look(2 * HOUR)
    ends = [300, 320 + 1200, 1540 + 1500, 3060 + 300]
    expected = [(move, moment(end + late)) for end in ends for move, late in ((Move.TIME_UP, 0), (Move.MOVE_ON, 20))]
    assert [(entry.move, entry.at) for entry in room.entries if entry.by is None] == expected
    assert (room.state.phase, room.state.index, room.state.block, room.state.deadline) == (Phase.CLOSING, 4, None, None)


def test_next_starts_the_next_block_with_all_its_minutes_and_after_the_last_comes_closing() -> None:
    room = Room()
    room.do(Move.START, BEN, 0)
    room.do(Move.NEXT, BEN, 100)
    assert (room.state.block, room.state.following, room.left(100)) == (BLOCKS[1], BLOCKS[2], 20 * MINUTE)
    room.do(Move.NEXT, BEN, 110)
    room.do(Move.PAUSE, BEN, 120)
    room.do(Move.NEXT, BEN, 130)
    assert (room.state.phase, room.state.block, room.state.following) == (Phase.RUNNING, BLOCKS[3], None)
    assert (room.left(130), room.state.left) == (5 * MINUTE, timedelta(0))
    room.look(130 + 5 * MINUTE + 1)
    assert room.state.phase is Phase.OVERTIME
    room.do(Move.NEXT, BEN, 130 + 5 * MINUTE + 2)
    assert (room.state.phase, room.state.block) == (Phase.CLOSING, None)


def test_the_last_block_ended_in_a_pause_leaves_no_time_behind() -> None:
    room = Room(opening(blocks=BLOCKS[:1]))
    room.do(Move.START, BEN, 0)
    room.do(Move.PAUSE, BEN, 10)
    state = room.do(Move.NEXT, BEN, 20)
    assert (state.phase, state.deadline, state.left) == (Phase.CLOSING, None, timedelta(0))


def test_a_meeting_without_blocks_goes_from_the_lobby_to_the_close() -> None:
    room = Room(opening(blocks=()))
    assert room.do(Move.START, BEN, 0).phase is Phase.CLOSING
    assert room.do(Move.CLOSE, BEN, 1).phase is Phase.CLOSED


@pytest.mark.parametrize(
    ("phase", "at", "left"),
    [
        (Phase.LOBBY, NOW, 0),
        (Phase.RUNNING, BEGUN, 5 * MINUTE),
        (Phase.RUNNING, BEGUN + 0.001, 5 * MINUTE - 1),
        (Phase.RUNNING, BEGUN + 299.5, 0),
        (Phase.RUNNING, BEGUN + 300, 0),
        (Phase.RUNNING, BEGUN + 5000, 0),
        (Phase.OVERTIME, NOW + 10, 0),
        (Phase.PAUSED, NOW, 4 * MINUTE),
        (Phase.PAUSED, NOW + HOUR, 4 * MINUTE),
        (Phase.HELD, NOW + HOUR, 4 * MINUTE),
        (Phase.CLOSING, NOW, 0),
        (Phase.CLOSED, NOW, 0),
    ],
)
def test_the_seconds_left_are_whole_and_never_below_nought(phase: Phase, at: float, left: int) -> None:
    assert rules.seconds_left(room_in(phase).state, moment(at)) == left


# More time ---------------------------------------------------------------------------------------------------------


def test_the_lead_adds_five_minutes_to_what_is_left() -> None:
    room = Room()
    room.do(Move.START, BEN, 0)
    assert room.do(Move.EXTEND, BEN, 100).deadline == moment(10 * MINUTE)
    room.do(Move.PAUSE, BEN, 200)
    room.do(Move.EXTEND, BEN, 300)
    assert (room.state.phase, room.state.extensions, room.left(300)) == (Phase.PAUSED, 2, 15 * MINUTE - 200)
    assert room.do(Move.RESUME, BEN, 400).deadline == moment(15 * MINUTE + 200)


@pytest.mark.parametrize("by", [BEN, DARA])
@pytest.mark.parametrize("late", [0, 7, 19.999])
def test_when_time_is_up_anyone_here_asks_for_five_minutes_from_then_on(by: str, late: float) -> None:
    room = Room()
    room.do(Move.START, BEN, 0)
    room.do(Move.EXTEND, by, 300 + late)
    assert (room.state.phase, room.state.index, room.state.deadline) == (Phase.RUNNING, 0, moment(600 + late))
    assert room.refusal(Move.EXTEND, DARA, 300 + late) == "room_lead_only"


def test_twenty_seconds_after_the_time_is_up_it_is_too_late_to_ask() -> None:
    room = Room()
    room.do(Move.START, BEN, 0)
    assert room.refusal(Move.EXTEND, DARA, 320) == "room_lead_only"
    assert (room.state.phase, room.state.index) == (Phase.RUNNING, 1)


def test_there_is_more_time_twelve_times_in_a_meeting() -> None:
    room = Room()
    room.do(Move.START, BEN, 0)
    for number in range(1, 13):
        if number == 7:
            room.do(Move.NEXT, BEN, 1)
        assert room.do(Move.EXTEND, BEN, 1).extensions == number
    assert room.left(1) == 20 * MINUTE + 6 * 5 * MINUTE
    assert room.refusal(Move.EXTEND, BEN, 1) == "room_extended_enough"
    room.do(Move.PAUSE, BEN, 2)
    assert room.refusal(Move.EXTEND, BEN, 2) == "room_extended_enough"
    room.do(Move.NEXT, BEN, 3)
    room.look(3 + 25 * MINUTE)
    assert room.state.phase is Phase.OVERTIME
    assert room.refusal(Move.EXTEND, DARA, 3 + 25 * MINUTE) == "room_extended_enough"


def test_a_stand_changes_with_the_block_and_its_time_and_with_nothing_else() -> None:
    room = Room()
    stands = [room.do(Move.START, BEN, 0).stand]
    for move, at in ((Move.PAUSE, 1), (Move.RESUME, 2), (Move.HOLD, 3), (Move.RELEASE, 4)):
        assert room.do(move, BEN, at).stand == stands[0]
    assert (room.look(305).phase, room.state.stand) == (Phase.OVERTIME, stands[0])
    stands.append(room.do(Move.EXTEND, DARA, 306).stand)
    stands.append(room.do(Move.EXTEND, BEN, 307).stand)
    stands.append(room.do(Move.NEXT, BEN, 308).stand)
    stands.append(room.look(308 + 20 * MINUTE + 20).stand)
    assert len(set(stands)) == 5


# A clock that stands still -----------------------------------------------------------------------------------------


def test_a_pause_keeps_to_the_microsecond_what_is_left() -> None:
    room, at, ran = Room(), 0.0, 0.0
    room.do(Move.START, BEN, at)
    for run, rest in ((100.000001, 7), (0, 1000), (50.25, 0), (149.749998, 3000)):
        at, ran = at + run, ran + run
        room.do(Move.PAUSE, BEN, at)
        assert (room.state.deadline, room.state.left) == (None, timedelta(seconds=300 - ran))
        at += rest
        assert room.look(at).phase is Phase.PAUSED
        room.do(Move.RESUME, BEN, at)
        assert (room.state.deadline, room.state.left) == (moment(at + 300 - ran), timedelta(0))
    assert room.state.deadline == moment(at + 0.000001)


def test_a_pause_after_the_time_is_up_keeps_nothing_and_time_is_up_again_after_it() -> None:
    room = room_in(Phase.OVERTIME)
    assert room.do(Move.PAUSE, BEN, NOW + 10).left == timedelta(0)
    room.do(Move.RESUME, BEN, NOW + HOUR)
    assert (room.look(NOW + HOUR).phase, room.state.index) == (Phase.OVERTIME, 0)


PHASES_TO_HOLD = [Phase.LOBBY, Phase.RUNNING, Phase.OVERTIME, Phase.PAUSED, Phase.CLOSING]


@pytest.mark.parametrize("phase", PHASES_TO_HOLD)
@pytest.mark.parametrize("lets_go", [BEN, CHIDI])
def test_a_hold_stops_the_clock_in_any_phase_and_goes_back_to_where_it_was(phase: Phase, lets_go: str) -> None:
    room = room_in(phase)
    before, left = room.state, room.left(NOW)
    room.do(Move.HOLD, CHIDI, NOW)
    assert (room.state.phase, room.state.held_by, room.state.before_hold) == (Phase.HELD, CHIDI, phase)
    assert (room.state.deadline, room.left(NOW), room.left(NOW + HOUR)) == (None, left, left)
    room.do(Move.RELEASE, lets_go, NOW + HOUR)
    after = room.look(NOW + HOUR)
    assert (after.phase, after.index, after.held_by, after.before_hold) == (phase, before.index, None, None)
    assert room.left(NOW + HOUR) == left
    if before.deadline is not None:
        assert after.deadline == max(before.deadline, moment(NOW)) + timedelta(hours=1)
    else:
        assert (after.deadline, after.left) == (None, before.left)


def test_only_the_lead_and_whoever_called_the_hold_let_go_of_it() -> None:
    room = room_in(Phase.HELD)
    assert room.refusal(Move.RELEASE, DARA, NOW) == "room_lead_only"
    assert room.refusal(Move.RELEASE, ANA, NOW) == "room_lead_only"
    room.do(Move.HAND_OVER, BEN, NOW, whom=DARA)
    assert room.refusal(Move.RELEASE, BEN, NOW) == "room_lead_only"
    room.do(Move.STEP_OUT, CHIDI, NOW)
    assert room.refusal(Move.RELEASE, CHIDI, NOW) == "room_come_in_first"
    assert room.do(Move.RELEASE, DARA, NOW).phase is Phase.RUNNING


def test_a_held_meeting_whose_lead_and_caller_are_gone_goes_on_with_whoever_takes_the_lead() -> None:
    room = room_in(Phase.HELD)
    for member in (BEN, CHIDI):
        room.do(Move.STEP_OUT, member, NOW)
    room.do(Move.TAKE_LEAD, DARA, NOW)
    assert room.do(Move.RELEASE, DARA, NOW).phase is Phase.RUNNING


# The lead ----------------------------------------------------------------------------------------------------------


def test_the_lead_is_handed_over_to_somebody_here() -> None:
    room = room_in(Phase.RUNNING)
    assert room.refusal(Move.HAND_OVER, BEN, NOW, whom=ELI) == "room_not_here"
    assert room.refusal(Move.HAND_OVER, BEN, NOW) == "room_not_here"
    assert room.do(Move.HAND_OVER, BEN, NOW, whom=DARA).lead == DARA
    assert room.refusal(Move.NEXT, BEN, NOW) == "room_lead_only"
    assert room.do(Move.NEXT, DARA, NOW).index == 1


def takers(room: Room, at: float) -> list[str]:
    """Who may take the lead at this moment."""
    return [by for by in (ANA, BEN, CHIDI, DARA, ELI) if rules.lead_open_to(room.look(at), by, moment(at))]


@pytest.mark.parametrize(
    ("backup", "here", "when"),
    [
        (ANA, (ANA, CHIDI, DARA), {299.999: [], 300: [ANA], 359.999: [ANA], 360: [ANA, CHIDI, DARA]}),
        (ANA, (CHIDI, DARA), {299.999: [], 300: [], 359.999: [], 360: [CHIDI, DARA]}),
        (None, (ANA, CHIDI), {299.999: [], 300: [ANA, CHIDI]}),
        (BEN, (ANA, CHIDI), {300: [], 360: [ANA, CHIDI]}),
        (ANA, (ANA, BEN, CHIDI), {300: [], 360: [], 3600: []}),
    ],
)
def test_five_minutes_late_the_backup_may_lead_and_a_minute_later_anyone_here(
    backup: str | None, here: tuple[str, ...], when: dict[float, list[str]]
) -> None:
    room = Room(opening(backup=backup), here=here)
    assert {second: takers(room, second) for second in when} == when
    for second, open_to in when.items():
        for by in (ANA, BEN, CHIDI, DARA, ELI):
            assert rules.may(room.state, by, Move.TAKE_LEAD, moment(second)) == (by in open_to)


def test_a_lead_who_comes_late_finds_the_lead_taken_and_is_here_like_everyone() -> None:
    room = Room(here=(ANA, CHIDI))
    assert room.refusal(Move.TAKE_LEAD, CHIDI, 300) == "room_lead_here"
    assert room.do(Move.TAKE_LEAD, ANA, 300).lead == ANA
    room.do(Move.ARRIVE, BEN, 310)
    assert (room.state.lead, takers(room, 400)) == (ANA, [])
    assert room.refusal(Move.START, BEN, 400) == "room_lead_only"
    assert room.do(Move.START, ANA, 400).phase is Phase.RUNNING


def test_a_lead_who_comes_in_time_keeps_the_lead() -> None:
    room = Room(here=(ANA, CHIDI))
    assert takers(room, 400) == [ANA, CHIDI]
    room.do(Move.ARRIVE, BEN, 400)
    assert takers(room, 400) == []


def test_when_nobody_leads_anyone_here_takes_it_at_once() -> None:
    room = Room(opening(lead=None), here=(ANA, CHIDI))
    assert takers(room, -299) == [ANA, CHIDI]
    assert room.refusal(Move.START, CHIDI, -299) == "room_lead_only"
    assert room.do(Move.TAKE_LEAD, CHIDI, -299).lead == CHIDI
    assert takers(room, -299) == []


# Who is here -------------------------------------------------------------------------------------------------------


def test_whoever_steps_out_was_here_and_may_come_back_another_way() -> None:
    room = Room(here=(BEN,))
    room.do(Move.ARRIVE, DARA, 0)
    room.do(Move.STEP_OUT, DARA, 10)
    assert (room.state.present, room.state.came) == ({BEN: "room"}, {BEN: "room", DARA: "room"})
    assert room.refusal(Move.COMMIT, DARA, 10, text="A walk") == "room_come_in_first"
    room.do(Move.ARRIVE, DARA, 20, way="online")
    assert room.state.present == room.state.came == {BEN: "room", DARA: "online"}


def test_a_way_is_the_room_or_online() -> None:
    room = Room(here=(BEN,))
    for way in ("", "by car"):
        assert room.refusal(Move.ARRIVE, DARA, 0, way=way) == "room_not_now"
        assert room.refusal(Move.MARK_HERE, BEN, 0, whom=DARA, way=way) == "room_not_now"


def test_the_lead_marks_somebody_without_a_device() -> None:
    room = Room(here=(BEN,))
    assert room.refusal(Move.MARK_HERE, BEN, 0) == "room_who"
    room.do(Move.MARK_HERE, BEN, 0, whom=ELI)
    room.do(Move.MARK_HERE, BEN, 0, whom=DARA, way="online")
    assert room.state.present == room.state.came == {BEN: "room", ELI: "room", DARA: "online"}


def test_somebody_marked_by_mistake_is_marked_gone_and_never_came() -> None:
    room = Room(here=(BEN, CHIDI))
    room.do(Move.MARK_HERE, BEN, 0, whom=ELI)
    room.do(Move.MARK_GONE, BEN, 1, whom=ELI)
    assert room.state.present == room.state.came == {BEN: "room", CHIDI: "room"}
    assert room.refusal(Move.MARK_GONE, BEN, 2, whom=ELI) == "room_not_here"


# Steps -------------------------------------------------------------------------------------------------------------


def test_a_step_is_ones_own_for_the_group_or_for_oneself_and_the_last_one_counts() -> None:
    room = Room()
    room.do(Move.COMMIT, DARA, 0, text="Walk", seen="group")
    room.do(Move.COMMIT, CHIDI, 0, text="Sleep", seen="me")
    assert room.state.steps == {DARA: Step("Walk", "group"), CHIDI: Step("Sleep", "me")}
    room.do(Move.COMMIT, DARA, 1, text="Rest", seen="me", whom=DARA)
    assert room.state.steps == {DARA: Step("Rest", "me"), CHIDI: Step("Sleep", "me")}


def test_the_lead_writes_down_the_step_of_somebody_here_and_never_a_private_one() -> None:
    room = Room()
    assert room.refusal(Move.COMMIT, DARA, 0, text="Walk", whom=CHIDI) == "room_lead_only"
    assert room.refusal(Move.COMMIT, BEN, 0, text="Walk", whom=ELI) == "room_not_here"
    room.do(Move.MARK_HERE, BEN, 0, whom=ELI)
    assert room.refusal(Move.COMMIT, BEN, 0, text="Walk", whom=ELI, seen="me") == "room_own_only"
    room.do(Move.COMMIT, BEN, 0, text="Walk", whom=ELI)
    room.do(Move.COMMIT, BEN, 0, text="Read", whom=BEN, seen="me")
    assert room.state.steps == {ELI: Step("Walk", "group"), BEN: Step("Read", "me")}


def test_a_step_has_words_and_at_most_200_characters_and_eyes_that_are_known() -> None:
    room = Room()
    assert room.refusal(Move.COMMIT, DARA, 0) == "room_not_now"
    assert room.refusal(Move.COMMIT, DARA, 0, text="ä" * 201) == "room_not_now"
    assert room.refusal(Move.COMMIT, DARA, 0, text="Walk", seen="world") == "room_not_now"
    assert room.do(Move.COMMIT, DARA, 0, text="ä" * 200).steps == {DARA: Step("ä" * 200, "group")}


# The close ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", [Phase.LOBBY, Phase.RUNNING, Phase.OVERTIME, Phase.PAUSED, Phase.CLOSING])
def test_the_lead_closes_and_who_came_and_the_steps_remain(phase: Phase) -> None:
    room = room_in(phase)
    room.do(Move.COMMIT, DARA, NOW, text="Walk")
    room.do(Move.STEP_OUT, DARA, NOW)
    state = room.do(Move.CLOSE, BEN, NOW + 1)
    assert (state.phase, state.ended_at, state.deadline, state.left) == (
        Phase.CLOSED, moment(NOW + 1), None, timedelta(0),
    )  # fmt: skip
    assert (set(state.came), state.lead, state.steps) == ({ANA, BEN, CHIDI, DARA}, BEN, {DARA: Step("Walk", "group")})
    assert rules.overdue(state, moment(1000 * HOUR)) is None


@pytest.mark.parametrize("phase", [Phase.LOBBY, Phase.PAUSED, Phase.HELD, Phase.CLOSING])
@pytest.mark.parametrize(
    ("touched", "closes"), [(NOW, 3 * HOUR), (HOUR, 3 * HOUR), (HOUR + 1, 3 * HOUR + 1), (3 * HOUR - 1, 5 * HOUR - 1)]
)
def test_a_room_that_nobody_touches_closes_itself_two_hours_after_its_end_or_the_last_touch(
    phase: Phase, touched: int, closes: int
) -> None:
    room = room_in(phase)
    room.do(Move.ARRIVE, ELI, touched)
    assert room.look(closes - 0.001).phase is phase
    state = room.look(closes + 9 * HOUR)
    assert (state.phase, state.ended_at, state.touched) == (Phase.CLOSED, moment(closes), moment(touched))


def test_a_room_that_nobody_came_into_closes_itself_too() -> None:
    assert Room(here=()).look(3 * HOUR).ended_at == moment(3 * HOUR)


def test_what_the_clock_does_is_no_touch() -> None:
    room = Room(opening(blocks=(Block("open", "Open", 119), Block("open", "Open", 119))))
    room.do(Move.START, BEN, HOUR)
    assert (room.look(3 * HOUR - 1).index, room.state.phase) == (1, Phase.RUNNING)
    assert room.look(3 * HOUR).ended_at == moment(3 * HOUR)


def test_a_room_left_alone_in_overtime_closes_itself_too() -> None:
    room = Room(opening(blocks=(Block("open", "Open", 120), *BLOCKS)))
    room.do(Move.START, BEN, HOUR - 10)
    assert (room.look(3 * HOUR - 1).index, room.state.phase) == (0, Phase.OVERTIME)
    assert (room.look(3 * HOUR).index, room.state.ended_at) == (0, moment(3 * HOUR))


# Folding -----------------------------------------------------------------------------------------------------------

STORY: list[tuple[Move, str, float, dict[str, str]]] = [
    (Move.START, BEN, 12, {}),
    (Move.EXTEND, DARA, 12 + 300 + 9, {}),
    (Move.PAUSE, BEN, 400.5, {}),
    (Move.RESUME, BEN, 500.25, {}),
    (Move.COMMIT, DARA, 1000, {"text": "Walk"}),
    (Move.HOLD, CHIDI, 1500, {}),
    (Move.RELEASE, CHIDI, 1900, {}),
    (Move.EXTEND, BEN, 2000, {}),
]


def told(looks: Iterable[float]) -> Room:
    """The story with looks at these seconds, and one after four hours in which nobody came."""
    room, still = Room(), deque(looks)
    for move, by, at, facts in STORY:
        while still and still[0] < at:
            room.look(still.popleft())
        room.do(move, by, at, **facts)
    for at in [*still, 4 * HOUR]:
        room.look(at)
    return room


def test_a_look_every_second_and_one_look_at_the_end_show_the_same_room() -> None:
    late, often = told([]), told(range(4 * HOUR))
    assert often.entries == late.entries
    assert often.state == late.state
    assert (late.state.phase, late.state.ended_at) == (Phase.CLOSED, moment(3 * HOUR))
    assert [entry.move for entry in late.entries if entry.by is None] == [
        Move.TIME_UP, *[Move.TIME_UP, Move.MOVE_ON] * 4, Move.CLOSE_ITSELF,
    ]  # fmt: skip


def test_a_second_look_at_the_same_moment_owes_nothing() -> None:
    room = Room()
    room.do(Move.START, BEN, 0)
    for second in (299, 300, 320, 5000, 3 * HOUR, 9 * HOUR):
        state, count = room.look(second), len(room.entries)
        assert rules.overdue(state, moment(second)) is None
        assert (room.look(second), len(room.entries)) == (state, count)


def stored(value: dict[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(value))


def test_a_room_is_read_back_from_what_was_stored() -> None:
    room = told([])
    entries = [Entry.from_json(stored(entry.to_json())) for entry in room.entries]
    assert entries == room.entries
    assert rules.state_of(rules.opening_of(stored(rules.opening_json(room.opening))), entries) == room.state


@pytest.mark.parametrize(
    "entry",
    [
        *(Entry(move, moment(1.000001), BEN, ELI, "online", "Zum See, „früh“ 🌊", "me") for move in Move),
        *(Entry(move, moment(7)) for move in CLOCKS_OWN),
        Entry(Move.ARRIVE, moment(7), BEN),
    ],
)
def test_an_entry_is_what_it_was_after_it_was_stored(entry: Entry) -> None:
    assert Entry.from_json(stored(entry.to_json())) == entry


def test_an_entry_stores_no_empty_fields_and_reads_past_those_it_does_not_know() -> None:
    entry = Entry(Move.TIME_UP, moment(0))
    assert entry.to_json() == {"move": "time_up", "at": "2026-10-08T16:00:00+00:00", "way": "room", "seen": "group"}
    assert Entry.from_json(entry.to_json() | {"mood": "calm"}) == entry


@pytest.mark.parametrize("state", [OPENING, opening(lead=None, backup=None), opening(blocks=()), opening(backup=BEN)])
def test_an_opening_is_what_it_was_after_it_was_stored(state: State) -> None:
    assert rules.opening_of(stored(rules.opening_json(state))) == state
