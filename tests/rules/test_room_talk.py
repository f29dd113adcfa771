"""Talking in the room by example: the floor, talk tokens, moods, the spotlight, lines, questions, and whose voice.

Ben leads, Ana, Chidi and Dara are here, Eli is not.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import combinations_with_replacement, permutations, product
from typing import Any

import pytest

from leeward.domain.meetings.rules import BlockKind
from leeward.domain.room import rules
from leeward.domain.room.rules import Block, Entry, Hand, House, Move, Phase, State, Voice
from leeward.lib.refusals import Refusal
from tests.data import vectors
from tests.rules.test_room import ANA, BEN, CHIDI, DARA, ELI, MINUTE, Room, moment, opening

EVERYBODY = (ANA, BEN, CHIDI, DARA)
HOUR = 3600
USUAL, FOLLOW_UPS = House(), House(follow_ups=True)


def talking(
    *kinds: str,
    house: House = USUAL,
    here: tuple[str, ...] = EVERYBODY,
    exempt: tuple[str, ...] = (),
    on_paper: tuple[str, ...] = (),
) -> Room:
    """A room whose first block has begun: half an hour each, "mood" when nothing is said, where speaking is free."""
    blocks = tuple(Block(kind, kind, 30) for kind in kinds or ("mood",))
    room = Room(opening(blocks=blocks, house=house, on_paper=frozenset(on_paper)), here=())
    for member in here:
        if member in on_paper:
            room.do(Move.MARK_HERE, BEN, -5 * MINUTE, whom=member)
        else:
            room.do(Move.ARRIVE, member, -5 * MINUTE, free=member in exempt)
    room.do(Move.START, BEN, 0)
    return room


def wants(room: Room, *members: str, at: float = 1, way: Hand = Hand.TURN) -> State:
    """They raise a hand, one after the other."""
    for member in members:
        room.do(Move.RAISE, member, at, way=way.value)
    return room.state


def passes(room: Room, *, at: float = 1) -> State:
    return room.do(Move.PASS, room.state.holder, at)


def accepts(room: Room, *, at: float = 1) -> State:
    assert room.state.offered is not None
    return room.do(Move.ACCEPT, room.state.offered.who, at)


def speaks(room: Room, *members: str, at: float = 1) -> State:
    """They take the free floor and pass it on, one after the other."""
    for member in members:
        room.do(Move.RAISE, member, at, way="turn")
        room.do(Move.PASS, member, at)
    return room.state


def floor(state: State) -> tuple[str | None, str | None, list[str]]:
    """Who speaks, who may if they like, and who comes up then."""
    return state.holder, state.offered.who if state.offered else None, [hand.who for hand in state.queue]


def tokens(state: State) -> dict[str, int]:
    return {member: state.tokens(member) for member in state.issued}


# The floor ---------------------------------------------------------------------------------------------------------


def test_whoever_raises_a_hand_while_nobody_speaks_has_the_floor() -> None:
    assert floor(wants(talking(), DARA)) == (DARA, None, [])


def test_the_floor_is_passed_on_offered_and_taken() -> None:
    room = talking()
    assert floor(wants(room, DARA, CHIDI, ANA)) == (DARA, None, [CHIDI, ANA])
    assert floor(passes(room)) == (None, CHIDI, [ANA])
    assert room.refusal(Move.ACCEPT, ANA, 1) == "room_not_your_turn"
    assert floor(accepts(room)) == (CHIDI, None, [ANA])
    assert room.refusal(Move.PASS, DARA, 1) == "room_no_floor"


def test_passing_while_nobody_waits_leaves_the_floor_free_for_anybody() -> None:
    room = talking()
    wants(room, DARA)
    assert floor(passes(room)) == (None, None, [])
    assert room.refusal(Move.ACCEPT, ANA, 1) == "room_not_your_turn"
    assert floor(wants(room, DARA)) == (DARA, None, [])


def test_a_hand_that_comes_up_while_the_floor_is_offered_waits() -> None:
    room = talking()
    wants(room, DARA, CHIDI)
    passes(room)
    assert floor(wants(room, DARA)) == (None, CHIDI, [DARA])


def test_who_was_offered_the_floor_may_say_not_now() -> None:
    room = talking()
    wants(room, DARA, CHIDI, ANA)
    passes(room)
    assert floor(room.do(Move.LOWER, CHIDI, 1)) == (None, ANA, [])
    assert floor(room.do(Move.LOWER, ANA, 1)) == (None, None, [])


def test_a_hand_goes_down_again() -> None:
    room = talking()
    wants(room, DARA, CHIDI, ANA)
    assert floor(room.do(Move.LOWER, CHIDI, 1)) == (DARA, None, [ANA])
    assert room.refusal(Move.LOWER, CHIDI, 1) == "room_no_hand"
    assert room.refusal(Move.LOWER, DARA, 1) == "room_no_hand"


def test_one_hand_a_person() -> None:
    room = talking()
    wants(room, DARA, CHIDI, ANA)
    assert [room.refusal(Move.RAISE, by, 1, way="turn") for by in (DARA, CHIDI, ANA)] == ["room_hand_up"] * 3
    passes(room)
    assert room.refusal(Move.RAISE, CHIDI, 1, way="turn") == "room_hand_up"


def test_a_hand_is_for_a_turn_or_a_follow_up() -> None:
    room = talking()
    for way in ("", "room", "speech"):
        assert room.refusal(Move.RAISE, DARA, 1, way=way) == "room_not_now"


@pytest.mark.parametrize("raised", list(permutations((ANA, CHIDI, DARA))))
def test_of_the_hands_those_come_first_that_had_the_floor_least_often(raised: tuple[str, ...]) -> None:
    room = talking()
    speaks(room, DARA, DARA, CHIDI)
    wants(room, BEN, *raised)
    assert floor(passes(room)) == (None, ANA, [CHIDI, DARA])


def test_of_hands_that_had_the_floor_as_often_the_first_to_come_is_first() -> None:
    for raised in permutations((ANA, CHIDI, DARA)):
        room = talking()
        assert floor(wants(room, BEN, *raised)) == (BEN, None, list(raised))
        room.do(Move.LOWER, raised[0], 2)
        assert floor(wants(room, raised[0], at=3)) == (BEN, None, [raised[1], raised[2], raised[0]])


def test_the_lead_skips_who_was_offered_the_floor_and_does_not_come() -> None:
    room = talking("open")
    wants(room, DARA, CHIDI, ANA)
    passes(room)
    assert floor(room.do(Move.SKIP, BEN, 1)) == (None, ANA, [])
    assert floor(room.do(Move.SKIP, BEN, 1)) == (None, None, [])
    assert tokens(room.state) == {ANA: 3, BEN: 3, CHIDI: 3, DARA: 2}
    assert floor(wants(room, CHIDI)) == (CHIDI, None, [])


def test_of_those_who_speak_only_somebody_who_is_cut_off_is_skipped() -> None:
    room = talking()
    assert room.refusal(Move.SKIP, BEN, 1) == "room_nobody_to_skip"
    wants(room, DARA, CHIDI)
    assert room.refusal(Move.SKIP, BEN, 1) == "room_nobody_to_skip"
    room.do(Move.LOST, None, 2, whom=CHIDI)
    assert room.refusal(Move.SKIP, BEN, 2) == "room_nobody_to_skip"
    room.do(Move.LOST, None, 2, whom=DARA)
    assert floor(room.state) == (DARA, None, [CHIDI])
    assert floor(room.do(Move.SKIP, BEN, 2)) == (None, CHIDI, [])


def test_whoever_is_cut_off_keeps_their_place() -> None:
    room = talking()
    wants(room, DARA, CHIDI, ANA)
    for member in (DARA, CHIDI):
        room.do(Move.LOST, None, 2, whom=member)
    assert floor(room.state) == (DARA, None, [CHIDI, ANA])
    assert floor(passes(room, at=3)) == (None, CHIDI, [ANA])


@pytest.mark.parametrize(
    ("gone", "left"),
    [
        (DARA, (None, CHIDI, [ANA])),
        (CHIDI, (DARA, None, [ANA])),
        (ANA, (DARA, None, [CHIDI])),
    ],
)
@pytest.mark.parametrize("marked", [False, True])
def test_whoever_goes_out_leaves_the_floor_and_takes_their_hand_along(
    gone: str, left: tuple[str | None, str | None, list[str]], marked: bool
) -> None:
    """By themselves, or, where they have no device, by the lead's mark."""
    room = talking(here=(BEN, ANA, CHIDI, DARA), on_paper=(gone,) if marked else ())
    for member in (DARA, CHIDI, ANA):
        if marked and member == gone:
            room.do(Move.RAISE, BEN, 1, whom=gone, way="turn")
        else:
            wants(room, member)
    if marked:
        room.do(Move.MARK_GONE, BEN, 2, whom=gone)
    else:
        room.do(Move.STEP_OUT, gone, 2)
    assert floor(room.state) == left
    room.do(Move.ARRIVE, gone, 3)
    assert floor(room.state) == left


