"""Places, with a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from leeward.domain.groups import actions as groups
from leeward.domain.journal import queries as journal
from leeward.domain.places import actions, queries
from leeward.domain.places.models import Place
from leeward.domain.places.rules import Facts
from leeward.lib.refusals import NotHere, Refusal
from tests.cast import NOW, harbour

pytestmark = pytest.mark.django_db

LIBRARY = Facts(
    label="Library", address="Quay 3", link="https://meet.example/h", access_notes="Ring twice", cost_free=True,
    screen_sharing=True, reserved_until=date(2027, 1, 31),
)  # fmt: skip


def test_any_member_adds_a_place_and_all_members_see_all_but_its_link() -> None:
    here = harbour()
    place = actions.add_place(here.ticket("Eli"), LIBRARY, at=NOW)
    seen = queries.places(here.ticket("Ben"))
    assert [(p.id, p.label, p.address, p.access_notes, p.has_link, p.link) for p in seen] == [
        (place, "Library", "Quay 3", "Ring twice", True, "")
    ]
    assert queries.places(here.ticket("Gus")) == ()


def test_the_link_is_shown_with_its_meeting_in_its_minutes() -> None:
    here = harbour()
    row = Place.objects.get(pk=actions.add_place(here.ticket("Ana"), LIBRARY, at=NOW))
    start, end = NOW + timedelta(hours=1), NOW + timedelta(hours=2)

    def link(name: str, minutes_before: int) -> str | None:
        seen = queries.place_of_meeting(
            here.ticket(name), place=row, starts_at=start, ends_at=end, at=start - timedelta(minutes=minutes_before)
        )
        return None if seen is None else seen.link

    assert [link("Ben", 16), link("Ben", 15), link("Gus", 15)] == ["", "https://meet.example/h", None]


def test_a_change_keeps_the_link_that_nobody_could_read() -> None:
    here = harbour()
    place = actions.add_place(here.ticket("Ana"), LIBRARY, at=NOW)
    quieter = replace(LIBRARY, label="Reading room", link="")
    actions.change_place(here.ticket("Ben"), quieter, place=place, keep_link=True, at=NOW)
    assert [(p.label, p.has_link) for p in queries.places(here.ticket("Ana"))] == [("Reading room", True)]
    actions.change_place(here.ticket("Ben"), quieter, place=place, keep_link=False, at=NOW)
    assert [p.has_link for p in queries.places(here.ticket("Ana"))] == [False]


def test_a_retired_place_is_off_the_list_and_retiring_twice_is_once() -> None:
    here = harbour()
    place = actions.add_place(here.ticket("Ana"), LIBRARY, at=NOW)
    actions.retire_place(here.ticket("Ben"), place=place, at=NOW)
    actions.retire_place(here.ticket("Ben"), place=place, at=NOW)
    assert queries.places(here.ticket("Ana")) == ()
    events = [line.event for line in journal.lines(here.ticket("Ana")) if line.event.startswith("Place")]
    assert sorted(events) == ["PlaceAdded", "PlaceRetired"]


def test_another_groups_place_is_not_here() -> None:
    here = harbour()
    place = actions.add_place(here.ticket("Ana"), LIBRARY, at=NOW)
    for do in (
        lambda: queries.place(here.ticket("Gus"), place),
        lambda: actions.retire_place(here.ticket("Gus"), place=place, at=NOW),
        lambda: actions.change_place(here.ticket("Gus"), LIBRARY, place=place, keep_link=True, at=NOW),
    ):
        with pytest.raises(NotHere):
            do()


def test_somebody_on_a_break_changes_no_places() -> None:
    here = harbour()
    groups.pause(here.ticket("Ben"), at=NOW)
    with pytest.raises(Refusal) as no:
        actions.add_place(here.ticket("Ben"), LIBRARY, at=NOW)
    assert no.value.code == "not_while_paused"


def test_what_is_said_about_a_place_is_sealed() -> None:
    here = harbour()
    actions.add_place(here.ticket("Ana"), LIBRARY, at=NOW)
    (raw,) = Place.objects.values("label", "address", "link", "access_notes")
    assert [b"Library" in bytes(v) or b"Quay" in bytes(v) or b"meet" in bytes(v) for v in raw.values()] == [False] * 4
