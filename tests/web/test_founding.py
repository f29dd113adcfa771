"""Founding a group and its launch path, through the pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client

from leeward.domain.founding import queries
from leeward.domain.founding.rules import Step
from leeward.domain.groups import actions as groups
from leeward.domain.groups.models import Group
from leeward.domain.safety import actions as safety
from leeward.lib.tickets import Operator
from tests.cast import NOW, Harbour, a_person, harbour
from tests.web.signing import signed_in

pytestmark = pytest.mark.django_db

SAID = {
    "name": "Harbour", "purpose": "We listen.", "cohort": "Carers", "format": "skill_pod", "country": "DE",
    "zone": "Europe/Berlin", "my_name": "Ana", "key": "0" * 16,
}  # fmt: skip


@pytest.fixture(autouse=True)
def _lines(tmp_path: Path, settings: LazySettings, clock_at: Callable[[datetime], None]) -> None:
    clock_at(NOW)
    settings.LEEWARD_HELP_LINES = tmp_path / "help-lines.toml"
    safety.write_example_lines(Operator(), at=NOW)


def test_a_group_is_founded_on_one_page_and_leads_to_its_launch_path() -> None:
    ana = signed_in(a_person("Ana"))
    answer = ana.post("/found/", SAID)
    group = Group.objects.get()
    assert answer["Location"] == f"/g/{group.pk}/launch/"
    assert ana.get(answer["Location"]).status_code == 200


def test_a_double_click_founds_one_group() -> None:
    ana = signed_in(a_person("Ana"))
    first, second = (ana.post("/found/", SAID) for _ in range(2))
    assert (first["Location"], Group.objects.count()) == (second["Location"], 1)


def test_only_ready_countries_are_offered_and_taken() -> None:
    ana = signed_in(a_person("Ana"))
    page = ana.get("/found/").content.decode()
    assert [f'value="{code}"' in page for code in ("DE", "GB", "US", "FR")] == [True, True, True, False]
    assert ana.post("/found/", SAID | {"country": "FR"}).status_code == 422
    assert Group.objects.count() == 0


def test_without_a_ready_country_the_page_says_why(settings: LazySettings, tmp_path: Path) -> None:
    settings.LEEWARD_HELP_LINES = tmp_path / "nothing.toml"
    page = signed_in(a_person("Ana")).get("/found/").content.decode()
    assert ("No help line has been checked here" in page, 'name="purpose"' in page) == (True, False)


@pytest.mark.parametrize(
    "change",
    [
        {"purpose": "x" * 201}, {"purpose": ""}, {"name": "\x00"}, {"name": "\u200b"}, {"my_name": "=1"},
        {"zone": "../../etc/passwd"}, {"format": "club"}, {"country": "DE' OR 1=1"}, {"cohort": "y" * 5000},
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_and_nothing_is_stored(change: dict[str, str]) -> None:
    answer = signed_in(a_person("Ana")).post("/found/", SAID | change)
    assert (answer.status_code, Group.objects.count()) == (422, 0)


def test_the_signed_out_are_sent_to_sign_in() -> None:
    assert Client().get("/found/").status_code == 302


def test_a_step_is_taken_done_and_given_back_by_a_tap() -> None:
    here: Harbour = harbour()
    ben = signed_in(here.people["Ben"])

    def states() -> dict[Step, tuple[str, bool]]:
        path = queries.launch(here.ticket("Ben"), at=NOW).path
        return {state.step: (state.taken_by, state.done) for state in path.steps}

    for address in ("place/taken", "pledge/taken", "pledge/returned", "survey/done"):
        assert ben.post(f"/g/{here.group}/launch/{address}/").status_code == 302
    assert states()[Step.PLACE] == ("Ben", False)
    assert states()[Step.PLEDGE] == ("", False)
    assert states()[Step.SURVEY] == ("Ben", True)
    assert "You took this one." in ben.get(f"/g/{here.group}/launch/").content.decode()
    assert ben.post(f"/g/{here.group}/launch/date/done/").status_code == 409
    assert ben.post(f"/g/{here.group}/launch/nonsense/taken/").status_code == 409


def test_nobody_outside_sees_the_launch_path() -> None:
    here = harbour()
    for visitor in (Client(), signed_in(here.people["Gus"]), signed_in(here.people["Farah"])):
        assert visitor.get(f"/g/{here.group}/launch/").status_code == 404
        assert visitor.post(f"/g/{here.group}/launch/place/taken/").status_code == 404


def test_after_the_first_meeting_the_path_is_behind_us() -> None:
    here = harbour()
    groups.note_meeting_closed(here.group, present=[], at=NOW)
    page = signed_in(here.people["Ben"]).get(f"/g/{here.group}/launch/").content.decode()
    assert ("this path is behind you" in page, "<form" in page.split("<main", 1)[-1].split("</main", 1)[0]) == (
        True,
        False,
    )