def test_who_was_offered_the_floor_and_goes_out_leaves_it_to_the_next() -> None:
    room = talking()
    wants(room, DARA, CHIDI, ANA)
    passes(room)
    assert floor(room.do(Move.STEP_OUT, CHIDI, 2)) == (None, ANA, [])
    assert floor(room.do(Move.STEP_OUT, ANA, 2)) == (None, None, [])


def test_the_next_block_begins_with_a_free_floor_and_no_hands() -> None:
    for accepted in (False, True):
        room = talking("open", "mood")
        wants(room, DARA, CHIDI, ANA)
        if accepted:
            passes(room)
        assert floor(room.do(Move.NEXT, BEN, 2)) == (None, None, [])
    room = talking("open", "mood")
    wants(room, DARA, CHIDI, at=29 * MINUTE)
    assert floor(room.look(30 * MINUTE)) == (DARA, None, [CHIDI])
    assert floor(room.look(30 * MINUTE + 20)) == (None, None, [])


def test_five_more_minutes_a_pause_and_a_hold_leave_the_floor_as_it_is() -> None:
    room = talking("open", "mood")
    wants(room, DARA, CHIDI)
    for move in (Move.PAUSE, Move.RESUME, Move.HOLD, Move.RELEASE, Move.EXTEND):
        assert floor(room.do(move, BEN, 2)) == (DARA, None, [CHIDI])
    late = 35 * MINUTE + 5
    for member in EVERYBODY:
        room.do(Move.MORE_TIME, member, late, way="up")
    assert (room.look(late).extensions, floor(room.state)) == (2, (DARA, None, [CHIDI]))


def test_the_floor_moves_on_in_overtime_and_in_a_pause_and_stands_still_in_a_hold() -> None:
    for stop, at in ((None, 30 * MINUTE), (Move.PAUSE, 2)):
        room = talking()
        wants(room, DARA, CHIDI)
        if stop is not None:
            room.do(stop, BEN, at)
        assert floor(passes(room, at=at)) == (None, CHIDI, [])
        assert floor(accepts(room, at=at)) == (CHIDI, None, [])
        assert floor(wants(room, ANA, at=at)) == (CHIDI, None, [ANA])
    room = talking()
    wants(room, DARA, CHIDI)
    room.do(Move.HOLD, CHIDI, 2)
    codes = [room.refusal(move, by, 2, way="turn") for move, by in ((Move.PASS, DARA), (Move.RAISE, ANA))]
    assert codes == ["room_not_now"] * 2
    assert floor(room.do(Move.STEP_OUT, DARA, 2)) == (None, CHIDI, [])


# Somebody without a device -----------------------------------------------------------------------------------------


def test_the_lead_does_for_somebody_without_a_device_what_they_say() -> None:
    room = talking("open", here=(BEN, DARA, ELI), on_paper=(ELI,))
    wants(room, DARA)
    room.do(Move.MOOD, BEN, 1, whom=ELI, text="quite calm")
    assert floor(room.do(Move.RAISE, BEN, 1, whom=ELI, way="turn")) == (DARA, None, [ELI])
    assert floor(room.do(Move.LOWER, BEN, 1, whom=ELI)) == (DARA, None, [])
    room.do(Move.RAISE, BEN, 1, whom=ELI, way="turn")
    passes(room)
    assert floor(room.do(Move.ACCEPT, BEN, 1, whom=ELI)) == (ELI, None, [])
    assert tokens(room.state) == {BEN: 3, DARA: 2, ELI: 2}
    assert floor(room.do(Move.PASS, BEN, 1, whom=ELI)) == (None, None, [])
    assert room.do(Move.VOLUNTEER, BEN, 1, whom=ELI).spotlight == ELI
    assert room.state.moods == {ELI: "quite calm"}


FOR_SOMEBODY: list[tuple[Move, dict[str, Any]]] = [
    (Move.MOOD, {"text": "quite calm"}),
    (Move.RAISE, {"way": "turn"}),
    (Move.VOLUNTEER, {}),
    (Move.COMMIT, {"text": "Walk"}),
]


