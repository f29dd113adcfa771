"""A whole hour in three browsers and nine bare sockets: the lead, somebody new, the big screen; then by keyboard, and
without JavaScript."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from websockets.sync.client import ClientConnection, connect

from leeward.domain.meetings.models import Meeting, Record
from leeward.domain.people.rules import Self
from leeward.domain.places import actions as places
from leeward.domain.places.rules import Facts
from leeward.domain.room.models import RoomEntry
from leeward.domain.safety import actions as safety
from leeward.lib import clock
from leeward.lib.tickets import Operator
from leeward.web.people.entry import entry_link
from tests.browser.conftest import DESK, Person, Server, picture
from tests.browser.test_every_page import unfold, wrongs
from tests.cast import NOW, Harbour, harbour
from tests.meeting import START, agreed, planned

pytestmark = pytest.mark.browser
EVERYBODY = ("Ana", "Ben", "Chidi", "Dara", "Eli", *(f"Member {number}" for number in range(6, 13)))
WATCHERS = tuple(name for name in EVERYBODY if name not in ("Ben", "Chidi", "Ana"))


@dataclass
class Ear:
    """A bare socket: what a device hears."""

    name: str
    socket: ClientConnection
    heard: list[dict] = field(default_factory=list)  # type: ignore[type-arg]

    def listen(self) -> None:
        try:
            for frame in self.socket:
                self.heard.append(json.loads(frame))
        except Exception:  # closed by the server: what was heard counts
            return


@dataclass
class Hour:
    here: Harbour
    meeting: Meeting
    room: str


@pytest.fixture
def hour(server: Server, at_moment: Callable[[datetime], None]) -> Hour:
    at_moment(NOW)
    safety.write_example_lines(Operator(), at=NOW)
    here = harbour(size=12)
    agreed(here, names=EVERYBODY)
    places.add_place(
        here.ticket("Ana"), Facts("Library", "Am Markt 3", "https://meet.jit.si/harbour", "", True, False, None), at=NOW
    )
    row = planned(here)
    at_moment(START - timedelta(minutes=5))
    return Hour(here, row, f"/g/{here.group}/meetings/{row.pk}/room/")


def comes_in(me: Person, self: Self) -> Person:
    link = entry_link(Operator(), person=self.person, lasts=timedelta(days=1), reusable=True, at=clock.now())
    return me.open(link)


def cookie_of(me: Person) -> str:
    return "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in me.context.cookies())  # type: ignore[typeddict-item]


@pytest.fixture
def ears(hour: Hour, server: Server, somebody: Callable[..., Person]) -> Iterator[Callable[[], list[Ear]]]:
    """Nine devices that are signed in; called once the room is open, they listen from then on."""
    cookies = {}
    for name in WATCHERS:
        one = comes_in(somebody(), hour.here.people[name])
        cookies[name] = cookie_of(one)
        one.context.close()
    opened: list[Ear] = []
    sockets = ExitStack()

    def open_all() -> list[Ear]:
        address = f"{server.url.replace('http', 'ws')}/live/{hour.here.group}/{hour.meeting.pk}/member/"
        for name, cookie in cookies.items():
            socket = connect(address, origin=server.url, additional_headers={"Cookie": cookie})  # type: ignore[arg-type]
            ear = Ear(name, sockets.enter_context(socket))
            threading.Thread(target=ear.listen, daemon=True).start()
            opened.append(ear)
        return opened

    yield open_all
    sockets.close()


def shows(me: Person, words: str, part: str = "#scene") -> None:
    """The page comes to show these words by itself."""
    me.page.locator(part).get_by_text(words).first.wait_for(timeout=4_000)


def taps(me: Person, words: str, part: str = "main") -> None:
    me.page.locator(part).get_by_role("button", name=words, exact=True).first.click()


def opens(me: Person, words: str) -> None:
    """Open a drawer, if it is not open."""
    said = re.compile(rf"^\s*{re.escape(words)}(\s+\d+|\s*kept)?\s*$")
    summary = me.page.locator("summary").filter(has_text=said).first
    if not summary.evaluate("node => node.parentNode.open"):
        summary.click()


def types(me: Person, name: str, words: str, button: str) -> None:
    me.page.locator(f'[name="{name}"]:not([type=hidden])').fill(words)
    taps(me, button, "#mine")


def look_at(people: dict[str, Person], phase: str) -> dict[str, list[str]]:
    found = {}
    for name, me in people.items():
        picture(me, f"hour-{phase}-{name}")
        if wrong := wrongs(me):
            found[f"{phase} {name}"] = wrong
    return found


def test_a_whole_hour(
    hour: Hour,
    ears: Callable[[], list[Ear]],
    somebody: Callable[..., Person],
    at_moment: Callable[[datetime], None],
) -> None:
    ben = comes_in(somebody(), hour.here.people["Ben"]).open(hour.room)
    ben.press("Open it, I am in the room")
    listening = ears()
    chidi = comes_in(somebody(), hour.here.people["Chidi"]).open(hour.room)
    taps(chidi, "I am here, online")
    chidi.page.locator("#mine").wait_for()
    screen = comes_in(somebody(viewport=DESK), hour.here.people["Ana"]).open(hour.room + "screen/")
    wrong = {}
    everybody = {"lead": ben, "new": chidi, "screen": screen}
    for name in ("Ana", "Dara"):  # no phone with them
        row = ben.page.locator("#people li", has=ben.page.get_by_text(name, exact=False)).first
        row.get_by_role("button", name="Is here").click()
        row.get_by_text("in the room").wait_for()
    shows(chidi, "Who is here 4", "#people")
    wrong |= look_at(everybody, "lobby")

    at_moment(START)
    opens(ben, "More")
    taps(ben, "I'll take the spotlight")
    taps(ben, "Start")
    shows(chidi, "Our pledge")
    shows(screen, "Our pledge")
    at_moment(START + timedelta(minutes=2))
    taps(ben, "Next block")
    shows(chidi, "How we are")
    types(chidi, "mood", "tired curious", "Say it")
    shows(ben, "1 of 4 have answered. All of it is shown together.")
    assert "curious" not in ben.page.content()
    assert "curious" not in screen.page.content()
    wrong |= look_at(everybody, "mood")
    taps(ben, "Show them now")
    shows(screen, "tired curious")

    taps(ben, "Next block")
    shows(chidi, "Ben has the floor.")
    wrong |= look_at(everybody, "spotlight")
    taps(ben, "Next block")
    shows(chidi, "Everybody's ideas")
    shows(chidi, "You have 3 tokens.")
    taps(chidi, "I'd like to speak")
    shows(screen, "Chidi has the floor.")
    shows(chidi, "You have 2 tokens.")
    taps(ben, "I'd like to speak")
    shows(chidi, "Then: Ben")
    opens(chidi, "Who is here")
    chidi.page.locator("#people li", has_text="Ben").get_by_role("button", name="Give a token").click()
    shows(chidi, "You have 1 token.")
    shows(ben, "You have 4 tokens.")
    taps(chidi, "Pass the floor on")
    shows(ben, "The floor is Ben's, if they like.")
    taps(ben, "Speak")
    shows(chidi, "Ben has the floor.")
    opens(chidi, "Catch a line")
    types(chidi, "line", "A bench by the water", "Add it, without my name")
    shows(ben, "A bench by the water")
    opens(chidi, "Ask for thumbs")
    types(chidi, "question", "Shall we meet outside?", "Ask")
    shows(ben, "Shall we meet outside?")
    wrong |= look_at(everybody, "ideas")
    taps(ben, "👍 Yes", "#question")
    taps(chidi, "👍 Yes", "#question")
    shows(screen, "carried")
    taps(ben, "To ideas")
    shows(chidi, "to ideas")
    opens(ben, "More")
    taps(ben, "Stop: somebody needs a moment")
    shows(chidi, "We stop for a moment")
    wrong |= look_at(everybody, "hold")
    taps(ben, "We can go on")
    shows(chidi, "Everybody's ideas")

    end = hour_deadline(ben)
    at_moment(end + timedelta(seconds=1))
    shows_in_time(chidi, "Time is up. Five more minutes?")
    picture(chidi, "hour-overtime-new")  # 20 seconds are too short for the whole examination
    for me in (ben, chidi):
        taps(me, "👍 Yes", "#now")
    ben.page.locator("clock-down").wait_for(timeout=9_000)
    assert hour_deadline(ben) > end
    taps(ben, "Next block")
    shows(chidi, "One step each")
    chidi.page.locator("#mine details[open]", has_text="My step").wait_for()  # it opens by itself
    chidi.page.locator('[name="seen_by"][value="group"]').check()
    types(chidi, "text", "Ten minutes by the water", "Keep it")
    shows(ben, "has a step", "#people") if opens(ben, "Who is here") is None else None
    wrong |= look_at(everybody, "steps")
    unfold(ben)
    ben.follow("Close the meeting now").press("Close the meeting now")
    chidi.page.wait_for_url(f"**/meetings/{hour.meeting.pk}/")
    assert "Ten minutes by the water" in chidi.text
    assert "Shall we meet outside?" in chidi.text
    assert "A bench by the water" not in chidi.text
    assert "A bench by the water" in chidi.open(f"/g/{hour.here.group}/ideas/").text

    assert wrong == {}
    assert RoomEntry.objects.count() == 0
    assert Record.objects.filter(meeting=hour.meeting).count() == 1
    for ear in listening:
        numbers = [said["seq"] for said in ear.heard if "seq" in said]
        assert numbers == sorted(numbers), f"{ear.name} heard something older"
        assert ear.heard[-1] == {"over": True}
    assert len({json.dumps(ear.heard[-2]) for ear in listening}) == 1
    for me in everybody.values():
        me.calm()


def hour_deadline(me: Person) -> datetime:
    return datetime.fromisoformat(str(me.page.locator("clock-down").get_attribute("deadline")))


def shows_in_time(me: Person, words: str) -> None:
    """As `shows`, when it is the server's clock that has to notice: at most five seconds late."""
    me.page.locator("#scene").get_by_text(words).first.wait_for(timeout=9_000)


