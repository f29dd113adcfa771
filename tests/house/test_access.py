"""Every address as everybody: outsiders get one and the same not-found page, whatever they ask and however."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import path

from tests.cast import NOW
from tests.house.access import ACCESS
from tests.house.crawl import addresses, patterns
from tests.lived import Lived, lived
from tests.web.signing import signed_in

pytestmark = pytest.mark.django_db
OUTSIDE = ("nobody", "Farah", "Gus", "Hana", "Wim")


@pytest.fixture
def here(clock_at: Callable[[datetime], None], settings: LazySettings, tmp_path: Path) -> Lived:
    settings.LEEWARD_HELP_LINES = tmp_path / "help-lines.toml"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    clock_at(NOW)
    return lived()


def visitor(here: Lived, name: str) -> Client:
    return Client() if name == "nobody" else signed_in(here.people[name])


def test_every_address_has_a_row_and_every_row_an_address() -> None:
    assert {str(found.name) for found in patterns()} == set(ACCESS)


def heard(client: Client, method: str, address: str) -> tuple[object, ...]:
    """Status, headers less the date, body, statements."""
    with CaptureQueriesContext(connection) as statements:
        answer = getattr(client, method)(address)
    headers = {name: value for name, value in answer.headers.items() if name != "Date"}
    return answer.status_code, headers, answer.content, len(statements)


@pytest.mark.parametrize("name", OUTSIDE)
def test_outsiders_hear_the_same_for_what_is_there_and_what_is_not(here: Lived, name: str) -> None:
    client = visitor(here, name)
    client.get("/home/")
    absent = "0" * 16
    for address_name, address in addresses(here):
        if ACCESS[address_name] != "group" or here.group not in address:
            continue
        for method in ("get", "post"):
            there = heard(client, method, address)
            nowhere = heard(client, method, address.replace(here.group, absent))
            assert there == nowhere, f"{method} {address_name} tells {name} something"
            assert there[0] in (404, 405), f"{method} {address_name} answered {there[0]} to {name}"


def test_every_page_of_the_group_opens_for_a_member_or_says_why(here: Lived) -> None:
    client = signed_in(here.people["Ana"])
    opened = {}
    for address_name, address in addresses(here):
        if ACCESS[address_name] == "group" and here.group in address:
            opened.setdefault(address_name, set()).add(client.get(address).status_code)
    assert {name for name, statuses in opened.items() if statuses - {200, 302, 404, 405}} == set()
    pages = {name for name, statuses in opened.items() if 200 in statuses}
    assert pages >= {"group", "group_people", "group_settings", "invitations", "places", "place", "pledge",
                     "spoken_yes", "dates", "record", "record_markdown", "record_csv", "meeting", "agenda", "change",
                     "addendum", "new_poll", "propose", "poll", "room", "leave"}  # fmt: skip


@pytest.mark.parametrize("name", ["account", "home", "found", "bring"])
def test_pages_of_ones_own_send_strangers_to_sign_in(here: Lived, name: str) -> None:
    for _name, address in addresses(here, name):
        assert Client().get(address)["Location"] == "/sign-in/"
        assert signed_in(here.people["Hana"]).get(address).status_code == 200


def test_the_outbox_is_nowhere_but_in_the_demo(here: Lived, settings: LazySettings) -> None:
    nothing = Client().get("/nowhere/").content
    assert Client().get("/outbox/").content == nothing
    settings.LEEWARD_DEMO = True
    assert Client().get("/outbox/").status_code == 200
    assert Client(REMOTE_ADDR="192.0.2.7").get("/outbox/").content == nothing


def test_an_address_without_a_row_would_be_red(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.urls import get_resolver

    resolver = get_resolver()
    stray = path("stray/", lambda request: HttpResponse(), name="stray")
    monkeypatch.setitem(resolver.__dict__, "url_patterns", [*resolver.url_patterns, stray])
    with pytest.raises(AssertionError):
        test_every_address_has_a_row_and_every_row_an_address()
