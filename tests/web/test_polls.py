"""Thumbs, page by page: asking the group, answering, and the one word that stays."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client

from leeward.domain.groups import actions as groups
from leeward.domain.groups.models import Group
from leeward.domain.meetings.models import AgendaItem, Meeting
from leeward.domain.pledges import queries as pledges
from leeward.domain.polls.models import Ballot, Poll
from leeward.domain.safety import actions as safety
from leeward.lib.tickets import Operator
from tests.cast import INSIDE, NOW, Harbour, a_person, harbour, joins
from tests.meeting import START, agreed, held, planned
from tests.visitor import Visitor
from tests.web.signing import signed_in

pytestmark = pytest.mark.django_db

Moment = Callable[[datetime], None]
AFTER = START + timedelta(days=1)
OVER = AFTER + timedelta(hours=72, minutes=1)
THUMBS = {"up": "👍 Yes", "down": "👎 No", "pass": "Pass"}


@pytest.fixture
def here(clock_at: Moment, settings: LazySettings, tmp_path: Path) -> Harbour:
    """A day after the first closed meeting. Everybody said yes to the pledge."""
    settings.LEEWARD_HELP_LINES = tmp_path / "help-lines.toml"
    safety.write_example_lines(Operator(), at=NOW)
    found = harbour()
    agreed(found)
    held(found)
    clock_at(AFTER)
    return found


def visits(here: Harbour, name: str, path: str = "", *, status: int = 200) -> Visitor:
    return Visitor(signed_in(here.people[name])).open(f"/g/{here.group}/{path}", status=status)


def asks(here: Harbour, what: str, words: str, **typed: str) -> str:
    """Ana asks the group. Returns the poll's page."""
    ana = visits(here, "Ana", "settings/").follow("Propose a change").follow(words)
    assert ana.path == f"/g/{here.group}/polls/new/{what}/"
    return ana.press("Ask the group", **typed).path.removeprefix(f"/g/{here.group}/")


def thumbs(here: Harbour, page: str, **given: str) -> None:
    for name, thumb in given.items():
        visits(here, name, page).press(THUMBS[thumb])


def shown(visitor: Visitor) -> list[str]:
    """The page's facts: what holds now, what is proposed."""
    return re.findall(r'<dd class="lines">(.*?)</dd>', visitor.html, re.S)


@pytest.mark.parametrize(
    ("what", "words", "typed", "now", "then"),
    [
        ("name", "Name", {"to": "  Ha\u200bven "}, "Harbour", "Haven"),
        ("purpose", "Purpose", {"to": "We row."}, "We listen to one another in Harbour.", "We row."),
        ("cohort", "Who we are", {"to": "Rowers <3"}, "Carers of Harbour", "Rowers &lt;3"),
        ("capacity", "Seats", {"to": "9"}, "12", "9"),
        ("format", "How we work", {"to": "skill_pod"}, "Topic circle", "Skill pod"),
        ("pledge", "Pledge", {"to": "We listen.\r\n\r\nWe stop on time."}, "What is said here stays here.",
         "We listen.\nWe stop on time."),
        ("rhythm", "Rhythm", {"date": "2026-11-03", "time": "07:30", "every_weeks": "3", "minutes": "45",
                              "cycle": "online"},
         "From Thursday, 8 October 2026, 18:00 (Berlin), every 2 weeks, 60 minutes",
         "From Tuesday, 3 November 2026, 07:30 (Berlin), every 3 weeks, 45 minutes"),
    ],
)  # fmt: skip
def test_a_carried_change_holds_and_its_page_says_one_word(
    here: Harbour, clock_at: Moment, what: str, words: str, typed: dict[str, str], now: str, then: str
) -> None:
    page = asks(here, what, words, **typed)
    ben = visits(here, "Ben", page)
    assert shown(ben) == [now, then]
    assert "Open until Monday, 12 October 2026, 18:00 (Berlin)." in ben.text
    thumbs(here, page, Ana="up", Ben="up", Chidi="down", Dara="pass")
    clock_at(OVER)
    eli = visits(here, "Eli", page)
    assert "carried" in eli.text.split()
    assert [button for form in eli.page.forms for button in form.buttons if button in THUMBS.values()] == []
    assert shown(eli) == [then, then]
    poll = Poll.objects.get()
    assert (poll.outcome, poll.closed_at, Ballot.objects.count()) == ("carried", poll.closes_at, 0)


