"""Several web processes share their rooms: real processes, a real Valkey, real kills, lines that are cut."""

from __future__ import annotations

import json
import os
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPException
from itertools import cycle
from random import Random

import pytest

from tests.live.home import House, leeward, made
from tests.live.watching import Device, Seen, Watch, Watchers, wait_for
from tests.servers import Proxy, Site, Valkey, a_database, start_site

pytestmark = pytest.mark.faults

POSTGRES = os.environ.get("LEEWARD_TEST_DB") == "postgres"
BACK_WITHIN = 3.0  # seconds


def by(port: int) -> str:
    return f"redis://127.0.0.1:{port}/0"


@dataclass
class Two:
    """Two web processes on one home. `a` hears and speaks over a line of its own that can be cut."""

    house: House
    valkey: Valkey
    line: Proxy
    a: Site
    b: Site

    def device(self, name: str, site: Site | Proxy) -> Device:
        return self.house.device(name, site.url)

    def start_a_again(self) -> None:
        port = self.a.url.rsplit(":", 1)[1]
        self.a = start_site(self.house.home, VALKEY_URL=by(self.line.port), PORT=port, **self.house.env)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    from tests.servers import Loop

    loop = Loop()
    house = made(tmp_path_factory.mktemp("two") / "home", database=a_database() if POSTGRES else "")
    valkey = Valkey()
    line = Proxy(valkey.port, loop).start()
    a = start_site(house.home, VALKEY_URL=by(line.port), **house.env)
    b = start_site(house.home, VALKEY_URL=by(valkey.port), **house.env)
    both = Two(house, valkey, line, a, b)
    yield both
    for site in (both.a, both.b):
        assert "Traceback" not in site.log.read_text(), site.log.read_text()
        if site.process.poll() is None:
            assert site.stop() <= 5
    line.stop()
    valkey.kill()
    loop.stop()


def at_both(two: Two, watchers: Watchers, number: int = 5, **how: bool) -> list[Watch]:
    """So many people at each of the two."""
    sites = [two.a] * number + [two.b] * number
    return [
        watchers.add(two.device(name, site), stays=True, **how)
        for name, site in zip(two.house.names, sites, strict=False)
    ]


def now(two: Two, site: Site) -> Seen:
    """What the page says."""
    seen = two.device("Ana", site).look()
    assert seen is not None
    return seen


def all_the_same(two: Two, watching: Iterable[Watch], *, within: float = BACK_WITHIN) -> float:
    """Wait until everybody shows what the page of either process shows. Returns the seconds it took."""
    chosen = list(watching)
    began = time.monotonic()
    while True:
        took = time.monotonic() - began
        wanted = now(two, two.b)
        behind = [(watch.device.name, watch.shows) for watch in chosen if watch.shows != wanted]
        if not behind and wanted == now(two, two.a):
            assert len(wanted.people) >= 10
            return took
        if took > within:
            raise AssertionError(f"{len(behind)} of {len(chosen)} do not show {wanted}: {behind[:2]}")
        time.sleep(0.02)


def tap(two: Two, name: str, site: Site, move: str, **typed: str) -> float:
    """A command that must succeed. Returns the seconds it took."""
    one = two.device(name, site)
    one.get()
    began = time.monotonic()
    assert one.tap(move, **typed) == 204
    return time.monotonic() - began


def leaves(two: Two, name: str, site: Site) -> None:
    """Gives their seat up, by the page."""
    one = two.device(name, site)
    assert one.post(f"/g/{two.house.group}/membership/leaving/") in (200, 204, 302)
    assert one.get()[0] == 404


def there_and_back(two: Two, name: str, site: Site) -> None:
    """Two commands that change nothing in the end."""
    tap(two, name, site, "volunteer")
    tap(two, name, site, "unvolunteer")


