"""What the register says is kept for a while is gone afterwards, and not a day before."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from leeward.domain.commitments.models import Commitment
from leeward.domain.groups.models import Group
from leeward.domain.journal.models import JournalRow
from leeward.domain.meetings.models import Leaf
from leeward.domain.people import actions as people
from leeward.domain.people.models import EntryLink
from leeward.jobs.clock import tick
from leeward.lib.register import LASTS, Keep
from leeward.lib.tickets import Operator
from tests.cast import NOW, a_person, harbour
from tests.meeting import agreed, held

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("lines")]
SECOND = timedelta(seconds=1)


@pytest.fixture
def lines(settings: object, tmp_path: object) -> None:
    from leeward.domain.safety import actions as safety

    settings.LEEWARD_HELP_LINES = tmp_path / "help-lines.toml"  # type: ignore[attr-defined, operator]
    safety.write_example_lines(Operator(), at=NOW)


def links_left(at: datetime) -> list[bool]:
    """`reusable` of each sign-in link that is still kept after the clock ran."""
    tick(at=at)
    return list(EntryLink.objects.order_by("reusable").values_list("reusable", flat=True))


def test_sign_in_links_are_forgotten_seven_days_after_they_ended_or_were_used() -> None:
    me, day = a_person("Ana"), timedelta(days=1)
    people.make_entry_link(Operator(), person=me.person, lasts=day, at=NOW)
    for reusable in (False, True):
        token = people.make_entry_link(Operator(), person=me.person, lasts=30 * day, reusable=reusable, at=NOW)
        assert people.use_entry_link(token=token, at=NOW) is not None
    assert links_left(NOW + 7 * day - SECOND) == [False, False, True]
    assert links_left(NOW + 7 * day) == [False, True]
    assert links_left(NOW + 8 * day) == [True]
    assert links_left(NOW + 37 * day) == []


def test_steps_are_forgotten_after_13_months_and_the_record_is_not() -> None:
    here = harbour()
    agreed(here)
    held(here, steps={"Ana": ("Walk", "group")})
    row = Commitment.objects.get()
    tick(at=row.at + LASTS[Keep.MONTHS_13] - SECOND)
    assert Commitment.objects.count() == 1
    tick(at=row.at + LASTS[Keep.MONTHS_13])
    assert Commitment.objects.count() == 0
    assert [leaf.text for leaf in Leaf.objects.filter(kind="step")] == ["Walk"]


def test_the_journal_forgets_after_24_months() -> None:
    here = harbour()
    rows = JournalRow.objects.filter(group=here.group)
    last = rows.latest("at").at
    tick(at=last + LASTS[Keep.MONTHS_24] - SECOND)
    assert rows.count() > 0
    tick(at=last + LASTS[Keep.MONTHS_24])
    assert rows.count() == 0


def test_what_came_with_a_group_is_kept_from_its_arrival_on() -> None:
    here = harbour()
    arrived = NOW + timedelta(days=700)
    Group.objects.filter(pk=here.group).update(imported_at=arrived)
    tick(at=arrived + LASTS[Keep.MONTHS_24] - SECOND)
    assert JournalRow.objects.filter(group=here.group).exists()
    tick(at=arrived + LASTS[Keep.MONTHS_24])
    assert not JournalRow.objects.filter(group=here.group).exists()


def test_months_are_not_longer_than_the_calendars() -> None:
    assert LASTS[Keep.MONTHS_13] <= timedelta(days=365 + 31)
    assert LASTS[Keep.MONTHS_24] <= timedelta(days=2 * 365 + 1)
