"""Thumbs: who may answer, what carries, and that rows die at the close."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from leeward.domain.groups import actions as groups
from leeward.domain.groups.models import Group
from leeward.domain.groups.rules import Format
from leeward.domain.meetings import queries as meetings
from leeward.domain.meetings.models import AgendaItem
from leeward.domain.meetings.models import Rhythm as MeetingRhythm
from leeward.domain.meetings.rules import Rhythm, Way, shown_at
from leeward.domain.pledges import actions as pledge_actions
from leeward.domain.pledges import queries as pledges
from leeward.domain.polls import actions, queries
from leeward.domain.polls.models import Ballot, Poll
from leeward.domain.polls.rules import Change, Thumb
from leeward.jobs.clock import Unfinished, tick
from leeward.lib.refusals import NotHere, Refusal
from tests.cast import INSIDE, NOW, ZONE, Harbour, a_person, harbour, joins
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
    groups.leave(ben, at=AFTER + timedelta(minutes=1))
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


def rhythm(start: datetime = AFTER + timedelta(days=9), **changes: object) -> Rhythm:
    return Rhythm(shown_at(start, ZONE), ZONE, **({"cycle": (Way.HYBRID,)} | changes))  # type: ignore[arg-type]


def test_two_polls_due_at_once_do_not_trip_over_one_another(here: Harbour) -> None:
    """A new rhythm is carried, and a topic of a date of the old one is due in the same breath."""
    actions.propose_change(here.ticket("Ana", at=AFTER), what=Change.RHYTHM, value=rhythm(), at=AFTER)
    later = meetings.coming(here.ticket("Chidi", at=AFTER), at=AFTER)[3]
    moment = AFTER + timedelta(minutes=1)
    item = actions.propose_item(here.ticket("Chidi", at=moment), meeting=later.pk, title="Naps", at=moment)
    changed, asked = (seen.id for seen in queries.open_polls(here.ticket("Ana", at=moment)))
    thumbs(here, changed, Ana=Thumb.UP, Ben=Thumb.UP, Dara=Thumb.UP, Eli=Thumb.UP)
    thumbs(here, asked, Ana=Thumb.UP, Ben=Thumb.UP, Dara=Thumb.UP)
    late = AFTER + timedelta(hours=74)
    assert tick(at=late)["polls"] == 2
    assert [Poll.objects.get(pk=poll).outcome for poll in (changed, asked)] == ["carried", "carried"]
    assert AgendaItem.objects.get(pk=item).meeting_id == later.pk
    assert Ballot.objects.count() == 0


def test_what_fails_in_one_group_keeps_no_other_waiting(here: Harbour, caplog: pytest.LogCaptureFixture) -> None:
    broken = actions.propose_change(here.ticket("Ana", at=AFTER), what=Change.NAME, value="zqtyped", at=AFTER)
    thumbs(here, broken, Ana=Thumb.UP, Ben=Thumb.UP, Chidi=Thumb.UP)
    row = Poll.objects.get(pk=broken)
    row.change = {"what": "zqtyped", "to": "zqtyped"}
    row.save()
    other = harbour()
    agreed(other)
    held(other)
    well = actions.propose_change(other.ticket("Ana", at=AFTER), what=Change.NAME, value="Haven", at=AFTER)
    with pytest.raises(Unfinished) as unfinished:
        tick(at=AFTER + timedelta(hours=72))
    assert Poll.objects.get(pk=well).closed_at is not None
    assert (unfinished.value.done["polls"], unfinished.value.failed) == (1, {"polls": ["ValueError"]})
    assert "zqtyped" not in f"{unfinished.value}{caplog.text}"


def test_before_the_first_closed_meeting_no_poll_stands_in_for_whoever_founded_it() -> None:
    found = harbour()
    agreed(found)
    for what, value in ((Change.NAME, "Mine"), (Change.RHYTHM, rhythm())):
        with pytest.raises(Refusal, match="founders_decide"):
            actions.propose_change(found.ticket("Ben"), what=what, value=value, at=NOW)
    groups.leave(found.ticket("Ana"), at=NOW)
    groups.take_back_im_in(found.ticket("Ben"), at=NOW)
    with pytest.raises(Refusal, match="core_decides"):
        actions.propose_change(found.ticket("Ben"), what=Change.NAME, value="Mine", at=NOW)


def test_a_first_rhythm_by_poll_needs_what_any_first_rhythm_needs(here: Harbour) -> None:
    MeetingRhythm.objects.all().delete()
    poll = actions.propose_change(here.ticket("Ana", at=AFTER), what=Change.RHYTHM, value=rhythm(), at=AFTER)
    thumbs(here, poll, Ana=Thumb.UP, Ben=Thumb.UP, Chidi=Thumb.UP)
    groups.take_back_im_in(here.ticket("Eli", at=AFTER), at=AFTER)  # four are left in the core
    actions.settle(here.group, at=AFTER + timedelta(hours=72))
    assert Poll.objects.get(pk=poll).outcome == "not_carried"
    assert MeetingRhythm.objects.count() == 0
    with pytest.raises(Refusal, match="core_first"):
        actions.propose_change(here.ticket("Ana", at=AFTER), what=Change.RHYTHM, value=rhythm(), at=AFTER)


def test_one_person_who_agreed_to_the_new_pledge_does_not_decide_for_five(here: Harbour) -> None:
    new = pledge_actions.adopt_by_poll(here.group, lines=["A new line."], at=AFTER)
    pledge_actions.agree(here.ticket("Ana", at=AFTER), pledge=new, at=AFTER)
    poll = actions.propose_change(here.ticket("Ana", at=AFTER), what=Change.CAPACITY, value=9, at=AFTER)
    assert Poll.objects.get(pk=poll).eligible == 5
    thumbs(here, poll, Ana=Thumb.UP)
    with pytest.raises(Refusal, match="not_eligible"):
        thumbs(here, poll, Ben=Thumb.DOWN)
    actions.settle(here.group, at=AFTER + timedelta(hours=72))
    assert Poll.objects.get(pk=poll).outcome == "not_enough_answered"


@pytest.mark.parametrize("looked_first", [True, False])
@pytest.mark.parametrize("goes", [groups.leave, groups.pause])
def test_an_outcome_does_not_hang_on_who_looks_first(here: Harbour, goes: Any, looked_first: bool) -> None:
    poll = actions.propose_change(here.ticket("Ana", at=AFTER), what=Change.CAPACITY, value=9, at=AFTER)
    thumbs(here, poll, Ana=Thumb.UP, Ben=Thumb.UP, Chidi=Thumb.DOWN)
    end = AFTER + timedelta(hours=72)
    if looked_first:
        actions.settle(here.group, at=end)
    goes(here.ticket("Ben", at=end), at=end + timedelta(minutes=5))
    actions.settle(here.group, at=end + timedelta(hours=1))
    assert Poll.objects.get(pk=poll).outcome == "carried"
    assert Ballot.objects.count() == 0


@pytest.mark.parametrize("looked_first", [True, False])
def test_a_break_that_ended_after_the_close_was_one_at_the_close(here: Harbour, looked_first: bool) -> None:
    poll = actions.propose_change(here.ticket("Ana", at=AFTER), what=Change.CAPACITY, value=9, at=AFTER)
    thumbs(here, poll, Ana=Thumb.UP, Ben=Thumb.UP, Chidi=Thumb.DOWN)
    end = AFTER + timedelta(hours=72)
    groups.pause(here.ticket("Ben", at=AFTER), at=AFTER + timedelta(hours=1))
    if looked_first:
        actions.settle(here.group, at=end)
    groups.come_back(here.ticket("Ben", at=end), at=end + timedelta(minutes=5))
    actions.settle(here.group, at=end + timedelta(hours=1))
    assert Poll.objects.get(pk=poll).outcome == "not_carried"  # one up, one down


def test_on_a_break_there_is_no_thumb(here: Harbour) -> None:
    poll = actions.propose_change(here.ticket("Ana", at=AFTER), what=Change.CAPACITY, value=9, at=AFTER)
    groups.pause(here.ticket("Ben", at=AFTER), at=AFTER)
    with pytest.raises(Refusal, match="not_while_paused"):
        thumbs(here, poll, Ben=Thumb.UP)
    assert [ballot.thumb for ballot in Ballot.objects.all() if ballot.thumb] == []


def test_a_topic_taken_back_asks_nobody_any_more(here: Harbour) -> None:
    coming = meetings.coming(here.ticket("Ana", at=AFTER), at=AFTER)[0]
    item = actions.propose_item(here.ticket("Ana", at=AFTER), meeting=coming.pk, title="Naps", at=AFTER)
    with pytest.raises(NotHere):
        actions.withdraw_item(here.ticket("Ben", at=AFTER), item=item, at=AFTER)
    assert len(actions.open_now(here.ticket("Ben", at=AFTER), at=AFTER)) == 1
    for _twice in range(2):
        actions.withdraw_item(here.ticket("Ana", at=AFTER), item=item, at=AFTER)
    assert actions.open_now(here.ticket("Ben", at=AFTER), at=AFTER) == ()
    assert (Ballot.objects.count(), meetings.items(here.ticket("Ana", at=AFTER), meeting=coming.pk)) == (0, ())