@dataclass
class Doors:
    """People at both processes, by lines that can be cut."""

    two: Two
    watchers: Watchers
    rereads: bool = True

    def __post_init__(self) -> None:
        sites = (self.two.a, self.two.b)
        self.doors = [Proxy(int(site.url.rsplit(":", 1)[1]), self.watchers.loop).start() for site in sites]
        self.watching = [self.watchers.add(self.device(place), stays=True, rereads=self.rereads) for place in range(10)]

    def device(self, place: int) -> Device:
        return self.two.device(self.two.house.names[place], self.doors[place % 2])

    def cut(self, chance: Random) -> None:
        for door in self.doors:
            door.cut(chance, share=chance.choice((0.2, 0.5, 1.0)))

    def last_cut(self, *, within: float = BACK_WITHIN) -> float:
        """Something happens while everybody is away. Returns how many seconds later all show the same."""
        for door in self.doors:
            door.up = False
            door.cut(Random(0), share=1.0)
        there_and_back(self.two, "Dara", self.two.a)
        for door in self.doors:
            door.up = True
        try:
            return all_the_same(self.two, self.watching, within=within)
        finally:
            for door in self.doors:
                door.stop()


def test_a_script_that_does_not_get_the_page_again_stays_behind(two: Two, watchers: Watchers) -> None:
    """The negative control of the cuts. It comes first: nobody's lost connection is noted meanwhile."""
    doors = Doors(two, watchers, rereads=False)
    there_and_back(two, "Dara", two.b)
    all_the_same(two, doors.watching)
    with pytest.raises(AssertionError, match="10 of 10 do not show"):
        doors.last_cut(within=1.5)
    assert {watch.came for watch in doors.watching} == {2}


def test_a_command_at_one_process_reaches_who_watches_at_the_other(two: Two, watchers: Watchers) -> None:
    watching = at_both(two, watchers)
    for site in (two.a, two.b):
        tap(two, "Chidi", site, "volunteer")
        all_the_same(two, watching)
        tap(two, "Chidi", site, "unvolunteer")
        all_the_same(two, watching)
    assert {len(watch.pictures) for watch in watching} == {4}
    assert {watch.came for watch in watching} == {1}


def test_whoever_leaves_at_one_process_is_sent_away_at_the_other_within_a_second(two: Two, watchers: Watchers) -> None:
    leaver = two.device("Member 12", two.b)
    gone = watchers.add(leaver)
    other = watchers.add(two.device("Ana", two.b))
    leaves(two, "Member 12", two.a)
    took = wait_for(lambda: gone.closed > 0, what="the close")
    assert (gone.closed, other.closed, took < 1) == (4404, 0, True)


def test_whoever_has_another_socket_at_the_other_process_is_not_lost(two: Two, watchers: Watchers) -> None:
    """A browser that is cut off may come back by the other door; the first one must not report it as gone."""
    ana = watchers.add(two.device("Ana", two.a), stays=True)
    first = watchers.add(two.device("Ben", two.a))
    watchers.add(two.device("Ben", two.b))
    watchers.drop(first)
    time.sleep(6.5)  # a page that is loaded again has five seconds
    all_the_same(two, [ana])
    assert ana.shows is not None
    assert dict(ana.shows.people)["Ben"] == "in the room"


def test_while_valkey_is_away_nobody_waits_and_on_its_return_all_show_the_same(two: Two, watchers: Watchers) -> None:
    watching = at_both(two, watchers)
    tap(two, "Eli", two.a, "volunteer")
    all_the_same(two, watching)
    two.valkey.kill()
    took = [tap(two, "Eli", two.a, "unvolunteer"), tap(two, "Chidi", two.b, "volunteer")]
    assert max(took) < 1
    wait_for(lambda: all(watch.shows and watch.shows.seq == now(two, two.b).seq for watch in watching[5:]))
    assert {watch.shows == now(two, two.a) for watch in watching[:5]} == {False}  # it is the channel that tells them
    two.valkey.start()
    began = time.monotonic()
    all_the_same(two, watching)
    assert time.monotonic() - began < BACK_WITHIN
    tap(two, "Chidi", two.a, "unvolunteer")
    all_the_same(two, watching)
    assert {watch.came for watch in watching} == {1}  # no socket was lost over it


