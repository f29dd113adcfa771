"""The frame holds: sealed columns, one effect for a form sent twice, one answer for absent, forbidden and left."""

from __future__ import annotations

import pytest
from django.core.exceptions import FieldError
from django.db import connection

from leeward.domain.groups import queries as groups
from leeward.domain.groups.models import Group
from leeward.domain.people import actions as people
from leeward.lib.crypto import CannotOpen
from leeward.lib.refusals import NotHere
from tests import cast

pytestmark = pytest.mark.django_db


def stored(table: str, column: str) -> bytes:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {table}")
        return bytes(cursor.fetchone()[0])


def test_what_people_write_is_unreadable_in_the_table_and_readable_on_the_row() -> None:
    me = cast.a_person("Ana")
    group = cast.a_group(me).group
    assert b"Harbour" not in stored("groups_group", "purpose")
    assert Group.objects.get(pk=group).purpose == "We listen to one another in Harbour."


def test_a_sealed_column_opens_in_its_own_row_only() -> None:
    me = cast.a_person("Ana")
    one, other = cast.a_group(me).group, cast.a_group(me).group
    with connection.cursor() as cursor:
        cursor.execute("UPDATE groups_group SET name = (SELECT name FROM groups_group WHERE id = %s)", [one])
    assert Group.objects.get(pk=one).name == "Harbour"
    with pytest.raises(CannotOpen):
        _ = Group.objects.get(pk=other).name


def test_a_sealed_column_is_never_looked_up_or_updated_in_sql() -> None:
    with pytest.raises(FieldError):
        Group.objects.filter(name="Harbour").exists()
    with pytest.raises(FieldError):
        Group.objects.update(name="Harbour")


def test_a_form_sent_twice_has_one_effect_and_other_content_has_another() -> None:
    me, effects = cast.a_person("Ana"), []

    def do() -> str:
        effects.append(1)
        return f"answer {len(effects)}"

    answers = [
        people.once(me, key="k" * 16, content=content, do=do, at=cast.NOW) for content in ("same", "same", "other")
    ]
    assert answers == ["answer 1", "answer 1", "answer 2"]


@pytest.mark.parametrize("name", ["Farah", "Gus", "Hana"])
def test_who_left_or_never_was_a_member_gets_no_ticket(name: str) -> None:
    here = cast.harbour()
    with pytest.raises(NotHere):
        groups.member(here.people[name], group=here.group, at=cast.NOW)
    assert here.ticket("Chidi").name == "Chidi"


@pytest.mark.parametrize("size", [5, 12])
def test_a_ticket_costs_one_statement_whatever_the_size(size: int, django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    here = cast.harbour(size=size)
    with django_assert_num_queries(1):
        ticket = here.ticket("Chidi")
    with django_assert_num_queries(1):
        people_here = groups.people(ticket, at=cast.NOW)
    assert len(people_here) == size
