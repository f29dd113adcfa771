"""The pledge: draft, version, assent, and what a yes opens."""

from __future__ import annotations

from datetime import timedelta

import pytest

from leeward.domain.groups import actions as groups
from leeward.domain.pledges import actions, queries
from leeward.domain.pledges.models import Assent, Pledge
from leeward.domain.pledges.rules import Yes
from leeward.lib.refusals import NotHere, Refusal
from tests.cast import NOW, Harbour, an_unclaimed, harbour
from tests.meeting import agreed

pytestmark = pytest.mark.django_db
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


def test_a_yes_said_in_the_room_opens_the_room_only(here: Harbour) -> None:
    agreed(here, names=("Ana", "Ben"))
    dara = here.ticket("Dara")
    actions.record_spoken_yes(here.ticket("Ana"), membership=dara.membership, witness=here.membership("Ben"), at=NOW)
    assert standing(here, "Dara") is Yes.SPOKEN
    assert (queries.may_open_room(dara, at=NOW), queries.may_read_record(dara, at=NOW)) == (True, False)


@pytest.mark.parametrize(("who", "witness"), [("Dara", "Dara"), ("Dara", "Ana"), ("Ana", "Ben")])
def test_it_takes_three_people(here: Harbour, who: str, witness: str) -> None:
    agreed(here, names=("Ana", "Ben"))
    with pytest.raises(Refusal, match="witness_another"):
        actions.record_spoken_yes(
            here.ticket("Ana"), membership=here.membership(who), witness=here.membership(witness), at=NOW
        )
    assert Assent.objects.filter(own=False).count() == 0


def test_somebody_without_an_account_can_say_yes_in_the_room(here: Harbour) -> None:
    agreed(here, names=("Ana", "Ben"))
    zoe = an_unclaimed(here.group, "Zoe")
    actions.record_spoken_yes(here.ticket("Ana"), membership=zoe, witness=here.membership("Ben"), at=NOW)
    assert [row.membership_id for row in Assent.objects.filter(own=False)] == [zoe]
    assert zoe not in queries.assented_ids(here.group, at=NOW)  # a thumb needs a hand of one's own


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
    with pytest.raises(Refusal, match="by_poll_only"):
        actions.draft(here.ticket("Chidi"), lines=["A line."], at=NOW)
    with pytest.raises(NotHere):
        actions.adopt(here.ticket("Ana"), at=NOW)
    actions.draft(here.ticket("Ben"), lines=["A line."], at=NOW)
    with pytest.raises(Refusal, match="by_poll_only"):
        actions.adopt(here.ticket("Ben"), at=NOW)


def test_only_who_said_yes_invites_once_there_is_a_text(here: Harbour) -> None:
    assert actions.invite(here.ticket("Chidi"), at=NOW).token
    agreed(here, names=("Ana", "Ben"))
    assert actions.invite(here.ticket("Ben"), at=NOW).token
    with pytest.raises(Refusal, match="pledge_first"):
        actions.invite(here.ticket("Chidi"), at=NOW)