def test_a_valkey_that_is_back_before_anybody_looks_costs_no_picture(two: Two, watchers: Watchers) -> None:
    watching = at_both(two, watchers, 3)
    for number in range(3):
        two.valkey.kill()
        tap(two, "Eli", (two.a, two.b)[number % 2], ("volunteer", "unvolunteer")[number % 2])
        two.valkey.start()
        all_the_same(two, watching)
    tap(two, "Eli", two.a, "unvolunteer")


def test_whoever_leaves_while_valkey_is_away_is_sent_away_at_the_other_process(two: Two, watchers: Watchers) -> None:
    gone = watchers.add(two.device("Member 11", two.b))
    other = watchers.add(two.device("Ana", two.b))
    two.valkey.kill()
    try:
        leaves(two, "Member 11", two.a)
        wait_for(lambda: gone.closed > 0, seconds=3, what="the close")
        assert (gone.closed, other.closed) == (4404, 0)
    finally:
        two.valkey.start()


def test_a_process_that_could_not_speak_says_so_as_soon_as_it_can(two: Two, watchers: Watchers) -> None:
    """Only the line of `a` is cut: `b` hears Valkey all the time, and could not know that it missed something."""
    watching = at_both(two, watchers, 3)
    two.line.up = False
    two.line.cut(Random(1), share=1.0)
    assert tap(two, "Eli", two.a, "volunteer") < 1
    wait_for(lambda: all(watch.shows and watch.shows.seq == now(two, two.a).seq for watch in watching[:3]))
    two.line.up = True
    all_the_same(two, watching)
    tap(two, "Eli", two.b, "unvolunteer")
    all_the_same(two, watching)


def test_a_line_that_is_back_at_once_but_slow_costs_no_picture(two: Two, watchers: Watchers) -> None:
    """The client library comes back by itself, and would not say that it was away."""
    watching = at_both(two, watchers, 3)
    two.line.slow = 0.5
    two.line.cut(Random(1), share=1.0)
    assert tap(two, "Eli", two.b, "volunteer") < 1
    two.line.slow = 0
    all_the_same(two, watching)
    tap(two, "Eli", two.b, "unvolunteer")
    all_the_same(two, watching)


# Kills and cuts -----------------------------------------------------------------------------------------------------


@dataclass
class Talkers:
    """People who talk all the time: lines, gifts, hands. What was answered counts, what was not may have happened."""

    devices: list[Device]
    house: House
    tried: Counter[str] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    lines_tried: list[str] = field(default_factory=list)
    lines_answered: list[str] = field(default_factory=list)
    stop_it: threading.Event = field(default_factory=threading.Event)
    most_lines: int = 20

    def start(self) -> None:
        self.threads = [
            threading.Thread(target=self._talk, args=(one, other), daemon=True)
            for one, other in zip(self.devices, [*self.devices[1:], self.devices[0]], strict=True)
        ]
        for thread in self.threads:
            thread.start()

    def stop(self) -> None:
        self.stop_it.set()
        for thread in self.threads:
            thread.join(30)

    def _talk(self, one: Device, other: Device) -> None:
        member, whom = self.house.members[one.name], self.house.members[other.name]
        for number, what in enumerate(cycle(("give", "line", "raise", "give", "pass"))):
            if self.stop_it.wait(0.03):
                return
            if what == "give":
                self.tried[member] += 1
                if self._send(one, "give", whom=whom):
                    self.answered[member] += 1
            elif what == "line" and len(self.lines_tried) < self.most_lines:
                line = f"{one.name} says {number} at {time.monotonic_ns()}"
                self.lines_tried.append(line)
                if self._send(one, "lines/new", line=line):
                    self.lines_answered.append(line)
            elif what in ("raise", "pass"):
                self._send(one, what, way="turn")

    @staticmethod
    def _send(one: Device, move: str, **typed: str) -> bool:
        try:
            return one.tap(move, **typed) == 204
        except (OSError, HTTPException, ValueError):
            return False

    def check(self, house: House, before: Counter[str]) -> None:
        """What was answered happened, once; nothing happened that nobody tried; tokens are conserved."""
        report = house.report()
        report.check()
        happened = Counter(report.gives) - before
        for member, tried in self.tried.items():
            assert self.answered[member] <= happened[member] <= tried
        assert set(self.lines_answered) <= set(report.caught)
        assert set(report.caught) >= set(self.lines_answered)
        ours = [line for line in report.caught if line in self.lines_tried]
        assert len(ours) == len(set(ours))
        assert sum(self.answered.values()) > 0


