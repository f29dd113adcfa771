"""Talking on rows: what a room takes over from the group, what it keeps of whom, and that everybody reads the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from threading import Barrier
from typing import Any

import pytest
from django.db import connection, connections, transaction

from leeward.domain.groups import actions as groups
from leeward.domain.ideas import queries as ideas
from leeward.domain.meetings import actions as meetings
from leeward.domain.meetings import queries as meeting_queries
from leeward.domain.meetings.models import Meeting, Record
from leeward.domain.meetings.rules import Block, BlockKind, Talk
from leeward.domain.polls import actions as polls
from leeward.domain.polls.rules import Change, Thumb
from leeward.domain.room import actions, queries, rules
from leeward.domain.room.models import Room, RoomEntry
from leeward.domain.room.queries import Look
from leeward.domain.room.rules import Entry, House, Move, Phase, State, Voice
from leeward.lib.refusals import NotHere, Refusal
from leeward.lib.tickets import Clock
from leeward.web.room import picture
from tests.cast import INSIDE, NOW, Harbour, a_person, an_unclaimed, harbour, joins
from tests.meeting import START, agreed, held, planned

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("lines")]
TURN = {"way": "turn"}


@pytest.fixture
def here() -> Harbour:
    found = harbour()
    agreed(found)
    return found


class Told:
    """One meeting that Ben leads, in blocks of 25 minutes at most, told by names."""

    def __init__(self, here: Harbour, *kinds: str, row: Meeting | None = None, names: tuple[str, ...] = INSIDE) -> None:
        self.here, self.row = here, row or planned(here)
        start = self.row.starts_at
        meetings.take_turn(here.ticket("Ben", at=NOW), meeting=self.row.pk, at=NOW)
        kinds = kinds or ("open", "mood")
        blocks = [Block(BlockKind(kind), kind, 55 // len(kinds)) for kind in kinds]
        meetings.set_agenda(here.ticket("Ben", at=NOW), meeting=self.row.pk, blocks=blocks, at=NOW)
        self.at = start
        actions.open_room(here.ticket("Ben", at=start), meeting=self.row.pk, at=start)
        for name in names:
            if name != "Ben":
                self.does(name, Move.ARRIVE)
        state = self.does("Ben", Move.START)
        if state.block is not None and state.block.kind == "pledge":
            self.does("Ben", Move.NEXT)  # a first meeting begins with it

    def does(self, name: str, move: Move, *, at: datetime | None = None, **facts: Any) -> State:
        self.at = at or self.at
        ticket = self.here.ticket(name, at=self.at)
        return actions.move(ticket, meeting=self.row.pk, move=move, at=self.at, **facts).state

    def id(self, name: str) -> str:
        return self.here.membership(name)

    @property
    def room(self) -> Room:
        return Room.objects.get(meeting=self.row)

    @property
    def state(self) -> State:
        return queries.folded(self.room)[0]

    @property
    def entries(self) -> list[dict[str, Any]]:
        """What lies in the rows, as it was stored."""
        return [row.entry for row in RoomEntry.objects.filter(room__meeting=self.row).order_by("seq")]

    def connection(self, name: str, *, lost: bool) -> bool:
        return actions.note_connection(
            Clock(), meeting=self.row.pk, membership=self.id(name), lost=lost, at=self.at
        )  # fmt: skip


def from_scratch(room: Room) -> tuple[State, int]:
    rows = list(RoomEntry.objects.filter(room=room).order_by("seq"))
    assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
    state = rules.state_of(rules.opening_of(room.opening), (Entry.from_json(row.entry) for row in rows))
    return state, len(rows)


# What the group chose ----------------------------------------------------------------------------------------------


def test_a_room_has_the_house_rules_that_held_when_it_was_opened(here: Harbour) -> None:
    meetings.set_talk(here.ticket("Ana"), Talk(each=2, follow_ups=True, refill=True), at=NOW)
    told = Told(here)
    assert told.state.house == House(each=2, follow_ups=True, refill=True)
    assert {who: told.state.tokens(who) for who in told.state.present} == dict.fromkeys(map(told.id, INSIDE), 2)
    meetings.set_talk(here.ticket("Ana", at=START), Talk(each=5), at=START)
    assert told.does("Ana", Move.RAISE, **TURN).house.each == 2
    assert told.state.tokens(told.id("Ana")) == 1


def test_without_a_choice_there_are_three_tokens_and_no_follow_ups(here: Harbour) -> None:
    assert Told(here).state.house == House(each=3, follow_ups=False, refill=False)


def test_house_rules_that_a_poll_carried_hold_in_the_next_room(here: Harbour) -> None:
    held(here)
    after = START + timedelta(days=1)
    with pytest.raises(Refusal, match="by_poll_only"):
        meetings.set_talk(here.ticket("Ana", at=after), Talk(each=1), at=after)
    poll = polls.propose_change(here.ticket("Ana", at=after), what=Change.TALK, value=Talk(each=1), at=after)
    for name in ("Ana", "Ben", "Chidi"):
        polls.vote(here.ticket(name, at=after), poll=poll, thumb=Thumb.UP, at=after)
    later = after + timedelta(hours=72)
    polls.settle(here.group, at=later)
    following = meeting_queries.next_meeting(here.ticket("Ana", at=later), at=later)
    assert following is not None
    opens = following.starts_at
    look = actions.open_room(here.ticket("Ana", at=opens), meeting=following.pk, at=opens)
    assert look.state.house == House(each=1)


def test_whoever_needs_no_tokens_is_exempt_however_they_come_in(here: Harbour) -> None:
    for name in ("Ben", "Dara", "Eli"):
        groups.need_no_tokens(here.ticket(name), needed=True, at=NOW)
    told = Told(here, names=("Ana", "Ben", "Dara"))
    told.does("Ben", Move.MARK_HERE, whom=told.id("Eli"))
    told.does("Ben", Move.MARK_HERE, whom=told.id("Chidi"))
    assert told.state.exempt == {told.id("Ben"), told.id("Dara"), told.id("Eli")}
    groups.need_no_tokens(here.ticket("Chidi"), needed=True, at=START)
    assert told.id("Chidi") not in told.state.exempt
    told.does("Chidi", Move.STEP_OUT)
    assert told.id("Chidi") in told.does("Chidi", Move.ARRIVE).exempt


def test_members_on_paper_have_no_thumb_and_everybody_else_who_came_in_has_one(here: Harbour) -> None:
    zoe = an_unclaimed(here.group, "Zoe")
    told = Told(here)
    told.does("Ben", Move.MARK_HERE, whom=zoe)
    asked = told.does("Ana", Move.ASK, text="A walk together?").question
    assert asked is not None
    assert asked.voters == set(map(told.id, INSIDE))
    with pytest.raises(Refusal):
        told.does("Ben", Move.HAND_OVER, whom=zoe)


# Who said it is not kept -------------------------------------------------------------------------------------------


def test_the_stored_line_has_no_author(here: Harbour) -> None:
    told = Told(here)
    told.does("Chidi", Move.CATCH, text="  Ask a   friend ")
    told.does("Dara", Move.KEEP_LINE, way="0")
    caught, kept = told.entries[-2:]
    assert caught == {"move": "catch", "at": START.isoformat(), "way": "room", "seen": "group", "text": "Ask a friend"}
    assert kept["by"] == told.id("Dara")  # what could be found is found


def test_the_same_line_by_anybody_makes_the_same_row(here: Harbour) -> None:
    told = Told(here)
    for name in INSIDE:
        told.does(name, Move.CATCH, text="Ask a friend")
    assert len({json.dumps(entry, sort_keys=True) for entry in told.entries[-5:]}) == 1


def test_a_line_with_somebody_beside_it_is_not_kept(here: Harbour) -> None:
    told = Told(here)
    before = told.entries
    with pytest.raises(Refusal, match="room_not_now"):
        told.does("Chidi", Move.CATCH, text="Ask a friend", whom=told.id("Chidi"))
    assert told.entries == before


def test_a_line_needs_somebody_who_is_here(here: Harbour) -> None:
    told = Told(here, names=("Ana", "Ben"))
    before = told.entries
    with pytest.raises(Refusal, match="room_come_in_first"):
        told.does("Chidi", Move.CATCH, text="Ask a friend")
    told.does("Ana", Move.STEP_OUT)
    with pytest.raises(Refusal, match="room_come_in_first"):
        told.does("Ana", Move.CATCH, text="Ask a friend")
    with pytest.raises(NotHere):
        actions.move(here.ticket("Gus"), meeting=told.row.pk, move=Move.CATCH, text="Ask a friend", at=START)
    assert told.entries[:-1] == before


@pytest.mark.parametrize("move", [Move.LOST, Move.BACK, Move.TIME_UP, Move.MOVE_ON, Move.CLOSE_ITSELF])
def test_what_nobody_does_nobody_can_ask_for(here: Harbour, move: Move) -> None:
    told = Told(here)
    before = told.entries
    with pytest.raises(NotHere):
        told.does("Ben", move, whom=told.id("Ana"))
    assert told.entries == before


@pytest.mark.parametrize(
    ("move", "text", "code"),
    [
        (Move.MOOD, "far too many words", "room_two_words"),
        (Move.MOOD, "x" * 41, "too_long"),
        (Move.CATCH, " \u200b ", "missing"),
        (Move.CATCH, "x" * 201, "too_long"),
        (Move.ASK, "", "missing"),
        (Move.ASK, "x" * 121, "too_long"),
        (Move.COMMIT, "x" * 201, "too_long"),
        (Move.CATCH, "a\x00b", "not_text"),
    ],
)
def test_what_was_typed_wrongly_is_refused_beside_its_field(here: Harbour, move: Move, text: str, code: str) -> None:
    told = Told(here)
    before = told.entries
    with pytest.raises(Refusal, match=code) as caught:
        told.does("Ana", move, text=text)
    assert caught.value.field == actions.FIELDS[move] or code == "not_text"
    assert told.entries == before


# What everybody is shown -------------------------------------------------------------------------------------------


def shown(told: Told, state: State | None = None) -> picture.RoomSeen:
    scene = queries.scene(Clock(), meeting=told.row.pk, at=told.at)
    assert scene is not None
    return picture.seen(scene if state is None else replace(scene, state=state), at=told.at)


def drawn(told: Told, state: State | None = None) -> str:
    scene = queries.scene(Clock(), meeting=told.row.pk, at=told.at)
    assert scene is not None
    scene = scene if state is None else replace(scene, state=state)
    return picture.draw(scene, [("en", picture.MEMBER)], at=told.at)["en", picture.MEMBER]


def test_the_picture_is_the_same_whatever_people_have_for_themselves(here: Harbour) -> None:
    """Moods that are not open, thumbs, steps for one's own eyes, and who needs no tokens: all of it is there, and none
    of it is seen."""
    meetings.set_talk(here.ticket("Ana"), Talk(each=1), at=NOW)
    groups.need_no_tokens(here.ticket("Dara"), needed=True, at=NOW)
    told = Told(here)
    for move, facts in ((Move.MOOD, {"text": "quite calm"}), (Move.COMMIT, {"text": "Walk", "seen": "me"})):
        told.does("Dara", move, **facts)
    told.does("Ana", Move.ASK, text="A walk together?")
    told.does("Dara", Move.THUMB, way="up")
    for name in ("Dara", "Chidi"):
        told.does(name, Move.RAISE, **TURN)
        told.does(name, Move.PASS)
    for name in ("Eli", "Dara"):
        told.does(name, Move.RAISE, **TURN)
    dara, ana, state = told.id("Dara"), told.id("Ana"), told.state
    assert state.question is not None
    assert (state.exempt, state.tokens(dara), state.moods_open) == ({dara}, 0, False)
    assert {who: state.tokens(told.id(who)) for who in INSIDE} == {"Ana": 1, "Ben": 1, "Chidi": 0, "Dara": 0, "Eli": 0}
    others = [
        replace(state, exempt=frozenset()),
        replace(state, exempt=frozenset({dara, ana, told.id("Ben")})),
        replace(state, moods={dara: ""}),
        replace(state, question=replace(state.question, thumbs={})),
        replace(state, question=replace(state.question, thumbs={dara: "down", ana: "pass"})),
        replace(state, steps={dara: replace(state.steps[dara], text="Read")}),
    ]
    assert [shown(told, other) == shown(told) for other in others] == [True] * len(others)
    assert drawn(told, replace(state, steps={})) == drawn(told)
    for_all = replace(state, steps={dara: replace(state.steps[dara], seen="group")})
    assert [line.id for line in shown(told, for_all).people if line.said_step] == [dara]
    assert "Walk" not in drawn(told, for_all)
    assert shown(told, replace(state, moods_open=True)).moods == (("Dara", "quite calm"),)  # what could be seen is seen
    assert shown(told, replace(state, issued={**state.issued, dara: 9})) != shown(told)


def test_the_picture_says_who_has_no_device_until_they_do_something_themselves(here: Harbour) -> None:
    zoe = an_unclaimed(here.group, "Zoe")
    told = Told(here, names=("Ana", "Ben", "Chidi", "Dara"))
    for whom in (zoe, told.id("Eli")):
        told.does("Ben", Move.MARK_HERE, whom=whom)
    assert {line.name for line in shown(told).people if line.without_device} == {"Zoe", "Eli"}
    told.does("Eli", Move.RAISE, **TURN)
    assert {line.name for line in shown(told).people if line.without_device} == {"Zoe"}


def test_until_the_last_thumb_a_picture_shows_the_question_and_nothing_of_its_outcome(here: Harbour) -> None:
    told, pictures = Told(here), []
    told.does("Ana", Move.ASK, text="A walk together?")
    for name in INSIDE:
        seen = replace(shown(told), seq=0)
        pictures.append(seen)
        told.does(name, Move.THUMB, way="up")
    assert pictures == [pictures[0]] * len(INSIDE)
    assert (pictures[0].question, pictures[0].answered) == ("A walk together?", ())
    assert (shown(told).question, shown(told).answered) == ("", (("A walk together?", "carried"),))


def test_thumbs_about_the_time_show_in_no_picture(here: Harbour) -> None:
    told = Told(here)
    told.does("Ana", Move.MORE_TIME, at=told.state.deadline, way="up")
    state = told.state
    assert (state.phase, state.more) == (Phase.OVERTIME, {told.id("Ana"): "up"})
    others = [replace(state, more=more) for more in ({}, {told.id("Ana"): "down"}, {told.id("Eli"): "pass"})]
    assert [shown(told, other) == shown(told) for other in others] == [True] * len(others)


# Connections -------------------------------------------------------------------------------------------------------


def test_a_lost_connection_matters_of_whoever_leads_or_speaks_and_one_that_is_back_of_whoever_was_lost(
    here: Harbour,
) -> None:
    told = Told(here)
    told.does("Dara", Move.RAISE, **TURN)
    told.does("Ana", Move.RAISE, **TURN)
    count = len(told.entries)
    assert [told.connection(name, lost=True) for name in ("Ana", "Chidi", "Eli")] == [False] * 3
    assert [told.connection(name, lost=False) for name in INSIDE] == [False] * 5
    assert len(told.entries) == count
    assert [told.connection(name, lost=True) for name in ("Ben", "Dara", "Ben")] == [True, True, False]
    assert (set(told.state.lost), told.state.lead, told.state.holder) == (
        {told.id("Ben"), told.id("Dara")}, told.id("Ben"), told.id("Dara"),
    )  # fmt: skip
    assert [told.connection(name, lost=False) for name in ("Ben", "Ben", "Ana")] == [True, False, False]
    assert set(told.state.lost) == {told.id("Dara")}
    assert [entry.get("by") for entry in told.entries[count:]] == [None] * 3


def test_connections_of_rooms_that_are_not_open_change_nothing(here: Harbour) -> None:
    told = Told(here)
    assert actions.note_connection(Clock(), meeting="nowhere", membership=told.id("Ben"), lost=True, at=START) is False
    told.does("Ben", Move.CLOSE)
    assert told.connection("Ben", lost=True) is False
    assert told.connection("Ben", lost=False) is False


def test_a_connection_of_somebody_from_elsewhere_changes_nothing(here: Harbour) -> None:
    told = Told(here)
    count = len(told.entries)
    for name in ("Farah", "Gus"):
        who = here.membership(name) if name == "Gus" else "somebody"
        assert actions.note_connection(Clock(), meeting=told.row.pk, membership=who, lost=True, at=START) is False
    assert len(told.entries) == count


def test_two_minutes_after_the_lead_was_cut_off_somebody_else_takes_over_and_the_meeting_goes_on(here: Harbour) -> None:
    told = Told(here)
    told.at = START + timedelta(minutes=10)
    assert told.connection("Ben", lost=True)
    early = told.at + timedelta(minutes=2, seconds=-1)
    with pytest.raises(Refusal, match="room_lead_here"):
        told.does("Dara", Move.TAKE_LEAD, at=early)
    look = actions.look(here.ticket("Dara", at=early), meeting=told.row.pk, at=early)
    assert look is not None
    assert look.due == early + timedelta(seconds=1)
    assert told.does("Dara", Move.TAKE_LEAD, at=look.due).lead == told.id("Dara")
    index = told.state.index
    assert told.does("Dara", Move.NEXT).index == index + 1


# Whoever leaves the group ------------------------------------------------------------------------------------------


def test_whoever_leaves_the_group_leaves_the_room_with_floor_hand_and_thumb(here: Harbour) -> None:
    told = Told(here)
    for name in ("Dara", "Chidi", "Ana"):
        told.does(name, Move.RAISE, **TURN)
    told.does("Ana", Move.ASK, text="A walk together?")
    for name in ("Dara", "Chidi"):
        told.does(name, Move.THUMB, way="up")
    for name in ("Dara", "Chidi"):
        groups.leave(here.ticket(name, at=START), at=START)
    state = told.state
    assert state.question is not None
    assert (state.holder, state.offered and state.offered.who, state.hands) == (None, told.id("Ana"), ())
    assert (state.question.voters, state.question.thumbs) == ({told.id(name) for name in ("Ana", "Ben", "Eli")}, {})
    with pytest.raises(NotHere):
        here.ticket("Dara", at=START)
    with pytest.raises(NotHere):
        told.does("Ben", Move.MARK_HERE, whom=told.id("Dara"))


def test_when_the_lead_leaves_the_group_the_others_go_on(here: Harbour) -> None:
    told = Told(here)
    late = START + timedelta(minutes=6)
    groups.leave(here.ticket("Ben", at=late), at=late)
    assert told.does("Chidi", Move.TAKE_LEAD, at=late).lead == told.id("Chidi")
    told.does("Chidi", Move.CLOSE)
    assert Meeting.objects.get(pk=told.row.pk).lead_id == told.id("Chidi")


def test_who_leaves_after_the_time_of_the_room_finds_it_closed(here: Harbour) -> None:
    told = Told(here)
    late = START + timedelta(hours=12)
    groups.leave(here.ticket("Dara", at=late), at=late)
    assert told.room.closed_at is not None
    assert told.room.closed_at < late


# The close ---------------------------------------------------------------------------------------------------------


def test_the_close_keeps_chosen_lines_carried_questions_and_one_word_and_forgets_the_rest(here: Harbour) -> None:
    told = Told(here)
    for line in ("Ask a friend", "Write it down", "Sleep on it"):
        told.does("Chidi", Move.CATCH, text=line)
    for way in ("2", "0", "1"):
        told.does("Dara", Move.KEEP_LINE, way=way)
    told.does("Ana", Move.DROP_LINE, way="1")
    for text, thumb in (("A walk together?", "up"), ("Meet at night?", "down")):
        told.does("Ana", Move.ASK, text=text)
        for name in INSIDE:
            assert told.state.question is not None
            told.does(name, Move.THUMB, way=thumb)
    told.does("Ana", Move.ASK, text="Once a week?")
    told.does("Eli", Move.RAISE, **TURN)
    told.does("Eli", Move.MOOD, text="quite calm")
    told.does("Ben", Move.CLOSE, at=START + timedelta(minutes=50))

    assert [line.text for line in ideas.ideas(here.ticket("Ana", at=told.at))] in (
        ["Ask a friend", "Sleep on it"], ["Sleep on it", "Ask a friend"],
    )  # fmt: skip
    record = meeting_queries.record_of_meeting(here.ticket("Ana", at=told.at), meeting=told.row.pk)[0]
    assert [leaf.text for leaf in record.leaves if leaf.kind == "topic"] == ["A walk together?"]
    assert Meeting.objects.get(pk=told.row.pk).voice == Voice.FEW.value
    assert (RoomEntry.objects.count(), told.room.opening, told.room.pk in queries._folds) == (0, {}, False)
    said = repr([leaf.text for leaf in record.leaves])
    assert [word for word in ("Sleep", "calm", "Once", "night", "token") if word in said] == []


@pytest.mark.parametrize(
    ("speakers", "word"),
    [((), ""), (INSIDE, "shared"), (("Ana", "Ben", "Chidi"), "uneven"), (("Ana", "Ana"), "few")],
)
def test_the_meeting_keeps_how_the_talking_was_shared_and_not_by_whom(
    here: Harbour, speakers: tuple[str, ...], word: str
) -> None:
    told = Told(here)
    for name in speakers:
        told.does(name, Move.RAISE, **TURN)
        told.does(name, Move.PASS)
    told.does("Ben", Move.CLOSE)
    assert Meeting.objects.get(pk=told.row.pk).voice == word


def test_a_room_that_closes_itself_keeps_the_same(here: Harbour) -> None:
    told = Told(here)
    told.does("Chidi", Move.CATCH, text="Ask a friend")
    told.does("Dara", Move.KEEP_LINE, way="0")
    told.does("Ana", Move.ASK, text="A walk together?")
    for name in ("Ana", "Chidi"):
        told.does(name, Move.THUMB, way="up")
    told.does("Eli", Move.THUMB, way="pass")
    late = START + timedelta(hours=12)
    assert actions.fold_due(Clock(), group=here.group, meeting=told.row.pk, at=late) is True
    record = meeting_queries.record_of_meeting(here.ticket("Ana", at=late), meeting=told.row.pk)[0]
    assert [leaf.text for leaf in record.leaves if leaf.kind == "topic"] == ["A walk together?"]
    assert [line.text for line in ideas.ideas(here.ticket("Ana", at=late))] == ["Ask a friend"]
    assert RoomEntry.objects.count() == 0


def test_a_close_that_comes_to_nothing_leaves_the_room_as_it_was(here: Harbour) -> None:
    told = Told(here)
    told.does("Chidi", Move.CATCH, text="Ask a friend")
    told.does("Dara", Move.KEEP_LINE, way="0")
    before = from_scratch(told.room)
    with undone():
        told.does("Ben", Move.CLOSE)
        assert RoomEntry.objects.count() == 0
    assert queries.folded(told.room) == from_scratch(told.room) == before
    assert (Record.objects.count(), ideas.ideas(here.ticket("Ana"))) == (0, ())
    told.does("Ben", Move.CLOSE)
    assert Record.objects.count() == 1


# What a process remembers ------------------------------------------------------------------------------------------


class Undone(Exception):
    """Raised to roll a transaction back."""


class undone:
    """A transaction that comes to nothing."""

    def __enter__(self) -> None:
        self.atomic = transaction.atomic()
        self.atomic.__enter__()

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: Any) -> None:
        self.atomic.__exit__(kind or Undone, value or Undone(), trace)


def test_a_fold_is_read_on_from_what_the_process_remembers(here: Harbour) -> None:
    """It would show if it remembered something wrong."""
    told = Told(here)
    room, (state, seq) = told.room, queries.folded(told.room)
    last, pk, _state = queries._folds[room.pk]
    assert last == seq
    queries._folds[room.pk] = (last, pk, replace(state, moods_open=True))
    assert queries.folded(room)[0].moods_open
    queries._folds[room.pk] = (last, "another row", replace(state, moods_open=True))
    assert queries.folded(room) == (state, seq)


def test_what_was_rolled_back_is_not_remembered(here: Harbour) -> None:
    told = Told(here)
    with undone():
        told.does("Ana", Move.RAISE, **TURN)
        assert told.state.holder == told.id("Ana")
    assert (told.state.holder, told.state.tokens(told.id("Ana"))) == (None, 3)
    with undone():
        told.does("Ana", Move.RAISE, **TURN)
        assert told.state.holder == told.id("Ana")
    told.does("Dara", Move.RAISE, **TURN)  # another row under the same number
    assert (told.state.holder, told.state.hands) == (told.id("Dara"), ())
    assert queries.folded(told.room) == from_scratch(told.room)


def test_a_room_that_is_closed_or_over_for_this_process_is_forgotten(here: Harbour) -> None:
    told = Told(here)
    assert told.state and told.room.pk in queries._folds
    queries.forget_meeting(told.row.pk)
    assert told.room.pk not in queries._folds
    assert told.state and told.room.pk in queries._folds
    told.does("Ben", Move.CLOSE)
    assert told.room.pk not in queries._folds


FACTS: dict[Move, list[dict[str, Any]]] = {
    Move.ARRIVE: [{"way": "room"}, {"way": "online"}],
    Move.MARK_HERE: [{"way": "room"}],
    Move.MOOD: [{"text": "quite calm"}, {"text": ""}],
    Move.MORE_TIME: [{"way": "up"}, {"way": "down"}],
    Move.RAISE: [{"way": "turn"}, {"way": "follow_up"}],
    Move.KEEP_LINE: [{"way": "0"}],
    Move.DROP_LINE: [{"way": "0"}],
    Move.CATCH: [{"text": "Ask a friend"}],
    Move.ASK: [{"text": "A walk together?"}],
    Move.THUMB: [{"way": "up"}, {"way": "down"}, {"way": "pass"}],
    Move.COMMIT: [{"text": "Walk"}, {"text": "Rest", "seen": "me"}],
}
FOR_SOMEBODY = {Move.MARK_HERE, Move.MARK_GONE, Move.GIVE, Move.HAND_OVER}
ASKED_FOR = [move for move in Move if move not in {*rules.OF_NOBODY, Move.CLOSE, Move.START}]
OFTEN = [Move.RAISE, Move.PASS, Move.ACCEPT, Move.CATCH, Move.MOOD, Move.THUMB, Move.ARRIVE]


def tries_something(told: Told, rng: Random) -> bool:
    """A random move of a random person. Whether it was allowed."""
    move = rng.choice((*ASKED_FOR, *OFTEN * 3))
    facts = rng.choice(FACTS.get(move, [{}]))
    whom = told.id(rng.choice(INSIDE)) if move in FOR_SOMEBODY else ""
    try:
        told.does(rng.choice(("Ben", *INSIDE)), move, whom=whom, at=told.at, **facts)
    except (Refusal, NotHere):
        return False
    return True


@pytest.mark.parametrize("seed", range(3))
def test_what_a_process_remembers_is_what_the_rows_say_whatever_happened(here: Harbour, seed: int) -> None:
    """Moves that are kept, refused or rolled back, and moves that another process made meanwhile."""
    meetings.set_talk(here.ticket("Ana"), Talk(each=2, follow_ups=True, refill=True), at=NOW)
    told, rng, done = Told(here, "open", "spotlight", "brainstorm", "open"), Random(seed), 0
    room, old = told.room, None
    for number in range(80):
        told.at += timedelta(seconds=rng.choice((0, 1, 7, 20, 90)))
        if rng.random() < 0.2:
            with undone():
                for _ in range(rng.randint(1, 3)):
                    tries_something(told, rng)
                queries.folded(room)
        if number % 10 == 0:
            old = queries._folds.get(room.pk)
        done += tries_something(told, rng)
        if rng.random() < 0.2 and old is not None:
            queries._folds[room.pk] = old  # as a process has it that heard of nothing since
        assert queries.folded(room) == from_scratch(room)
    assert done >= 20


def test_only_so_many_rooms_are_remembered(here: Harbour) -> None:
    told = Told(here)
    state, seq = queries.folded(told.room)
    before = dict(queries._folds)
    try:
        queries._folds.update({f"room {number}": (1, "row", state) for number in range(queries._FOLDS_MOST + 9)})
        told.does("Ana", Move.RAISE, **TURN)
        assert len(queries._folds) == queries._FOLDS_MOST
        assert queries.folded(told.room) == from_scratch(told.room)
        assert queries.folded(told.room)[1] == seq + 1
    finally:
        queries._folds.clear()
        queries._folds.update(before)


# Several at once ---------------------------------------------------------------------------------------------------


def at_once(*deeds: Callable[[], Any]) -> list[Any]:
    """What each gave, or the code with which it was refused; anything else that goes wrong is raised."""
    assert connection.vendor != "sqlite" or "memory" not in str(connection.settings_dict["NAME"])
    start = Barrier(len(deeds), timeout=30)

    def do(deed: Callable[[], Any]) -> Any:
        start.wait()
        try:
            return deed()
        except Refusal as refusal:
            return refusal.code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(deeds)) as pool:
        return [future.result(timeout=60) for future in [pool.submit(do, deed) for deed in deeds]]


@pytest.mark.django_db(transaction=True)
def test_commands_at_once_stand_one_after_the_other_while_others_look(here: Harbour) -> None:
    """Five people and two who look, the clock and a connection beside them, in six rounds each a few minutes later."""
    told = Told(here, "open", "open", "brainstorm", "open")
    tickets = {name: here.ticket(name, at=START) for name in INSIDE}

    def does(name: str, move: Move, **facts: Any) -> Callable[[], Look]:
        return lambda: actions.move(tickets[name], meeting=told.row.pk, move=move, at=told.at, **facts)

    def looks(name: str) -> Callable[[], Look | None]:
        return lambda: actions.look(tickets[name], meeting=told.row.pk, at=told.at)

    def connects(*, lost: bool) -> Callable[[], bool]:
        ben = tickets["Ben"].membership
        return lambda: actions.note_connection(
            Clock(), meeting=told.row.pk, membership=ben, lost=lost, at=told.at
        )  # fmt: skip

    before = len(told.entries)
    for number in range(6):
        told.at = START + timedelta(minutes=4 * number)
        answers = at_once(
            does("Ana", Move.RAISE, **TURN),
            does("Chidi", Move.CATCH, text=f"Line {number}"),
            does("Dara", Move.CATCH, text=f"Line {number}"),
            does("Eli", Move.MOOD, text="quite calm"),
            does("Ben", Move.EXTEND) if number % 2 else does("Ben", Move.KEEP_LINE, way="0"),
            looks("Ana"),
            looks("Dara"),
            lambda: actions.fold_due(Clock(), group=here.group, meeting=told.row.pk, at=told.at),
            connects(lost=number % 2 == 0),
        )  # fmt: skip
        assert answers[1].seq != answers[2].seq
        assert [answer.state.caught[-1] for answer in answers[1:3]] == [f"Line {number}"] * 2
        assert queries.folded(told.room) == from_scratch(told.room)
    state, seq = from_scratch(told.room)
    assert len(state.caught) == 12
    assert seq > before + 18
    moves = [entry["move"] for entry in told.entries]
    assert moves.count("time_up") == moves.count("move_on") + (state.phase is Phase.OVERTIME)
    assert moves.count("time_up") >= 1


@pytest.mark.django_db(transaction=True)
def test_one_token_given_twice_at_once_is_given_once(here: Harbour) -> None:
    meetings.set_talk(here.ticket("Ana"), Talk(each=1), at=NOW)
    told = Told(here)
    ticket, whom = here.ticket("Dara", at=START), told.id("Ana")
    answers = at_once(
        *[lambda: actions.move(ticket, meeting=told.row.pk, move=Move.GIVE, whom=whom, at=START)] * 6
    )  # fmt: skip
    assert answers.count("room_no_token") == 5
    assert (told.state.given, told.state.got) == ({told.id("Dara"): 1}, {whom: 1})


@pytest.mark.django_db(transaction=True)
def test_everybody_who_raises_a_hand_at_once_stands_in_one_line(here: Harbour) -> None:
    told = Told(here)
    tickets = [here.ticket(name, at=START) for name in INSIDE]
    at_once(
        *[
            lambda ticket=ticket: actions.move(ticket, meeting=told.row.pk, move=Move.RAISE, way="turn", at=START)
            for ticket in tickets
        ]
    )
    state = told.state
    assert sorted([state.holder or "", *(hand.who for hand in state.hands)]) == sorted(map(told.id, INSIDE))
    assert sorted(hand.order for hand in state.hands) == [1, 2, 3, 4]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("came", [("Ana", "Ben"), ("Ben",)], ids=["two came", "one came"])
def test_many_who_look_at_once_long_after_the_end_close_the_room_once(here: Harbour, came: tuple[str, ...]) -> None:
    told = Told(here, names=came)
    late = START + timedelta(hours=12)
    tickets = [here.ticket(name, at=late) for name in INSIDE]
    looks = [lambda ticket=ticket: actions.look(ticket, meeting=told.row.pk, at=late) for ticket in tickets]
    notes = [
        lambda: actions.note_connection(
            Clock(), meeting=told.row.pk, membership=told.id("Ben"), lost=True, at=late
        )
    ]  # fmt: skip
    answers = at_once(*looks, *notes)
    seen = [answer for answer in answers[:-1] if answer is not None]
    assert [look.state.phase for look in seen] in ([Phase.CLOSED], [])
    assert Record.objects.count() == (1 if len(came) > 1 else 0)
    assert RoomEntry.objects.count() == 0
    assert not Room.objects.filter(meeting=told.row, closed_at=None).exists()


@pytest.mark.django_db(transaction=True)
def test_a_close_and_commands_at_once_leave_one_record_and_nothing_else(here: Harbour) -> None:
    told = Told(here)
    tickets = {name: here.ticket(name, at=START) for name in INSIDE}

    def does(name: str, move: Move, **facts: Any) -> Callable[[], Look]:
        return lambda: actions.move(tickets[name], meeting=told.row.pk, move=move, at=START, **facts)

    answers = at_once(
        does("Ben", Move.CLOSE),
        does("Ana", Move.RAISE, **TURN),
        does("Dara", Move.CATCH, text="Ask a friend"),
        does("Chidi", Move.MOOD, text="quite calm"),
        lambda: actions.look(tickets["Ben"], meeting=told.row.pk, at=START),
        lambda: groups.leave(tickets["Eli"], at=START),
    )  # fmt: skip
    assert answers[0].state.phase is Phase.CLOSED
    assert {answer for answer in answers if isinstance(answer, str)} <= {"room_closed"}
    assert (Record.objects.count(), RoomEntry.objects.count(), told.room.opening) == (1, 0, {})


# A seat that is free again -------------------------------------------------------------------------------------------


def test_somebody_who_joins_while_the_room_is_open_comes_in_with_a_full_hand(here: Harbour) -> None:
    told = Told(here)
    ines = a_person("Ines", at=NOW)
    here.people["Ines"] = ines
    joins(ines, group=here.ticket("Ana", at=START), at=START, core=False)
    agreed_to(here, "Ines")
    state = told.does("Ines", Move.ARRIVE)
    assert state.tokens(told.id("Ines")) == 3


def agreed_to(here: Harbour, name: str) -> None:
    from leeward.domain.pledges import actions as pledges
    from leeward.domain.pledges import queries as pledge_queries

    current = pledge_queries.current(here.group)
    assert current is not None
    pledges.agree(here.ticket(name, at=START), pledge=current.pk, at=START)