def test_the_room_by_keyboard_alone(
    hour: Hour, somebody: Callable[..., Person], at_moment: Callable[[datetime], None]
) -> None:
    ben = comes_in(somebody(viewport=DESK), hour.here.people["Ben"]).open(hour.room)
    keyboard = ben.page.keyboard

    def reach(words: str) -> None:
        """Tab until the focus is on these words."""
        for _step in range(60):
            keyboard.press("Tab")
            if ben.page.evaluate("document.activeElement.textContent.trim()").startswith(words):
                return
        raise AssertionError(f"no key leads to {words!r}")

    reach("Open it, I am in the room")
    with ben.page.expect_navigation():
        keyboard.press("Enter")
    at_moment(START)
    reach("Start")
    keyboard.press("Enter")
    shows(ben, "Our pledge")
    reach("I'd like to speak")
    keyboard.press("Enter")
    shows(ben, "Ben has the floor.")
    kept = ben.page.evaluate("document.activeElement.closest('#scene') !== null")
    assert kept, "the focus was lost with the old picture"
    reach("Pass the floor on")
    keyboard.press("Enter")
    shows(ben, "The floor is free.")
    reach("Next block")
    keyboard.press("Enter")
    shows(ben, "How we are")
    said = ben.page.locator("#said").inner_text
    ben.page.locator("#said").get_by_text("How we are").wait_for(state="attached")
    assert said()
    ben.calm()


