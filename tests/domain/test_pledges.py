"""The pledge: draft, version, assent, and what a yes opens."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from leeward.domain.groups import actions as groups
from leeward.domain.pledges import actions, queries
from leeward.domain.pledges.models import Assent, Pledge
from leeward.domain.pledges.rules import Yes
from leeward.domain.room import actions as room
from leeward.domain.room.rules import Move
from leeward.lib.refusals import NotHere, Refusal
from tests.cast import NOW, Harbour, an_unclaimed, harbour
from tests.meeting import START, agreed, planned

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("lines")]
YEAR = timedelta(days=365)


@pytest.fixture
def here() -> Harbour:
    return harbour()


def standing(here: Harbour, name: str, *, at: object = NOW) -> Yes:
    return queries.standing_of(here.ticket(name), at=at)  # type: ignore[arg-type]


def test_without_a_pledge_the_room_is_open_to_the_core(here: Harbour) -> None:
    groups.take_back_im_in(here.ticket("Chidi"), at=NOW)
    assert [queries.may_open_room(here.ticket(name), at=NOW) for name in ("Ben", "Chidi")] == [True, False]


def test_ones_own_yes_opens_room_and_record_for_a_year(here: Harbour) -> None:
    agreed(here, names=("Ben",))
    assert (standing(here, "Ben"), standing(here, "Chidi")) == (Yes.OWN, Yes.NONE)
    assert standing(here, "Ben", at=NOW + YEAR - timedelta(seconds=1)) is Yes.OWN
    assert standing(here, "Ben", at=NOW + YEAR) is Yes.DUE
    assert not queries.may_read_record(here.ticket("Ben"), at=NOW + YEAR)


def gathered(here: Harbour, *names: str, on_paper: tuple[str, ...] = ()) -> str:
    """Ana opens the first room and leads it; `names` come in, `on_paper` are marked by her. The meeting's id."""
    meeting = planned(here).pk
    ana = here.ticket("Ana", at=START)
    room.open_room(ana, meeting=meeting, at=START)
    for name in names:
        room.move(here.ticket(name, at=START), meeting=meeting, move=Move.ARRIVE, at=START)
    for whom in on_paper:
        room.move(ana, meeting=meeting, move=Move.MARK_HERE, whom=whom, at=START)
    return meeting


def record(here: Harbour, meeting: str, who: str, witness: str, *, by: str = "Ana", at: datetime = START) -> None:
    room.record_spoken_yes(here.ticket(by, at=at), meeting=meeting, membership=who, witness=witness, at=at)


def test_a_yes_said_in_the_room_opens_the_room_only(here: Harbour) -> None:
    agreed(here, names=("Ana", "Ben"))
    dara, ben = here.membership("Dara"), here.membership("Ben")
    record(here, gathered(here, "Ben", on_paper=(dara,)), dara, ben)
    ticket = here.ticket("Dara", at=START)
    assert queries.standing_of(ticket, at=START) is Yes.SPOKEN
    assert (queries.may_open_room(ticket, at=START), queries.may_read_record(ticket, at=START)) == (True, False)
    with pytest.raises(Refusal, match="pledge_first"):
        actions.invite(ticket, at=START)


@pytest.mark.parametrize(("who", "witness"), [("Dara", "Dara"), ("Dara", "Ana"), ("Ana", "Ben")])
def test_it_takes_three_people(here: Harbour, who: str, witness: str) -> None:
    agreed(here, names=("Ana", "Ben"))
    meeting = gathered(here, "Ben", on_paper=(here.membership("Dara"),))
    with pytest.raises(Refusal, match="witness_another"):
        record(here, meeting, here.membership(who), here.membership(witness))
    assert Assent.objects.filter(own=False).count() == 0


def test_nobody_writes_a_yes_down_outside_the_room_or_about_somebody_who_is_not_in_it(here: Harbour) -> None:
    agreed(here, names=("Ana", "Ben", "Eli"))
    dara, ben, eli = (here.membership(name) for name in ("Dara", "Ben", "Eli"))
    coming = planned(here).pk
    with pytest.raises(NotHere):
        record(here, coming, dara, ben)  # no room is open
    meeting = coming
    ana = here.ticket("Ana", at=START)
    room.open_room(ana, meeting=meeting, at=START)
    room.move(here.ticket("Ben", at=START), meeting=meeting, move=Move.ARRIVE, at=START)
    with pytest.raises(Refusal, match="room_not_here"):
        record(here, meeting, dara, ben)  # Dara is at home
    room.move(ana, meeting=meeting, move=Move.MARK_HERE, whom=dara, at=START)
    with pytest.raises(Refusal, match="room_not_here"):
        record(here, meeting, dara, eli)  # Eli did not hear it
    with pytest.raises(Refusal, match="room_lead_only"):
        record(here, meeting, dara, here.membership("Ana"), by="Ben")
    with pytest.raises(NotHere):
        record(here, meeting, dara, ben, by="Gus")
    assert Assent.objects.filter(own=False).count() == 0
    record(here, meeting, dara, ben)  # the same with everybody in place
    assert Assent.objects.filter(own=False).count() == 1