def test_what_was_carried_is_what_the_group_is(here: Harbour, clock_at: Moment) -> None:
    for what, words, to in (("name", "Name", "Haven"), ("capacity", "Seats", "9"), ("pledge", "Pledge", "We row.")):
        thumbs(here, asks(here, what, words, to=to), Ana="up", Ben="up", Chidi="up")
    page = asks(
        here, "rhythm", "Rhythm", date="2026-11-03", time="07:30", every_weeks="3", minutes="45", cycle="online"
    )
    thumbs(here, page, Ana="up", Ben="up", Chidi="up")
    clock_at(OVER)
    visits(here, "Dara")  # whoever looks first closes what is due
    row, text = Group.objects.get(pk=here.group), pledges.current(here.group)
    assert (row.name, row.capacity, text and text.lines) == ("Haven", 9, ["We row."])
    coming = Meeting.objects.filter(group=here.group, closed_at=None).order_by("starts_at")
    assert [(meeting.local, meeting.minutes, meeting.way) for meeting in coming[:2]] == [
        ("2026-11-03T07:30", 45, "online"), ("2026-11-24T07:30", 45, "online"),
    ]  # fmt: skip
    assert pledges.assented_ids(here.group, at=OVER) == frozenset()


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"Ana": "up", "Ben": "down", "Chidi": "pass"}, "not carried"),
        ({"Ana": "pass", "Ben": "pass", "Chidi": "pass"}, "not carried"),
        ({"Ana": "up", "Ben": "up"}, "not enough answered"),
        ({}, "not enough answered"),
    ],
)
def test_without_a_majority_of_those_who_answered_nothing_changes(
    here: Harbour, clock_at: Moment, given: dict[str, str], word: str
) -> None:
    page = asks(here, "name", "Name", to="Haven")
    thumbs(here, page, **given)
    clock_at(OVER)
    assert f"Haven {word} What this is" in visits(here, "Ana", page).text
    assert Group.objects.get(pk=here.group).name == "Harbour"
    assert (Ballot.objects.count(), Poll.objects.get().outcome) == (0, word.replace(" ", "_"))


def test_the_last_thumb_counts_and_nobody_sees_anothers(here: Harbour) -> None:
    page = asks(here, "name", "Name", to="Haven")
    untouched = visits(here, "Chidi", page).html
    thumbs(here, page, Ana="up", Ben="down")
    ben = visits(here, "Ben", page).press(THUMBS["up"])
    assert "Your thumb is kept. You can change it until the poll closes." in ben.text
    assert sorted(row.thumb or "" for row in Ballot.objects.all()) == ["", "", "", "up", "up"]

    def plain(html: str) -> list[str]:
        return [line for line in html.splitlines() if "csrfmiddlewaretoken" not in line]

    assert plain(visits(here, "Chidi", page).html) == plain(untouched)
    pressed = [line for line in ben.open(f"/g/{here.group}/{page}").html.splitlines() if "primary" in line]
    assert [THUMBS["up"] in line for line in pressed] == [True]


def test_the_group_page_names_the_question_and_whose_thumb_is_missing(here: Harbour, clock_at: Moment) -> None:
    asks(here, "name", "Name", to="Haven")
    assert "Change: Name yours is missing" in visits(here, "Ben").text
    visits(here, "Ben").follow("Change: Name").press(THUMBS["pass"])
    assert ("Change: Name" in visits(here, "Ben").text, "yours is missing" in visits(here, "Ben").text) == (True, False)
    clock_at(OVER)
    assert "Change: Name" not in visits(here, "Ben").text


def test_a_closed_question_takes_no_thumb(here: Harbour, clock_at: Moment) -> None:
    page = asks(here, "name", "Name", to="Haven")
    clock_at(OVER)
    ben = signed_in(here.people["Ben"])
    assert [ben.post(f"/g/{here.group}/{page}thumb/", {"thumb": "up"}).status_code for _ in range(2)] == [409, 409]
    assert Poll.objects.get().outcome == ""
    assert "not enough answered" in visits(here, "Ben", page).text


def test_strangers_who_left_and_who_came_later_have_no_thumb(here: Harbour) -> None:
    page = asks(here, "name", "Name", to="Haven")
    late = a_person("Late")
    joins(late, group=here.ticket("Ana", at=AFTER), at=AFTER)
    address = f"/g/{here.group}/{page}thumb/"
    outside = (Client(), signed_in(here.people["Gus"]), signed_in(here.people["Farah"]))
    assert [client.post(address, {"thumb": "up"}).status_code for client in outside] == [404] * 3
    newcomer = Visitor(signed_in(late)).open(f"/g/{here.group}/{page}")
    assert "You were not yet part of this question when it was asked." in newcomer.text
    assert newcomer.client.post(address, {"thumb": "up"}).status_code == 409
    assert Ballot.objects.count() == len(INSIDE)
    groups.leave(here.ticket("Eli", at=AFTER), at=AFTER)
    assert Ballot.objects.count() == len(INSIDE) - 1


def test_another_groups_question_is_not_here(here: Harbour) -> None:
    page = asks(here, "name", "Name", to="Haven")
    gus = signed_in(here.people["Gus"])
    foreign = f"/g/{here.other_group}/{page}"
    assert (gus.get(foreign).status_code, gus.post(f"{foreign}thumb/", {"thumb": "up"}).status_code) == (404, 404)