def test_talking_without_javascript(
    hour: Hour, somebody: Callable[..., Person], at_moment: Callable[[datetime], None]
) -> None:
    ben = comes_in(somebody(java_script_enabled=False), hour.here.people["Ben"]).open(hour.room)
    ben.press("Open it, I am in the room")
    ana = comes_in(somebody(java_script_enabled=False), hour.here.people["Ana"]).open(hour.room)
    ana.press("I am in the room")
    at_moment(START)
    ben.open(hour.room).press("Start")
    ana.follow("Look again").press("I'd like to speak")
    assert "Ana has the floor." in ben.follow("Look again").text
    ben.press("I'd like to speak")
    assert "Then: Ben" in ana.follow("Look again").text
    ana.press("Pass the floor on")
    assert "The floor is Ben's, if they like." in ben.follow("Look again").text
    ben.press("Speak").press("Next block")
    ana.open(hour.room)
    ana.page.locator("#mood").fill("far too many words")
    ana.press("Say it")
    assert "Two words are enough" in ana.text
    assert ana.page.locator("#mood").input_value() == "far too many words"
    ana.page.locator("#mood").fill("quite calm")
    ana.press("Say it")
    assert "quite calm" not in ben.open(hour.room).page.content()
    ben.press("Pass")
    assert "quite calm" in ben.text