def doctor_is_content(house: House) -> None:
    """But for the help lines, which are examples here."""
    done = leeward(house.env, "doctor", "--json")
    findings = json.loads(done.stdout)["findings"]
    assert [finding for finding in findings if not finding["well"] and finding["what"] != "help lines"] == []


def kills(two: Two, watchers: Watchers, number: int, chance: Random) -> None:
    before = Counter(two.house.report().gives)
    watching = at_both(two, watchers, 5)
    names = two.house.names
    talkers = Talkers([two.device(names[n], (two.a, two.b)[n % 2]) for n in range(4)], two.house)
    talkers.start()
    try:
        for _ in range(number):
            time.sleep(0.2 + chance.random())
            two.a.kill()
            two.start_a_again()
    finally:
        time.sleep(0.3)
        talkers.stop()
    took = all_the_same(two, watching)
    assert took < BACK_WITHIN
    assert {watch.came for watch in watching[:5]} == {number + 1}
    assert {watch.came for watch in watching[5:]} == {1}
    talkers.check(two.house, before)
    doctor_is_content(two.house)


def test_a_web_process_killed_in_mid_meeting_costs_nothing(two: Two, watchers: Watchers) -> None:
    kills(two, watchers, 2, Random(7))


@pytest.mark.drill
def test_a_web_process_killed_fifteen_times_in_mid_meeting_costs_nothing(two: Two, watchers: Watchers) -> None:
    kills(two, watchers, 15, Random(8))


def cuts(two: Two, watchers: Watchers, number: int, chance: Random) -> float:
    """People watch and talk while their lines are cut `number` times, in the middle of whatever goes on. Returns how
    many seconds after the last cut all show the same."""
    before = Counter(two.house.report().gives)
    doors = Doors(two, watchers)
    talkers = Talkers([doors.device(place) for place in range(3)], two.house, most_lines=10)
    talkers.start()
    try:
        for _ in range(number - 1):
            time.sleep(chance.random() * 0.25)
            doors.cut(chance)
    finally:
        talkers.stop()
    took = doors.last_cut()
    for watch in doors.watching:
        assert watch.numbers == sorted(watch.numbers)
        assert watch.came > 1
    wait_for(lambda: two.house.report().seq == now(two, two.a).seq, seconds=15, what="the number of the rows")
    talkers.check(two.house, before)
    return took


def test_twenty_random_cuts_leave_everybody_with_the_same_picture(two: Two, watchers: Watchers) -> None:
    assert cuts(two, watchers, 20, Random(20)) < BACK_WITHIN


@pytest.mark.drill
def test_two_hundred_random_cuts_leave_everybody_with_the_same_picture(two: Two, watchers: Watchers) -> None:
    assert cuts(two, watchers, 200, Random(200)) < BACK_WITHIN
    doctor_is_content(two.house)


# The last: the room is closed ---------------------------------------------------------------------------------------


def sent_away(watch: Watch) -> bool:
    """By the last picture, or as somebody to whom the room is not open any more: either brings the meeting's page."""
    return watch.over or watch.closed == 4404


def test_a_close_that_valkey_does_not_carry_ends_the_room_at_both(two: Two, watchers: Watchers) -> None:
    watching = at_both(two, watchers, 3)
    two.valkey.kill()
    try:
        assert two.device("Ben", two.a).tap("close") in (204, 302)
        took = wait_for(lambda: all(sent_away(watch) for watch in watching), what="the end")
    finally:
        two.valkey.start()
    assert took < BACK_WITHIN
    doctor_is_content(two.house)