@pytest.mark.parametrize(("move", "facts"), FOR_SOMEBODY)
def test_only_the_lead_does_it_and_only_for_somebody_here(move: Move, facts: dict[str, Any]) -> None:
    room = talking()
    assert room.refusal(move, CHIDI, 1, whom=DARA, **facts) == "room_lead_only"
    assert room.refusal(move, BEN, 1, whom=ELI, **facts) == "room_not_here"
    room.do(Move.STEP_OUT, BEN, 2)
    assert room.refusal(move, BEN, 2, whom=DARA, **facts) == "room_come_in_first"


OF_A_HAND: list[tuple[Move, dict[str, Any]]] = [(Move.LOWER, {}), (Move.ACCEPT, {}), (Move.PASS, {})]


@pytest.mark.parametrize(("move", "facts"), FOR_SOMEBODY + OF_A_HAND)
def test_nobody_speaks_for_somebody_with_a_device_not_even_the_lead(move: Move, facts: dict[str, Any]) -> None:
    """It is the same with each of the moves that the lead makes for who has none, and the same moves are theirs."""
    room = talking("open")
    if move in (Move.LOWER, Move.ACCEPT):
        wants(room, ANA, DARA)
        passes(room)
    if move is Move.PASS:
        wants(room, DARA)
    assert room.refusal(move, BEN, 1, whom=DARA, **facts) == "room_own_device"
    room.do(move, DARA, 1, **facts)


@pytest.mark.parametrize("on_paper", [(), (ELI,)])
@pytest.mark.parametrize(("move", "facts"), FOR_SOMEBODY + OF_A_HAND)
def test_the_lead_makes_each_of_these_moves_for_whoever_is_marked_here_until_they_make_one_themselves(
    move: Move, facts: dict[str, Any], on_paper: tuple[str, ...]
) -> None:
    room = talking("open", on_paper=on_paper)
    room.do(Move.MARK_HERE, BEN, 1, whom=ELI)
    if move in (Move.LOWER, Move.ACCEPT):
        wants(room, ANA)
        room.do(Move.RAISE, BEN, 1, whom=ELI, way="turn")
        passes(room)
    if move is Move.PASS:
        room.do(Move.RAISE, BEN, 1, whom=ELI, way="turn")
    if not on_paper:
        own = Room(room.state, here=())
        own.do(Move.GIVE, ELI, 1, whom=ANA)
        assert own.refusal(move, BEN, 1, whom=ELI, **facts) == "room_own_device"
    room.do(move, BEN, 1, whom=ELI, **facts)
    assert room.state.without_device == {ELI}


def test_nobody_but_the_lead_accepts_passes_or_lowers_for_another() -> None:
    room = talking()
    wants(room, DARA, CHIDI)
    assert room.refusal(Move.PASS, CHIDI, 1, whom=DARA) == "room_lead_only"
    assert room.refusal(Move.LOWER, DARA, 1, whom=CHIDI) == "room_lead_only"
    passes(room)
    assert room.refusal(Move.ACCEPT, DARA, 1, whom=CHIDI) == "room_lead_only"


# Follow-ups --------------------------------------------------------------------------------------------------------


def test_a_follow_up_is_where_the_house_has_them_and_to_whoever_speaks() -> None:
    room = talking()
    wants(room, DARA)
    assert room.refusal(Move.RAISE, CHIDI, 1, way="follow_up") == "room_no_follow_up"
    room = talking(house=FOLLOW_UPS)
    assert room.refusal(Move.RAISE, CHIDI, 1, way="follow_up") == "room_no_follow_up"
    wants(room, DARA)
    assert room.refusal(Move.RAISE, DARA, 1, way="follow_up") == "room_hand_up"
    assert floor(wants(room, CHIDI, way=Hand.FOLLOW_UP)) == (DARA, None, [CHIDI])


def test_follow_ups_come_first_and_cost_nothing() -> None:
    room = talking("open", house=FOLLOW_UPS)
    speaks(room, CHIDI, CHIDI)
    wants(room, DARA, ANA)
    assert floor(wants(room, CHIDI, way=Hand.FOLLOW_UP)) == (DARA, None, [CHIDI, ANA])
    passes(room)
    accepts(room)
    assert tokens(room.state) == {ANA: 3, BEN: 3, CHIDI: 1, DARA: 2}
    assert (room.state.taken, room.state.voices) == ({CHIDI: 3, DARA: 1}, {CHIDI: 3, DARA: 1})


def test_whoever_has_no_token_left_may_still_follow_up() -> None:
    room = talking("open", house=House(each=1, follow_ups=True))
    speaks(room, CHIDI)
    wants(room, DARA, ANA)
    assert room.refusal(Move.RAISE, CHIDI, 1, way="turn") == "room_no_token"
    wants(room, CHIDI, way=Hand.FOLLOW_UP)
    passes(room)
    assert floor(accepts(room)) == (CHIDI, None, [ANA])


def test_two_people_do_not_follow_up_on_one_another_for_ever() -> None:
    """One follow-up each until somebody takes a turn again: it costs nothing and goes before everybody who waits."""
    room = talking("open", house=FOLLOW_UPS)
    wants(room, DARA, BEN)
    wants(room, CHIDI, ANA, way=Hand.FOLLOW_UP)
    passes(room)
    accepts(room)
    passes(room)
    assert floor(accepts(room)) == (ANA, None, [BEN])
    assert room.refusal(Move.RAISE, CHIDI, 1, way="follow_up") == "room_no_follow_up"
    assert floor(wants(room, DARA, way=Hand.FOLLOW_UP)) == (ANA, None, [DARA, BEN])
    passes(room)
    accepts(room)
    assert room.refusal(Move.RAISE, ANA, 1, way="follow_up") == "room_no_follow_up"
    passes(room)
    accepts(room)
    assert floor(wants(room, CHIDI, way=Hand.FOLLOW_UP)) == (BEN, None, [CHIDI])


# Talk tokens -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [kind.value for kind in BlockKind])
def test_taking_the_floor_costs_one_token_in_a_brainstorm_and_an_open_block(kind: str) -> None:
    room = talking("mood", kind)
    room.do(Move.NEXT, BEN, 1)
    paid = 1 if kind in ("brainstorm", "open") else 0
    assert room.state.costs == bool(paid)
    wants(room, DARA, CHIDI)
    assert tokens(room.state) == {ANA: 3, BEN: 3, CHIDI: 3, DARA: 3 - paid}
    passes(room)
    assert tokens(room.state)[CHIDI] == 3
    accepts(room)
    assert tokens(room.state) == {ANA: 3, BEN: 3, CHIDI: 3 - paid, DARA: 3 - paid}


