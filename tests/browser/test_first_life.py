"""One whole life in Chromium, with JavaScript and without: found, gather, promise, plan, thumbs, meet, read."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.core import mail

from leeward.domain.safety import actions as safety
from leeward.jobs.doctor import examine
from leeward.lib import clock
from leeward.lib.tickets import Operator
from tests.browser.conftest import Person, picture
from tests.cast import NOW

pytestmark = pytest.mark.browser
NAMES = ("Ana", "Ben", "Chidi", "Dara", "Eli", "Fay")
START = datetime.fromisoformat("2026-10-08T16:00:00+00:00")


def signs_in(me: Person, name: str) -> None:
    me.press("Send me a code", email=f"{name.lower()}@example.org")
    code = re.search(r"code is (\S+)", str(mail.outbox[-1].body))
    assert code
    me.press("Sign in", code=code[1])
    me.press("Go on", name=name, zone="Europe/Berlin", adult="on")
    me.follow("Not now")


@pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_from_an_address_to_the_sealed_record(
    somebody: Callable[..., Person], at_moment: Callable[[datetime], None], scripts: bool
) -> None:
    at_moment(NOW)
    safety.write_example_lines(Operator(), at=NOW)
    people = {name: somebody(java_script_enabled=scripts) for name in NAMES}
    ana = people["Ana"].open("/").follow("Sign in")
    signs_in(ana, "Ana")
    ana.follow("Start a group").press(
        "Start the group", name="Harbour", purpose="We make room for one another.", cohort="People who care",
        country="DE", zone="Europe/Berlin", my_name="Ana",
    )  # fmt: skip
    found = re.search(r"/g/(\w+)/", ana.page.url)
    assert found
    home = f"/g/{found[1]}/"
    picture(ana, f"launch-{scripts}")

    for name in NAMES[1:]:
        ana.open(home + "invitations/").press("Invite")
        link = ana.page.locator("input.link").last.input_value()
        me = people[name].open(link)
        assert "Harbour" not in me.page.content()
        me.press("Sign in and join")
        signs_in(me, name)
        me.press("Join", name=name)
        assert me.page.url.endswith(home)
        me.press("I'm in")
    ana.open(home + "pledge/").follow("Write a draft").press("Keep the draft", lines="What is said here stays here.")
    ana.press("Adopt this text")
    for name in NAMES[:4]:
        people[name].open(home + "pledge/").press("I agree")
        assert "You agreed" in people[name].text

    ana.open(home + "places/").follow("Add a place").press("Keep", label="Library", address="Am Markt 3")
    ana.open(home + "rhythm/").press("Plan these dates", date="2026-10-08", time="18:00", cycle="in_person")
    ben = people["Ben"].open(home).follow("Open the meeting")
    meeting = ben.page.url
    ben.press("I'll lead")
    people["Chidi"].open(meeting).press("Propose it", title="How to say no on a Friday")
    for name in ("Ana", "Ben", "Chidi", "Dara"):
        people[name].open(meeting).press("👍 Yes")
    assert ben.open(meeting).page.locator(".chip", has_text="taken up").count() == 0

    # The hour, on Ben's phone; Eli and Fay have none with them.
    at_moment(START - timedelta(minutes=5))
    ben.open(meeting).follow("Go to the room").press("Open it, I am in the room")
    for name in ("Ana", "Chidi", "Dara"):
        people[name].open(meeting + "room/").press("I am in the room")
    for name in ("Eli", "Fay"):
        ben.open(meeting + "room/")
        row = ben.page.locator("li", has=ben.page.get_by_text(name))
        ben.tap(row.get_by_role("button", name="Is here"))
    picture(ben, f"lobby-{scripts}")
    ben.press("Start")
    assert "Our pledge" in ben.text
    ben.open(home + "pledge/spoken/").press(
        "Write it down", membership=_option(ben, "membership", "Eli"), witness=_option(ben, "witness", "Ana")
    )
    at_moment(START + timedelta(minutes=9))
    for block in ("How we are", "One person's topic", "Everybody's ideas", "One step each"):
        ben.open(meeting + "room/").press("Next block")
        assert block in ben.text
    picture(ben, f"room-{scripts}")
    people["Chidi"].open(meeting + "room/").press("Keep it", text="Nobody else reads this", seen_by="me")
    ana.open(meeting + "room/").press("Keep it", text="Ten minutes round the block", seen_by="group")
    ben.open(meeting + "room/")
    ben.page.locator("#people > summary").click()
    ben.page.get_by_text("More for Eli").click()
    ben.tap(ben.page.locator("#people li", has_text="Eli").get_by_role("link", name="Write for them"))
    ben.press("Keep it", text="Ring my brother")
    at_moment(START + timedelta(minutes=55))
    ben.open(meeting + "room/").press("Close the meeting")

    record = ana.open(home + "record/").text
    picture(ana, f"record-{scripts}")
    assert "How to say no on a Friday" in record
    assert "Ten minutes round the block (Ana)" in record
    assert "Ring my brother (Eli)" in record
    assert "Nobody else reads this" not in record
    assert "Ana, Ben, Chidi, Dara, Eli, Fay" in ana.open(meeting).text
    assert all(finding["well"] for finding in examine(at=clock.now()))
    for me in people.values():
        me.calm()


def _option(me: Person, field: str, words: str) -> str:
    value = me.page.locator(f'select[name="{field}"] option', has_text=words).get_attribute("value")
    assert value
    return value
