"""Fifty people reach for one seat at the same moment: real threads, real transactions."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, connections

from leeward.domain.groups import actions, queries
from leeward.domain.groups.models import Invitation, Stint, Waiting
from leeward.domain.groups.rules import Member
from leeward.domain.people.rules import Self
from tests.cast import NOW, a_group, a_person, joins

PEOPLE = 50

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _a_database_for_threads() -> None:
    """SQLite in memory is one connection; threads need a file."""
    assert connection.vendor != "sqlite" or "memory" not in str(connection.settings_dict["NAME"])


def test_fifty_joins_for_one_seat_let_one_in_and_the_rest_stand_in_line_in_order() -> None:
    ana = a_group(a_person("Ana"), capacity=5)
    for name in ("Ben", "Chidi", "Dara"):
        joins(a_person(name), group=ana)
    tokens = [actions.invite(ana, uses=10, at=NOW).token for _ in range(5)]
    comers = [a_person(f"Comer {number}") for number in range(PEOPLE)]
    start = Barrier(PEOPLE, timeout=60)

    def come(number: int) -> tuple[Self, Member | Waiting]:
        me = comers[number]
        start.wait()
        try:
            return me, actions.join(me, token=tokens[number % 5], name=me.name, at=NOW)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(PEOPLE) as pool:
        got = [future.result(timeout=120) for future in [pool.submit(come, number) for number in range(PEOPLE)]]

    seated = [me for me, answer in got if isinstance(answer, Member)]
    line = sorted((answer.place, me.person) for me, answer in got if isinstance(answer, Waiting))
    assert (len(seated), [place for place, _person in line]) == (1, list(range(1, PEOPLE)))
    assert [queries.waits_of(me, at=NOW)[0].place for me, answer in got if isinstance(answer, Waiting)] == [
        answer.place for _me, answer in got if isinstance(answer, Waiting)
    ]
    assert Stint.objects.filter(group=ana.group, ended_at=None).count() == 5
    assert Waiting.objects.exclude(offered_at=None).count() == 0
    assert [row.uses_left for row in Invitation.objects.filter(digest__in=digests(tokens))] == [0] * 5


def digests(tokens: list[str]) -> list[str]:
    from leeward.lib.fields import keyring

    return [keyring().digest(token, queries.INVITATION) for token in tokens]


def test_one_seat_freed_for_a_long_line_is_taken_once() -> None:
    ana = a_group(a_person("Ana"), capacity=5)
    others = [a_person(name) for name in ("Ben", "Chidi", "Dara", "Eli")]
    for other in others:
        joins(other, group=ana)
    token = actions.invite(ana, uses=1, at=NOW).token
    ines = a_person("Ines")
    waiting = actions.join(ines, token=token, name="Ines", at=NOW)
    assert isinstance(waiting, Waiting)
    actions.leave(queries.member(others[0], group=ana.group, at=NOW), at=NOW)
    start = Barrier(8, timeout=60)

    def take(_number: int) -> str:
        start.wait()
        try:
            return actions.take_offered_seat(ines, waiting=waiting.pk, at=NOW).group
        except Exception as error:
            return type(error).__name__
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(take, range(8)))
    assert answers == sorted([ana.group] + ["Refusal"] * 7)
    assert Stint.objects.filter(group=ana.group, ended_at=None).count() == 5