@pytest.mark.parametrize("each", [1, 3, 5])
def test_everybody_has_a_hand_of_tokens_from_when_they_came_and_only_once(each: int) -> None:
    room = talking("open", house=House(each=each))
    assert tokens(room.state) == dict.fromkeys(EVERYBODY, each)
    speaks(room, DARA)
    room.do(Move.STEP_OUT, DARA, 2)
    room.do(Move.ARRIVE, DARA, 3)
    room.do(Move.ARRIVE, DARA, 3, way="online")
    room.do(Move.STEP_OUT, DARA, 4)
    for move in (Move.MARK_HERE, Move.MARK_GONE, Move.MARK_HERE):
        room.do(move, BEN, 5, whom=DARA)
    room.do(Move.ARRIVE, ELI, 6)
    assert tokens(room.state) == {ANA: each, BEN: each, CHIDI: each, DARA: each - 1, ELI: each}


def test_whoever_has_no_token_listens_until_somebody_gives_one() -> None:
    room = talking("open", house=House(each=1))
    speaks(room, DARA)
    assert room.refusal(Move.RAISE, DARA, 1, way="turn") == "room_no_token"
    room.do(Move.GIVE, CHIDI, 2, whom=DARA)
    assert room.refusal(Move.RAISE, CHIDI, 2, way="turn") == "room_no_token"
    assert floor(wants(room, DARA, at=2)) == (DARA, None, [])
    assert tokens(room.state) == {ANA: 1, BEN: 1, CHIDI: 0, DARA: 0}


def test_where_speaking_is_free_nobody_needs_a_token() -> None:
    room = talking("open", "mood", house=House(each=1))
    speaks(room, DARA)
    room.do(Move.NEXT, BEN, 2)
    speaks(room, DARA, at=2)
    assert floor(wants(room, CHIDI, DARA, at=2)) == (CHIDI, None, [DARA])
    assert tokens(room.state) == {ANA: 1, BEN: 1, CHIDI: 1, DARA: 0}


def test_a_token_is_given_to_somebody_else_who_is_here() -> None:
    room = talking("open", house=House(each=1))
    assert room.refusal(Move.GIVE, DARA, 1) == "room_who"
    assert room.refusal(Move.GIVE, DARA, 1, whom=DARA) == "room_who"
    assert room.refusal(Move.GIVE, DARA, 1, whom=ELI) == "room_not_here"
    room.do(Move.GIVE, DARA, 1, whom=ANA)
    assert room.refusal(Move.GIVE, DARA, 1, whom=ANA) == "room_no_token"
    assert (room.state.given, room.state.got) == ({DARA: 1}, {ANA: 1})
    assert tokens(room.state) == {ANA: 2, BEN: 1, CHIDI: 1, DARA: 0}


def test_whoever_gave_the_last_token_away_while_waiting_is_passed_over() -> None:
    room = talking("open", house=House(each=1))
    wants(room, DARA, CHIDI, ANA)
    assert floor(room.do(Move.GIVE, CHIDI, 2, whom=BEN)) == (DARA, None, [CHIDI, ANA])
    assert floor(passes(room, at=3)) == (None, ANA, [])
    assert tokens(room.state) == {ANA: 1, BEN: 2, CHIDI: 0, DARA: 0}


def test_whoever_gave_the_last_token_away_while_the_floor_was_offered_cannot_take_it() -> None:
    room = talking("open", house=House(each=1))
    wants(room, DARA, CHIDI, ANA)
    passes(room)
    room.do(Move.GIVE, CHIDI, 2, whom=BEN)
    assert room.refusal(Move.ACCEPT, CHIDI, 2) == "room_no_token"
    assert room.refusal(Move.ACCEPT, BEN, 2, whom=CHIDI) == "room_own_device"
    room.do(Move.GIVE, BEN, 3, whom=CHIDI)
    assert floor(accepts(room, at=3)) == (CHIDI, None, [ANA])


def test_when_nobody_who_waits_can_pay_the_floor_is_free() -> None:
    room = talking("open", house=House(each=1))
    wants(room, DARA, CHIDI)
    room.do(Move.GIVE, CHIDI, 2, whom=BEN)
    assert floor(passes(room, at=3)) == (None, None, [])
    assert floor(wants(room, BEN, at=4)) == (BEN, None, [])


def test_whoever_is_exempt_pays_like_anybody_and_then_goes_on() -> None:
    room = talking("open", house=House(each=2), exempt=(DARA,))
    found = []
    for _ in range(4):
        speaks(room, DARA)
        found.append((room.state.tokens(DARA), room.state.spent.get(DARA), room.state.taken[DARA]))
    assert found == [(1, 1, 1), (0, 2, 2), (0, 2, 3), (0, 2, 4)]
    wants(room, CHIDI, DARA)
    passes(room)
    assert floor(accepts(room)) == (DARA, None, [])
    room.do(Move.GIVE, CHIDI, 2, whom=DARA)
    passes(room)
    assert (speaks(room, DARA).tokens(DARA), room.state.spent[DARA]) == (0, 3)
    assert room.refusal(Move.GIVE, DARA, 3, whom=ANA) == "room_no_token"


def test_an_exempt_hand_stays_up_when_its_last_token_is_given_away() -> None:
    room = talking("open", house=House(each=1), exempt=(CHIDI,))
    wants(room, DARA, CHIDI, ANA)
    room.do(Move.GIVE, CHIDI, 2, whom=BEN)
    assert floor(passes(room, at=3)) == (None, CHIDI, [ANA])
    assert floor(accepts(room, at=3)) == (CHIDI, None, [ANA])


def test_whoever_was_exempt_once_stays_so_for_this_meeting() -> None:
    room = talking("open", house=House(each=1), exempt=(DARA,))
    room.do(Move.ARRIVE, DARA, 1, way="online")
    assert speaks(room, DARA, DARA).taken == {DARA: 2}


@pytest.mark.parametrize("move", [Move.RAISE, Move.ACCEPT, Move.LOWER, Move.PASS])
def test_nobody_but_the_lead_learns_by_trying_whether_somebody_needs_no_tokens(move: Move) -> None:
    codes = set()
    for exempt in ((), (DARA,)):
        room = talking("open", "open", house=House(each=1), exempt=exempt)
        if move is Move.ACCEPT:
            wants(room, ANA, DARA)
            passes(room)
            room.do(Move.GIVE, DARA, 2, whom=BEN)
        else:
            speaks(room, DARA)
        codes.add(room.refusal(move, CHIDI, 3, whom=DARA, way="turn"))
    assert len(codes) == 1


