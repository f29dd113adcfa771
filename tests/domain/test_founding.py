"""Founding a group and walking the launch path."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings

from leeward.domain.founding import actions, queries
from leeward.domain.founding.rules import Step
from leeward.domain.groups import actions as groups
from leeward.domain.groups import queries as group_queries
from leeward.domain.groups.models import Group
from leeward.domain.groups.rules import Format, Member
from leeward.domain.meetings.models import AgendaBlock, Meeting
from leeward.domain.people.rules import Self
from leeward.domain.places import actions as places
from leeward.domain.places.rules import Facts
from leeward.domain.pledges.models import Pledge
from leeward.domain.safety import actions as safety
from leeward.lib.refusals import Refusal
from leeward.lib.tickets import Operator
from tests.cast import NOW, a_group, a_person, harbour, joins

pytestmark = pytest.mark.django_db


@pytest.fixture
def lines(tmp_path: Path, settings: LazySettings) -> None:
    settings.LEEWARD_HELP_LINES = tmp_path / "help-lines.toml"
    safety.write_example_lines(Operator(), at=NOW)


def found(me: Self, country: str) -> Member:
    return actions.found(
        me, name="Harbour", purpose="We listen.", cohort="Carers", format=Format.SKILL_POD, country=country,
        zone="Europe/Berlin", my_name="Ana", at=NOW,
    )  # fmt: skip


def done(ticket: Member) -> list[Step]:
    return [state.step for state in queries.launch(ticket, at=NOW).path.steps if state.done]


def test_a_group_opens_where_help_is_within_reach(lines: None) -> None:
    ana = found(a_person("Ana"), "DE")
    assert (ana.founder, ana.in_core, Group.objects.count()) == (True, True, 1)


def test_a_group_opens_nowhere_else(lines: None) -> None:
    for country in ("FR", "", "de"):
        with pytest.raises(Refusal) as no:
            found(a_person("Ana"), country)
        assert no.value == Refusal("country_not_ready", field="country")
    assert Group.objects.count() == 0


def test_a_founder_moves_the_group_to_ready_countries_only(lines: None) -> None:
    ana = found(a_person("Ana"), "DE")
    said = {"name": "Harbour", "purpose": "We listen.", "cohort": "Carers", "format": Format.SKILL_POD, "capacity": 12}
    with pytest.raises(Refusal):
        actions.describe(ana, **said, country="FR", at=NOW)  # type: ignore[arg-type]
    actions.describe(ana, **said, country="GB", at=NOW)  # type: ignore[arg-type]
    assert group_queries.facts(ana).country == "GB"


def test_each_step_is_done_when_it_shows() -> None:
    ana = a_group(a_person("Ana"))
    assert done(ana) == [Step.PURPOSE]
    for name in ("Ben", "Chidi", "Dara", "Eli"):
        joins(a_person(name), group=ana)
    assert done(ana) == [Step.CORE, Step.PURPOSE]
    draft = Pledge(group_id=ana.group, number=1, lines=["We keep it here."], drafted_at=NOW)
    draft.save(force_insert=True)
    room = Facts(
        label="Library", address="Quay 3", link="", access_notes="", cost_free=True, screen_sharing=False,
        reserved_until=None,
    )  # fmt: skip
    places.add_place(ana, room, at=NOW)
    assert done(ana) == [Step.CORE, Step.PURPOSE, Step.PLEDGE, Step.PLACE]
    first = Meeting(
        group_id=ana.group, starts_at=NOW + timedelta(days=9), ends_at=NOW + timedelta(days=9, hours=1),
        local="2026-10-10T18:00", zone="Europe/Berlin", minutes=60, way="in_person",
    )  # fmt: skip
    first.save(force_insert=True)
    assert done(ana)[-1] is Step.DATE
    block = AgendaBlock(meeting=first, number=1, kind="mood", minutes=5)
    block.save(force_insert=True)
    assert done(ana) == [Step.CORE, Step.PURPOSE, Step.PLEDGE, Step.PLACE, Step.AGENDA, Step.DATE]
    actions.mark_step_done(ana, step="survey", at=NOW)
    assert queries.launch(ana, at=NOW).path.complete


def test_the_core_counts_who_said_yes_and_forgets_who_took_it_back_or_left() -> None:
    here = harbour()
    assert queries.core_count(here.group) == 5
    groups.take_back_im_in(here.ticket("Ben"), at=NOW)
    groups.leave(here.ticket("Eli"), at=NOW)
    assert queries.core_count(here.group) == 3


def taken(ticket: Member) -> list[tuple[Step, str, bool]]:
    states = queries.launch(ticket, at=NOW).path.steps
    return [(state.step, state.taken_by, state.mine) for state in states if state.taken_by]


def test_a_step_is_taken_by_one_given_back_and_taken_by_another() -> None:
    here = harbour()
    actions.take_step(here.ticket("Ben"), step="place", at=NOW)
    actions.take_step(here.ticket("Ben"), step="place", at=NOW)
    with pytest.raises(Refusal) as no:
        actions.take_step(here.ticket("Dara"), step="place", at=NOW)
    assert no.value.code == "step_taken"
    assert taken(here.ticket("Dara")) == [(Step.PLACE, "Ben", False)]
    actions.give_step_back(here.ticket("Dara"), step="place", at=NOW)
    assert taken(here.ticket("Ben")) == [(Step.PLACE, "Ben", True)]
    actions.give_step_back(here.ticket("Ben"), step="place", at=NOW)
    actions.take_step(here.ticket("Dara"), step="place", at=NOW)
    assert taken(here.ticket("Ben")) == [(Step.PLACE, "Dara", False)]


def test_a_step_of_somebody_who_left_is_free_again() -> None:
    here = harbour()
    actions.take_step(here.ticket("Ben"), step="place", at=NOW)
    groups.leave(here.ticket("Ben"), at=NOW)
    assert taken(here.ticket("Dara")) == []
    actions.take_step(here.ticket("Dara"), step="place", at=NOW)
    assert taken(here.ticket("Dara")) == [(Step.PLACE, "Dara", True)]


def test_a_tap_cannot_stand_for_a_step_that_shows_itself() -> None:
    with pytest.raises(Refusal) as no:
        actions.mark_step_done(harbour().ticket("Ben"), step="date", at=NOW)
    assert no.value.code == "step_shows_itself"


def test_after_the_first_closed_meeting_there_is_nothing_to_take() -> None:
    here = harbour()
    groups.note_meeting_closed(here.group, present=[], at=NOW)
    with pytest.raises(Refusal) as no:
        actions.take_step(here.ticket("Ben"), step="place", at=NOW)
    assert no.value.code == "launch_over"
    assert not queries.launch(here.ticket("Ben"), at=NOW).founding


def test_the_launch_path_costs_two_statements(django_assert_num_queries: object) -> None:
    ben = harbour(size=12).ticket("Ben")
    actions.take_step(ben, step="place", at=NOW)
    with django_assert_num_queries(2):  # type: ignore[operator]
        queries.launch(ben, at=NOW)
