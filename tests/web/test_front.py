"""What a stranger sees first."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.cast import a_person
from tests.web.signing import signed_in

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/help", "/help/DE", "/sign-in", "/home", "/account", "/found", "/bring"])
def test_an_address_typed_without_its_last_slash_leads_there(path: str) -> None:
    answers = [Client().get(path), Client().head(path)]
    assert [(answer.status_code, answer["Location"]) for answer in answers] == [(302, f"{path}/")] * 2
    assert Client().post(path).status_code == 404


@pytest.mark.parametrize("path", ["/g", f"/g/{'0' * 16}", f"/i/{'0' * 26}", "/outbox", "/nowhere", "/help/DEU"])
def test_other_addresses_without_it_are_nowhere(path: str) -> None:
    answer = Client().get(path)
    assert (answer.status_code, answer.content) == (404, Client().get("/nowhere/").content)


def test_a_stranger_is_offered_to_sign_in_to_start_a_group_and_help() -> None:
    page = Client().get("/").content.decode()
    assert ['href="/sign-in/"' in page, 'href="/found/"' in page, 'href="/help/"' in page] == [True] * 3


def test_somebody_signed_in_is_shown_the_way_home() -> None:
    assert 'href="/home/"' in signed_in(a_person("Ana")).get("/").content.decode()