def test_a_new_token_block_fills_hands_up_where_the_house_has_that() -> None:
    room = talking("mood", "open", "mood", "brainstorm", "open", house=House(each=2, refill=True), exempt=(CHIDI,))
    room.do(Move.GIVE, ANA, 0, whom=BEN)
    room.do(Move.NEXT, BEN, 1)
    assert tokens(room.state) == {ANA: 1, BEN: 3, CHIDI: 2, DARA: 2}
    speaks(room, DARA, DARA, CHIDI)
    room.do(Move.STEP_OUT, DARA, 2)
    room.do(Move.NEXT, BEN, 3)
    assert tokens(room.state) == {ANA: 1, BEN: 3, CHIDI: 1, DARA: 0}
    room.do(Move.NEXT, BEN, 4)
    assert tokens(room.state) == {ANA: 2, BEN: 3, CHIDI: 2, DARA: 2}
    assert room.state.issued == {ANA: 3, BEN: 2, CHIDI: 3, DARA: 4}
    room.do(Move.ARRIVE, ELI, 5)
    room.do(Move.NEXT, BEN, 6)
    assert (room.state.token_blocks, tokens(room.state)[ELI]) == (3, 2)


def test_without_that_rule_the_tokens_are_for_the_whole_meeting() -> None:
    room = talking("open", "open", "brainstorm", house=House(each=2))
    speaks(room, DARA, DARA)
    for at in (2, 3):
        assert tokens(room.do(Move.NEXT, BEN, at)) == {ANA: 2, BEN: 2, CHIDI: 2, DARA: 0}


def test_tokens_are_given_before_the_start_too_and_not_in_a_hold() -> None:
    room = Room()
    room.do(Move.GIVE, DARA, -60, whom=CHIDI)
    assert tokens(room.state) == {ANA: 3, BEN: 3, CHIDI: 4, DARA: 2}
    room.do(Move.HOLD, DARA, 0)
    assert room.refusal(Move.GIVE, DARA, 1, whom=CHIDI) == "room_not_now"


# Moods -------------------------------------------------------------------------------------------------------------


def says(room: Room, *members: str, at: float = 1, text: str = "quite calm") -> State:
    for member in members:
        room.do(Move.MOOD, member, at, text=text)
    return room.state


def test_moods_are_open_when_the_last_one_here_has_answered_and_a_pass_is_an_answer() -> None:
    room = talking()
    assert says(room, ANA, BEN, CHIDI).moods_open is False
    assert says(room, DARA, text="").moods_open is True
    assert room.state.moods == {ANA: "quite calm", BEN: "quite calm", CHIDI: "quite calm", DARA: ""}


def test_somebody_new_makes_closed_moods_wait_and_leaves_open_ones_open() -> None:
    room = talking()
    says(room, ANA, BEN, CHIDI)
    room.do(Move.ARRIVE, ELI, 2)
    assert says(room, DARA).moods_open is False
    assert says(room, ELI).moods_open is True
    room = talking()
    says(room, *EVERYBODY)
    assert room.do(Move.ARRIVE, ELI, 2).moods_open is True
    assert says(room, ELI, at=3).moods_open is True


@pytest.mark.parametrize("marked", [False, True])
def test_when_the_one_who_has_not_answered_goes_out_they_are_open(marked: bool) -> None:
    room = talking(here=(BEN, ANA, CHIDI, DARA), on_paper=(DARA,) if marked else ())
    says(room, ANA, BEN, CHIDI)
    gone = room.do(Move.MARK_GONE, BEN, 2, whom=DARA) if marked else room.do(Move.STEP_OUT, DARA, 2)
    assert gone.moods_open is True


def test_the_lead_opens_them_and_nobody_else() -> None:
    room = talking()
    says(room, CHIDI)
    assert room.refusal(Move.OPEN_MOODS, CHIDI, 1) == "room_lead_only"
    assert room.do(Move.OPEN_MOODS, BEN, 1).moods_open is True


def test_whoever_comes_first_and_answers_at_once_does_not_open_them_for_those_still_to_come() -> None:
    room = Room(here=(CHIDI,))
    assert says(room, CHIDI, at=-240).moods_open is False
    for member in (ANA, BEN, DARA):
        room.do(Move.ARRIVE, member, -100)
    assert says(room, ANA, BEN, at=-50).moods_open is False
    room.do(Move.START, BEN, 0)
    assert room.state.moods_open is False
    assert says(room, DARA).moods_open is True


def test_when_everybody_answered_before_the_start_they_open_with_it() -> None:
    room = Room()
    assert says(room, *EVERYBODY, at=-10).moods_open is False
    room.do(Move.HOLD, CHIDI, -9)
    room.do(Move.STEP_OUT, DARA, -8)
    assert room.state.moods_open is False
    room.do(Move.RELEASE, BEN, -7)
    assert room.do(Move.START, BEN, 0).moods_open is True


def test_nobody_here_is_not_everybody() -> None:
    room = talking(here=(BEN,))
    assert room.do(Move.STEP_OUT, BEN, 1).moods_open is False


def test_the_last_mood_counts() -> None:
    room = talking()
    says(room, ANA)
    assert says(room, ANA, text="rather tired").moods == {ANA: "rather tired"}


def test_somebody_who_was_marked_here_by_mistake_said_no_mood() -> None:
    room = talking()
    room.do(Move.MARK_HERE, BEN, 1, whom=ELI)
    room.do(Move.MOOD, BEN, 1, whom=ELI, text="quite calm")
    assert room.do(Move.MARK_GONE, BEN, 2, whom=ELI).moods == {}


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("", ""),
        ("   ", ""),
        ("calm", "calm"),
        ("  quite   calm ", "quite calm"),
        ("ä" * 40, "ä" * 40),
        ("👩‍👩‍👧 🌊", "👩‍👩‍👧 🌊"),
        ("ä" * 41, None),
        ("x" * 20 + " " + "y" * 20, None),
        ("one two three", None),
    ],
)
def test_a_mood_is_two_words_at_most(typed: str, kept: str | None) -> None:
    if kept is None:
        with pytest.raises(Refusal, match="room_two_words"):
            rules.mood_words(typed)
        assert talking().refusal(Move.MOOD, DARA, 1, text=typed) == "room_two_words"
    else:
        assert rules.mood_words(typed) == kept
        assert says(talking(), DARA, text=kept).moods == {DARA: kept}


