"""Thumbs: who may answer, what carries, and that rows die at the close."""

from __future__ import annotations

from datetime import timedelta

import pytest

from leeward.domain.groups import actions as groups
from leeward.domain.groups.models import Group
from leeward.domain.groups.rules import Format
from leeward.domain.meetings import queries as meetings
from leeward.domain.meetings.models import AgendaItem
from leeward.domain.pledges import queries as pledges
from leeward.domain.polls import actions, queries
from leeward.domain.polls.models import Ballot, Poll
from leeward.domain.polls.rules import Change, Thumb
from leeward.lib.refusals import NotHere, Refusal
from tests.cast import INSIDE, NOW, Harbour, a_person, harbour, joins
from tests.meeting import START, agreed, held, planned

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("lines")]
AFTER = START + timedelta(days=1)


@pytest.fixture
def here() -> Harbour:
    """After the first closed meeting."""
    found = harbour()
    agreed(found)
    held(found)
    return found


def thumbs(here: Harbour, poll: str, **given: Thumb) -> None:
    for name, thumb in given.items():
        actions.vote(here.ticket(name, at=AFTER), poll=poll, thumb=thumb, at=AFTER)


def test_before_the_first_closed_meeting_a_founder_changes_and_needs_no_poll() -> None:
    found = harbour()
    agreed(found)
    with pytest.raises(Refusal, match="found_by_yourself"):
        actions.propose_change(found.ticket("Ana"), what=Change.CAPACITY, value=9, at=NOW)


def test_after_it_only_a_poll_changes_the_purpose(here: Harbour) -> None:
    with pytest.raises(Refusal, match="by_poll_only"):
        groups.describe(
            here.ticket("Ana", at=AFTER), name="Mine", purpose="Mine alone", cohort="Us", country="DE",
            format=Format.TOPIC_CIRCLE, capacity=12, at=AFTER,
        )  # fmt: skip
    poll = actions.propose_change(here.ticket("Ana", at=AFTER), what=Change.PURPOSE, value="Ours", at=AFTER)
    thumbs(here, poll, Ana=Thumb.UP, Ben=Thumb.UP, Chidi=Thumb.DOWN)
    end = AFTER + timedelta(hours=72)
    assert actions.settle(here.group, at=end - timedelta(seconds=1)) == 0
    assert actions.settle(here.group, at=end) == 1
    assert Group.objects.get(pk=here.group).purpose == "Ours"
    assert queries.poll(here.ticket("Dara", at=end), poll=poll).outcome == "carried"


def test_the_rows_die_at_the_close_and_the_outcome_is_one_word(here: Harbour) -> None:
    poll = actions.propose_change(here.ticket("Ana", at=AFTER), what=Change.CAPACITY, value=9, at=AFTER)
    thumbs(here, poll, Ana=Thumb.UP, Ben=Thumb.DOWN, Chidi=Thumb.PASS)
    assert Ballot.objects.filter(poll=poll).count() == len(INSIDE)
    actions.settle(here.group, at=AFTER + timedelta(hours=72))
    assert Ballot.objects.filter(poll=poll).count() == 0
    seen = queries.poll(here.ticket("Ana", at=AFTER), poll=poll)
    assert (seen.outcome, seen.my_thumb, seen.may_answer) == ("not_carried", "", False)
    assert Group.objects.get(pk=here.group).capacity == 12


def test_half_must_answer(here: Harbour) -> None:
    poll = actions.propose_change(here.ticket("Ana", at=AFTER), what=Change.NAME, value="Haven", at=AFTER)
    thumbs(here, poll, Ana=Thumb.UP, Ben=Thumb.UP)  # two of five
    actions.settle(here.group, at=AFTER + timedelta(hours=72))
    assert queries.poll(here.ticket("Ana", at=AFTER), poll=poll).outcome == "not_enough_answered"


def test_settling_twice_and_late_is_settling_once_at_its_own_moment(here: Harbour) -> None:
    poll = actions.propose_change(here.ticket("Ana", at=AFTER), what=Change.CAPACITY, value=9, at=AFTER)
    thumbs(here, poll, Ana=Thumb.UP, Ben=Thumb.UP, Chidi=Thumb.UP)
    late = AFTER + timedelta(days=30)
    assert [actions.settle(here.group, at=late) for _ in range(2)] == [1, 0]
    assert Poll.objects.get(pk=poll).closed_at == AFTER + timedelta(hours=72)


