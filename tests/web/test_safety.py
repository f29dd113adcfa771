"""Help now opens for everybody."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client

from leeward.domain.people.models import Person
from leeward.domain.safety import actions
from leeward.lib.tickets import Operator
from tests.cast import NOW, a_person
from tests.web.signing import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _lines(tmp_path: Path, settings: LazySettings, clock_at: Callable[[datetime], None]) -> None:
    clock_at(NOW)
    settings.LEEWARD_HELP_LINES = tmp_path / "help-lines.toml"
    actions.write_example_lines(Operator(), at=NOW)


def test_help_has_the_same_lines_for_everybody_sets_no_cookie_and_may_be_kept() -> None:
    kept = ("public, max-age=3600", "private, max-age=3600")
    for client, where in zip((Client(), signed_in(a_person("Ana"))), kept, strict=True):
        answer = client.get("/help/DE/")
        assert (answer.status_code, list(answer.cookies), answer["Cache-Control"]) == (200, [], where)
        assert set(answer["Vary"].split(", ")) == {"Accept-Language", "Cookie"}
    mains = {
        client.get("/help/DE/").content.decode().partition("<main")[2].partition("</main>")[0]
        for client in (Client(), signed_in(a_person("Ben")))
    }
    assert len(mains) == 1
    assert "tel:112" in mains.pop()


def test_help_knows_whoever_is_signed_in_and_leads_away_fast_whoever_chose_it() -> None:
    def around(client: Client) -> tuple[bool, bool, bool]:
        page = client.get("/help/DE/").content.decode()
        return ("Sign in" in page, "My account" in page, "Leave fast" in page)

    ana, ben = a_person("Ana"), a_person("Ben")
    Person.objects.filter(pk=ana.person).update(quick_exit=True)
    assert around(Client()) == (True, False, False)
    assert around(signed_in(ana)) == (False, True, True)
    assert around(signed_in(ben)) == (False, True, False)


def test_emergency_stands_first_and_can_be_called() -> None:
    page = Client().get("/help/DE/").content.decode()
    numbers = [page.index(f'href="tel:{number}"') for number in ("112", "03023125014", "03023125027")]
    assert numbers == sorted(numbers)
    assert "These lines are examples." in page
    assert "Check this number" not in page


def test_an_old_line_asks_the_reader_to_check(clock_at: Callable[[datetime], None]) -> None:
    clock_at(NOW + timedelta(days=184))
    assert Client().get("/help/DE/").content.decode().count("Check this number") == 2


def test_the_country_is_chosen_by_a_link() -> None:
    page = Client().get("/help/").content.decode()
    assert [f'href="/help/{code}/"' in page for code in ("DE", "GB", "US")] == [True] * 3
    assert "tel:" not in page
    assert Client().get("/help/de/")["Location"] == "/help/DE/"


@pytest.mark.parametrize("code", ["FR", "XX", "DEU", "%00", "%F0%9F%9A%92", ".."])
def test_a_country_without_lines_is_not_found(code: str) -> None:
    assert Client().get(f"/help/{code}/", follow=True).status_code == 404


def test_without_any_line_the_page_still_opens(settings: LazySettings, tmp_path: Path) -> None:
    settings.LEEWARD_HELP_LINES = tmp_path / "nothing.toml"
    answer = Client().get("/help/")
    assert (answer.status_code, "call the emergency number" in answer.content.decode()) == (200, True)