# The spotlight -----------------------------------------------------------------------------------------------------


def test_whoever_volunteered_has_the_floor_when_the_spotlight_begins_and_it_counts_as_none() -> None:
    room = talking("open", "spotlight", "open")
    room.do(Move.VOLUNTEER, DARA, 1)
    wants(room, ANA, CHIDI)
    assert floor(room.do(Move.NEXT, BEN, 2)) == (DARA, None, [])
    assert (room.state.taken, room.state.voices, tokens(room.state)[DARA]) == ({ANA: 1}, {ANA: 1}, 3)
    assert floor(room.do(Move.NEXT, BEN, 3)) == (None, None, [])


def test_what_is_said_in_a_spotlight_counts_for_the_queue_and_not_for_the_voices() -> None:
    room = talking("spotlight", "open")
    speaks(room, ANA, ANA)
    assert (room.state.taken, room.state.voices, rules.voice(room.state)) == ({ANA: 2}, {}, None)
    wants(room, BEN, ANA, CHIDI)
    assert floor(passes(room)) == (None, CHIDI, [ANA])


def test_one_person_has_the_spotlight_until_they_or_the_lead_give_it_back() -> None:
    room = talking("mood", "spotlight")
    room.do(Move.VOLUNTEER, DARA, 1)
    room.do(Move.VOLUNTEER, DARA, 1)
    assert room.refusal(Move.VOLUNTEER, CHIDI, 1) == "room_spotlight_taken"
    assert room.refusal(Move.UNVOLUNTEER, CHIDI, 1) == "room_not_now"
    room.do(Move.UNVOLUNTEER, DARA, 2)
    assert room.refusal(Move.UNVOLUNTEER, DARA, 2) == "room_not_now"
    room.do(Move.VOLUNTEER, CHIDI, 3)
    assert room.do(Move.UNVOLUNTEER, BEN, 4).spotlight is None
    assert floor(room.do(Move.NEXT, BEN, 5)) == (None, None, [])


def test_who_volunteered_and_is_not_here_gets_no_floor() -> None:
    room = talking("mood", "spotlight")
    room.do(Move.VOLUNTEER, DARA, 1)
    room.do(Move.STEP_OUT, DARA, 2)
    assert floor(room.do(Move.NEXT, BEN, 3)) == (None, None, [])


def test_who_volunteers_while_the_spotlight_is_on_and_free_has_the_floor() -> None:
    room = talking("spotlight")
    assert floor(room.do(Move.VOLUNTEER, DARA, 1)) == (DARA, None, [])
    room = talking("spotlight")
    wants(room, ANA)
    assert floor(room.do(Move.VOLUNTEER, DARA, 1)) == (ANA, None, [])


def test_who_volunteers_puts_nobody_out_who_was_offered_the_floor() -> None:
    room = talking("spotlight")
    wants(room, ANA, CHIDI, BEN)
    passes(room)
    assert floor(room.do(Move.VOLUNTEER, DARA, 2)) == (DARA, None, [CHIDI, BEN])
    assert floor(passes(room, at=3)) == (None, CHIDI, [BEN])


def test_who_volunteers_with_a_hand_up_or_an_offer_has_one_place_only() -> None:
    for volunteer in (CHIDI, BEN):
        room = talking("spotlight")
        wants(room, ANA, CHIDI, BEN)
        passes(room)
        room.do(Move.VOLUNTEER, volunteer, 2)
        assert floor(room.state) == (volunteer, None, [{CHIDI: BEN, BEN: CHIDI}[volunteer]])


def test_who_gives_the_spotlight_back_while_it_is_on_passes_the_floor_on() -> None:
    room = talking("spotlight")
    room.do(Move.VOLUNTEER, DARA, 1)
    wants(room, ANA)
    assert floor(room.do(Move.UNVOLUNTEER, DARA, 2)) == (None, ANA, [])
    room = talking("spotlight")
    room.do(Move.VOLUNTEER, DARA, 1)
    wants(room, ANA)
    passes(room)
    accepts(room)
    assert floor(room.do(Move.UNVOLUNTEER, DARA, 2)) == (ANA, None, [])


# Lines -------------------------------------------------------------------------------------------------------------


def catches(room: Room, *lines: str, at: float = 1) -> State:
    for line in lines:
        room.do(Move.CATCH, None, at, text=line)
    return room.state


@pytest.mark.parametrize("kind", [kind.value for kind in BlockKind])
def test_lines_are_caught_in_blocks_that_gather_something(kind: str) -> None:
    room = talking("mood", kind)
    room.do(Move.NEXT, BEN, 1)
    if kind in ("brainstorm", "open", "practice", "experience"):
        assert catches(room, "Ask a friend").caught == ("Ask a friend",)
    else:
        assert room.refusal(Move.CATCH, None, 1, text="Ask a friend") == "room_not_now"


def test_nothing_in_the_room_says_whose_a_line_is() -> None:
    """Whoever wrote it, the room is the same afterwards; a move with a name is not taken."""
    room = talking("open")
    before = room.state
    after = catches(room, "Ask a friend")
    changed = {name for name, value in vars(after).items() if value != vars(before)[name]}
    assert (changed, room.entries[-1].by, room.entries[-1].whom) == ({"caught"}, None, "")
    assert room.refusal(Move.CATCH, DARA, 1, text="Ask a friend") == "room_not_now"


def test_a_line_has_one_to_two_hundred_characters_and_there_are_forty_at_most() -> None:
    room = talking("open")
    for text in ("", "ä" * 201):
        assert room.refusal(Move.CATCH, None, 1, text=text) == "room_not_now"
    catches(room, "ä" * 200, *map(str, range(39)))
    assert len(room.state.caught) == 40
    assert room.refusal(Move.CATCH, None, 1, text="One more") == "room_lines_enough"


def test_lines_are_kept_and_let_go_by_anybody_here_and_stay_over_the_blocks() -> None:
    room = talking("open", "mood")
    catches(room, "Ask a friend", "Write it down", "Sleep on it")
    room.do(Move.KEEP_LINE, DARA, 1, way="2")
    room.do(Move.KEEP_LINE, CHIDI, 1, way="0")
    room.do(Move.KEEP_LINE, CHIDI, 1, way="0")
    room.do(Move.NEXT, BEN, 2)
    assert room.state.kept_lines == {0, 2}
    room.do(Move.NEXT, BEN, 3)
    assert (room.state.phase, room.do(Move.DROP_LINE, ANA, 4, way="2").kept_lines) == (Phase.CLOSING, {0})
    assert room.do(Move.DROP_LINE, ANA, 4, way="1").kept_lines == {0}
    assert room.do(Move.CLOSE, BEN, 5).kept_lines == {0}


