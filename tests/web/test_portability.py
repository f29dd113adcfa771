"""Bringing in a group that exists, page by page: upload, check, "this is me", report."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from leeward.domain.groups import actions as groups
from leeward.domain.groups import queries as group_queries
from leeward.domain.groups.models import Group, Membership, Stint
from leeward.domain.meetings import queries as meetings
from leeward.domain.meetings.models import Attendance, GuestPresence, Meeting, Record
from leeward.domain.meetings.rules import broken_links
from leeward.domain.people import queries as person_queries
from leeward.domain.people.models import Person
from leeward.domain.people.rules import Self
from leeward.domain.portability.models import Upload
from leeward.domain.safety import actions as safety
from leeward.lib.tickets import Operator
from tests.cast import NOW, a_person
from tests.visitor import Visitor
from tests.web.signing import signed_in

pytestmark = pytest.mark.django_db

Moment = Callable[[datetime], None]

ATTENDANCE = """date,member,role
2026-08-06,Ana,regular
2026-08-06,Ben,regular
2026-08-20,Ana,lead
2026-08-20,Gia,observer
2026-08-33,Ana,regular
2026-09-03,=cmd|calc,regular
2026-09-03,Ben,boss
"""
MEMBERS = "name,joined,left\nAna,2026-08-01,\nBen,2026-08-01,\nChidi,2026-08-01,2026-08-10\n"
CALENDAR = (
    "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;TZID=Europe/Berlin:20260709T190000\r\n"
    "RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=3\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)
SAID = {
    "name": "Harbour", "purpose": "We make room for one another.", "cohort": "Carers", "format": "skill_pod",
    "country": "DE", "zone": "Europe/Berlin", "time": "19:00", "minutes": "90",
}  # fmt: skip


def file(text: str | bytes, name: str = "list.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, text.encode() if isinstance(text, str) else text)


@pytest.fixture
def ana(clock_at: Moment, settings: LazySettings, tmp_path: Path) -> Visitor:
    clock_at(NOW)
    settings.LEEWARD_HELP_LINES = tmp_path / "help-lines.toml"
    safety.write_example_lines(Operator(), at=NOW)
    return Visitor(signed_in(a_person("Ana"))).open("/bring/")


def brings(me: Visitor, *, status: int = 200, **files: str | bytes) -> Visitor:
    """`files` by field."""
    typed: dict[str, Any] = {name: file(text) for name, text in files.items()}
    return me.open("/bring/").press("Check the files", status=status, **SAID, **typed)


def nothing() -> tuple[int, int, int]:
    return Group.objects.count(), Meeting.objects.count(), Membership.objects.count()


# Check -------------------------------------------------------------------------------------------------------------


def test_the_check_counts_what_it_found_names_what_it_left_out_and_stores_no_group(ana: Visitor) -> None:
    brings(ana, attendance=ATTENDANCE, members=MEMBERS)
    facts = dict(re.findall("<dt>(.*?)</dt><dd>(.*?)</dd>", ana.html))
    assert facts == {
        "Meetings": "2", "People": "4, of them 3 members, 2 active now", "Attendances": "3", "Visits of guests": "1",
    }  # fmt: skip
    assert "3 rows are left out" in ana.text
    for line in (
        "attendance.csv, line 6: the date is not written as YYYY-MM-DD",
        "attendance.csv, line 7: the name begins like a formula (= + - @)",
        "attendance.csv, line 8: a role we do not know",
    ):
        assert line in ana.text
    assert "cmd" not in ana.html
    assert ana.page.forms[0].choices["me"] == ["", "ana", "ben"]  # Chidi left, Gia was a guest
    assert nothing() == (0, 0, 0)


def test_a_list_of_counts_is_compared_and_each_difference_is_shown(ana: Visitor) -> None:
    brings(ana, attendance="date,member\n2026-08-06,Ana\n2026-08-06,Ben\n2026-08-20,Ana\n",
           counts="date,count\n2026-08-06,2\n2026-08-13,4\n")  # fmt: skip
    assert "2 days were counted differently" in ana.text
    assert "13 Aug 2026: 4 counted, 0 by the lists" in ana.text.replace("Aug 13, 2026", "13 Aug 2026")
    assert "20 Aug 2026: not counted, 1 by the lists" in ana.text.replace("Aug 20, 2026", "20 Aug 2026")
    assert "6 Aug 2026" not in ana.text.replace("Aug 6, 2026", "6 Aug 2026")
    brings(ana, attendance=ATTENDANCE)
    assert "differently" not in ana.text
    brings(ana, status=422, counts="date,count\n2026-08-06,2\n")
    assert "Please choose at least one file." in ana.text


def test_a_calendar_and_a_list_of_names_are_one_group(ana: Visitor) -> None:
    brings(ana, calendar=CALENDAR, members="name\nAna\nBen\n")
    assert "Every row could be used." in ana.text
    ana.press("Take it in", me="ana")
    assert [row.local for row in Meeting.objects.order_by("starts_at")] == [
        "2026-07-09T19:00", "2026-07-23T19:00", "2026-08-06T19:00",
    ]  # fmt: skip
    assert Attendance.objects.count() == 0


def test_without_a_file_or_with_a_wrong_one_the_words_stand_beside_it_and_the_typing_stays(ana: Visitor) -> None:
    brings(ana, status=422)
    assert "Please choose at least one file." in ana.text
    brings(ana, status=422, attendance="who,what\n1,2\n", members=MEMBERS)
    said = ana.html.split('id="attendance-wrong">')[1].split("</p>")[0]
    assert "attendance.csv: the first line has to name its columns. Missing: date, member/name." in said
    assert {name: ana.page.forms[0].fields[name].strip() for name in SAID} == SAID
    assert (nothing(), Upload.objects.count()) == ((0, 0, 0), 0)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"time": "24:00"}, "Please check this: it could not be read."),
        ({"minutes": "29"}, "Please choose at least 30."),
        ({"zone": "Mars/Olympus"}, "Please choose from the list."),
        ({"country": "FR"}, "Please choose from the list."),
        ({"name": "\u200b"}, "Please fill this in."),
    ],
)
def test_what_the_files_do_not_say_is_checked_as_well(ana: Visitor, typed: dict[str, str], said: str) -> None:
    ana.press("Check the files", status=422, **SAID | typed, attendance=file(ATTENDANCE))
    assert said in ana.text
    assert (nothing(), Upload.objects.count()) == ((0, 0, 0), 0)


def test_lists_in_which_nobody_is_active_lead_nowhere_and_say_so(ana: Visitor) -> None:
    for files in ({"calendar": CALENDAR}, {"members": "name,joined,left\nAna,2026-01-01,2026-02-01\n"}):
        brings(ana, status=422, **files)
        assert "Please add members.csv" in ana.text
    assert Upload.objects.count() == 0


# Between the check and the yes -------------------------------------------------------------------------------------


def test_an_upload_is_ones_own_and_lasts_an_hour(ana: Visitor, clock_at: Moment) -> None:
    brings(ana, attendance=ATTENDANCE)
    page = ana.path
    for client in (Client(), signed_in(a_person("Gus"))):
        assert client.get(page).status_code == 404
        assert client.post(page, {"me": "ana"}).status_code == 404
    clock_at(NOW + timedelta(minutes=59))
    assert ana.open(page).status == 200
    clock_at(NOW + timedelta(minutes=60, seconds=5))
    assert ana.open(page, status=404).client.post(page, {"me": "ana"}).status_code == 404
    assert nothing() == (0, 0, 0)


def test_other_files_take_the_place_of_the_first(ana: Visitor) -> None:
    brings(ana, attendance=ATTENDANCE)
    first = ana.path
    brings(ana, attendance="date,member\n2026-09-03,Eli\n")
    assert (Upload.objects.count(), ana.page.forms[0].choices["me"]) == (1, ["", "eli"])
    ana.open(first, status=404)


@pytest.mark.parametrize("who", ["", "gia", "chidi", "Ana", "nobody", "\x00", "0" * 16])
def test_one_is_an_active_member_of_the_lists_or_nobody(ana: Visitor, who: str) -> None:
    brings(ana, attendance=ATTENDANCE, members=MEMBERS).press("Take it in", status=422, me=who)
    assert ("Please fill this in." if not who else "Please choose from the list.") in ana.text
    assert (nothing(), Upload.objects.count()) == ((0, 0, 0), 1)


# Taken in ----------------------------------------------------------------------------------------------------------


def test_taken_in_the_group_is_what_the_lists_say_and_one_seat_is_mine(ana: Visitor) -> None:
    brings(ana, attendance=ATTENDANCE, members=MEMBERS).press("Take it in", me="ana")
    assert "The files are checked. All of it is here." in ana.text
    row = Group.objects.get()
    assert (row.name, row.purpose, row.cohort, row.format, row.country, row.zone) == (
        "Harbour", "We make room for one another.", "Carers", "skill_pod", "DE", "Europe/Berlin",
    )  # fmt: skip
    held = Meeting.objects.order_by("starts_at").values_list("local", "minutes", "imported")
    assert list(held) == [("2026-08-06T19:00", 90, True), ("2026-08-20T19:00", 90, True)]
    seats = {seat.name: seat for seat in Membership.objects.all()}
    assert {name: seat.person_id is not None for name, seat in seats.items()} == {
        "Ana": True,
        "Ben": False,
        "Chidi": False,
    }
    assert set(Stint.objects.filter(ended_at=None).values_list("membership", flat=True)) == {
        seats["Ana"].pk, seats["Ben"].pk,
    }  # fmt: skip
    assert (Attendance.objects.count(), GuestPresence.objects.count(), Record.objects.count()) == (3, 1, 2)
    assert broken_links(meetings.links(Operator(), group=row.pk)) == []
    assert [upload.files for upload in Upload.objects.all()] == [{}]
    ana.follow("Open the group")
    assert (ana.path, "2 of 12 seats are taken." in ana.text) == (f"/g/{row.pk}/", True)
    text = ana.open(f"/g/{row.pk}/record/").text
    assert text.count("taken in from the group's own lists") == 2
    assert "Ana, Ben" in ana.open(f"/g/{row.pk}/meetings/{Meeting.objects.earliest('starts_at').pk}/").text


def test_the_same_lists_are_taken_in_once(ana: Visitor) -> None:
    brings(ana, attendance=ATTENDANCE).press("Take it in", me="ana")
    before = nothing()
    brings(ana, attendance=ATTENDANCE.replace(",", ";")).press("Take it in", me="ben")
    assert "You brought these lists before." in ana.text
    assert nothing() == before
    assert Membership.objects.exclude(person=None).get().name == "Ana"
    assert ana.follow("Open the group").path == f"/g/{Group.objects.get().pk}/"
    groups.leave(group_queries.memberships_of(_me(), at=NOW)[0][0], at=NOW)
    brings(ana, attendance=ATTENDANCE).press("Take it in", me="ben")
    assert "Open the group" not in ana.text


def _me() -> Self:
    return person_queries.ticket_of(Person.objects.get())


def test_nobody_learns_from_their_own_lists_that_others_brought_the_same_and_nobody_is_kept_out(ana: Visitor) -> None:
    other = Visitor(signed_in(a_person("Ben")))
    said = []
    for me, who in ((ana, "ana"), (other, "ben")):
        brings(me, attendance=ATTENDANCE).press("Take it in", me=who)
        said.append(me.text)
        assert me.follow("Open the group").status == 200
    assert (said[0], Group.objects.count()) == (said[1], 2)
    assert len(set(Group.objects.values_list("import_digest", flat=True))) == 2


def test_a_second_tap_on_take_it_in_takes_nothing_in(ana: Visitor) -> None:
    brings(ana, attendance=ATTENDANCE)
    page, said = ana.path, ana.page.forms[0].fields | {"me": "ana"}
    answers = [ana.client.post(page, said) for _tap in range(2)]  # the first is still being sent
    bodies = [b"".join(answer.streaming_content).decode() for answer in answers if answer.streaming]
    mine = f"/g/{Group.objects.get().pk}/"
    assert [("All of it is here." in body, f'href="{mine}"' in body) for body in bodies] == [
        (True, True),
        (False, True),
    ]
    for late in (ana.client.post(page, said), ana.client.get(page)):
        assert (late.status_code, late["Location"]) == (302, mine)
    assert Client().get(page).status_code == 404


def test_the_page_says_what_is_kept_and_the_launch_path_of_a_group_that_met_counts_nobody(ana: Visitor) -> None:
    assert ("nothing is stored" in ana.text, "we keep the files sealed, for an hour at most" in ana.text) == (
        False,
        True,
    )
    brings(ana, attendance=ATTENDANCE).press("Take it in", me="ana").follow("Open the group")
    ana.open(ana.path + "launch/")
    assert ("this path is behind you" in ana.text, "0 people are in" in ana.text) == (True, False)


def test_a_list_of_names_is_a_group_at_once_and_not_from_the_hour_of_its_meetings_on(ana: Visitor) -> None:
    assert NOW.hour + 2 < 19  # by the group's clock
    brings(ana, members="name\nAna\nBen\n").press("Take it in", me="ana").follow("Open the group")
    assert "2 of 12 seats are taken." in ana.text


def test_names_of_the_lists_are_text_on_every_page(ana: Visitor) -> None:
    names = ["A<script>alert(1)</script>", "B{{7*7}}", 'C"onload=x']
    table = "name\n" + "\n".join('"' + name.replace('"', '""') + '"' for name in names) + "\n"
    brings(ana, members=table)
    assert ("<script>alert" in ana.html, "49" in ana.page.forms[0].choices["me"]) == (False, False)
    ana.press("Take it in", me=names[0].casefold()).follow("Open the group")
    for part in ("", "people/", "invitations/", "pledge/"):
        ana.open(f"/g/{Group.objects.get().pk}/{part}")
        assert "<script>alert" not in ana.html
    assert sorted(row.name for row in Membership.objects.all()) == names


def test_the_group_goes_on_where_its_lists_end(ana: Visitor) -> None:
    brings(ana, attendance=ATTENDANCE, members=MEMBERS).press("Take it in", me="ana").follow("Open the group")
    home = ana.path
    ana.follow("Plan the rhythm").press(
        "Plan these dates", date="2026-10-08", time="19:00", every_weeks="2", minutes="90", cycle="in_person"
    )
    assert Meeting.objects.filter(closed_at=None).count() == 13
    ana.open(home + "rhythm/", status=404)
    ana.open(home + "pledge/draft/").press("Keep the draft", lines="We listen.")
    ana.press("Adopt this text").press("I agree")
    ana.open(home + "invitations/").press("Invite them", claims=Membership.objects.get(number=2).pk)
    assert "For the place of Ben" in ana.text


def test_without_a_checked_help_line_no_group_comes_in(ana: Visitor, settings: LazySettings, tmp_path: Path) -> None:
    settings.LEEWARD_HELP_LINES = tmp_path / "none.toml"
    brings(ana, status=422, attendance=ATTENDANCE)
    assert "so no group can open." in ana.text
    assert (nothing(), Upload.objects.count()) == ((0, 0, 0), 0)


def test_signed_out_one_is_asked_to_sign_in(ana: Visitor) -> None:
    stranger = Client()
    assert stranger.get("/bring/")["Location"] == "/sign-in/"
    assert stranger.post("/bring/", SAID | {"attendance": file(ATTENDANCE)})["Location"] == "/sign-in/"
    assert Upload.objects.count() == 0