def test_the_same_question_is_asked_once_and_a_double_click_asks_once(here: Harbour) -> None:
    ana = visits(here, "Ana", "polls/new/name/")
    said = ana.page.forms[0].fields | {"to": "Haven"}
    answers = [ana.client.post(ana.path, said)["Location"] for _click in range(2)]
    assert (answers[0], Poll.objects.count()) == (answers[1], 1)
    ben = visits(here, "Ben", "polls/new/name/").press("Ask the group", status=422, to="Hafen")
    assert "The group is answering this question already." in ben.text
    assert ben.page.forms[0].fields["to"] == "Hafen"


def test_a_rhythm_begins_after_the_thumbs(here: Harbour) -> None:
    ben = visits(here, "Ben", "polls/new/rhythm/")
    ben.press("Ask the group", status=422, date="2026-10-12", time="17:59", cycle="online")
    assert "Please choose a first date after that." in ben.text
    assert Poll.objects.count() == 0


def test_while_a_meeting_goes_on_nothing_structural_is_asked(here: Harbour, clock_at: Moment) -> None:
    coming = Meeting.objects.filter(group=here.group, closed_at=None).order_by("starts_at")[0]
    clock_at(coming.starts_at)
    visits(here, "Ben", f"meetings/{coming.pk}/room/").press("Open it, I am in the room")
    ana = visits(here, "Ana", "polls/new/name/").press("Ask the group", status=422, to="Haven")
    assert "A meeting is going on. Ask again when it is over." in ana.text
    assert Poll.objects.count() == 0


def test_founders_ask_nobody_before_the_first_closed_meeting(
    clock_at: Moment, settings: LazySettings, tmp_path: Path
) -> None:
    clock_at(NOW)
    young = harbour()
    pages = ("polls/new/", "polls/new/name/", "polls/new/rhythm/")
    assert [visits(young, "Ana", page, status=404).status for page in pages] == [404] * 3
    assert [visits(young, "Ben", page, status=404).status for page in pages] == [404] * 3
    told = visits(young, "Ben", "settings/")
    assert "Until the first meeting is over, whoever founded the group changes this." in told.text
    groups.leave(young.ticket("Ana"), at=NOW)
    heir = visits(young, "Ben", "settings/")
    assert "Whoever founded the group has left." in heir.text
    heir.press("Keep", name="Haven")
    assert young_name(young) == "Haven"


def young_name(young: Harbour) -> str:
    return Group.objects.get(pk=young.group).name


def test_on_a_break_one_asks_and_answers_nothing(here: Harbour) -> None:
    groups.pause(here.ticket("Eli", at=AFTER), at=AFTER)
    eli = visits(here, "Eli", "polls/new/name/").press("Ask the group", status=422, to="Haven")
    assert "You are on a break." in eli.text
    page = asks(here, "name", "Name", to="Haven")
    assert eli.client.post(f"/g/{here.group}/{page}thumb/", {"thumb": "down"}).status_code == 409
    assert Ballot.objects.count() == len(INSIDE) - 1


# Topics ------------------------------------------------------------------------------------------------------------


def test_thumbs_take_a_topic_up_and_only_the_outcome_stays(here: Harbour, clock_at: Moment) -> None:
    coming = Meeting.objects.filter(group=here.group, closed_at=None).order_by("starts_at")[0]
    page = f"meetings/{coming.pk}/"
    for title in ("Naps", "Noise"):
        visits(here, "Ana", page).press("Propose it", title=title)
    naps, noise = (Poll.objects.get(subject=item.pk).pk for item in AgendaItem.objects.order_by("at"))
    for name, thumb in (("Ana", "up"), ("Ben", "up"), ("Dara", "pass")):
        client = signed_in(here.people[name])
        for poll, given in ((naps, thumb), (noise, "down")):
            answer = client.post(f"/g/{here.group}/polls/{poll}/thumb/", {"thumb": given, "back": "//evil"})
            assert answer["Location"] == f"/g/{here.group}/{page}"
    clock_at(OVER)
    text = visits(here, "Chidi", page).text
    assert ("Naps Ana taken up" in text, "Noise Ana not carried" in text) == (True, True)
    assert (Ballot.objects.count(), visits(here, "Ana", f"polls/{naps}/").path) == (0, f"/g/{here.group}/{page}")


def test_thumbs_about_a_topic_end_when_the_meeting_begins(
    clock_at: Moment, settings: LazySettings, tmp_path: Path
) -> None:
    settings.LEEWARD_HELP_LINES = tmp_path / "help-lines.toml"
    safety.write_example_lines(Operator(), at=NOW)
    young = harbour()
    agreed(young)
    row = planned(young)
    clock_at(START - timedelta(hours=1))
    visits(young, "Ana", f"meetings/{row.pk}/").press("Propose it", title="Naps")
    assert Poll.objects.get().closes_at == row.starts_at