def test_a_line_that_is_not_there_is_not_kept() -> None:
    room = talking("open")
    catches(room, "Ask a friend")
    for way in ("1", "-1", "", "room", "²", "0.0"):
        assert room.refusal(Move.KEEP_LINE, DARA, 1, way=way) == "room_not_now"
        assert room.refusal(Move.DROP_LINE, DARA, 1, way=way) == "room_not_now"


# Questions ---------------------------------------------------------------------------------------------------------

QUESTION = "A walk together?"


def asks(room: Room, *, at: float = 1, by: str = DARA) -> State:
    return room.do(Move.ASK, by, at, text=QUESTION)


def thumbs(room: Room, at: float = 1, **ways: str) -> State:
    for by, way in ways.items():
        room.do(Move.THUMB, by, at, way=way)
    return room.state


def test_whoever_is_here_with_a_device_when_it_is_asked_has_a_thumb() -> None:
    room = talking(here=(BEN, DARA, ANA, ELI), on_paper=(ELI,))
    asked = asks(room).question
    assert asked is not None
    assert (asked.text, asked.voters, asked.thumbs) == (QUESTION, {BEN, DARA, ANA}, {})
    room.do(Move.ARRIVE, CHIDI, 2)
    assert room.refusal(Move.THUMB, CHIDI, 2, way="up") == "not_eligible"
    assert room.refusal(Move.THUMB, ELI, 2, way="up") == "not_eligible"
    assert room.refusal(Move.THUMB, BEN, 2, way="sideways") == "room_not_now"


def test_whoever_goes_out_is_not_counted_any_more_and_has_no_thumb_when_they_come_back() -> None:
    room = talking()
    asks(room)
    thumbs(room, dara="up")
    asked = room.do(Move.STEP_OUT, DARA, 2).question
    assert asked is not None
    assert (asked.voters, asked.thumbs) == ({ANA, BEN, CHIDI}, {})
    room.do(Move.ARRIVE, DARA, 3)
    assert room.refusal(Move.THUMB, DARA, 3, way="up") == "not_eligible"


def test_a_question_is_decided_when_the_last_ones_who_have_not_answered_go_out() -> None:
    room = talking()
    asks(room)
    thumbs(room, ana="up", chidi="up")
    room.do(Move.STEP_OUT, DARA, 2)
    assert (room.state.question is None, room.state.answered) == (False, ())
    room.do(Move.STEP_OUT, BEN, 3)
    assert (room.state.question, room.state.answered) == (None, ((QUESTION, "carried"),))
    room = talking()
    asks(room)
    for member in (ANA, CHIDI, DARA, BEN):
        room.do(Move.STEP_OUT, member, 2)
    assert (room.state.question, room.state.answered) == (None, ((QUESTION, "not_enough_answered"),))


def said(ups: int, downs: int, passed: int, people: int) -> str:
    """What a poll says, by its rule in words: half must answer, then more ups than downs."""
    if ups + downs + passed == 0 or (ups + downs + passed) / people < 0.5:
        return "not_enough_answered"
    return "carried" if ups > downs else "not_carried"


@pytest.mark.parametrize("people", range(1, 6))
def test_a_question_tells_nothing_before_everybody_answered(people: int) -> None:
    """All thumbs in all orders (of five people in one): until the last one the room is the same, but for the thumbs,
    whatever they are; with the last it closes, and says what the rule says."""
    everybody = (BEN, ANA, CHIDI, DARA, ELI)[:people]
    asked = asks(talking(here=everybody), by=BEN)
    orders = list(permutations(everybody)) if people < 5 else [everybody]
    for cast, order in product(product(("up", "down", "pass"), repeat=people), orders):
        state = asked
        for given, (by, way) in enumerate(zip(order, cast, strict=True), 1):
            state = rules.apply(state, Entry(Move.THUMB, moment(1), by, way=way))
            if given < people:
                assert state.question is not None
                assert replace(state, question=replace(state.question, thumbs={})) == asked
        word = said(cast.count("up"), cast.count("down"), cast.count("pass"), people)
        assert state == replace(asked, question=None, answered=((QUESTION, word),))


def test_a_question_waits_for_whoever_could_not_change_its_outcome() -> None:
    room = talking()
    asks(room)
    assert thumbs(room, ana="up", chidi="up", dara="up").answered == ()
    assert room.state.question is not None
    assert thumbs(room, ana="up", chidi="down").answered == ()  # they may still think again
    assert thumbs(room, ben="down").answered == ((QUESTION, "not_carried"),)


def test_only_the_last_thumb_of_a_person_counts() -> None:
    room = talking()
    asks(room)
    for _ in range(5):
        thumbs(room, dara="up")
    thumbs(room, dara="down", ana="pass")
    assert room.state.question is not None
    assert thumbs(room, chidi="down").answered == ()
    assert thumbs(room, ben="up").answered == ((QUESTION, "not_carried"),)


@pytest.mark.parametrize(
    ("ways", "outcome"),
    [
        ({}, "not_enough_answered"),
        ({ANA: "up"}, "not_enough_answered"),
        ({ANA: "up", CHIDI: "pass"}, "carried"),
        ({ANA: "pass", CHIDI: "pass"}, "not_carried"),
        ({ANA: "up", CHIDI: "down"}, "not_carried"),
    ],
)
@pytest.mark.parametrize("ends", [Move.END_QUESTION, Move.CLOSE])
def test_the_lead_ends_a_question_and_the_close_does_too(ways: dict[str, str], outcome: str, ends: Move) -> None:
    room = talking()
    asks(room)
    thumbs(room, **ways)
    room.do(ends, BEN, 2)
    assert (room.state.question, room.state.answered) == (None, ((QUESTION, outcome),))


def test_of_a_question_nothing_is_left_but_its_text_and_one_word() -> None:
    """The same room, whoever had which thumb."""
    ends = set()
    for ways in (
        {ANA: "up", CHIDI: "up", DARA: "up", BEN: "down"},
        {BEN: "up", ANA: "up", CHIDI: "pass", DARA: "down"},
        {DARA: "up", CHIDI: "pass", BEN: "pass", ANA: "pass"},
    ):
        room = talking()
        asks(room)
        ends.add(repr(thumbs(room, **ways)))
    assert len(ends) == 1


