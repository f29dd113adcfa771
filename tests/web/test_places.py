"""The pages of places, through Django's client."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
from django.test import Client

from leeward.domain.places import actions, queries
from leeward.domain.places.models import Place
from leeward.domain.places.rules import Facts
from tests.cast import NOW, Harbour, harbour
from tests.meeting import agreed
from tests.web.signing import signed_in

pytestmark = pytest.mark.django_db

LINK = "https://meet.example/secret-room"


@pytest.fixture
def here(clock_at: Callable[[datetime], None]) -> Harbour:
    clock_at(NOW)
    return harbour()


def add(client: Client, here: Harbour, **said: str) -> object:
    return client.post(
        f"/g/{here.group}/places/new/", {"label": "Library", "address": "Quay 3", "link": LINK, "key": "0" * 16} | said
    )


def test_a_place_added_on_the_page_stands_on_the_list_without_its_link(here: Harbour) -> None:
    ben = signed_in(here.people["Ben"])
    assert add(ben, here).status_code == 302  # type: ignore[attr-defined]
    page = ben.get(f"/g/{here.group}/places/").content.decode()
    assert ("Library" in page, "Quay 3" in page, LINK in page) == (True, True, False)


def test_sending_the_form_twice_adds_one_place(here: Harbour) -> None:
    ben = signed_in(here.people["Ben"])
    add(ben, here)
    add(ben, here)
    assert len(queries.places(here.ticket("Ben"))) == 1


def test_a_bad_link_is_refused_beside_its_field_and_the_typed_text_stays(here: Harbour) -> None:
    answer = add(signed_in(here.people["Ben"]), here, link="javascript:alert(1)", label="My kitchen")
    page = answer.content.decode()  # type: ignore[attr-defined]
    assert answer.status_code == 422  # type: ignore[attr-defined]
    assert "Please give a link that starts with https:// or http://." in page
    assert "My kitchen" in page
    assert queries.places(here.ticket("Ben")) == ()


def test_changing_a_place_shows_no_link_and_keeps_it(here: Harbour) -> None:
    ben = signed_in(here.people["Ben"])
    add(ben, here)
    (place,) = queries.places(here.ticket("Ben"))
    address = f"/g/{here.group}/places/{place.id}/"
    assert LINK not in ben.get(address).content.decode()
    assert ben.post(address, {"label": "Hall", "address": "Quay 4"}).status_code == 302
    assert [(p.label, p.has_link) for p in queries.places(here.ticket("Ben"))] == [("Hall", True)]
    ben.post(address, {"label": "Hall", "address": "Quay 4", "no_link": "on"})
    assert [(p.label, p.has_link) for p in queries.places(here.ticket("Ben"))] == [("Hall", False)]


def test_a_retired_place_goes_off_the_list(here: Harbour) -> None:
    ben = signed_in(here.people["Ben"])
    add(ben, here)
    (place,) = queries.places(here.ticket("Ben"))
    assert ben.post(f"/g/{here.group}/places/{place.id}/retirement/").status_code == 302
    assert queries.places(here.ticket("Ben")) == ()
    assert ben.get(f"/g/{here.group}/places/{place.id}/").status_code == 404


def test_nobody_else_sees_a_places_page(here: Harbour) -> None:
    add(signed_in(here.people["Ben"]), here)
    (place,) = queries.places(here.ticket("Ben"))
    pages = [f"/g/{here.group}/places/", f"/g/{here.group}/places/new/", f"/g/{here.group}/places/{place.id}/"]
    for visitor in (Client(), signed_in(here.people["Gus"]), signed_in(here.people["Farah"])):
        assert [visitor.get(page).status_code for page in pages] == [404] * 3


def test_without_a_yes_to_the_pledge_nobody_adds_changes_or_retires_a_place(here: Harbour) -> None:
    agreed(here, names=("Ana",))
    place = actions.add_place(here.ticket("Ana"), Facts("Library", "Am Markt 3", "", "", True, False, None), at=NOW)
    ben = signed_in(here.people["Ben"])
    listed = ben.get(f"/g/{here.group}/places/").content.decode()
    assert ("First comes your yes to the pledge." in listed, "Add a place" in listed) == (True, False)
    for path in ("new/", f"{place}/", f"{place}/retirement/"):
        assert ben.post(f"/g/{here.group}/places/{path}", {"label": "Mine", "address": "X"}).status_code == 409
    assert [(row.label, row.retired_at) for row in Place.objects.all()] == [("Library", None)]
