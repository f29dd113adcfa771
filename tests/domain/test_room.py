"""The room on its rows: opening, folding, closing, and what is left of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from leeward.domain.commitments import actions as commitments
from leeward.domain.commitments import queries as steps
from leeward.domain.groups import actions as groups
from leeward.domain.groups.models import Group
from leeward.domain.meetings import queries as meetings
from leeward.domain.meetings.models import Attendance, Meeting, Record
from leeward.domain.room import actions, queries
from leeward.domain.room.models import Room, RoomEntry
from leeward.domain.room.rules import Move, Phase
from leeward.lib.refusals import NotHere, Refusal
from leeward.lib.tickets import Clock
from tests.cast import INSIDE, NOW, Harbour, an_unclaimed, harbour
from tests.meeting import START, agreed, held, planned

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("lines")]


@pytest.fixture
def here() -> Harbour:
    found = harbour()
    agreed(found)
    return found


def opened(here: Harbour) -> Meeting:
    row = planned(here)
    actions.open_room(here.ticket("Ben"), meeting=row.pk, at=START)
    return row


def test_the_room_opens_10_minutes_before_and_not_sooner(here: Harbour) -> None:
    row = planned(here)
    with pytest.raises(Refusal, match="too_early"):
        actions.open_room(here.ticket("Ben"), meeting=row.pk, at=START - timedelta(minutes=10, seconds=1))
    look = actions.open_room(here.ticket("Ben"), meeting=row.pk, at=START - timedelta(minutes=10))
    assert (look.state.phase, look.state.lead) == (Phase.LOBBY, here.membership("Ben"))


def test_opening_twice_is_arriving(here: Harbour) -> None:
    row = opened(here)
    look = actions.open_room(here.ticket("Ana"), meeting=row.pk, at=START)
    assert Room.objects.filter(meeting=row).count() == 1
    assert set(look.state.present) == {here.membership("Ana"), here.membership("Ben")}


def test_without_a_yes_to_the_pledge_there_is_no_room(here: Harbour) -> None:
    from leeward.domain.pledges.models import Assent

    row = opened(here)
    Assent.objects.filter(membership=here.membership("Chidi")).delete()
    for do in (
        lambda: actions.open_room(here.ticket("Chidi"), meeting=row.pk, at=START),
        lambda: actions.look(here.ticket("Chidi"), meeting=row.pk, at=START),
        lambda: actions.move(here.ticket("Chidi"), meeting=row.pk, move=Move.ARRIVE, at=START),
    ):
        with pytest.raises(Refusal, match="pledge_first"):
            do()


def test_strangers_and_the_clocks_own_moves_find_nothing(here: Harbour) -> None:
    row = opened(here)
    with pytest.raises(NotHere):
        actions.look(here.ticket("Gus"), meeting=row.pk, at=START)
    for move in (Move.TIME_UP, Move.MOVE_ON, Move.CLOSE_ITSELF):
        with pytest.raises(NotHere):
            actions.move(here.ticket("Ben"), meeting=row.pk, move=move, at=START)


def test_a_refused_move_leaves_no_entry(here: Harbour) -> None:
    row = opened(here)
    before = RoomEntry.objects.count()
    with pytest.raises(Refusal):
        actions.move(here.ticket("Ana"), meeting=row.pk, move=Move.START, at=START)
    assert RoomEntry.objects.count() == before


def test_time_that_nobody_watched_is_folded_at_the_next_look(here: Harbour) -> None:
    row = opened(here)
    actions.move(here.ticket("Ben"), meeting=row.pk, move=Move.START, at=START)
    often, late = START, START + timedelta(minutes=30)
    first = actions.look(here.ticket("Ana"), meeting=row.pk, at=late)
    assert first is not None
    minutes = [block.minutes for block in first.state.blocks]
    passed, index = 0.0, 0
    while passed + minutes[index] + 20 / 60 <= 30:  # each block and its twenty seconds of overtime
        passed += minutes[index] + 20 / 60
        index += 1
    assert first.state.index == index
    assert actions.fold_due(Clock(), group=here.group, meeting=row.pk, at=late) is False
    assert often < late


def test_the_close_keeps_who_came_and_forgets_the_room(here: Harbour) -> None:
    row = held(here, steps={"Ana": ("Walk", "group"), "Chidi": ("Mine alone", "me")})
    assert set(Attendance.objects.filter(meeting=row).values_list("membership", flat=True)) == {
        here.membership(name) for name in INSIDE
    }
    room = Room.objects.get(meeting=row)
    assert (RoomEntry.objects.count(), room.opening, room.closed_at is not None) == (0, {}, True)
    record = meetings.record_of_meeting(here.ticket("Ana"), meeting=row.pk)[0]
    assert [leaf.text for leaf in record.leaves if leaf.kind == "step"] == ["Walk"]
    assert Group.objects.get(pk=here.group).first_closed_at == row.closed_at


def test_a_step_for_ones_own_eyes_is_nobody_elses(here: Harbour) -> None:
    held(here, steps={"Chidi": ("Mine alone", "me"), "Ana": ("Walk", "group")})
    mine = steps.mine(here.ticket("Chidi"))
    assert mine is not None
    assert mine.text == "Mine alone"
    assert [step.text for step in steps.of_group(here.ticket("Ben"), since=NOW)] == ["Walk"]
    with pytest.raises(NotHere):
        commitments.let_go(here.ticket("Ben"), commitment=mine.id, at=START)
    commitments.let_go(here.ticket("Chidi"), commitment=mine.id, at=START)
    assert steps.mine(here.ticket("Chidi")) is None


def test_after_the_close_nothing_moves(here: Harbour) -> None:
    row = held(here)
    for move in (Move.ARRIVE, Move.NEXT, Move.CLOSE, Move.COMMIT):
        with pytest.raises(Refusal, match="room_closed"):
            actions.move(here.ticket("Ben"), meeting=row.pk, move=move, text="x", at=START + timedelta(hours=1))
    assert Record.objects.filter(meeting=row).count() == 1


def test_who_has_left_cannot_be_marked_here(here: Harbour) -> None:
    row = opened(here)
    farah, eli = here.membership("Farah"), here.membership("Eli")
    groups.leave(here.ticket("Eli"), at=START)
    for gone in (farah, eli):
        with pytest.raises(NotHere):
            actions.move(here.ticket("Ben"), meeting=row.pk, move=Move.MARK_HERE, whom=gone, at=START)


def test_somebody_without_a_device_is_here_and_has_a_step(here: Harbour) -> None:
    zoe = an_unclaimed(here.group, "Zoe")
    row = opened(here)
    for move, text in ((Move.MARK_HERE, ""), (Move.COMMIT, "A walk")):
        actions.move(here.ticket("Ben"), meeting=row.pk, move=move, whom=zoe, text=text, at=START)
    actions.move(here.ticket("Ben"), meeting=row.pk, move=Move.CLOSE, at=START + timedelta(minutes=50))
    assert zoe in set(Attendance.objects.filter(meeting=row).values_list("membership", flat=True))
    assert "A walk" in [leaf.text for leaf in meetings.chain(here.ticket("Ana"))[0].leaves]


def test_somebody_without_a_device_is_spoken_for_until_they_come_in_themselves_and_never_leads(here: Harbour) -> None:
    zoe = an_unclaimed(here.group, "Zoe")
    row = opened(here)
    ana, ben = here.membership("Ana"), here.ticket("Ben")

    def lead(move: Move, whom: str, text: str = "") -> None:
        actions.move(ben, meeting=row.pk, move=move, whom=whom, text=text, at=START)

    for whom in (zoe, ana):
        lead(Move.MARK_HERE, whom)
        lead(Move.MOOD, whom, "quite calm")
        with pytest.raises(Refusal, match="room_no_lead"):
            lead(Move.HAND_OVER, whom)
    actions.open_room(here.ticket("Ana"), meeting=row.pk, at=START)
    before = RoomEntry.objects.count()
    for move, text in ((Move.MOOD, "tired"), (Move.COMMIT, "A walk"), (Move.VOLUNTEER, ""), (Move.MARK_GONE, "")):
        with pytest.raises(Refusal, match="room_own_device"):
            lead(move, ana, text)
    assert RoomEntry.objects.count() == before
    lead(Move.HAND_OVER, ana)


def test_a_room_whose_entries_went_with_its_close_is_no_scene(here: Harbour) -> None:
    """Read in the moment between: still open by its row, and nothing in it any more."""
    row = opened(here)
    assert queries.scene(Clock(), meeting=row.pk, at=START) is not None
    RoomEntry.objects.filter(room__meeting=row).delete()
    assert Room.objects.filter(meeting=row, closed_at=None).exists()
    assert queries.scene(Clock(), meeting=row.pk, at=START) is None


def test_an_abandoned_room_closes_itself_with_its_record(here: Harbour) -> None:
    row = opened(here)
    actions.move(here.ticket("Ana"), meeting=row.pk, move=Move.ARRIVE, at=START)
    actions.move(here.ticket("Ben"), meeting=row.pk, move=Move.START, at=START)
    much_later = START + timedelta(hours=12)
    assert queries.open_rooms(Clock()) == ((here.group, row.pk),)
    assert actions.fold_due(Clock(), group=here.group, meeting=row.pk, at=much_later) is True
    closed = Meeting.objects.get(pk=row.pk).closed_at
    assert closed is not None
    assert closed < much_later
    assert Record.objects.filter(meeting=row).count() == 1
    assert queries.open_rooms(Clock()) == ()


def test_a_room_that_one_person_came_into_was_no_meeting(here: Harbour) -> None:
    row = opened(here)
    with pytest.raises(Refusal, match="room_one_is_no_meeting"):
        actions.move(here.ticket("Ben"), meeting=row.pk, move=Move.CLOSE, at=START + timedelta(minutes=50))
    much_later = START + timedelta(hours=12)
    assert actions.fold_due(Clock(), group=here.group, meeting=row.pk, at=much_later) is True
    assert (Room.objects.count(), RoomEntry.objects.count(), Record.objects.count()) == (0, 0, 0)
    assert not Attendance.objects.filter(meeting=row).exists()
    assert Group.objects.get(pk=here.group).first_closed_at is None
    with pytest.raises(Refusal, match="meeting_over"):
        actions.open_room(here.ticket("Ana"), meeting=row.pk, at=much_later)


@pytest.mark.django_db(transaction=True)
def test_ten_closes_at_once_make_one_record(here: Harbour) -> None:
    from concurrent.futures import ThreadPoolExecutor
    from threading import Barrier

    from django.db import connections

    assert connection.vendor != "sqlite" or "memory" not in str(connection.settings_dict["NAME"])
    row = opened(here)
    actions.move(here.ticket("Ana"), meeting=row.pk, move=Move.ARRIVE, at=START)
    ticket, start = here.ticket("Ben"), Barrier(10, timeout=30)

    def close() -> str:
        start.wait()
        try:
            actions.move(ticket, meeting=row.pk, move=Move.CLOSE, at=START + timedelta(minutes=40))
            return "closed"
        except Refusal as refusal:
            return refusal.code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(10) as pool:
        got = [future.result(timeout=60) for future in [pool.submit(close) for _ in range(10)]]
    assert sorted(got) == ["closed", *["room_closed"] * 9]
    assert Record.objects.filter(meeting=row).count() == 1


def test_a_second_tap_on_next_does_not_skip_a_block(here: Harbour) -> None:
    meeting = planned(here)
    ben, at = here.ticket("Ben", at=START), START
    look = actions.open_room(ben, meeting=meeting.pk, at=at)
    look = actions.move(ben, meeting=meeting.pk, move=Move.START, at=at)
    saw = look.state.stand
    first = actions.move(ben, meeting=meeting.pk, move=Move.NEXT, stand=saw, at=at + timedelta(minutes=1))
    again = actions.move(ben, meeting=meeting.pk, move=Move.NEXT, stand=saw, at=at + timedelta(minutes=1))
    assert (first.state.index, again.state.index, again.seq) == (1, 1, first.seq)
    saw, at = again.state.stand, at + timedelta(minutes=2)
    more = actions.move(ben, meeting=meeting.pk, move=Move.EXTEND, stand=saw, at=at)
    twice = actions.move(ben, meeting=meeting.pk, move=Move.EXTEND, stand=saw, at=at)
    assert (more.state.extensions, twice.state.extensions) == (1, 1)
