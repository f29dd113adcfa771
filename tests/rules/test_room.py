"""The live meeting by example: who may do what in which phase, and what the clock does on its own.

Ben leads, Ana is the backup, Chidi calls a hold where there is one, Dara is here, Eli is not. Zoe has no device.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations, product
from typing import Any

import pytest

from leeward.domain.polls.rules import Thumb
from leeward.domain.room import rules
from leeward.domain.room.rules import Block, Entry, Hand, House, Move, Phase, State, Step
from leeward.lib.refusals import Refusal

ANA, BEN, CHIDI, DARA, ELI, ZOE = "ana", "ben", "chidi", "dara", "eli", "zoe"
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
UNSIGNED = (Move.CATCH, Move.LOST, Move.BACK)  # somebody's or a connection's, kept without who


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

    def do(self, move: Move, by: str | None, at: float, **facts: Any) -> State:
        self.look(at)
        return self.keep(Entry(move, moment(at), by, **facts))

    def refusal(self, move: Move, by: str | None, at: float, **facts: Any) -> str:
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


Deed = tuple[Move, str | None, dict[str, Any]]


def room_in(phase: Phase, *, first: str = "mood", before: Iterable[Deed] = (), after: Iterable[Deed] = ()) -> Room:
    """A room that has come to this phase by `NOW` by what people did, before the start and after it.

    `first` is the kind of its first block.
    """
    minutes = 1 if phase is Phase.OVERTIME else 5
    room = Room(opening(blocks=(Block(first, "Mood", minutes), *BLOCKS[1:])))
    for move, by, facts in before:
        room.do(move, by, BEGUN, **facts)
    if phase is not Phase.LOBBY:
        room.do(Move.START, BEN, BEGUN)
        for move, by, facts in after:
            room.do(move, by, BEGUN, **facts)
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

# all: everyone of the group. here: Ben, Chidi, Dara. lead: Ben. call: Ben, and Chidi who called the hold or lights up.
# rest: whoever is here when the lead has gone out. own: Chidi, whose floor, offer or hand it is. none: there is none.
# -: nobody.
WHO_MAY = """
             lobby  running  overtime  paused  held  closing  closed
