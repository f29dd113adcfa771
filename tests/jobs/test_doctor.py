"""The doctor names what nobody would notice: one changed byte in a record, a key that fits no more."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings as config
from django.db import connection

from leeward.domain.meetings import actions as meetings
from leeward.domain.meetings import queries as meeting_queries
from leeward.domain.meetings.models import Leaf, Meeting, Record
from leeward.jobs.clock import DUTIES, tick
from leeward.jobs.doctor import examine
from tests.cast import NOW, Harbour, harbour
from tests.domain.conftest import lines  # noqa: F401 — a fixture
from tests.meeting import START, agreed, held

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("lines")]
LATER = START + timedelta(days=1)


@pytest.fixture
def here() -> Harbour:
    found = harbour()
    agreed(found)
    first = held(found, steps={"Ana": ("Walk", "group")})
    meetings.add_to_record(found.ticket("Ana"), meeting=first.pk, text="We also named a buddy.", at=LATER)
    return found


def problems() -> list[tuple[str, str]]:
    return [(finding["what"], finding["words"]) for finding in examine(at=LATER) if not finding["well"]]


def test_a_healthy_house_has_no_problem(here: Harbour) -> None:
    assert problems() == []


def changed(row: Record, **values: object) -> None:
    type(row).objects.filter(pk=row.pk).update(**values)


def _set_text(row: Record) -> None:
    leaf = Leaf.objects.filter(record=row).order_by("number").last()
    assert leaf is not None
    leaf.text = leaf.text + "."
    leaf.save()


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize(
    "change",
    [
        lambda row: changed(row, hash=row.hash[:-1] + ("0" if row.hash[-1] != "0" else "1")),
        _set_text,
        lambda row: Leaf.objects.filter(record=row).first().delete(),
    ],
    ids=["one digit of the hash", "another text", "a line deleted"],
)
def test_a_changed_record_is_named(here: Harbour, number: int, change: Callable[[Record], object]) -> None:
    change(Record.objects.get(group=here.group, number=number))
    found = problems()
    assert len(found) == 1
    assert f"record {number}" in found[0][1]


def test_one_flipped_byte_of_a_sealed_line_is_named(here: Harbour) -> None:
    leaf = Leaf.objects.filter(record__number=1, kind="step").get()
    with connection.cursor() as cursor:
        cursor.execute("SELECT text FROM meetings_leaf WHERE id = %s", [leaf.pk])
        sealed = bytearray(bytes(cursor.fetchone()[0]))
        sealed[-1] ^= 1
        cursor.execute("UPDATE meetings_leaf SET text = %s WHERE id = %s", [bytes(sealed), leaf.pk])
    assert {what for what, _words in problems()} == {"sealed columns", f"chain of group {here.group}"}
    assert any("record 1" in words for _what, words in problems())


def test_a_line_its_author_took_out_breaks_nothing(here: Harbour) -> None:
    leaf = Leaf.objects.filter(record__number=1, kind="step").get()
    meetings.remove_leaf(here.ticket("Ana"), leaf=leaf.pk, at=LATER)
    assert problems() == []
    assert [line.text for line in meeting_queries.chain(here.ticket("Ben"))[0].leaves if line.removed] == [""]


def test_a_key_file_that_others_can_read_is_a_problem(here: Harbour) -> None:
    keys = config.LEEWARD_HOME / "keys.json"
    keys.chmod(0o644)
    try:
        assert [what for what, _words in problems()] == ["keys"]
    finally:
        os.chmod(keys, 0o600)


def test_every_duty_performed_twice_changes_nothing_the_second_time(here: Harbour) -> None:
    tick(at=LATER + timedelta(days=200))
    assert set(tick(at=LATER + timedelta(days=200)).values()) == {0}
    assert set(DUTIES) == {
        "seats", "dates", "rooms", "polls", "uploads", "visits", "invitations", "links", "steps", "journal",
    }  # fmt: skip
    assert Meeting.objects.filter(group=here.group, starts_at__gt=NOW + timedelta(days=300)).exists()
