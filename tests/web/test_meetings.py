"""Dates, agenda, who comes and the record, page by page as members see them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client

from leeward.domain.groups import actions as groups
from leeward.domain.groups.models import Group
from leeward.domain.meetings import queries
from leeward.domain.meetings.models import AgendaBlock, AgendaItem, Leaf, Meeting, Record, Rhythm, Rsvp
from leeward.domain.meetings.rules import broken_links
from leeward.domain.places import actions as places
from leeward.domain.places.rules import Facts
from leeward.domain.room import actions as room
from leeward.domain.room.rules import Move
from leeward.domain.safety import actions as safety
from leeward.lib.tickets import Operator
from tests.cast import NOW, Harbour, a_person, harbour, joins
from tests.meeting import START, agreed, held, planned
from tests.visitor import Visitor
from tests.web.signing import signed_in

pytestmark = pytest.mark.django_db

Moment = Callable[[datetime], None]
EVERY_TWO_WEEKS = {"date": "2026-10-08", "time": "18:00", "every_weeks": "2", "minutes": "60", "cycle": "hybrid"}


@pytest.fixture
def here(clock_at: Moment, settings: LazySettings, tmp_path: Path) -> Harbour:
    clock_at(NOW)
    settings.LEEWARD_HELP_LINES = tmp_path / "help-lines.toml"
    safety.write_example_lines(Operator(), at=NOW)
    return harbour()


def visits(here: Harbour, name: str, path: str = "", *, status: int = 200) -> Visitor:
    return Visitor(signed_in(here.people[name])).open(f"/g/{here.group}/{path}", status=status)


def dates(here: Harbour) -> list[Meeting]:
    return list(Meeting.objects.filter(group=here.group).order_by("starts_at"))


# The rhythm --------------------------------------------------------------------------------------------------------


def test_half_a_year_of_dates_keeps_its_hour_through_the_clock_changes(here: Harbour) -> None:
    ana = visits(here, "Ana", "rhythm/").press("Plan these dates", **EVERY_TWO_WEEKS)
    assert ana.path == f"/g/{here.group}/meetings/"
    days = ["10-08", "10-22", "11-05", "11-19", "12-03", "12-17", "12-31"]
    days_of_2027 = ["01-14", "01-28", "02-11", "02-25", "03-11", "03-25"]
    meant = [f"2026-{day}T18:00" for day in days] + [f"2027-{day}T18:00" for day in days_of_2027]
    assert [row.local for row in dates(here)] == meant
    assert [row.starts_at.hour for row in dates(here)] == [16, 16, *[17] * 11]  # UTC: summer time ends on 25 October
    assert [ana.text.count(f"{day} 2026, 18:00 (Berlin)") for day in ("8 October", "5 November")] == [1, 1]


def test_two_ways_take_turns(here: Harbour) -> None:
    visits(here, "Ana", "rhythm/").press("Plan these dates", **EVERY_TWO_WEEKS | {"cycle": "in_person,online"})
    assert [row.way for row in dates(here)[:3]] == ["in_person", "online", "in_person"]


def test_a_new_rhythm_takes_the_place_of_dates_that_nobody_touched(here: Harbour) -> None:
    ana = visits(here, "Ana", "rhythm/").press("Plan these dates", **EVERY_TWO_WEEKS)
    second = dates(here)[1]
    ana.open(f"/g/{here.group}/meetings/{second.pk}/change/").press("Save", theme="Sleep")
    ana.open(f"/g/{here.group}/rhythm/").press(
        "Plan these dates", **EVERY_TWO_WEEKS | {"date": "2026-10-13", "time": "07:30", "every_weeks": "8"}
    )
    assert [(row.local, row.theme) for row in dates(here)] == [
        ("2026-10-13T07:30", ""), ("2026-10-22T18:00", "Sleep"), ("2026-12-08T07:30", ""), ("2027-02-02T07:30", ""),
        ("2027-03-30T07:30", ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"date": "2026-09-30"}, "This lies in the past."),
        ({"date": "2026-10-01", "time": "17:59"}, "This lies in the past."),
        ({"date": "1989-12-31"}, "it has to lie between 1990 and 2099"),
        ({"date": "2100-01-01"}, "it has to lie between 1990 and 2099"),
        ({"minutes": "29"}, "Please choose at least 30."),
        ({"minutes": "121"}, "Please choose at most 120."),
    ],
)
def test_a_rhythm_that_cannot_be_plans_nothing(here: Harbour, typed: dict[str, str], said: str) -> None:
    ana = visits(here, "Ana", "rhythm/").press("Plan these dates", status=422, **EVERY_TWO_WEEKS | typed)
    assert said in ana.text
    assert (Rhythm.objects.count(), dates(here)) == (0, [])


def test_five_in_the_core_and_a_checked_help_line_come_before_a_first_date(
    here: Harbour, settings: LazySettings, tmp_path: Path
) -> None:
    groups.take_back_im_in(here.ticket("Eli"), at=NOW)
    ana = visits(here, "Ana", "rhythm/").press("Plan these dates", status=422, **EVERY_TWO_WEEKS)
    assert "Still missing: 1." in ana.text
    groups.say_im_in(here.ticket("Eli"), at=NOW)
    settings.LEEWARD_HELP_LINES = tmp_path / "none.toml"
    ana.press("Plan these dates", status=422, **EVERY_TWO_WEEKS)
    assert "No help line of this group's country has been checked lately." in ana.text
    assert dates(here) == []


def test_only_founders_before_the_first_closed_meeting_set_the_rhythm(here: Harbour) -> None:
    dates = visits(here, "Ben", "meetings/")
    assert "Until the first meeting is over, whoever founded the group changes this." in dates.text
    assert "Propose a change" not in dates.text
    visits(here, "Ben", "rhythm/", status=404)
    agreed(here)
    held(here)
    assert "The rhythm is changed by a thumbs poll." in visits(here, "Ben", "meetings/").text
    visits(here, "Ana", "rhythm/", status=404)


# One date ----------------------------------------------------------------------------------------------------------


def test_a_date_moves_to_another_day_hour_way_and_place_and_is_asked_about_anew(
    here: Harbour, clock_at: Moment
) -> None:
    row = planned(here)
    hall = places.add_place(here.ticket("Ana"), Facts("Hall", "Quay 3", "", "Ring twice", True, False, None), at=NOW)
    clock_at(START - timedelta(days=2))
    page = f"meetings/{row.pk}/"
    ben = visits(here, "Ben", page).press("I'll lead").press("Yes, it is still on")
    assert "still on" in ben.text
    ben.follow("Move or change this date").press(
        "Save", date="2026-10-09", time="15:15", theme="Saying no", way="in_person", place=hall
    )
    assert ben.path == f"/g/{here.group}/{page}"
    moved = Meeting.objects.get(pk=row.pk)
    assert (moved.local, moved.theme, moved.way, moved.place_id, moved.confirmed_at) == (
        "2026-10-09T15:15", "Saying no", "in_person", hall, None,
    )  # fmt: skip
    assert (moved.starts_at, moved.ends_at - moved.starts_at) == (
        datetime.fromisoformat("2026-10-09T13:15:00+00:00"), timedelta(hours=1),
    )  # fmt: skip
    told = ["Friday, 9 October 2026, 15:15 (Berlin)", "not confirmed yet", "in the room", "Theme: Saying no", "Quay 3"]
    assert [words for words in told if words not in visits(here, "Chidi", page).text] == []


@pytest.mark.parametrize(
    ("date", "time", "local", "utc"),
    [
        ("2027-03-28", "02:30", "2027-03-28T03:30", "2027-03-28T01:30"),  # the clock skips it: as late as it would be
        ("2026-10-25", "02:30", "2026-10-25T02:30", "2026-10-25T00:30"),  # the clock shows it twice: the first time
    ],
)
def test_an_hour_that_the_clock_skips_or_doubles_is_one_moment_and_shown_as_the_clock_will(
    here: Harbour, date: str, time: str, local: str, utc: str
) -> None:
    row = planned(here)
    ana = visits(here, "Ana", f"meetings/{row.pk}/change/").press("Save", date=date, time=time)
    kept = Meeting.objects.get(pk=row.pk)
    assert (kept.local, kept.starts_at.isoformat()[:16]) == (local, utc)
    assert f"{local[11:]} (Berlin)" in ana.text
    assert ana.follow("Move or change this date").page.forms[0].fields["time"] == local[11:]


def test_a_date_cannot_move_into_the_past(here: Harbour) -> None:
    row = planned(here)
    ana = visits(here, "Ana", f"meetings/{row.pk}/change/").press("Save", status=422, date="2026-09-30", theme="Kept")
    assert "This lies in the past." in ana.text
    assert (ana.page.forms[0].fields["theme"], Meeting.objects.get(pk=row.pk).starts_at) == ("Kept", row.starts_at)


def test_a_cancelled_date_is_off_the_list_and_nothing_of_it_can_be_changed(here: Harbour) -> None:
    row = planned(here)
    page = f"/g/{here.group}/meetings/{row.pk}/"
    ana = visits(here, "Ana", f"meetings/{row.pk}/change/").press("Cancel this date")
    assert (ana.path, "This date does not happen." in ana.text, page in ana.html) == (
        f"/g/{here.group}/meetings/", True, False,
    )  # fmt: skip
    assert "cancelled" in ana.open(page).text
    assert ana.open(page + "change/").path == ana.open(page + "agenda/").path == page
    ben = signed_in(here.people["Ben"])
    over = {
        "rsvp/": {"answer": "room"}, "turn/": {}, "turn/back/": {}, "confirmation/": {}, "room/opening/": {},
    }  # fmt: skip
    assert {part: ben.post(page + part, said).status_code for part, said in over.items()} == dict.fromkeys(over, 409)
    first = Meeting.objects.get(pk=row.pk).cancelled_at
    assert ben.post(page + "cancellation/").status_code == 302
    assert Meeting.objects.get(pk=row.pk).cancelled_at == first


def test_whoever_leads_confirms_from_three_days_before(here: Harbour, clock_at: Moment) -> None:
    row = planned(here)
    page = f"meetings/{row.pk}/"
    ben = visits(here, "Ben", page).press("I'll lead")
    clock_at(START - timedelta(days=3, seconds=5))
    assert ("planned" in ben.open(ben.path).text, "still on" in ben.text) == (True, False)
    clock_at(START - timedelta(days=3))
    assert "not confirmed yet" in ben.open(ben.path).text
    assert "still on" not in visits(here, "Chidi", page).text
    assert signed_in(here.people["Chidi"]).post(f"/g/{here.group}/{page}confirmation/").status_code == 409
    assert Meeting.objects.get(pk=row.pk).confirmed_at is None
    ben.press("Yes, it is still on")
    assert ("still on" in ben.text, "not confirmed yet" in ben.text) == (True, False)


def test_the_turn_passes_to_the_backup_when_it_is_given_back(here: Harbour) -> None:
    row = planned(here)
    page = f"meetings/{row.pk}/"
    ben = visits(here, "Ben", page).press("I'll lead")
    chidi = visits(here, "Chidi", page).press("I'll be the backup")
    assert "Ben leads. Chidi steps in if needed." in chidi.text
    assert signed_in(here.people["Dara"]).post(f"/g/{here.group}/{page}turn/").status_code == 409
    ben.open(ben.path).press("I can't lead this one")
    assert "Chidi leads." in ben.text
    chidi.open(chidi.path).press("I can't lead this one")
    assert "Nobody leads yet." in chidi.text


# Who comes ---------------------------------------------------------------------------------------------------------


def test_the_last_answer_counts_and_the_group_sees_it(here: Harbour) -> None:
    row = planned(here)
    page = f"meetings/{row.pk}/"
    ben = visits(here, "Ben", page)
    assert "No answer is fine too." in ben.text
    ben.press("I come, online").press("I can't come")
    assert "You said: I can't come." in ben.text
    visits(here, "Chidi", page).press("I come, in the room")
    assert "Ben: I can't come · Chidi: I come, in the room" in visits(here, "Ana", page).text
    assert sorted(Rsvp.objects.values_list("answer", flat=True)) == ["cant", "room"]


def test_an_answer_from_home_leads_back_home_and_nowhere_else(here: Harbour) -> None:
    row = planned(here)
    page = f"/g/{here.group}/meetings/{row.pk}/"
    ben = signed_in(here.people["Ben"])
    led = {back: ben.post(f"{page}rsvp/", {"answer": "cant", "back": back})["Location"] for back in ("home", "//evil")}
    assert led == {"home": "/home/", "//evil": page}


def test_a_way_in_which_nobody_meets_is_no_answer(here: Harbour) -> None:
    row = planned(here)
    Meeting.objects.filter(pk=row.pk).update(way="in_person")
    ben = visits(here, "Ben", f"meetings/{row.pk}/")
    buttons = [button for form in ben.page.forms for button in form.buttons if button.startswith("I c")]
    assert buttons == ["I come, in the room", "I can't come"]
    assert ben.client.post(ben.path + "rsvp/", {"answer": "online"}).status_code == 409
    assert Rsvp.objects.count() == 0


def test_after_the_end_there_is_no_answer(here: Harbour, clock_at: Moment) -> None:
    row = planned(here)
    ben = signed_in(here.people["Ben"])
    clock_at(row.ends_at - timedelta(seconds=30))
    assert ben.post(f"/g/{here.group}/meetings/{row.pk}/rsvp/", {"answer": "cant"}).status_code == 302
    clock_at(row.ends_at)
    assert ben.post(f"/g/{here.group}/meetings/{row.pk}/rsvp/", {"answer": "room"}).status_code == 409
    assert Rsvp.objects.get().answer == "cant"


# The agenda --------------------------------------------------------------------------------------------------------


def blocks(row: Meeting) -> list[tuple[str, str, int]]:
    return [
        (block.kind, block.title, block.minutes) for block in AgendaBlock.objects.filter(meeting=row).order_by("number")
    ]


def test_the_agenda_is_reordered_resized_and_cut_on_one_page(here: Harbour) -> None:
    row = planned(here)
    assert blocks(row) == [("mood", "", 5), ("spotlight", "", 20), ("brainstorm", "", 25), ("commitment", "", 5)]
    ana = visits(here, "Ana", f"meetings/{row.pk}/agenda/")
    # before the first meeting the pledge stands on top: rows are pledge, mood, spotlight, brainstorm, commitment
    ana.press(
        "Save the agenda", order_0="9", minutes_1="", title_2="Naps", minutes_2="7", order_3="1", kind_5="practice",
        title_5="Breathing", minutes_5="6", order_5="2",
    )  # fmt: skip
    assert blocks(row) == [
        ("brainstorm", "", 25), ("practice", "Breathing", 6), ("spotlight", "Naps", 7), ("commitment", "", 5),
        ("pledge", "", 15),
    ]  # fmt: skip
    assert "Breathing 6 minutes" in ana.text
    assert re.search(r"Spare, to arrive and to hand over\s*2 minutes", ana.text)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"minutes_3": "60"}, "but the meeting has 60."),
        ({f"minutes_{row}": "" for row in range(5)}, "Please keep at least one block with minutes."),
        ({"minutes_0": "121"}, "Please choose at most 120."),
        ({"kind_0": "party"}, "Please choose from the list."),
    ],
)
def test_an_agenda_that_does_not_fit_changes_nothing_and_stays_typed(
    here: Harbour, typed: dict[str, str], said: str
) -> None:
    row = planned(here)
    before = blocks(row)
    ana = visits(here, "Ana", f"meetings/{row.pk}/agenda/")
    ana.press("Save the agenda", status=422, title_1="Kept as typed", **typed)
    assert said in ana.text
    assert (blocks(row), ana.page.forms[0].fields["title_1"]) == (before, "Kept as typed")


def test_another_lead_keeps_their_agenda_to_themselves(here: Harbour) -> None:
    row = planned(here)
    visits(here, "Ben", f"meetings/{row.pk}/").press("I'll lead")
    chidi = visits(here, "Chidi", f"meetings/{row.pk}/")
    assert [text for text, _href in chidi.page.links if text in ("Change the agenda", "Move or change this date")] == []
    chidi.open(chidi.path + "agenda/").press("Save the agenda", status=422)
    assert "Whoever leads this meeting does that." in chidi.text


# Topics ------------------------------------------------------------------------------------------------------------


def test_a_topic_is_proposed_once_and_taken_back_by_its_owner_only(here: Harbour) -> None:
    agreed(here)
    row = planned(here)
    page = f"meetings/{row.pk}/"
    ben = visits(here, "Ben", page)
    key = next(form.fields["key"] for form in ben.page.forms if "title" in form.fields)
    for _click in range(2):
        assert ben.client.post(ben.path, {"title": "Naps", "key": key}).status_code == 302
    item = AgendaItem.objects.get()
    assert "Naps Ben" in visits(here, "Chidi", page).text
    assert "Take it back" not in visits(here, "Chidi", page).text
    away = f"/g/{here.group}/{page}items/{item.pk}/withdrawal/"
    assert signed_in(here.people["Chidi"]).post(away).status_code == 404
    ben.open(ben.path).press("Take it back")
    assert "Naps" not in ben.text


# The record --------------------------------------------------------------------------------------------------------


@pytest.fixture
def met(here: Harbour, clock_at: Moment) -> Harbour:
    """Ben led a meeting in which steps were said that a spreadsheet would run and a Markdown page would draw."""
    agreed(here)
    row = planned(here)
    visits(here, "Ana", f"meetings/{row.pk}/change/").press("Save", theme="-2 hours of *sleep*")
    steps = {
        "Ana": ("=1+1", "group"),
        "Chidi": ("Mine alone", "me"),
        "Dara": ("<b>Walk</b> [x](https://a.org)", "group"),
    }
    held(here, meeting=Meeting.objects.get(pk=row.pk), steps=steps)
    clock_at(START + timedelta(hours=1))
    return here


def test_the_table_is_the_chain_cell_by_cell_and_runs_no_formula(met: Harbour) -> None:
    (record,) = Record.objects.all()
    visits(met, "Ben", f"meetings/{record.meeting_id}/addendum/").press("Add it", text="+49 is the country\nand so on")
    answer = signed_in(met.people["Ana"]).get(f"/g/{met.group}/record/record.csv")
    assert (answer["Content-Type"], answer["Content-Disposition"]) == (
        "text/csv; charset=utf-8", 'attachment; filename="record.csv"',
    )  # fmt: skip
    added = Record.objects.get(addendum=True)
    start, following = "Thursday, 8 October 2026, 18:00 (Berlin)", "Thursday, 22 October 2026, 18:00 (Berlin)"
    assert list(csv.reader(io.StringIO(answer.content.decode()))) == [
        ["number", "date", "addendum", "author", "added", "line", "text", "hash"],
        *(
            ["1", "2026-10-08", "", "", "", kind, text, record.hash]
            for kind, text in [
                ("date", start), ("way", "in the room or online"), ("theme", "'-2 hours of *sleep*"),
                ("step", "'=1+1 (Ana)"), ("step", "<b>Walk</b> [x](https://a.org) (Dara)"), ("next", following),
            ]
        ),
        ["2", "2026-10-08", "yes", "Ben", "2026-10-08", "addendum", "'+49 is the country\nand so on", added.hash],
    ]  # fmt: skip


@pytest.mark.parametrize("sign", [*"=+-@＝＋－＠"])
def test_no_cell_of_the_table_begins_like_a_formula(met: Harbour, sign: str) -> None:
    (record,) = Record.objects.all()
    visits(met, "Ben", f"meetings/{record.meeting_id}/addendum/").press("Add it", text=f"{sign}1+1")
    table = signed_in(met.people["Ana"]).get(f"/g/{met.group}/record/record.csv").content.decode()
    assert [row[6] for row in csv.reader(io.StringIO(table)) if row[2] == "yes"] == [f"'{sign}1+1"]


def test_the_markdown_page_is_the_chain_and_draws_nothing_that_was_typed(met: Harbour) -> None:
    (record,) = Record.objects.all()
    answer = signed_in(met.people["Ana"]).get(f"/g/{met.group}/record/record.md")
    assert answer["Content-Type"] == "text/markdown; charset=utf-8"
    assert answer.content.decode().splitlines() == [
        "# Harbour", "",
        "## 1. Thursday, 8 October 2026",
        "- Date: Thursday, 8 October 2026, 18:00 \\(Berlin\\)",
        "- Way: in the room or online",
        "- Theme: \\-2 hours of \\*sleep\\*",
        "- Step: =1\\+1 \\(Ana\\)",
        "- Step: \\<b\\>Walk\\</b\\> \\[x\\]\\(https://a\\.org\\) \\(Dara\\)",
        "- Next date: Thursday, 22 October 2026, 18:00 \\(Berlin\\)",
        f"- SHA-256: `{record.hash}`",
    ]  # fmt: skip


def test_record_and_exports_open_with_ones_own_yes_only(met: Harbour, clock_at: Moment) -> None:
    late = a_person("Late")
    joins(late, group=met.ticket("Ana", at=START + timedelta(hours=1)), at=START + timedelta(hours=1))
    pages = [f"/g/{met.group}/record/{part}" for part in ("", "record.md", "record.csv")]
    pages.append(f"/g/{met.group}/meetings/{Record.objects.get().meeting_id}/addendum/")
    for visitor in (Client(), signed_in(met.people["Gus"]), signed_in(met.people["Farah"]), signed_in(late)):
        assert [visitor.get(page).status_code for page in pages] == [404] * 4
    newcomer = Visitor(signed_in(late)).open(f"/g/{met.group}/meetings/{Record.objects.get().meeting_id}/")
    assert "Its record opens with your own yes to the pledge." in newcomer.text
    assert "sleep" not in newcomer.text
    newcomer.follow("Read the pledge").press("I agree")
    text = newcomer.open(pages[0]).text
    assert ("=1+1 (someone)" in text, "Ana" in text) == (True, False)
    assert [newcomer.client.get(page).status_code for page in pages] == [200] * 4


def test_ones_own_line_leaves_the_record_everywhere_and_the_chain_holds(met: Harbour) -> None:
    leaf = Leaf.objects.get(author=met.membership("Ana"))
    ana, page = visits(met, "Ana", "record/"), f"/g/{met.group}/record/leaves/{leaf.pk}/removal/"
    assert signed_in(met.people["Dara"]).post(page).status_code == 404
    assert Leaf.objects.get(pk=leaf.pk).text == "=1+1"
    ana.press("Take my line out")
    gone = Leaf.objects.get(pk=leaf.pk)
    assert (gone.text, gone.salt, gone.hash) == (None, None, leaf.hash)
    for part in ("record/", "record/record.md", "record/record.csv", f"meetings/{gone.record.meeting_id}/"):
        text = signed_in(met.people["Ben"]).get(f"/g/{met.group}/{part}").content.decode()
        assert ("1+1" in text, "removed by its author" in text) == (False, True)
    assert "Take my line out" not in ana.text
    assert broken_links(queries.links(Operator(), group=met.group)) == []
    assert ana.client.post(page).status_code == 302  # twice is once


def test_an_addendum_is_a_link_of_its_own_with_day_and_author(met: Harbour) -> None:
    (record,) = Record.objects.all()
    ben = visits(met, "Ben", f"meetings/{record.meeting_id}/").follow("Add to the record")
    key = ben.page.forms[0].fields["key"]
    for _click in range(2):
        assert ben.client.post(ben.path, {"text": "It was Dara who led.", "key": key}).status_code == 302
    first, second = Record.objects.order_by("number")
    assert (second.addendum, second.previous, first.hash) == (True, record.hash, record.hash)
    text = visits(met, "Chidi", "record/").text
    assert "It was Dara who led." in text
    assert "Ben, 8 Oct 2026" in text
    assert broken_links(queries.links(Operator(), group=met.group)) == []


def test_a_date_that_was_not_held_takes_no_addendum(met: Harbour) -> None:
    coming = Meeting.objects.filter(group=met.group, closed_at=None).order_by("starts_at")[0]
    ben = visits(met, "Ben", f"meetings/{coming.pk}/addendum/").press("Add it", status=422, text="Too early")
    assert "There is no record yet" in ben.text
    assert Record.objects.count() == 1


def test_the_record_is_read_page_by_page(met: Harbour) -> None:
    (record,) = Record.objects.all()
    Record.objects.bulk_create(
        Record(
            group_id=met.group, number=number, meeting_id=record.meeting_id, addendum=True, previous="0" * 64,
            hash=f"{number:064}", sealed_at=NOW,
        )
        for number in range(2, 42)
    )  # fmt: skip
    ana = visits(met, "Ana", "record/")

    def shown(asked: str) -> tuple[list[int], list[tuple[str, str]]]:
        ana.open(f"/g/{met.group}/record/{asked}")
        numbers = [number for number in range(41, 0, -1) if f'id="r{number}"' in ana.html]
        return numbers, [link for link in ana.page.links if link[0] in ("Newer", "Older")]

    assert shown("") == (list(range(41, 21, -1)), [("Older", "?page=2")])
    assert shown("?page=2") == (list(range(21, 1, -1)), [("Newer", "?page=1"), ("Older", "?page=3")])
    assert shown("?page=3") == ([1], [("Newer", "?page=2")])
    for odd in (
        "?page=0",
        "?page=-1",
        "?page=999999",
        "?page=２",
        "?page=x",
        "?page=1e9",
        "?page=%00",
        "?page=%ed%a0%80",
    ):
        assert shown(odd)[0][0] == 41, odd


def test_founders_have_no_more_to_say_once_a_meeting_was_held(met: Harbour) -> None:
    assert Group.objects.get(pk=met.group).first_closed_at is not None
    coming = Meeting.objects.filter(group=met.group, closed_at=None).order_by("starts_at")[0]
    visits(met, "Ben", f"meetings/{coming.pk}/").press("I'll lead")
    visits(met, "Ana", f"meetings/{coming.pk}/change/").press("Save", status=422, theme="Mine")
    assert Meeting.objects.get(pk=coming.pk).theme == ""


def test_a_late_meeting_has_its_own_day_in_the_files_and_an_addendum_has_one_too(
    here: Harbour, clock_at: Moment
) -> None:
    agreed(here)
    late = START.replace(hour=22, minute=30)  # half past midnight in Berlin, the day after in UTC's eyes
    held(here, meeting=planned(here, start=late))
    clock_at(late + timedelta(days=2))
    (record,) = Record.objects.all()
    visits(here, "Ben", f"meetings/{record.meeting_id}/addendum/").press("Add it", text="It rained.")
    ana = signed_in(here.people["Ana"])
    rows = list(csv.reader(io.StringIO(ana.get(f"/g/{here.group}/record/record.csv").content.decode())))[1:]
    assert {row[1] for row in rows} == {"2026-10-09"}
    assert [row[2:5] for row in rows if row[2]] == [["yes", "Ben", "2026-10-11"]]
    text = ana.get(f"/g/{here.group}/record/record.md").content.decode()
    assert "Addendum by Ben, Sunday, 11 October 2026" in text


def test_the_printed_record_is_whole_and_shows_its_seals(met: Harbour, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "RECORDS_A_PAGE", 2)
    (record,) = Record.objects.all()
    for number in range(4):
        visits(met, "Ben", f"meetings/{record.meeting_id}/addendum/").press("Add it", text=f"Remark {number}.")
    ana = visits(met, "Ana", "record/")
    assert ana.text.count("Remark ") == 2
    assert "All on one page, to print" in ana.text
    ana.open(f"/g/{met.group}/record/?all=1")
    assert [ana.text.count(f"Remark {number}.") for number in range(4)] == [1] * 4
    body = ana.client.get(f"/g/{met.group}/record/?all=1").content.decode()
    for row in Record.objects.all():
        assert re.search(rf'<p class="on-paper">[^<]*<code>{row.hash}</code>', body)
    assert '<p class="on-screen"><a href="' in body
    style = (Path(__file__).parents[2] / "src/leeward/web/static/css/print.css").read_text()
    assert ".on-screen { display: none; }" in style
    assert ".on-paper { display: block;" in style


# Dead doors --------------------------------------------------------------------------------------------------------


def test_a_group_taken_in_whose_dates_are_all_cancelled_is_led_to_its_dates(here: Harbour) -> None:
    agreed(here)
    held(here)
    Group.objects.filter(pk=here.group).update(imported_at=NOW)
    assert "Plan the rhythm" not in visits(here, "Ben").text
    Meeting.objects.filter(group=here.group, closed_at=None).update(cancelled_at=NOW)
    ben = visits(here, "Ben")
    assert ("No date yet." in ben.text, "Plan the rhythm" in ben.text) == (True, False)
    assert ben.follow("All dates").path == f"/g/{here.group}/meetings/"
    Rhythm.objects.filter(group=here.group).delete()
    assert visits(here, "Ben").follow("Plan the rhythm").status == 200


def test_a_topic_taken_back_waits_for_no_thumb(here: Harbour) -> None:
    agreed(here)
    row = planned(here)
    chidi = visits(here, "Chidi", f"meetings/{row.pk}/").press("Propose it", title="Naps")
    assert "Topic: Naps" in visits(here, "Ben").text
    chidi.press("Take it back")
    assert "Naps" not in visits(here, "Ben").text


def test_on_a_break_one_is_offered_the_way_back_and_nothing_that_would_be_refused(
    here: Harbour, clock_at: Moment
) -> None:
    agreed(here)
    row = planned(here)
    visits(here, "Chidi", f"meetings/{row.pk}/").press("Propose it", title="Naps")
    offered = ("I come, in the room", "Propose it", "I'll lead", "👍 Yes", "Change the agenda")
    assert all(words in visits(here, "Eli", f"meetings/{row.pk}/").text for words in offered)
    groups.pause(here.ticket("Eli"), at=NOW)
    eli = visits(here, "Eli", f"meetings/{row.pk}/")
    assert [words for words in offered if words in eli.text] == []
    assert "You are on a break." in eli.text
    clock_at(row.starts_at)
    assert "Go to the room" in visits(here, "Ben", f"meetings/{row.pk}/").text
    assert "Go to the room" not in visits(here, "Eli", f"meetings/{row.pk}/").text


def test_a_room_nobody_looks_at_is_led_to_and_keeps_no_question_waiting(here: Harbour, clock_at: Moment) -> None:
    agreed(here)
    held(here)
    row = dates(here)[1]
    room.open_room(here.ticket("Ben", at=row.starts_at), meeting=row.pk, at=row.starts_at)
    room.move(here.ticket("Ana", at=row.starts_at), meeting=row.pk, move=Move.ARRIVE, at=row.starts_at)
    clock_at(row.ends_at + timedelta(minutes=30))
    assert visits(here, "Ana").follow("Go to the room").path == f"/g/{here.group}/meetings/{row.pk}/room/"
    clock_at(row.ends_at + timedelta(hours=9))
    visits(here, "Ana", "polls/new/name/").press("Ask the group", to="Haven")
    closed = Meeting.objects.get(pk=row.pk).closed_at
    assert closed is not None
    assert closed < row.ends_at + timedelta(hours=3)


@pytest.mark.parametrize("page", ["", "meetings/"])
def test_looking_at_the_group_closes_a_room_that_was_left_alone(here: Harbour, clock_at: Moment, page: str) -> None:
    agreed(here)
    row = planned(here)
    room.open_room(here.ticket("Ben", at=row.starts_at), meeting=row.pk, at=row.starts_at)
    room.move(here.ticket("Ana", at=row.starts_at), meeting=row.pk, move=Move.ARRIVE, at=row.starts_at)
    clock_at(row.ends_at + timedelta(hours=9))
    assert f"meetings/{row.pk}/" not in visits(here, "Ana", page).client.get(f"/g/{here.group}/{page}").content.decode()
    assert Meeting.objects.get(pk=row.pk).closed_at is not None
