"""What a stranger sees first."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.cast import a_person
from tests.web.signing import signed_in

pytestmark = pytest.mark.django_db


def test_a_stranger_is_offered_to_sign_in_to_start_a_group_and_help() -> None:
    page = Client().get("/").content.decode()
    assert ['href="/sign-in/"' in page, 'href="/found/"' in page, 'href="/help/"' in page] == [True] * 3


def test_somebody_signed_in_is_shown_the_way_home() -> None:
    assert 'href="/home/"' in signed_in(a_person("Ana")).get("/").content.decode()
