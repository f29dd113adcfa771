"""A kept statement gives the rows that its queryset gives, and refuses what cannot be kept."""

from __future__ import annotations

from datetime import timedelta
from threading import Thread

import pytest
from django.db import connection, connections
from django.db.models import Exists, OuterRef
from django.test.utils import CaptureQueriesContext

from leeward.domain.groups.models import CoreYes, Membership
from leeward.lib.statements import CannotKeep, Statement
from tests.cast import NOW, harbour

pytestmark = pytest.mark.django_db


def seats(group, before):  # type: ignore[no-untyped-def]
    said_yes = Exists(CoreYes.objects.filter(membership=OuterRef("pk"), at__lt=before))
    found = Membership.objects.filter(group=group, stints__began_at__lt=before)
    return found.select_related("group", "person").annotate(said_yes=said_yes).order_by("number")


def told(rows):  # type: ignore[no-untyped-def]
    return [
        (row.pk, row.name, row.said_yes, row.group.name, row.group.founded_at, row.person and row.person.name)
        for row in rows
    ]


def test_a_statement_gives_the_rows_of_its_queryset_for_every_value() -> None:
    here, kept = harbour(), Statement(seats)
    for group in (here.group, here.other_group, "0" * 16):
        for before in (NOW, NOW - timedelta(days=60), NOW - timedelta(days=61)):
            values = {"group": group, "before": before}
            assert told(kept.rows(**values)) == told(seats(**values))
    assert len(kept.rows(group=here.group, before=NOW)) == 6


def test_the_text_that_goes_to_the_database_is_the_querysets() -> None:
    here, kept = harbour(), Statement(seats)
    kept.rows(group=here.other_group, before=NOW - timedelta(days=1))
    with CaptureQueriesContext(connection) as heard:
        kept.rows(group=here.group, before=NOW)
        list(seats(here.group, NOW))
    assert len(heard) == 2
    assert heard[0]["sql"] == heard[1]["sql"]


def test_a_value_that_the_queryset_derives_another_from_is_refused() -> None:
    with pytest.raises(CannotKeep, match="before"):
        Statement(lambda group, before: seats(group, before - timedelta(days=1))).rows(group="0" * 16, before=NOW)


def test_rows_that_would_cost_another_statement_are_refused() -> None:
    with pytest.raises(CannotKeep):
        Statement(lambda group: Membership.objects.filter(group=group).prefetch_related("stints")).rows(group="0" * 16)
    with pytest.raises(CannotKeep):
        Statement(lambda group: Membership.objects.filter(group=group).values_list("pk")).rows(group="0" * 16)


@pytest.mark.django_db(transaction=True)
def test_a_statement_that_one_thread_kept_serves_another() -> None:
    here, kept = harbour(), Statement(seats)
    expected = told(kept.rows(group=here.group, before=NOW))
    found: list[object] = []

    def ask() -> None:
        found.append(told(kept.rows(group=here.group, before=NOW)))
        connections.close_all()

    thread = Thread(target=ask)
    thread.start()
    thread.join()
    assert found == [expected]
