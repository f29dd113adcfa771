"""Dates: what a new rhythm leaves alone, and who may do something about a date."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from leeward.domain.groups import actions as groups
from leeward.domain.meetings import actions, queries, rules
from leeward.domain.meetings.models import AgendaItem, Meeting, Record, Rsvp
from leeward.domain.meetings.rules import Answer, Block, BlockKind, Rhythm, Way, shown_at
from leeward.domain.places import actions as places
from leeward.domain.places.rules import Facts
from leeward.domain.polls import actions as polls
from leeward.lib.refusals import Refusal
from tests.cast import NOW, ZONE, Harbour, harbour
from tests.meeting import START, agreed, held, planned

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("lines")]
BEFORE = START - timedelta(days=1)


@pytest.fixture
def here() -> Harbour:
    found = harbour()
    agreed(found)
    return found


def set_rhythm(here: Harbour, start: datetime = START, **changes: Any) -> None:
    wanted = Rhythm(shown_at(start, ZONE), ZONE, **({"cycle": (Way.HYBRID,)} | changes))
    actions.set_rhythm(here.ticket("Ana"), wanted, place=None, at=NOW)


def coming(here: Harbour) -> tuple[Meeting, ...]:
    return queries.coming(here.ticket("Ana"), at=NOW, most=99)


# A new rhythm ------------------------------------------------------------------------------------------------------


def test_the_same_rhythm_again_changes_nothing(here: Harbour) -> None:
    first = planned(here)
    actions.take_turn(here.ticket("Ben"), meeting=first.pk, at=NOW)
    polls.propose_item(here.ticket("Chidi"), meeting=first.pk, title="Naps", at=NOW)
    own = [Block(BlockKind.OPEN, "Our own", 40)]
    actions.set_agenda(here.ticket("Ben"), meeting=first.pk, blocks=own, at=NOW)
    before = [(row.pk, row.starts_at, row.ends_at, row.lead_id, row.way) for row in coming(here)]
    set_rhythm(here)
    assert [(row.pk, row.starts_at, row.ends_at, row.lead_id, row.way) for row in coming(here)] == before
    assert [(block.title, block.minutes) for block in Meeting.objects.get(pk=first.pk).blocks.all()] == [
        ("Our own", 40)
    ]
    assert AgendaItem.objects.count() == 1


TOUCHES: dict[str, Callable[[Harbour, Meeting], object]] = {
    "a lead": lambda here, row: actions.take_turn(here.ticket("Ben"), meeting=row.pk, at=NOW),
    "a topic": lambda here, row: polls.propose_item(here.ticket("Ben"), meeting=row.pk, title="Naps", at=NOW),
    "an answer": lambda here, row: actions.answer_rsvp(here.ticket("Ben"), meeting=row.pk, answer=Answer.ROOM, at=NOW),
    "a yes, still on": lambda here, row: actions.confirm(here.ticket("Ben"), meeting=row.pk, at=NOW),
}


@pytest.mark.parametrize("what", TOUCHES)
def test_a_date_somebody_did_something_about_stays_beside_the_new_ones(here: Harbour, what: str) -> None:
    planned(here)
    touched = coming(here)[2]
    TOUCHES[what](here, touched)
    set_rhythm(here, START + timedelta(days=1))
    old = [row.pk for row in coming(here) if row.planned_for == row.starts_at and row.starts_at.weekday() == 3]
    assert old == [touched.pk]  # every other Thursday gave way
    assert len(coming(here)) == 14


def test_a_longer_rhythm_makes_the_dates_it_shares_longer_and_keeps_their_leads(here: Harbour) -> None:
    first = planned(here)
    actions.take_turn(here.ticket("Ben"), meeting=first.pk, at=NOW)
    own = [Block(BlockKind.OPEN, "Our own", 40)]
    second = coming(here)[1]
    actions.set_agenda(here.ticket("Ben"), meeting=second.pk, blocks=own, at=NOW)
    set_rhythm(here, minutes=90, cycle=(Way.ONLINE,))
    rows = coming(here)
    assert {(row.minutes, row.ends_at - row.starts_at, row.way) for row in rows} == {
        (90, timedelta(minutes=90), "online")
    }
    assert rows[0].lead_id == here.membership("Ben")
    assert queries.agenda(rows[0]) == rules.agenda_for("topic_circle", 90)
    assert queries.agenda(rows[1]) == tuple(own)
    set_rhythm(here, minutes=30)
    assert queries.agenda(coming(here)[1]) == rules.agenda_for("topic_circle", 30)  # forty minutes do not fit


def test_what_somebody_chose_for_one_date_is_not_the_rhythms_to_change(here: Harbour) -> None:
    first = planned(here)
    library = places.add_place(here.ticket("Ana"), Facts("Library", "Am Markt 3", "", "", True, False, None), at=NOW)
    actions.arrange(
        here.ticket("Ben"), meeting=first.pk, local=datetime.fromisoformat(first.local), theme="", way=Way.IN_PERSON,
        place=library, at=NOW,
    )  # fmt: skip
    set_rhythm(here)
    assert (coming(here)[0].place_id, coming(here)[0].way) == (library, "in_person")


# Who may -----------------------------------------------------------------------------------------------------------

BLOCKS = [Block(BlockKind.OPEN, "Mine", 30)]
DEEDS: dict[str, Callable[[Harbour, str, str], object]] = {
    "take the turn": lambda here, who, row: actions.take_turn(here.ticket(who), meeting=row, at=NOW),
    "cancel": lambda here, who, row: actions.cancel(here.ticket(who), meeting=row, at=NOW),
    "confirm": lambda here, who, row: actions.confirm(here.ticket(who), meeting=row, at=NOW),
    "set the agenda": lambda here, who, row: actions.set_agenda(here.ticket(who), meeting=row, blocks=BLOCKS, at=NOW),
    "propose": lambda here, who, row: actions.propose_item(here.ticket(who), meeting=row, title="Naps", at=NOW),
    "move": lambda here, who, row: actions.arrange(
        here.ticket(who), meeting=row, local=shown_at(START + timedelta(days=1), ZONE).replace(tzinfo=None), theme="",
        way=Way.ONLINE, place=None, at=NOW,
    ),
}  # fmt: skip


@pytest.mark.parametrize("deed", DEEDS)
def test_on_a_break_or_without_a_yes_nobody_does_something_about_a_date(deed: str) -> None:
    here = harbour()
    agreed(here, names=("Ana", "Ben", "Eli"))
    row = planned(here).pk
    before = Meeting.objects.values().get(pk=row)
    groups.pause(here.ticket("Eli"), at=NOW)
    for who, code in (("Eli", "not_while_paused"), ("Chidi", "pledge_first")):
        with pytest.raises(Refusal, match=code):
            DEEDS[deed](here, who, row)
    assert (Meeting.objects.values().get(pk=row), AgendaItem.objects.count()) == (before, 0)
    DEEDS[deed](here, "Ben", row)  # who takes part may


def test_before_there_is_a_pledge_any_active_member_leads() -> None:
    here = harbour()
    row = planned(here).pk
    actions.take_turn(here.ticket("Chidi"), meeting=row, at=NOW)
    groups.pause(here.ticket("Chidi"), at=NOW)
    actions.give_turn_back(here.ticket("Chidi"), meeting=row, at=NOW)  # a break takes no turn along
    assert Meeting.objects.get(pk=row).lead_id is None


def test_on_a_break_nobody_says_that_they_come(here: Harbour) -> None:
    row = planned(here).pk
    groups.pause(here.ticket("Eli"), at=NOW)
    with pytest.raises(Refusal, match="not_while_paused"):
        actions.answer_rsvp(here.ticket("Eli"), meeting=row, answer=Answer.ROOM, at=NOW)
    assert Rsvp.objects.count() == 0


def test_the_record_takes_an_addendum_from_whoever_may_read_it_and_is_not_on_a_break(here: Harbour) -> None:
    row = held(here).pk
    after = START + timedelta(days=1)
    groups.pause(here.ticket("Eli", at=after), at=after)
    pledge = here.ticket("Dara", at=after + timedelta(days=366))
    for ticket, code, at in (
        (here.ticket("Eli", at=after), "not_while_paused", after),
        (pledge, "pledge_first", after + timedelta(days=366)),
    ):
        with pytest.raises(Refusal, match=code):
            actions.add_to_record(ticket, meeting=row, text="And one more.", at=at)
    assert Record.objects.count() == 1
    actions.add_to_record(here.ticket("Dara", at=after), meeting=row, text="And one more.", at=after)
    assert Record.objects.count() == 2