def test_nobody_sees_anothers_thumb(here: Harbour) -> None:
    poll = actions.propose_change(here.ticket("Ana", at=AFTER), what=Change.CAPACITY, value=9, at=AFTER)
    thumbs(here, poll, Ana=Thumb.UP)
    seen = {name: queries.open_polls(here.ticket(name, at=AFTER))[0].my_thumb for name in INSIDE}
    assert seen == {"Ana": "up", "Ben": "", "Chidi": "", "Dara": "", "Eli": ""}


def test_who_comes_later_or_has_left_has_no_thumb(here: Harbour) -> None:
    poll = actions.propose_change(here.ticket("Ana", at=AFTER), what=Change.CAPACITY, value=9, at=AFTER)
    late = joins(a_person("Late"), group=here.ticket("Ana", at=AFTER), at=AFTER)
    with pytest.raises(Refusal, match="not_eligible"):
        actions.vote(late, poll=poll, thumb=Thumb.UP, at=AFTER)
    thumbs(here, poll, Ben=Thumb.DOWN)
    ben = here.ticket("Ben", at=AFTER)
    groups.leave(ben, at=AFTER)
    assert Ballot.objects.filter(poll=poll, membership=ben.membership).count() == 0
    thumbs(here, poll, Ana=Thumb.UP, Chidi=Thumb.UP)
    actions.settle(here.group, at=AFTER + timedelta(hours=72))
    assert queries.poll(here.ticket("Ana", at=AFTER), poll=poll).outcome == "carried"


def test_other_groups_and_closed_polls_refuse(here: Harbour) -> None:
    poll = actions.propose_change(here.ticket("Ana", at=AFTER), what=Change.CAPACITY, value=9, at=AFTER)
    with pytest.raises(NotHere):
        actions.vote(here.ticket("Gus", at=AFTER), poll=poll, thumb=Thumb.UP, at=AFTER)
    with pytest.raises(Refusal, match="poll_closed"):
        actions.vote(here.ticket("Ana"), poll=poll, thumb=Thumb.UP, at=AFTER + timedelta(hours=72))
    with pytest.raises(Refusal, match="asked_already"):
        actions.propose_change(here.ticket("Ben", at=AFTER), what=Change.CAPACITY, value=10, at=AFTER)


def test_a_new_pledge_by_poll_asks_everybody_anew(here: Harbour) -> None:
    poll = actions.propose_change(here.ticket("Ana", at=AFTER), what=Change.PLEDGE, value=["A new line."], at=AFTER)
    thumbs(here, poll, Ana=Thumb.UP, Ben=Thumb.UP, Chidi=Thumb.UP)
    end = AFTER + timedelta(hours=72)
    actions.settle(here.group, at=end)
    current = pledges.current(here.group)
    assert current is not None
    assert current.lines == ["A new line."]
    assert pledges.assented_ids(here.group, at=end) == frozenset()


def test_a_topic_is_taken_up_when_thumbs_say_so_before_the_meeting(here: Harbour) -> None:
    coming = meetings.coming(here.ticket("Ana", at=AFTER), at=AFTER)[0]
    item = actions.propose_item(here.ticket("Ana", at=AFTER), meeting=coming.pk, title="Naps", at=AFTER)
    poll = queries.item_polls(here.ticket("Ana"), meeting=coming.pk, at=AFTER)[0].id
    thumbs(here, poll, Ana=Thumb.UP, Ben=Thumb.UP, Dara=Thumb.UP)
    actions.settle(here.group, at=AFTER + timedelta(hours=72))
    assert AgendaItem.objects.get(pk=item).carried_at == AFTER + timedelta(hours=72)


def test_without_a_yes_to_the_pledge_there_is_no_question_and_no_thumb() -> None:
    found = harbour()
    agreed(found, names=("Ana", "Ben", "Dara", "Eli"))
    meeting = planned(found)
    with pytest.raises(Refusal, match="pledge_first"):
        actions.propose_item(found.ticket("Chidi"), meeting=meeting.pk, title="Naps", at=NOW)
    assert AgendaItem.objects.count() == 0
