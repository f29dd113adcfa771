"""Seats, stages, invitations, in numbers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from leeward.domain.groups import rules
from leeward.domain.groups.rules import Member, Seats, Stage, Standing
from leeward.lib.refusals import Refusal

NOW = datetime(2026, 10, 1, 16, 0, tzinfo=UTC)


def a_member(**changes: object) -> Member:
    said: dict[str, object] = {
        "group": "g", "membership": "m", "person": "p", "name": "Ana", "stage": Stage.MEMBER, "number": 1,
        "founder": True, "in_core": True, "group_zone": "UTC", "first_closed_at": None,
        "since": NOW, "imported": False,
    }  # fmt: skip
    return Member(**(said | changes))  # type: ignore[arg-type]


def test_a_newcomer_is_a_member_from_the_third_meeting_on() -> None:
    assert [rules.stage_of(met=met, paused=False, left=False) for met in (0, 2, 3)] == [
        Stage.NEWCOMER,
        Stage.NEWCOMER,
        Stage.MEMBER,
    ]


def test_left_outweighs_a_break_and_a_break_outweighs_the_rest() -> None:
    assert rules.stage_of(met=9, paused=True, left=True) is Stage.LEFT
    assert rules.stage_of(met=0, paused=True, left=False) is Stage.PAUSED


def test_nobody_sits_down_past_the_line() -> None:
    assert Seats(capacity=8, taken=7, on_offer=0, waiting=0).open_to_new
    assert not Seats(capacity=8, taken=7, on_offer=0, waiting=1).open_to_new
    assert not Seats(capacity=8, taken=7, on_offer=1, waiting=0).open_to_new


def test_over_capacity_nobody_is_put_out_and_no_seat_is_free() -> None:
    seats = Seats(capacity=12, taken=17, on_offer=0, waiting=3)
    assert (seats.free, rules.offers_due(seats)) == (0, 0)


def test_as_many_seats_are_offered_as_are_free_and_waited_for() -> None:
    assert rules.offers_due(Seats(capacity=8, taken=5, on_offer=1, waiting=7)) == 2
    assert rules.offers_due(Seats(capacity=8, taken=5, on_offer=0, waiting=1)) == 1


def test_thirteen_to_fifteen_cannot_become_two_groups_and_sixteen_can() -> None:
    sizes = [Seats(capacity=16, taken=n, on_offer=0, waiting=0) for n in (12, 13, 15, 16)]
    assert [(s.too_many_to_split, s.can_split) for s in sizes] == [
        (False, False), (True, False), (True, False), (False, True)
    ]  # fmt: skip


def test_capacity_lies_between_5_and_16() -> None:
    assert [rules.capacity(n) for n in (5, 16)] == [5, 16]
    for odd in (4, 17, -1, 10**9):
        with pytest.raises(Refusal) as no:
            rules.capacity(odd)
        assert no.value == Refusal("out_of_bounds", field="capacity", least=5, most=16)


def test_a_purpose_is_one_line_of_at_most_200_characters() -> None:
    assert rules.purpose(" We\n listen. ") == "We listen."
    assert len(rules.purpose("é" * 200)) == 200
    with pytest.raises(Refusal) as no:
        rules.purpose("x" * 201)
    assert no.value == Refusal("too_long", field="purpose", most=200, over=1)


def test_a_founders_rights_end_with_the_first_closed_meeting() -> None:
    assert rules.may_found_change(a_member())
    assert not rules.may_found_change(a_member(first_closed_at=NOW))
    assert not rules.may_found_change(a_member(founder=False))


def test_when_no_founder_has_a_seat_the_core_has_their_rights_until_the_first_closed_meeting() -> None:
    heir: dict[str, object] = {"founder": False, "founder_left": True}
    assert rules.may_found_change(a_member(**heir))
    for changes in ({"in_core": False}, {"stage": Stage.PAUSED}, {"imported": True}, {"first_closed_at": NOW}):
        assert not rules.may_found_change(a_member(**heir | changes)), changes


def test_who_may_not_change_a_group_is_told_who_does() -> None:
    def why(**changes: object) -> str:
        with pytest.raises(Refusal) as no:
            rules.refuse_unless_founding(a_member(**{"founder": False} | changes))
        return no.value.code

    assert why() == "founders_decide"
    assert why(founder_left=True, in_core=False) == "core_decides"
    assert why(first_closed_at=NOW) == "by_poll_only"
    assert why(imported=True, founder_left=True) == "by_poll_only"
    assert why(founder=True, stage=Stage.PAUSED) == "not_while_paused"


def test_an_invitation_ends_by_time_by_use_by_hand_or_with_its_maker() -> None:
    def usable(at: datetime = NOW, **changes: object) -> bool:
        said: dict[str, object] = {
            "uses_left": 1, "ends_at": NOW + timedelta(days=7), "withdrawn": False, "maker_left": False,
            "address_digest": "",
        }  # fmt: skip
        return rules.usable(Standing(**(said | changes)), at=at)  # type: ignore[arg-type]

    assert usable()
    assert not usable(at=NOW + timedelta(days=7))
    assert not usable(uses_left=0)
    assert not usable(withdrawn=True)
    assert not usable(maker_left=True)


def test_a_core_is_five() -> None:
    assert [rules.core_complete(n) for n in (4, 5, 7)] == [False, True, True]
