"""The launch path is read from what the steps left behind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from leeward.domain.founding import rules
from leeward.domain.founding.rules import Facts, Step, Taken
from leeward.lib.refusals import Refusal

FOUNDED = datetime(2026, 10, 1, 16, 0, tzinfo=UTC)
NOTHING = Facts(core=1, purpose=True, pledge=False, place=False, agenda=False, date=False)


def path(facts: Facts = NOTHING, *, at: datetime = FOUNDED, **taken: Taken) -> rules.Path:
    return rules.path(
        facts, {Step(step): who for step, who in taken.items()}, membership="ana", founded_at=FOUNDED, at=at
    )


def test_a_fresh_group_has_its_purpose_and_asks_around_next() -> None:
    seen = path()
    assert [state.step for state in seen.steps if state.done] == [Step.PURPOSE]
    assert seen.next is not None and seen.next.step is Step.SURVEY


def test_the_steps_come_in_their_order() -> None:
    assert [step.value for step in Step] == ["survey", "core", "purpose", "pledge", "place", "agenda", "date"]


def test_the_core_is_complete_with_five() -> None:
    four, five = (Facts(core=n, purpose=True, pledge=False, place=False, agenda=False, date=False) for n in (4, 5))
    assert [path(facts).steps[1].done for facts in (four, five)] == [False, True]


def test_the_first_date_waits_for_the_core() -> None:
    with pytest.raises(Refusal) as no:
        rules.refuse_before_core(3)
    assert no.value == Refusal("core_first", least=5, missing=2)
    rules.refuse_before_core(5)


def test_a_tap_ends_only_the_steps_that_leave_no_trace() -> None:
    tapped = Taken("ben", "Ben", FOUNDED)
    seen = path(survey=tapped, place=tapped)
    assert [(state.step, state.done) for state in seen.steps if state.taken_by == "Ben"] == [
        (Step.SURVEY, True),
        (Step.PLACE, False),
    ]


def test_i_see_what_i_took_and_who_took_the_rest() -> None:
    seen = path(place=Taken("ana", "Ana", None), pledge=Taken("ben", "Ben", None))
    assert [(state.step, state.taken_by, state.mine) for state in seen.steps if state.taken_by] == [
        (Step.PLEDGE, "Ben", False),
        (Step.PLACE, "Ana", True),
    ]


def test_the_target_is_28_days_after_founding() -> None:
    assert path().target_at == FOUNDED + timedelta(days=28)
    days = [0, 1, 27, 28, 40]
    assert [path(at=FOUNDED + timedelta(days=d)).days_left for d in days] == [28, 27, 1, 0, 0]


def test_everything_done_leaves_nothing_next() -> None:
    tapped = Taken("ben", "Ben", FOUNDED)
    seen = path(Facts(core=5, purpose=True, pledge=True, place=True, agenda=True, date=True), survey=tapped)
    assert (seen.complete, seen.done, seen.next) == (True, 7, None)


def test_a_step_nobody_knows_is_refused() -> None:
    with pytest.raises(Refusal) as no:
        rules.step_of("../etc")
    assert no.value.code == "no_such_step"
