"""The room as ordinary pages: every phase by its form, without a script, at its own moment."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client

from leeward.domain.commitments.models import Commitment
from leeward.domain.groups import actions as groups
from leeward.domain.groups.models import Membership
from leeward.domain.meetings.models import Attendance, Leaf, Meeting, Record
from leeward.domain.places import actions as places
from leeward.domain.places.rules import Facts
from leeward.domain.pledges.models import Assent
from leeward.domain.room.models import Room, RoomEntry
from leeward.domain.safety import actions as safety
from leeward.lib.tickets import Operator
from tests.cast import INSIDE, NOW, Harbour, an_unclaimed, harbour
from tests.meeting import START, agreed, planned
from tests.visitor import Visitor
from tests.web.signing import signed_in

pytestmark = pytest.mark.django_db

Moment = Callable[[datetime], None]


@pytest.fixture
def here(clock_at: Moment, settings: LazySettings, tmp_path: Path) -> Harbour:
    """At the start of a meeting that Ben leads and Chidi backs. Zoe has no account."""
    settings.LEEWARD_HELP_LINES = tmp_path / "help-lines.toml"
    safety.write_example_lines(Operator(), at=NOW)
    found = harbour()
    agreed(found)
    row = planned(found)
    an_unclaimed(found.group, "Zoe")
    clock_at(NOW)
    visits(found, "Ben", "").press("I'll lead")
    visits(found, "Chidi", "").press("I'll be the backup")
    clock_at(START)
    assert row.starts_at == START
    return found


def address(here: Harbour) -> str:
    first = Meeting.objects.filter(group=here.group).order_by("starts_at")[0]
    return f"/g/{here.group}/meetings/{first.pk}/"


def visits(here: Harbour, name: str, part: str = "room/", *, status: int = 200) -> Visitor:
    return Visitor(signed_in(here.people[name])).open(address(here) + part, status=status)


def everybody(here: Harbour) -> dict[str, Visitor]:
    """All five in the room, Dara online; Ben opened it."""
    ben = visits(here, "Ben").press("Open it, I am in the room")
    others = {name: visits(here, name) for name in INSIDE if name != "Ben"}
    for name, visitor in others.items():
        visitor.press("I am here, online" if name == "Dara" else "I am in the room")
    return {"Ben": ben} | others


def again(visitor: Visitor) -> Visitor:
    return visitor.open(visitor.path)


def headline(visitor: Visitor) -> str:
    return unescape(visitor.html.split("<h1>")[1].split("</h1>")[0])


def clock(visitor: Visitor) -> str:
    """What the page says is left, without a script."""
    found = re.search(r'class="clock"[^>]*>(?:<clock-down[^>]*>)?([0-9:]+)<', visitor.html)
    assert found
    return found[1]


def buttons(visitor: Visitor) -> set[str]:
    return {button for form in visitor.page.forms for button in form.buttons}


# Coming in ---------------------------------------------------------------------------------------------------------


def test_any_member_opens_it_ten_minutes_before_and_not_sooner(here: Harbour, clock_at: Moment) -> None:
    clock_at(START - timedelta(minutes=10, seconds=5))
    dara = visits(here, "Dara")
    assert (headline(dara), buttons(dara)) == ("The room is not open yet", set())
    assert "It opens at Thursday, 8 October 2026, 17:50 (Berlin)." in dara.text
    assert dara.client.post(address(here) + "room/opening/", {"way": "online"}).status_code == 409
    clock_at(START - timedelta(minutes=10))
    again(dara).press("Open it, I am online")
    assert (headline(dara), "Ben leads." in dara.text, Room.objects.count()) == ("Welcome", True, 1)
    ana = visits(here, "Ana")
    assert ("Dara online" in ana.text, "Ben leads not here" in ana.text) == (True, True)


def test_opening_it_twice_is_coming_in(here: Harbour) -> None:
    for name in ("Ben", "Ana", "Ana"):
        signed_in(here.people[name]).post(address(here) + "room/opening/", {"way": "room"})
    assert (Room.objects.count(), RoomEntry.objects.count()) == (1, 2)


def test_who_is_outside_finds_nothing_and_who_has_not_said_yes_reads_the_pledge_first(here: Harbour) -> None:
    everybody(here)
    room, entries = address(here) + "room/", RoomEntry.objects.count()
    for client in (Client(), signed_in(here.people["Gus"]), signed_in(here.people["Farah"])):
        assert client.get(room).status_code == 404
        for part in ("opening/", "arrive/", "next/", "close/", f"for/{here.membership('Ana')}/"):
            assert client.post(room + part).status_code == 404
        assert client.post(room, {"text": "Walk", "seen_by": "me"}).status_code == 404
    groups.leave(here.ticket("Eli", at=START), at=START)
    assert visits(here, "Eli", status=404).status == 404
    entries += 1  # with the seat goes the place in the room
    Assent.objects.filter(membership=here.membership("Chidi")).delete()
    assert visits(here, "Chidi").path == f"/g/{here.group}/pledge/"
    for part in ("opening/", "arrive/", "hold/"):
        assert signed_in(here.people["Chidi"]).post(room + part).status_code == 409
    assert RoomEntry.objects.count() == entries


def test_on_a_break_one_is_not_in_the_room(here: Harbour) -> None:
    groups.pause(here.ticket("Eli", at=START), at=START)
    eli = visits(here, "Eli", status=409)
    assert eli.client.post(address(here) + "room/opening/", {"way": "room"}).status_code == 409
    assert Room.objects.count() == 0
    everybody_else = visits(here, "Ben").press("Open it, I am in the room")
    assert "Eli" not in everybody_else.html.split("Who is here")[1]
    assert visits(here, "Eli", status=409).text.count("You are on a break.") == 1
    assert eli.client.post(address(here) + "room/arrive/", {"way": "room"}).status_code == 409


def test_who_takes_a_break_in_the_middle_is_not_here_any_more(here: Harbour) -> None:
    people = everybody(here)
    again(people["Ben"]).press("Start")
    groups.pause(here.ticket("Ben", at=START), at=START + timedelta(minutes=1))
    assert "Ben leads not here" not in again(people["Ana"]).text
    assert "Take the lead" not in buttons(people["Ana"])


def test_one_person_is_no_meeting(here: Harbour, clock_at: Moment) -> None:
    clock_at(START - timedelta(minutes=5))
    ben = visits(here, "Ben").press("Open it, I am in the room")
    assert "Close the meeting now" not in {text for text, _href in ben.page.links}
    assert ben.client.post(address(here) + "room/close/").status_code == 409
    clock_at(START + timedelta(hours=3, minutes=1))
    visits(here, "Ana")
    assert "did not happen" in visits(here, "Ana", "").text
    assert (Record.objects.count(), Room.objects.count(), RoomEntry.objects.count()) == (0, 0, 0)


def test_the_video_link_is_for_those_inside(here: Harbour) -> None:
    link = "https://meet.example.org/harbour"
    place = places.add_place(here.ticket("Ana"), Facts("Call", "", link, "", True, False, None), at=NOW)
    Meeting.objects.filter(group=here.group).update(place=place)
    ben = visits(here, "Ben").press("Open it, I am in the room")
    ana = visits(here, "Ana")
    assert (link in ben.html, link in ana.html, link in ana.press("I am here, online").html) == (True, False, True)


# The hour, phase by phase -------------------------------------------------------------------------------------------


def test_the_hour_runs_from_welcome_to_goodbye_with_its_clock(here: Harbour, clock_at: Moment) -> None:
    people = everybody(here)
    ben, ana = people["Ben"], people["Ana"]
    assert (headline(again(ben)), "Start" in buttons(ben), "Start" in buttons(again(ana))) == ("Welcome", True, False)
    assert "Next: Our pledge" in ben.text
    ben.press("Start")
    # pledge 15, mood 5, spotlight 10, brainstorm 25, commitment 5
    assert (headline(ben), "Next: How we are" in ben.text) == ("Our pledge", True)
    assert buttons(again(ana)) & {"Next block", "Pause the clock", "5 more minutes", "Close the meeting now"} == set()

    clock_at(START + timedelta(minutes=15, seconds=2))
    assert (clock(again(ana)), "Time is up." in ana.text) == ("0:00", True)
    for name in INSIDE:  # the clock waits for the last of them, though three were enough
        assert "Time is up." in again(people[name]).text
        people[name].press("👍 Yes")
    assert (headline(again(ana)), "Time is up." in ana.text) == ("Our pledge", False)
    clock_at(START + timedelta(minutes=20, seconds=6))
    assert "Time is up." in again(ben).text
    clock_at(START + timedelta(minutes=20, seconds=30))
    assert (headline(again(ben)), "Next: One person's topic" in ben.text) == ("How we are", True)

    ben.press("Pause the clock")
    assert "The clock is paused." in again(ana).text
    left = clock(again(ben))
    clock_at(START + timedelta(minutes=40))
    assert (headline(again(ben)), clock(ben)) == ("How we are", left)
    ben.press("5 more minutes")
    assert int(clock(ben).split(":")[0]) == int(left.split(":")[0]) + 5
    ben.press("Go on").press("Next block")
    assert headline(again(ana)) == "One person's topic"

    people["Eli"].open(people["Eli"].path).press("Stop: somebody needs a moment")
    assert (headline(again(ana)), "Help now" in ana.text) == ("We stop for a moment", True)
    assert buttons(again(people["Chidi"])) & {"We can go on", "Next block", "Close the meeting now"} == set()
    assert people["Chidi"].client.post(address(here) + "room/release/").status_code == 409
    assert ben.client.post(address(here) + "room/close/").status_code == 409
    assert "We can go on" in buttons(again(ben))
    again(people["Eli"]).press("We can go on")
    assert headline(again(ana)) == "One person's topic"

    for _block in range(3):
        again(ben).press("Next block")
    assert (headline(ben), "Time for a last step, and for goodbye." in ben.text) == ("All blocks are done", True)
    assert "Close the meeting" not in buttons(again(ana))
    ben.press("Close the meeting")
    assert ben.path == address(here)
    assert "The meeting is closed. What was in the room is gone; the record is sealed." in ben.text
    assert again(ana).path == address(here)
    assert (RoomEntry.objects.count(), Record.objects.count(), Attendance.objects.count()) == (0, 1, 5)
    ways = dict(Attendance.objects.values_list("membership", "way"))
    assert ways == {here.membership(name): "online" if name == "Dara" else "room" for name in INSIDE}


def test_two_taps_on_next_go_one_block_further(here: Harbour) -> None:
    ben = everybody(here)["Ben"]
    again(ben).press("Start")
    (form,) = [form for form in ben.page.forms if "Next block" in form.buttons]
    for _tap in range(2):
        assert ben.client.post(form.action, form.fields).status_code == 302
    assert headline(again(ben)) == "How we are"


def test_a_move_that_does_not_fit_says_so_and_leaves_no_entry(here: Harbour) -> None:
    people = everybody(here)
    room, before = address(here) + "room/", RoomEntry.objects.count()
    for name, moves in {
        "Ben": ("next", "extend", "pause", "resume", "release", "take-lead", "mark-here", "hand-over", "mark-gone"),
        "Ana": ("start", "close", "mark-here", "take-lead", "hand-over"),
    }.items():
        for move in moves:
            assert people[name].client.post(room + f"{move}/").status_code == 409, f"{name} {move}"
    for move in ("time-up", "move-on", "close-itself", "commit", "dance", "arrive-"):
        assert people["Ben"].client.post(room + f"{move}/", {"text": "x"}).status_code == 404, move
    assert people["Ben"].client.post(room + "arrive/", {"way": "boat"}).status_code == 409
    assert RoomEntry.objects.count() == before


def test_before_it_is_open_nothing_moves(here: Harbour) -> None:
    ben = signed_in(here.people["Ben"])
    assert [ben.post(f"{address(here)}room/{move}/").status_code for move in ("arrive", "start", "close")] == [404] * 3
    assert ben.get(address(here) + "room/closing/").status_code == 404


# The lead ----------------------------------------------------------------------------------------------------------


def test_when_the_lead_is_late_the_backup_takes_over_and_a_minute_later_anybody(
    here: Harbour, clock_at: Moment
) -> None:
    visits(here, "Ana").press("Open it, I am in the room")
    chidi, ana = visits(here, "Chidi").press("I am in the room"), visits(here, "Ana")
    clock_at(START + timedelta(minutes=4, seconds=55))
    assert ["Take the lead" in buttons(again(visitor)) for visitor in (chidi, ana)] == [False, False]
    clock_at(START + timedelta(minutes=5))
    assert ["Take the lead" in buttons(again(visitor)) for visitor in (chidi, ana)] == [True, False]
    assert ana.client.post(address(here) + "room/take-lead/").status_code == 409
    clock_at(START + timedelta(minutes=6))
    assert "Take the lead" in buttons(again(ana))
    ana.press("Take the lead")
    assert ("Ana leads." in ana.text, "Ana leads." in again(chidi).text) == (True, True)
    assert "Take the lead" not in buttons(chidi)
    ben = visits(here, "Ben").press("I am in the room")  # who was late takes nothing back
    assert buttons(ben) & {"Start", "Take the lead"} == set()
    ana.press("Start")
    assert headline(again(ben)) == "Our pledge"


def test_the_lead_is_handed_over_to_somebody_who_is_here(here: Harbour) -> None:
    people = everybody(here)
    ana = here.membership("Ana")
    again(people["Ben"]).press("Hand the lead over", near={"whom": ana})
    assert ("Ana leads." in people["Ben"].text, "Start" in buttons(again(people["Ana"]))) == (True, True)
    assert "Start" not in buttons(people["Ben"])
    (zoe,) = without_device(here)
    assert people["Ana"].client.post(address(here) + "room/hand-over/", {"whom": zoe}).status_code == 409
    for gone in (here.membership("Farah"), here.membership("Gus"), here.group):
        assert people["Ana"].client.post(address(here) + "room/hand-over/", {"whom": gone}).status_code == 404
    again(people["Ana"]).press("Is here", near={"whom": zoe})
    assert people["Ana"].client.post(address(here) + "room/hand-over/", {"whom": zoe}).status_code == 409
    assert offered_for(again(people["Ana"]), zoe) == {"Is not here"}


def without_device(here: Harbour) -> list[str]:
    return list(Membership.objects.filter(group=here.group, person=None).values_list("pk", flat=True))


def test_a_room_that_everybody_left_closes_itself_with_its_record(here: Harbour, clock_at: Moment) -> None:
    ben = everybody(here)["Ben"]
    again(ben).press("Start")
    clock_at(START + timedelta(hours=3, minutes=1))
    assert visits(here, "Ana").path == address(here)
    row = Meeting.objects.order_by("starts_at")[0]
    assert row.closed_at == row.ends_at + timedelta(hours=2)
    assert (Record.objects.count(), RoomEntry.objects.count()) == (1, 0)


# Without a device --------------------------------------------------------------------------------------------------


def test_somebody_without_a_device_is_marked_has_a_step_and_stands_in_the_record(
    here: Harbour, clock_at: Moment
) -> None:
    people = everybody(here)
    (zoe,) = without_device(here)
    ben = again(people["Ben"]).press("Is here", near={"whom": zoe})
    assert "Zoe in the room" in ben.text
    steps = f"{address(here)}room/for/{zoe}/"
    assert people["Ana"].client.get(steps).status_code == 404  # the lead writes it down, nobody else
    assert people["Ana"].client.post(steps, {"text": "Hers"}).status_code == 404
    ben.open(steps)
    assert "Zoe has no device here." in ben.text
    ben.press("Keep it", text="Ten minutes outside")
    assert "Zoe in the room · has a step" in ben.text
    assert "Ten minutes outside" not in again(people["Ana"]).html  # until the meeting closes
    ben.press("Start").follow("Close the meeting now")
    assert "No step yet, which is fine: Ben, Ana, Chidi, Dara, Eli" in ben.text
    ben.press("Close the meeting now")
    assert list(Leaf.objects.filter(kind="step").values_list("author", flat=True)) == [zoe]
    assert "Ten minutes outside (Zoe)" in ben.text
    assert Attendance.objects.filter(membership=zoe).count() == 1


def offered_for(visitor: Visitor, whom: str) -> set[str]:
    """The buttons on the page that are about somebody."""
    forms = [form for form in visitor.page.forms if form.fields.get("whom") == whom]
    return {button for form in forms for button in form.buttons} - {"Give a token"}


def test_the_lead_speaks_only_for_who_has_no_device(here: Harbour) -> None:
    people = everybody(here)
    (zoe,), ana = without_device(here), here.membership("Ana")
    ben = again(people["Ben"]).press("Is here", near={"whom": zoe}).press("Start")
    assert offered_for(ben, zoe) == {"Would like to speak", "Is not here"}
    assert offered_for(ben, ana) == {"Hand the lead over"}
    room, before = address(here) + "room/", RoomEntry.objects.count()
    for move, facts in (("raise", {"way": "turn"}), ("mark-gone", {}), ("volunteer", {})):
        assert ben.client.post(f"{room}{move}/", {"whom": ana} | facts).status_code == 409, move
    for facts in ({"text": "Hers"}, {"mood": "quite calm"}):
        assert ben.client.post(f"{room}for/{ana}/", facts).status_code == 422
    assert RoomEntry.objects.count() == before
    assert ben.client.post(f"{room}raise/", {"whom": zoe, "way": "turn"}).status_code == 302
    assert "Passes the floor on" in offered_for(again(ben), zoe)


def test_a_slip_of_the_finger_is_taken_back_and_leaves_no_attendance(here: Harbour) -> None:
    (zoe,) = without_device(here)
    ben = again(everybody(here)["Ben"]).press("Is here", near={"whom": zoe}).press("Is not here", near={"whom": zoe})
    assert "Zoe not here" in ben.text
    ben.press("Start").follow("Close the meeting now").press("Close the meeting now")
    assert set(Attendance.objects.values_list("membership", flat=True)) == {here.membership(name) for name in INSIDE}


def test_who_is_not_of_the_group_cannot_be_marked_nor_given_a_step(here: Harbour) -> None:
    ben = everybody(here)["Ben"]
    for stranger in (here.membership("Gus"), here.membership("Farah"), here.group, "0" * 16):
        assert ben.client.post(f"{address(here)}room/mark-here/", {"whom": stranger}).status_code == 404
        assert ben.client.post(f"{address(here)}room/for/{stranger}/", {"text": "x"}).status_code == 404
    (zoe,) = without_device(here)
    ben.open(f"{address(here)}room/for/{zoe}/").press("Keep it", status=422, text="Too soon")
    assert "They are not here." in ben.text
    assert [form.fields["text"] for form in ben.page.forms if "text" in form.fields] == ["Too soon"]


# Steps and going ---------------------------------------------------------------------------------------------------


def test_a_step_for_my_eyes_is_mine_alone_and_one_for_the_group_stands_in_the_record(here: Harbour) -> None:
    people = everybody(here)
    again(people["Ana"]).press("Keep it", text="Walk at noon", seen_by="group").press(
        "Change it", text="Walk at ten", seen_by="group"
    )
    again(people["Chidi"]).press("Keep it", text="Mine alone", seen_by="me")
    assert "Walk at ten" in people["Ana"].text
    for text in ("Walk at ten", "Mine alone"):
        assert text not in again(people["Ben"]).html
    assert (people["Ben"].text.count("has a step"), "Ana in the room · has a step" in people["Ben"].text) == (1, True)
    people["Ben"].press("Start").follow("Close the meeting now").press("Close the meeting now")
    kept = {row.text: (row.membership_id, row.seen) for row in Commitment.objects.all()}
    assert kept == {
        "Walk at ten": (here.membership("Ana"), "group"), "Mine alone": (here.membership("Chidi"), "me"),
    }  # fmt: skip
    seen = {name: visits(here, name, "").html for name in INSIDE}
    assert {name for name, html in seen.items() if "Walk at ten" in html} == set(INSIDE)
    assert {name for name, html in seen.items() if "Mine alone" in html} == set()


def test_stepping_out_is_quiet_and_still_counts_as_having_been_here(here: Harbour) -> None:
    people = everybody(here)
    eli = again(people["Eli"]).press("Step out quietly")
    assert eli.path == address(here)
    assert "Eli not here" in again(people["Ben"]).text
    assert eli.client.post(address(here) + "room/", {"text": "Walk", "seen_by": "me"}).status_code == 422
    people["Ben"].press("Start").follow("Close the meeting now").press("Close the meeting now")
    assert Attendance.objects.filter(membership=here.membership("Eli")).count() == 1
    assert Commitment.objects.count() == 0


def test_after_the_close_every_command_says_that_it_is_closed(here: Harbour) -> None:
    ben = everybody(here)["Ben"]
    again(ben).press("Start").follow("Close the meeting now").press("Close the meeting now")
    room = address(here) + "room/"
    moves = ("arrive", "next", "extend", "pause", "hold", "hand-over", "close", "step-out", "mark-here")
    assert [ben.client.post(f"{room}{move}/").status_code for move in moves] == [409] * len(moves)
    assert ben.client.post(room + "opening/").status_code == 409
    assert ben.client.get(room + "closing/").status_code == 404
    assert ben.client.get(room)["Location"] == address(here)
    assert ben.client.post(room, {"text": "Late", "seen_by": "group"})["Location"] == address(here)
    assert (Record.objects.count(), Commitment.objects.count(), RoomEntry.objects.count()) == (1, 0, 0)
