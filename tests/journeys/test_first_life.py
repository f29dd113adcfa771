"""One whole life, page by page and without JavaScript: from an address to the sealed record of a meeting."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core import mail

from leeward.domain.safety import actions as safety
from leeward.jobs.doctor import examine
from leeward.lib import clock
from leeward.lib.tickets import Operator
from tests.cast import NOW
from tests.visitor import Visitor

pytestmark = pytest.mark.django_db(transaction=True)
NAMES = ("Ana", "Ben", "Chidi", "Dara", "Eli")


@pytest.fixture
def ready(settings: LazySettings, tmp_path: Path, clock_at: Callable[[datetime], None]) -> Callable[[datetime], None]:
    settings.LEEWARD_HELP_LINES = tmp_path / "help-lines.toml"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    clock_at(NOW)
    safety.write_example_lines(Operator(), at=NOW)
    return clock_at


def newcomer(name: str) -> Visitor:
    """Somebody who signs in for the first time, by a mailed code."""
    me = Visitor().open("/").follow("Sign in")
    return signs_in(me, name)


def signs_in(me: Visitor, name: str) -> Visitor:
    me.press("Send me a code", email=f"{name.lower()}@example.org")
    code = re.search(r"code is (\S+)", str(mail.outbox[-1].body))
    assert code
    me.press("Sign in", code=code[1].lower())
    me.press("Go on", name=name, zone="Europe/Berlin", adult="on")
    return me.follow("Not now")


def test_from_an_address_to_the_sealed_record(ready: Callable[[datetime], None]) -> None:
    ana = newcomer("Ana")
    ana.follow("Start a group").press(
        "Start the group", name="Harbour", purpose="We make room for one another.", cohort="People who care",
        country="DE", zone="Europe/Berlin", my_name="Ana",
    )  # fmt: skip
    group = re.search(r"/g/(\w+)/", ana.path)
    assert group
    home = f"/g/{group[1]}/"

    visitors = {"Ana": ana}
    for name in NAMES[1:]:
        ana.open(home + "invitations/").press("Invite")
        link = re.search(r"/i/\w+/", ana.html)
        assert link
        me = Visitor().open(link[0])
        assert "Harbour" not in me.html and "Ana" not in me.html
        me.press("Sign in and join")
        signs_in(me, name)
        assert me.path == link[0]
        me.press("Join", name=name)
        assert me.path == home
        visitors[name] = me
    for name in NAMES[1:]:
        visitors[name].open(home).press("I'm in")
    ana.open(home + "launch/")

    ana.open(home + "pledge/").follow("Write a draft").press(
        "Keep the draft", lines="What is said here stays here.\nAnyone may pass."
    )
    ana.open(home + "pledge/").press("Adopt this text")
    for me in visitors.values():
        me.open(home + "pledge/").press("I agree")
        assert "You agreed" in me.text

    ana.open(home + "places/").follow("Add a place").press(
        "Keep", label="Library", address="Am Markt 3", link="https://meet.example.org/harbour"
    )
    ana.open(home + "rhythm/").press("Plan these dates", date="2026-10-08", time="18:00", cycle="hybrid")
    ben = visitors["Ben"].open(home).follow("Open the meeting")
    meeting = ben.path
    ben.press("I'll lead")
    ben.press("I come, in the room")
    assert "meet.example.org" not in ben.html
    assert "The room opens at" in ben.text

    start = datetime.fromisoformat("2026-10-08T16:00:00+00:00")
    ready(start - timedelta(minutes=10))
    assert "https://meet.example.org/harbour" in ben.open(meeting).html
    ben.follow("Go to the room").press("Open it, I am in the room")
    for name in ("Ana", "Chidi", "Dara"):
        visitors[name].open(meeting + "room/").press("I am in the room" if name != "Dara" else "I am here, online")
    ben.open(meeting + "room/").press("Is here")  # Eli has no device with him
    ready(start)
    ben.open(meeting + "room/").press("Start")
    ready(start + timedelta(minutes=11))
    assert "Next block" in ben.open(meeting + "room/").html
    ben.press("Next block")
    ana.open(meeting + "room/").press("Keep it", text="Ten minutes round the block", seen_by="group")
    visitors["Chidi"].open(meeting + "room/").press("Keep it", text="Nobody else reads this", seen_by="me")
    ready(start + timedelta(minutes=55))
    ben.open(meeting + "room/").follow("Close the meeting now").press("Close the meeting now")

    record = ana.open(home + "record/").text
    assert "Ten minutes round the block (Ana)" in record
    assert "Nobody else reads this" not in record
    assert "Nobody else reads this" in visitors["Chidi"].open(home).text
    assert "Nobody else reads this" not in ana.open(home).text
    came = ana.open(meeting).text
    assert "Ana, Ben, Chidi, Dara, Eli" in came
    assert all(finding["well"] for finding in examine(at=clock.now()))
    # founders' rights are over: from now on thumbs decide
    assert "Propose a change" in ana.open(home + "settings/").text
    ana.open(home + "rhythm/", status=404)


def test_a_second_tab_and_a_double_click_have_one_effect(ready: Callable[[datetime], None]) -> None:
    ana = newcomer("Ana").follow("Start a group")
    first = ana.page.forms[0].fields
    answers = [
        ana.client.post(
            "/found/",
            first | {"name": "Harbour", "purpose": "We make room.", "cohort": "Us", "country": "DE", "my_name": "Ana"},
        )
        for _click in range(2)
    ]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert answers[0]["Location"] == answers[1]["Location"]
    assert ana.open("/home/").text.count("Harbour") == 1