arrive       all    all      all       all     all   all      -
step_out     here   here     here      here    here  here     -
mark_here    lead   lead     lead      lead    lead  lead     -
mark_gone    lead   lead     lead      lead    lead  lead     -
start        lead   -        -         -       -     -        -
next         -      lead     -         lead    -     -        -
extend       -      lead     -         lead    -     -        -
pause        -      lead     lead      -       -     -        -
resume       -      -        -         lead    -     -        -
hold         here   here     here      here    -     here     -
release      -      -        -         -       call  -        -
hand_over    lead   lead     lead      lead    lead  lead     -
take_lead    rest   rest     rest      rest    rest  rest     -
mood         here   here     here      here    here  -        -
open_moods   lead   lead     lead      lead    lead  -        -
more_time    -      -        here      -       -     -        -
raise        -      here     here      here    -     -        -
lower        -      own      own       own     -     -        -
accept       -      own      own       own     -     -        -
pass         -      own      own       own     -     -        -
skip         -      lead     lead      lead    -     -        -
give         here   here     here      here    -     -        -
volunteer    here   here     here      here    here  -        -
unvolunteer  call   call     call      call    call  -        -
keep_line    -      here     here      here    -     here     -
drop_line    -      here     here      here    -     here     -
ask          -      here     here      here    -     here     -
thumb        -      here     here      here    -     here     -
end_question none   lead     lead      lead    lead  lead     -
commit       here   here     here      here    here  here     -
close        lead   lead     lead      lead    -     lead     -
"""
PEOPLE = {
    "all": {BEN, CHIDI, DARA, ELI},
    "here": {BEN, CHIDI, DARA},
    "lead": {BEN},
    "call": {BEN, CHIDI},
    "rest": {CHIDI, DARA},
    "own": {CHIDI},
    "none": set[str](),
    "-": set[str](),
}
FACTS: dict[str, dict[str, str]] = {
    "mark_here": {"whom": ELI},
    "mark_gone": {"whom": ZOE},
    "hand_over": {"whom": DARA},
    "mood": {"text": "quite calm"},
    "more_time": {"way": "up"},
    "raise": {"way": "turn"},
    "give": {"whom": ANA},
    "keep_line": {"way": "0"},
    "drop_line": {"way": "0"},
    "ask": {"text": "A walk together?"},
    "thumb": {"way": "up"},
    "commit": {"text": "A walk"},
}
TURN = {"way": "turn"}
WAITING: list[Deed] = [(Move.RAISE, ANA, TURN), (Move.RAISE, CHIDI, TURN)]
OFFERED: list[Deed] = [*WAITING, (Move.PASS, ANA, {})]
ASKED: list[Deed] = [(Move.ASK, BEN, {"text": "A walk together?"})]
CAUGHT: list[Deed] = [(Move.CATCH, None, {"text": "Ask a friend"})]
# What was there before a move is tried: it makes the move possible for somebody.
SO_FAR: dict[str, dict[str, Any]] = {
    "mark_gone": {"before": [(Move.MARK_HERE, BEN, {"whom": ZOE})]},
    "lower": {"after": WAITING},
    "accept": {"after": OFFERED},
    "skip": {"after": OFFERED},
    "pass": {"after": [*OFFERED, (Move.ACCEPT, CHIDI, {})]},
    "unvolunteer": {"before": [(Move.VOLUNTEER, CHIDI, {})]},
    "keep_line": {"first": "open", "after": CAUGHT},
    "drop_line": {"first": "open", "after": CAUGHT},
    "thumb": {"after": ASKED},
    "end_question": {"after": ASKED},
}
# Whoever is here and may not, and is not told that the lead does it, is told this.
NOT_YOURS = {
    "lower": "room_no_hand",
    "accept": "room_not_your_turn",
    "pass": "room_no_floor",
    "unvolunteer": "room_not_now",
}
OF_THE_LEAD = {row.split()[0] for row in WHO_MAY.splitlines() if " lead " in row}

HEAD, *ROWS = (line.split() for line in WHO_MAY.strip().splitlines())


def expected_refusal(name: str, phase: str, cell: str, by: str) -> str | None:
    if by in PEOPLE[cell]:
        return None
    if phase == "closed":
        return "room_closed"
    if cell == "-":
        return "room_not_now"
    if name in OF_THE_LEAD:
        return "poll_closed" if cell == "none" and by == BEN else "room_lead_only"
    here = by != ELI and not (by == BEN and cell == "rest")  # whoever is not here is asked in first
    return NOT_YOURS.get(name, "room_lead_only") if here else "room_come_in_first"


def test_the_table_of_who_may_do_what_is_whole() -> None:
    assert set(HEAD) == set(Phase)
    assert {row[0] for row in ROWS} == {move.value for move in Move} - {*CLOCKS_OWN, *UNSIGNED}
    assert {len(row) for row in ROWS} == {1 + len(Phase)}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_move_is_open_to_those_and_in_those_phases_that_the_table_names(row: list[str]) -> None:
    name, *cells = row
    facts = FACTS.get(name, {})
    found, expected = {}, {}
    for phase, cell in zip(HEAD, cells, strict=True):
        room = room_in(Phase(phase), **SO_FAR.get(name, {}))
        if cell == "rest":
            room.do(Move.STEP_OUT, BEN, NOW)
        for by in (BEN, CHIDI, DARA, ELI):
            entry = Entry(Move(name), moment(NOW), by, **facts)
            expected[phase, by] = expected_refusal(name, phase, cell, by)
            found[phase, by] = rules.why_not(room.state, entry)
            if found[phase, by] is None:
                assert rules.apply(room.state, entry).touched == moment(NOW)
            else:
                assert room.refusal(entry.move, by, NOW, **facts) == found[phase, by]
    assert found == expected


@pytest.mark.parametrize("name", sorted(OF_THE_LEAD))
def test_a_lead_who_went_out_does_nothing_from_afar_but_hand_the_lead_over(name: str) -> None:
    found, expected = {}, {}
    for phase in Phase:
        room = room_in(phase, **SO_FAR.get(name, {}))
        entry = Entry(Move(name), moment(NOW), BEN, **FACTS.get(name, {}))
        here = rules.why_not(room.state, entry)
        if phase is not Phase.CLOSED:
            room.do(Move.STEP_OUT, BEN, NOW)
        found[phase] = rules.why_not(room.state, entry)
        unmoved = name == "hand_over" or here in ("room_not_now", "room_closed")
        expected[phase] = here if unmoved else "room_come_in_first"
    assert found == expected


# Who it was of is not kept with these three, so they come without anybody's name.
UNSIGNED_FACTS: dict[Move, dict[str, str]] = {
    Move.CATCH: {"text": "Ask a friend"},
    Move.LOST: {"whom": DARA},
    Move.BACK: {"whom": ANA},
}


@pytest.mark.parametrize("move", UNSIGNED)
def test_what_is_kept_without_a_name_is_refused_with_one(move: Move) -> None:
    talking = {Phase.RUNNING, Phase.OVERTIME, Phase.PAUSED}
    allowed = {}
    for phase in Phase:
        room = room_in(phase, first="open", before=[(Move.LOST, None, {"whom": ANA})])
        touched = room.state.touched
        allowed[phase] = rules.why_not(room.state, Entry(move, moment(NOW), **UNSIGNED_FACTS[move])) is None
        if allowed[phase]:
            room.do(move, None, NOW, **UNSIGNED_FACTS[move])
            assert room.state.touched == touched
        code = "room_closed" if phase is Phase.CLOSED else "room_not_now"
        for by in (BEN, CHIDI, ELI):
            assert room.refusal(move, by, NOW, **UNSIGNED_FACTS[move]) == code
    assert allowed == {phase: phase in talking if move is Move.CATCH else phase is not Phase.CLOSED for phase in Phase}


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
    assert room.do(Move.NEXT, BEN, 140).block is None
    assert room.state.phase is Phase.CLOSING


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


def over(*thumbs: tuple[str, str], state: State = OPENING, here: tuple[str, ...] = (ANA, BEN, CHIDI, DARA)) -> Room:
    """A room whose first block is over at 300 seconds, and the thumbs that were given then."""
    room = Room(state, here=here)
    room.do(Move.START, BEN, 0)
    for by, way in thumbs:
        room.do(Move.MORE_TIME, by, 300, way=way)
    return room


@pytest.mark.parametrize("by", [BEN, DARA])
def test_when_time_is_up_neither_the_lead_nor_anyone_else_decides_alone(by: str) -> None:
    room = over()
    assert room.look(300).phase is Phase.OVERTIME
    for move in (Move.EXTEND, Move.NEXT):
        assert room.refusal(move, by, 300) == "room_not_now"


# The thumbs of Ana, Ben, Chidi and Dara in this order, u d p, - for none; and whether there is more time. The clock
# waits for whoever is missing, whatever the others said, and for nobody once all four spoke.
MORE_TIME_THUMBS = {
    "----": False,
    "u---": True,
    "---u": True,
    "uuu-": True,
    "-uuu": True,
    "ddd-": False,
    "d-dd": False,
    "ppp-": False,
    "ud--": False,
    "udp-": False,
    "ud-u": True,
    "udup": True,
    "uuuu": True,
    "uudp": True,
    "uudd": False,
    "dddd": False,
    "pppp": False,
    "pppu": True,
    "uddp": False,
}


@pytest.mark.parametrize(("thumbs", "more"), MORE_TIME_THUMBS.items())
def test_more_ups_than_downs_within_twenty_seconds_give_five_minutes(thumbs: str, more: bool) -> None:
    words = {"u": "up", "d": "down", "p": "pass"}
    room = over()
    for second, (by, sign) in enumerate(zip((ANA, BEN, CHIDI, DARA), thumbs, strict=True)):
        if sign != "-":
            room.do(Move.MORE_TIME, by, 300 + second, way=words[sign])
    ends = 320 if "-" in thumbs else 303
    if "-" in thumbs:
        assert (room.state.settled_at, room.look(319.999).phase) == (None, Phase.OVERTIME)
    state = room.look(ends)
    assert (state.phase, state.index, state.extensions) == (Phase.RUNNING, 0 if more else 1, int(more))
    assert state.deadline == moment(ends + (5 if more else 20) * MINUTE)
    assert (state.more, state.settled_at) == ({}, None)


@pytest.mark.parametrize("people", range(1, 5))
def test_the_last_thumb_settles_it_and_none_before_tells_anything(people: int) -> None:
    """All thumbs in all orders: until the last one the room is the same, but for the thumbs, however they are."""
    everybody = (ANA, BEN, CHIDI, DARA)[:people]
    room = Room(opening(lead=ANA), here=everybody)
    room.do(Move.START, ANA, 0)
    asked = room.look(300)
    for cast, order in product(product(("up", "down", "pass"), repeat=people), permutations(everybody)):
        state = asked
        for given, (by, way) in enumerate(zip(order, cast, strict=True), 1):
            state = rules.apply(state, Entry(Move.MORE_TIME, moment(305), by, way=way))
            last = given == people
            assert state.settled_at == (moment(305) if last else None)
            assert replace(state, more={}, settled_at=None) == replace(asked, touched=moment(305))
            assert (rules.overdue(state, moment(319.999)) is not None) == last
        ended = rules.overdue(state, moment(305))
        assert ended == Entry(Move.MOVE_ON, moment(305))
        assert rules.apply(state, ended).extensions == int(cast.count("up") > cast.count("down"))


def test_only_ones_last_thumb_counts() -> None:
    room = over((DARA, "down"), (DARA, "up"), (DARA, "up"))
    assert (room.state.more, room.look(320).extensions) == ({DARA: "up"}, 1)
    assert over((DARA, "up"), (DARA, "down")).look(320).extensions == 0


def test_whoever_went_out_or_has_no_device_does_not_decide_about_the_time() -> None:
    room = over((DARA, "up"))
    assert room.do(Move.STEP_OUT, DARA, 301).more == {}
    assert room.refusal(Move.MORE_TIME, DARA, 302, way="up") == "room_come_in_first"
    assert room.look(320).extensions == 0
    on_paper = over(state=opening(on_paper=frozenset({ELI})), here=(BEN, ELI))
    assert on_paper.refusal(Move.MORE_TIME, ELI, 300, way="up") == "room_not_now"
    assert on_paper.do(Move.MORE_TIME, BEN, 301, way="up").settled_at == moment(301)


def test_a_thumb_about_the_time_is_up_down_or_pass() -> None:
    room = over()
    for way in ("", "room", "sideways", "UP"):
        assert room.refusal(Move.MORE_TIME, DARA, 300, way=way) == "room_not_now"


def test_twenty_seconds_after_the_time_is_up_it_is_too_late_to_ask() -> None:
    room = over()
    assert room.refusal(Move.MORE_TIME, DARA, 320, way="up") == "room_not_now"
    assert (room.state.phase, room.state.index) == (Phase.RUNNING, 1)


@pytest.mark.parametrize(("stop", "on"), [(Move.PAUSE, Move.RESUME), (Move.HOLD, Move.RELEASE)])
def test_thumbs_that_a_pause_interrupted_are_asked_for_anew(stop: Move, on: Move) -> None:
    room = over((DARA, "up"), (CHIDI, "up"))
    assert (room.do(stop, BEN, 310).more, room.do(on, BEN, 400).left) == ({}, timedelta(0))
    assert (room.look(419.999).phase, room.state.deadline) == (Phase.OVERTIME, moment(400))
    assert (room.look(420).index, room.state.extensions) == (1, 0)


def test_there_is_more_time_twelve_times_in_a_meeting() -> None:
    room = Room()
    room.do(Move.START, BEN, 0)
    for number in range(1, 12):
        if number == 7:
            room.do(Move.NEXT, BEN, 1)
        assert room.do(Move.EXTEND, BEN, 1).extensions == number
    ends = 1 + 20 * MINUTE + 5 * 5 * MINUTE
    for by in (ANA, BEN, CHIDI, DARA):
        room.do(Move.MORE_TIME, by, ends, way="up")
    assert (room.look(ends).extensions, room.state.index) == (12, 1)
    assert room.refusal(Move.EXTEND, BEN, ends) == "room_extended_enough"
    room.do(Move.PAUSE, BEN, ends)
    assert room.refusal(Move.EXTEND, BEN, ends) == "room_extended_enough"
    room.do(Move.RESUME, BEN, ends)
    ends += 5 * MINUTE
    for by in (ANA, BEN, CHIDI, DARA):
        room.do(Move.MORE_TIME, by, ends, way="up")
    assert (room.look(ends).extensions, room.state.index) == (12, 2)


def test_a_stand_changes_with_the_block_and_its_time_and_with_nothing_else() -> None:
    room = Room()
    stands = [room.do(Move.START, BEN, 0).stand]
    for move, at in ((Move.PAUSE, 1), (Move.RESUME, 2), (Move.HOLD, 3), (Move.RELEASE, 4)):
        assert room.do(move, BEN, at).stand == stands[0]
    assert (room.look(305).phase, room.state.stand) == (Phase.OVERTIME, stands[0])
    for by in (ANA, BEN, CHIDI, DARA):
        assert room.do(Move.MORE_TIME, by, 306, way="up").stand == stands[0]
    stands.append(room.look(306).stand)
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
        (ANA, (CHIDI, DARA), {299.999: [], 300: [CHIDI, DARA]}),
        (None, (ANA, CHIDI), {299.999: [], 300: [ANA, CHIDI]}),
        (BEN, (ANA, CHIDI), {299.999: [], 300: [ANA, CHIDI]}),
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


def cut_off(at: float, *, backup: str | None = ANA) -> Room:
    room = Room(opening(backup=backup))
    room.do(Move.LOST, None, at, whom=BEN)
    return room


@pytest.mark.parametrize(
    ("backup", "lost", "when"),
    [
        (ANA, 600, {600: [], 719.999: [], 720: [ANA], 779.999: [ANA], 780: [ANA, CHIDI, DARA]}),
        (None, 600, {719.999: [], 720: [ANA, CHIDI, DARA]}),
        (ELI, 600, {719.999: [], 720: [ANA, CHIDI, DARA]}),
        (ANA, -200, {-80: [], -0.001: [], 0: [ANA], 59.999: [ANA], 60: [ANA, CHIDI, DARA]}),
    ],
)
def test_two_minutes_after_the_lead_was_cut_off_the_backup_may_lead_and_a_minute_later_anyone(
    backup: str | None, lost: float, when: dict[float, list[str]]
) -> None:
    room = cut_off(lost, backup=backup)
    assert {second: takers(room, second) for second in when} == when
    assert (room.state.lead, room.state.present[BEN], room.state.lost) == (BEN, "room", {BEN: moment(lost)})


def test_a_lead_who_is_back_in_time_keeps_the_lead() -> None:
    room = cut_off(600)
    assert room.do(Move.BACK, None, 719, whom=BEN).lost == {}
    assert takers(room, HOUR) == []
    room.do(Move.LOST, None, HOUR, whom=BEN)
    assert (takers(room, HOUR + 119.999), takers(room, HOUR + 120)) == ([], [ANA])


def test_coming_in_again_is_being_back() -> None:
    room = cut_off(600)
    assert room.do(Move.ARRIVE, BEN, 700, way="online").lost == {}
    assert takers(room, HOUR) == []


@pytest.mark.parametrize(
    ("move", "facts"),
    [
        (Move.START, {}),
        (Move.MOOD, {"text": "quite calm"}),
        (Move.MARK_HERE, {"whom": ELI}),
        (Move.GIVE, {"whom": DARA}),
        (Move.COMMIT, {"text": "Walk", "seen": "me"}),
        (Move.HOLD, {}),
    ],
)
def test_whoever_was_cut_off_and_does_something_is_back(move: Move, facts: dict[str, Any]) -> None:
    room = cut_off(-100)
    room.do(Move.LOST, None, -100, whom=DARA)
    assert room.do(move, BEN, -1, **facts).lost == {DARA: moment(-100)}
    assert takers(room, 200) == []


def test_what_is_refused_brings_nobody_back() -> None:
    room = cut_off(-100)
    assert room.refusal(Move.NEXT, BEN, -1) == "room_not_now"
    assert (room.state.lost, takers(room, 20)) == ({BEN: moment(-100)}, [ANA])


def test_a_lead_who_was_cut_off_and_goes_out_is_simply_away() -> None:
    room = cut_off(-100)
    assert room.do(Move.STEP_OUT, BEN, -50).lost == {}
    assert (takers(room, 299.999), takers(room, 300)) == ([], [ANA])


def test_only_somebody_here_is_cut_off_once_and_only_who_was_is_back() -> None:
    room = cut_off(600)
    for whom in (BEN, ELI, ""):
        assert room.refusal(Move.LOST, None, 601, whom=whom) == "room_not_now"
    for whom in (DARA, ELI, ""):
        assert room.refusal(Move.BACK, None, 601, whom=whom) == "room_not_now"


def test_a_room_shows_anew_when_somebody_may_take_the_lead() -> None:
    room = cut_off(600)
    nexts = [rules.next_change(room.look(at), moment(at)) for at in (600, 720, 780)]
    assert nexts == [moment(720), moment(780), moment(3 * HOUR)]
    room.do(Move.START, BEN, 800)
    assert rules.next_change(room.look(800), moment(800)) == moment(1100)
    away = Room(here=(ANA, CHIDI))
    assert [rules.next_change(away.look(at), moment(at)) for at in (0, 300, 360)] == [
        moment(300), moment(360), moment(3 * HOUR),
    ]  # fmt: skip
    assert rules.next_change(room_in(Phase.CLOSED).state, moment(NOW)) is None


def test_the_lead_is_not_handed_to_anybody_without_a_device() -> None:
    """Nobody could take it back: they are here, and no device of theirs is ever cut off."""
    room = Room(opening(on_paper=frozenset({ZOE})))
    for whom in (ZOE, ELI):
        room.do(Move.MARK_HERE, BEN, 0, whom=whom)
        assert room.refusal(Move.HAND_OVER, BEN, 0, whom=whom) == "room_no_lead"
    room.do(Move.MOOD, BEN, 1, whom=ELI, text="quite calm")  # somebody else's tap is none of theirs
    assert room.refusal(Move.HAND_OVER, BEN, 1, whom=ELI) == "room_no_lead"
    room.do(Move.MOOD, ELI, 2, text="quite calm")
    assert room.do(Move.HAND_OVER, BEN, 3, whom=ELI).lead == ELI


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


@pytest.mark.parametrize("on_paper", [frozenset[str](), frozenset({ELI})])
def test_somebody_marked_here_by_mistake_said_nothing(on_paper: frozenset[str]) -> None:
    room = Room(opening(on_paper=on_paper))
    room.do(Move.MARK_HERE, BEN, 0, whom=ELI)
    room.do(Move.MOOD, BEN, 0, whom=ELI, text="quite calm")
    room.do(Move.COMMIT, BEN, 0, whom=ELI, text="Walk")
    room.do(Move.MARK_GONE, BEN, 2, whom=ELI)
    assert (ELI in room.state.came, room.state.steps, room.state.moods) == (False, {}, {})


def test_nobody_who_came_in_by_their_own_tap_is_marked_gone() -> None:
    """They were here, and have a thumb: the lead takes nobody out of the count."""
    room = Room()
    for whom in (DARA, BEN):
        assert room.refusal(Move.MARK_GONE, BEN, 0, whom=whom) == "room_own_device"
    assert room.refusal(Move.MARK_GONE, BEN, 0, whom=ELI) == "room_not_here"
    room.do(Move.STEP_OUT, DARA, 1)
    assert room.refusal(Move.MARK_GONE, BEN, 2, whom=DARA) == "room_own_device"
    room.do(Move.MARK_HERE, BEN, 3, whom=ELI)
    room.do(Move.COMMIT, ELI, 4, text="Walk")
    assert room.refusal(Move.MARK_GONE, BEN, 5, whom=ELI) == "room_own_device"


def test_whoever_was_here_by_their_own_tap_keeps_that_when_the_lead_marks_them_here_and_gone() -> None:
    room = Room()
    room.do(Move.MOOD, DARA, 0, text="quite calm")
    room.do(Move.COMMIT, DARA, 0, text="Walk", seen="me")
    room.do(Move.STEP_OUT, DARA, 1)
    room.do(Move.MARK_HERE, BEN, 2, whom=DARA)
    room.do(Move.MARK_GONE, BEN, 3, whom=DARA)
    assert (DARA in room.state.present, DARA in room.state.came) == (False, True)
    assert (room.state.steps, room.state.moods) == ({DARA: Step("Walk", "me")}, {DARA: "quite calm"})


OWN_MOVES: list[tuple[Move, dict[str, str]]] = [
    (Move.ARRIVE, {"way": "online"}),
    (Move.HOLD, {}),
    (Move.MOOD, {"text": "quite calm"}),
    (Move.RAISE, {"way": "turn"}),
    (Move.GIVE, {"whom": ANA}),
    (Move.VOLUNTEER, {}),
    (Move.KEEP_LINE, {"way": "0"}),
    (Move.DROP_LINE, {"way": "0"}),
    (Move.ASK, {"text": "A walk together?"}),
    (Move.COMMIT, {"text": "Walk", "seen": "me"}),
]


@pytest.mark.parametrize(("move", "facts"), OWN_MOVES)
def test_whoever_the_lead_marked_has_a_device_from_their_first_own_move_on(move: Move, facts: dict[str, str]) -> None:
    room = room_in(Phase.RUNNING, first="open", after=CAUGHT)
    room.do(Move.MARK_HERE, BEN, NOW, whom=ELI)
    for by in (BEN, CHIDI):  # what others do with their names in it, or for them, is no move of theirs
        room.do(Move.GIVE, by, NOW, whom=ELI)
    room.do(Move.MOOD, BEN, NOW, whom=ELI, text="tired")
    assert (room.state.without_device, room.state.voters) == ({ELI}, {ANA, BEN, CHIDI, DARA})
    state = room.do(move, ELI, NOW + 1, **facts)
    assert (state.without_device, state.voters) == (frozenset(), {ANA, BEN, CHIDI, DARA, ELI})
    assert state.question is None or ELI in state.question.voters
    assert room.refusal(Move.MARK_GONE, BEN, NOW + 2, whom=ELI) == "room_own_device"


def test_what_is_refused_is_no_move_of_ones_own() -> None:
    room = Room()
    room.do(Move.MARK_HERE, BEN, 0, whom=ELI)
    assert room.refusal(Move.START, ELI, 1) == "room_lead_only"
    assert room.state.without_device == {ELI}


def test_whoever_the_lead_marked_has_no_thumb_until_they_come_in_themselves() -> None:
    room = Room()
    room.do(Move.MARK_HERE, BEN, 0, whom=ELI)
    assert room.state.voters == {ANA, BEN, CHIDI, DARA}
    assert room.do(Move.ARRIVE, ELI, 1, way="online").voters == {ANA, BEN, CHIDI, DARA, ELI}
    room.do(Move.STEP_OUT, ELI, 2)
    room.do(Move.MARK_HERE, BEN, 3, whom=ELI)
    assert room.state.voters == {ANA, BEN, CHIDI, DARA}


def test_the_lead_takes_nobodys_thumb_by_marking_them_here_again() -> None:
    room = Room()
    room.do(Move.MARK_HERE, BEN, 0, whom=DARA, way="online")
    assert (room.state.present[DARA], room.state.voters) == ("online", {ANA, BEN, CHIDI, DARA})


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
    assert room.refusal(Move.COMMIT, DARA, 0, text="Walk", whom=CHIDI, seen="me") == "room_lead_only"
    assert room.refusal(Move.COMMIT, BEN, 0, text="Walk", whom=ELI) == "room_not_here"
    room.do(Move.MARK_HERE, BEN, 0, whom=ELI)
    assert room.refusal(Move.COMMIT, BEN, 0, text="Walk", whom=ELI, seen="me") == "room_own_only"
    room.do(Move.COMMIT, BEN, 0, text="Walk", whom=ELI)
    room.do(Move.COMMIT, BEN, 0, text="Read", whom=BEN, seen="me")
    assert room.state.steps == {ELI: Step("Walk", "group", own=False), BEN: Step("Read", "me")}


@pytest.mark.parametrize("seen", ["group", "me"])
def test_a_step_that_somebody_wrote_themselves_is_never_written_over_by_the_lead(seen: str) -> None:
    room = Room()
    room.do(Move.MARK_HERE, BEN, 0, whom=ELI)
    room.do(Move.COMMIT, BEN, 0, text="Walk", whom=ELI)
    room.do(Move.COMMIT, BEN, 1, text="Walk far", whom=ELI)
    assert room.state.steps == {ELI: Step("Walk far", "group", own=False)}
    room.do(Move.COMMIT, ELI, 2, text="Rest", seen=seen)
    assert room.refusal(Move.COMMIT, BEN, 3, text="Walk", whom=ELI) == "room_own_step"
    assert room.refusal(Move.COMMIT, CHIDI, 3, text="Walk", whom=ELI) == "room_lead_only"
    room.do(Move.STEP_OUT, ELI, 4)
    room.do(Move.MARK_HERE, BEN, 5, whom=ELI)
    assert room.refusal(Move.COMMIT, BEN, 6, text="Walk", whom=ELI) == "room_own_step"
    assert room.state.steps == {ELI: Step("Rest", seen)}


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
    assert (state.holder, state.offered, state.hands, state.more, state.question) == (None, None, (), {}, None)
    assert rules.overdue(state, moment(1000 * HOUR)) is None


def test_nobody_closes_a_room_before_its_time_unless_the_meeting_has_begun() -> None:
    room = Room()
    assert room.refusal(Move.CLOSE, BEN, -0.001) == "room_before_start"
    assert room.do(Move.CLOSE, BEN, 0).phase is Phase.CLOSED
    room = Room()
    room.do(Move.START, BEN, -60)
    assert room.do(Move.CLOSE, BEN, -30).phase is Phase.CLOSED


def test_one_person_alone_is_no_meeting_and_two_are_one_even_when_one_has_gone() -> None:
    room = Room(here=(BEN,))
    assert room.refusal(Move.CLOSE, BEN, 60) == "room_one_is_no_meeting"
    room.do(Move.MARK_HERE, BEN, 60, whom=ELI)
    room.do(Move.MARK_GONE, BEN, 61, whom=ELI)
    assert room.refusal(Move.CLOSE, BEN, 62) == "room_one_is_no_meeting"
    room.do(Move.ARRIVE, DARA, 63)
    room.do(Move.STEP_OUT, DARA, 64)
    assert room.do(Move.CLOSE, BEN, 65).phase is Phase.CLOSED


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

STORY: list[tuple[Move, str | None, float, dict[str, str]]] = [
    (Move.START, BEN, 12, {}),
    (Move.MOOD, ANA, 20, {"text": "quite calm"}),
    (Move.MORE_TIME, DARA, 12 + 300 + 1, {"way": "up"}),
    (Move.MORE_TIME, CHIDI, 12 + 300 + 3, {"way": "down"}),
    (Move.MORE_TIME, ANA, 12 + 300 + 9, {"way": "up"}),
    (Move.MORE_TIME, BEN, 12 + 300 + 9, {"way": "pass"}),
    (Move.PAUSE, BEN, 400.5, {}),
    (Move.RESUME, BEN, 500.25, {}),
    (Move.COMMIT, DARA, 1000, {"text": "Walk"}),
    (Move.HOLD, CHIDI, 1500, {}),
    (Move.RELEASE, CHIDI, 1900, {}),
    (Move.EXTEND, BEN, 2000, {}),
    (Move.RAISE, CHIDI, 2010, {"way": "turn"}),
    (Move.LOST, None, 2015, {"whom": CHIDI}),
    (Move.RAISE, ANA, 2020, {"way": "turn"}),
    (Move.SKIP, BEN, 2030, {}),
    (Move.ASK, ANA, 2040, {"text": "A walk together?"}),
    (Move.THUMB, ANA, 2041, {"way": "up"}),
    (Move.THUMB, DARA, 2042, {"way": "up"}),
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
        *[Move.TIME_UP, Move.MOVE_ON] * 2, Move.LOST, *[Move.TIME_UP, Move.MOVE_ON] * 3, Move.CLOSE_ITSELF,
    ]  # fmt: skip
    assert late.state.answered == (("A walk together?", "carried"),)


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
        *(Entry(move, moment(1.000001), BEN, ELI, "online", "Zum See, „früh“ 🌊", "me", True) for move in Move),
        *(Entry(move, moment(7)) for move in (*CLOCKS_OWN, *UNSIGNED)),
        Entry(Move.ARRIVE, moment(7), BEN),
        Entry(Move.ARRIVE, moment(7), BEN, free=True),
        Entry(Move.MOOD, moment(7), BEN, text=""),
        Entry(Move.CATCH, moment(7), text="Ask a friend"),
        Entry(Move.KEEP_LINE, moment(7), BEN, way="0"),
        *(Entry(Move.THUMB, moment(7), BEN, way=thumb.value) for thumb in Thumb),
        *(Entry(Move.RAISE, moment(7), BEN, way=hand.value) for hand in Hand),
    ],
)
def test_an_entry_is_what_it_was_after_it_was_stored(entry: Entry) -> None:
    assert Entry.from_json(stored(entry.to_json())) == entry


def test_an_entry_stores_no_empty_fields_and_reads_past_those_it_does_not_know() -> None:
    entry = Entry(Move.TIME_UP, moment(0))
    assert entry.to_json() == {"move": "time_up", "at": "2026-10-08T16:00:00+00:00", "way": "room", "seen": "group"}
    assert Entry.from_json(entry.to_json() | {"mood": "calm"}) == entry
    caught = Entry(Move.CATCH, moment(0), text="Ask a friend").to_json()
    assert "by" not in caught
    assert "whom" not in caught


@pytest.mark.parametrize(
    "state",
    [
        OPENING,
        opening(lead=None, backup=None),
        opening(blocks=()),
        opening(backup=BEN),
        opening(on_paper=frozenset({ELI, DARA})),
        opening(house=House(each=5, follow_ups=True, refill=True)),
        opening(house=House(each=1, follow_ups=True)),
    ],
)
def test_an_opening_is_what_it_was_after_it_was_stored(state: State) -> None:
    assert rules.opening_of(stored(rules.opening_json(state))) == state


def test_a_room_that_was_opened_before_there_were_house_rules_has_the_usual_ones() -> None:
    row = rules.opening_json(OPENING)
    del row["house"], row["on_paper"]
    assert rules.opening_of(stored(row)) == OPENING