def test_one_question_at_a_time_and_twelve_in_a_meeting() -> None:
    room = talking()
    asks(room)
    assert room.refusal(Move.ASK, ANA, 1, text="Another?") == "room_asked_already"
    for number in range(12):
        if number:
            asks(room)
        room.do(Move.END_QUESTION, BEN, 1)
    assert room.refusal(Move.ASK, ANA, 1, text="Another?") == "room_asked_enough"
    assert len(room.state.answered) == 12


def test_a_question_has_one_to_a_hundred_and_twenty_characters() -> None:
    room = talking()
    for text in ("", "ä" * 121):
        assert room.refusal(Move.ASK, DARA, 1, text=text) == "room_not_now"
    assert room.do(Move.ASK, DARA, 1, text="ä" * 120).question is not None


def test_without_a_question_there_is_no_thumb_and_nothing_to_end() -> None:
    room = talking()
    assert room.refusal(Move.THUMB, DARA, 1, way="up") == "poll_closed"
    assert room.refusal(Move.END_QUESTION, BEN, 1) == "poll_closed"


def test_a_question_goes_on_over_blocks_and_into_the_closing() -> None:
    room = talking("open")
    asks(room)
    assert room.do(Move.NEXT, BEN, 2).phase is Phase.CLOSING
    assert thumbs(room, at=3, ana="up", chidi="up", dara="up", ben="pass").answered == ((QUESTION, "carried"),)


# Whose voice -------------------------------------------------------------------------------------------------------


def by_pairs(counts: tuple[int, ...]) -> Fraction:
    """Gini's mean difference from every pair, each with its own weight, over twice the mean: no sorting."""
    n, total = len(counts), sum(counts)
    pairs = sum(abs(one - other) for one in counts for other in counts)
    return Fraction(pairs, n * (n - 1)) / (2 * Fraction(total, n))


@pytest.mark.parametrize("n", range(2, 7))
def test_the_gini_is_what_all_pairs_say(n: int) -> None:
    for counts in combinations_with_replacement(range(5), n):
        assert rules.gini(counts) == (by_pairs(counts) if sum(counts) else 0)


@pytest.mark.parametrize("name", ["equal", "one_dominates", "single", "with_silent", "without_silent"])
def test_the_gini_is_that_of_the_vectors(name: str) -> None:
    fairness = vectors()["fairness"]
    case = (fairness | fairness["silent_counted"])[name]
    assert round(float(rules.gini(case["x"])), 6) == case["gini_corrected"]


def spoken(*counts: int) -> State:
    """A meeting after which so many floors were taken by each who came."""
    people = [f"member {number}" for number in range(len(counts))]
    return opening(
        came=dict.fromkeys(people, "room"),
        voices={who: count for who, count in zip(people, counts, strict=True) if count},
    )


@pytest.mark.parametrize(
    ("counts", "word"),
    [
        ((5, 5, 5, 5), Voice.SHARED),
        ((1, 2), Voice.UNEVEN),
        ((10, 10, 10, 0, 0), Voice.UNEVEN),
        ((30, 5, 5, 5, 0), Voice.FEW),
        ((10, 0, 0, 0), Voice.FEW),
        ((7, 13), Voice.UNEVEN),
        ((701, 1299), Voice.SHARED),
        ((699, 1301), Voice.UNEVEN),
        ((1, 3), Voice.UNEVEN),
        ((999, 3001), Voice.FEW),
        ((3,), Voice.SHARED),
        ((0, 0, 0), None),
        ((), None),
    ],
)
def test_voices_are_shared_below_three_tenths_and_few_above_a_half(counts: tuple[int, ...], word: Voice | None) -> None:
    assert rules.voice(spoken(*counts)) == word


def test_the_silent_count_and_those_who_never_came_do_not() -> None:
    room = talking(here=(BEN, ANA, CHIDI, DARA))
    speaks(room, ANA, CHIDI)
    assert rules.voice(room.state) is Voice.FEW
    for member in (BEN, DARA):
        speaks(room, member)
    assert rules.voice(room.state) is Voice.SHARED
    room.do(Move.MARK_HERE, BEN, 2, whom=ELI)
    assert rules.voice(room.state) is Voice.SHARED
    room.do(Move.RAISE, BEN, 2, whom=ELI, way="turn")
    room.do(Move.MARK_GONE, BEN, 3, whom=ELI)
    assert rules.voice(room.state) is Voice.SHARED


# How many tokens ---------------------------------------------------------------------------------------------------


def test_the_tokens_proposed_are_the_minutes_shared_out_half_rounded_up_and_one_to_five() -> None:
    for minutes in range(1, 121):
        for people in range(1, 17):
            share = int((Decimal(minutes) / people).quantize(Decimal(1), ROUND_HALF_UP))
            assert rules.proposed_tokens(minutes, people) == max(1, min(5, share))
    assert rules.proposed_tokens(25, 0) == 5


def test_the_tokens_proposed_share_out_what_the_vectors_put_into_a_common_pot() -> None:
    """The vectors round down and pool the rest; we round to the nearest, within 1…5."""
    for case in vectors()["fairness"]["tokens"]:
        each, people = case["tokens_each"], case["present"]
        rest = Fraction(case["common_pot"], people)
        expected = min(each + (1 if rest >= Fraction(1, 2) else 0), 5)
        assert rules.proposed_tokens(case["discussion_minutes"], people) == expected


# Numbers that are said elsewhere too -------------------------------------------------------------------------------


def test_the_room_and_the_groups_choice_agree_about_tokens() -> None:
    from leeward.domain.meetings import rules as meetings

    assert (rules.TOKENS_EACH, rules.TOKENS_LEAST, rules.TOKENS_MOST) == (
        meetings.TOKENS_EACH, meetings.TOKENS_LEAST, meetings.TOKENS_MOST,
    )  # fmt: skip
    assert House() == House(*vars(meetings.Talk()).values())


def test_every_block_the_room_treats_apart_is_a_kind_of_block() -> None:
    assert {kind.value for kind in BlockKind} >= rules.CATCHING_BLOCKS | rules.TOKEN_BLOCKS | {rules.SPOTLIGHT}


def test_an_entry_of_somebody_who_is_not_here_is_refused_before_anything_is_said_about_others() -> None:
    room = talking("open", house=House(each=1))
    for move in (Move.RAISE, Move.ACCEPT, Move.PASS, Move.LOWER, Move.GIVE, Move.THUMB, Move.MOOD, Move.ASK):
        entry = Entry(move, moment(1), ELI, whom=DARA, way="turn", text="x")
        assert rules.why_not(room.state, entry) == "room_come_in_first"