def test_who_hears_a_yes_has_said_their_own(here: Harbour) -> None:
    agreed(here, names=("Ana", "Ben"))
    dara, eli = here.membership("Dara"), here.membership("Eli")
    meeting = gathered(here, "Ben", on_paper=(dara, eli))
    with pytest.raises(Refusal, match="witness_pledge_first"):
        record(here, meeting, dara, eli)
    assert Assent.objects.filter(own=False).count() == 0


def test_somebody_without_an_account_can_say_yes_in_the_room(here: Harbour) -> None:
    agreed(here, names=("Ana", "Ben"))
    zoe = an_unclaimed(here.group, "Zoe")
    record(here, gathered(here, "Ben", on_paper=(zoe,)), zoe, here.membership("Ben"))
    assert [row.membership_id for row in Assent.objects.filter(own=False)] == [zoe]
    assert zoe not in queries.assented_ids(here.group, at=START)  # a thumb needs a hand of one's own


def test_a_new_version_asks_everybody_anew(here: Harbour) -> None:
    first = agreed(here)
    ana = here.ticket("Ana")
    actions.draft(ana, lines=["Another line."], at=NOW)
    second = actions.adopt(ana, at=NOW + timedelta(minutes=1))
    assert [row.number for row in Pledge.objects.order_by("number")] == [1, 2]
    assert standing(here, "Ben") is Yes.NONE
    with pytest.raises(Refusal, match="pledge_changed"):
        actions.agree(here.ticket("Ben"), pledge=first, at=NOW)
    actions.agree(here.ticket("Ben"), pledge=second, at=NOW + timedelta(minutes=2))
    assert standing(here, "Ben", at=NOW + timedelta(minutes=2)) is Yes.OWN


def test_agreeing_twice_is_once_and_a_yes_ends_with_the_seat(here: Harbour) -> None:
    pledge = agreed(here)
    actions.agree(here.ticket("Ben"), pledge=pledge, at=NOW)
    ben = here.membership("Ben")
    assert Assent.objects.filter(membership=ben, ended_at=None).count() == 1
    groups.leave(here.ticket("Ben"), at=NOW)
    assert Assent.objects.filter(membership=ben, ended_at=None).count() == 0


@pytest.mark.parametrize("lines", [[], ["  "], ["x" * 201], ["x"] * 13])
def test_lines_out_of_bounds_are_refused_and_nothing_is_kept(here: Harbour, lines: list[str]) -> None:
    with pytest.raises(Refusal):
        actions.draft(here.ticket("Ana"), lines=lines, at=NOW)
    assert Pledge.objects.count() == 0


def test_only_the_core_drafts_and_only_founders_adopt(here: Harbour) -> None:
    groups.take_back_im_in(here.ticket("Chidi"), at=NOW)
    with pytest.raises(Refusal, match="founders_decide"):
        actions.draft(here.ticket("Chidi"), lines=["A line."], at=NOW)
    with pytest.raises(NotHere):
        actions.adopt(here.ticket("Ana"), at=NOW)
    actions.draft(here.ticket("Ben"), lines=["A line."], at=NOW)
    with pytest.raises(Refusal, match="founders_decide"):
        actions.adopt(here.ticket("Ben"), at=NOW)


def test_when_whoever_founded_it_leaves_the_core_takes_their_place_until_the_first_meeting(here: Harbour) -> None:
    actions.draft(here.ticket("Ben"), lines=["A line."], at=NOW)
    groups.take_back_im_in(here.ticket("Chidi"), at=NOW)
    groups.leave(here.ticket("Ana"), at=NOW)
    with pytest.raises(Refusal, match="core_decides"):
        actions.adopt(here.ticket("Chidi"), at=NOW)
    groups.pause(here.ticket("Dara"), at=NOW)
    with pytest.raises(Refusal, match="not_while_paused"):
        actions.adopt(here.ticket("Dara"), at=NOW)
    assert actions.adopt(here.ticket("Ben"), at=NOW) == queries.current(here.group).pk  # type: ignore[union-attr]


def test_only_who_said_yes_invites_once_there_is_a_text(here: Harbour) -> None:
    assert actions.invite(here.ticket("Chidi"), at=NOW).token
    agreed(here, names=("Ana", "Ben"))
    assert actions.invite(here.ticket("Ben"), at=NOW).token
    with pytest.raises(Refusal, match="pledge_first"):
        actions.invite(here.ticket("Chidi"), at=NOW)
