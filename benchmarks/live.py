"""S4: how long a change of a room takes until the last of twelve watchers shows it, and what watching costs."""

from __future__ import annotations

import asyncio
import gc
import resource
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from benchmarks import load, servers, watching
from benchmarks.rows import Row, higher, lower, quantile, row
from benchmarks.servers import Served
from benchmarks.watching import Change, Hand, Line, Watched

SEATS = 12
SHARES = (50, 95, 99)
VOTING = 50
AT_ONCE = 8
OFTEN, OFTEN_WORDS = 400, "400 a second"  # pictures a second, where only the fan-out is measured
SETTLES = 1.5  # seconds until what coming in starts is done


@dataclass(frozen=True)
class Extent:
    """How much is measured of the room."""

    rounds: int
    few: int
    rooms: int
    crowd: int  # rooms in the end, for the memory of a socket and as many pictures as it takes
    changes: int  # of one room, each round
    seconds: int  # of many rooms, each round
    pairs: int  # changes at one process that are watched at another, each round


WHOLE = Extent(rounds=3, few=20, rooms=100, crowd=100, changes=60, seconds=3, pairs=40)
LARGE = Extent(rounds=3, few=20, rooms=100, crowd=417, changes=60, seconds=5, pairs=40)
QUICK = Extent(rounds=1, few=2, rooms=3, crowd=3, changes=6, seconds=1, pairs=4)


class Figures:
    """Runs in the order in which they were made, by what was run."""

    def __init__(self) -> None:
        self.runs: dict[str, list[list[float]]] = defaultdict(list)
        self.one: dict[str, list[float]] = defaultdict(list)

    def add(self, name: str, changes: Sequence[Change], *, fanned_out: bool = False) -> None:
        self.runs[name].append(sorted(change.fanned_out if fanned_out else change.took for change in changes))

    def at(self, name: str, share: int) -> list[float]:
        """This percentile of every run, in ms."""
        return [quantile(run, share / 100) for run in self.runs[name]]

    def rows(
        self, name: str, what: str, runs: str, floors: str, goals: dict[int, float], shares: Sequence[int] = SHARES
    ) -> Iterator[Row]:
        """One row a percentile; `goals` are milliseconds by percentile."""
        for share in shares:
            most = goals.get(share)
            yield row(
                f"{name} p{share}", what, self.at(runs, share), "ms", floors=self.at(floors, share), ratio=lower,
                goal="" if most is None else f"≤ {most:g} ms", most=most,
            )  # fmt: skip


@contextmanager
def _unhindered() -> Iterator[None]:
    """Room for many sockets, here and in what is started from here; and nothing swept up while it is timed."""
    before, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()
        resource.setrlimit(resource.RLIMIT_NOFILE, (before, most))


def measure(here: Path, extent: Extent, say: Callable[[str], None]) -> list[Row]:
    say(f"… {extent.crowd} rooms of {SEATS}")
    rooms, paired = servers.filled([(here / "rooms", "rooms", (extent.crowd + 1,)), (here / "paired", "rooms", (1,))])
    with _unhindered(), asyncio.Runner(loop_factory=_loop()) as runner:
        with ExitStack() as open_now:
            sites = {
                "own": servers.served(open_now.enter_context(servers.leeward(here / "rooms"))),
                "probe": open_now.enter_context(servers.sockets(here / "rooms", "own")),
                "bare": open_now.enter_context(servers.sockets(here / "rooms", "bare")),
            }
            rows = runner.run(_alone(sites, rooms, extent, say))
        say("… two processes")
        with ExitStack() as open_now:
            url = open_now.enter_context(servers.valkey())
            ports = [
                servers.served(open_now.enter_context(servers.leeward(here / "paired", VALKEY_URL=url))).port
                for _ in range(2)
            ]
            return rows + runner.run(_two(ports, paired[0], extent))


def _loop() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop
    return uvloop.new_event_loop


# One process -------------------------------------------------------------------------------------------------------


class _Hall:
    """Every room at one server, watched as far as somebody came, and a hand for each."""

    def __init__(self, server: Served, rooms: Sequence[dict[str, Any]]) -> None:
        self.port, self.pid = server.port, server.pid
        self.rooms = [_watched(self.port, one) for one in rooms]
        self.hands: list[Hand] = []

    async def fill(self, number: int, step: Callable[[Watched], Iterator[bytes]]) -> float:
        """Everybody of the first `number` rooms comes. Returns the seconds it took for those who were not there."""
        new = self.rooms[len(self.hands) : number]
        took = await watching.watch(new)
        self.hands += [Hand(room, Line(self.port), step(room)) for room in new]
        return took


async def _alone(
    sites: dict[str, Served], rooms: Sequence[dict[str, Any]], extent: Extent, say: Callable[[str], None]
) -> list[Row]:
    *many, apart = rooms
    say("… one room")
    renderings = await _renderings(sites["probe"].port, apart, extent)
    course = _Course({name: _Hall(site, many) for name, site in sites.items()}, extent)
    await course.one_room()
    say(f"… {extent.few} rooms")
    await course.fill(extent.few)
    await course.each_second("few")
    say(f"… {extent.rooms} rooms")
    weights = [course.memory()]
    took = await course.fill(extent.rooms)
    await course.each_second("many")
    if extent.crowd > extent.rooms:
        say(f"… {extent.crowd} rooms")
        weights = [course.memory()]
        took = await course.fill(extent.crowd)
    weights.append(course.grown)
    say("… as many pictures as it takes")
    await course.often()
    say("… votes")
    await _votes(course.halls["own"], min(VOTING, extent.rooms), extent.rounds, course.found)
    new = (extent.crowd - (extent.rooms if extent.crowd > extent.rooms else extent.few)) * SEATS
    own, bare = ([(now - was) * 1000 / new] for was, now in zip(*weights, strict=True))
    return [
        *_rows(course.found, extent, course.halls),
        renderings,
        row("S4 joining", f"{new:,} sockets come in, {watching.AT_A_TIME} at once", [new / took], "/s"),
        row(
            "S4 socket", f"memory of a socket, of {new:,}", own, "kB", floors=bare, ratio=lower, goal="≤ 40 kB", most=40
        ),
    ]


class _Course:
    """The same course for Leeward, for its fan-out alone and for the bare consumer, in turn."""

    def __init__(self, halls: dict[str, _Hall], extent: Extent) -> None:
        self.halls, self.extent = halls, extent
        self.chance, self.found = Random(4), Figures()
        self.size = 0
        self.grown: list[float] = []

    async def one_room(self) -> None:
        own = self.halls["own"]
        await own.fill(1, watching.talk)
        await own.hands[0].change()
        self.size = own.rooms[0].size
        await self.fill(1)
        for turn in range(-1, self.extent.rounds):
            for kind, hall in self.halls.items():
                number = self.extent.changes if turn >= 0 else self.extent.changes // 3
                changes = await watching.one_after_another(hall.hands[0], number, self._pause)
                if turn >= 0:
                    self._keep(kind, "one", changes)

    async def fill(self, number: int) -> float:
        """Everybody of so many rooms comes, and gets a picture. Returns the seconds that coming in took at Leeward."""
        took = [
            await hall.fill(number, watching.talk if kind == "own" else lambda room: self._told(room, rows=1))
            for kind, hall in self.halls.items()
        ]
        await asyncio.sleep(SETTLES)
        for hall in self.halls.values():
            await watching.each_second(hall.hands, 1, self.chance.random)
        self.grown = self.memory()
        return took[0]

    async def each_second(self, name: str) -> None:
        for _turn in range(self.extent.rounds):
            for kind, hall in self.halls.items():
                used = servers.processor_time_of(hall.pid)
                changes = await watching.each_second(hall.hands, self.extent.seconds, self.chance.random)
                used = servers.processor_time_of(hall.pid) - used
                self.found.one[f"{kind} {name} time"].append(max(used, 0.01) * 1000 / len(changes))
                self._keep(kind, name, changes)

    async def often(self) -> None:
        """Pictures that nobody had to draw, and changes as fast as they go."""
        for _turn in range(self.extent.rounds):
            for kind in ("probe", "bare"):
                hands = self.halls[kind].hands
                for hand in hands:
                    hand.step = self._told(hand.room, rows=0)
                a_second = OFTEN / self.extent.crowd
                self._keep(
                    kind, "often",
                    await watching.each_second(hands, self.extent.seconds, self.chance.random, a_second=a_second),
                )  # fmt: skip
                for hand in hands:
                    hand.step = self._told(hand.room, rows=1)
            for kind in ("own", "bare"):
                rate = await watching.as_fast_as_it_goes(self.halls[kind].hands, AT_ONCE, self.extent.seconds / 2)
                self.found.one[f"{kind} rate"].append(rate)

    def memory(self) -> list[float]:
        """Of Leeward and of the bare consumer, in MB."""
        return [servers.memory_of(self.halls[kind].pid) for kind in ("own", "bare")]

    def _keep(self, kind: str, name: str, changes: Sequence[Change]) -> None:
        self.found.add(f"{kind} {name}", changes)
        self.found.add(f"{kind} {name} alone", changes, fanned_out=True)

    def _told(self, room: Watched, *, rows: int) -> Iterator[bytes]:
        return watching.told(room, self.size, rows=rows)

    def _pause(self) -> float:
        return 0.005 + self.chance.random() / 100


def _watched(port: int, one: dict[str, Any]) -> Watched:
    return Watched(port, one["group"], one["meeting"], one["people"])


async def _renderings(port: int, one: dict[str, Any], extent: Extent) -> Row:
    """How many pictures are drawn for a change that members and big screens watch, in one language."""
    room = _watched(port, one)
    await watching.watch([room])
    await watching.watch([room], role="screen")
    await asyncio.sleep(SETTLES)
    hand = Hand(room, Line(port), watching.talk(room))
    before = int(load.fetch(port, "/drawn/")[2])
    for _ in range(extent.changes):
        await hand.change()
    drawn = (int(load.fetch(port, "/drawn/")[2]) - before) / extent.changes
    for socket in room.sockets:
        socket.transport.close()
    return row(
        "S4 renderings", f"a change that {SEATS} members and {SEATS} big screens watch", [drawn], "", floors=[2.0],
        ratio=higher, goal="one for each view", least=1.0, most=1.0, of="ratio",
    )  # fmt: skip


async def _votes(hall: _Hall, number: int, rounds: int, found: Figures) -> None:
    """Everybody in these rooms votes in the same moment, each over a connection of their own. All pass, so that a
    question stays open until the last thumb."""
    rooms = hall.rooms[:number]
    lines = [[Line(hall.port) for _ in room.people] for room in rooms]
    for turn in range(rounds):
        for hand in hall.hands[:number]:
            seen = hand.room.until(hand.room.seq + 1)
            await hand.line.send(hand.room.form(0, "questions/new", question=f"Shall+we+{turn}"))
            await asyncio.wait_for(seen, watching.PATIENCE)
        for line in (line for one in lines for line in one):
            await line.ready()
        before = [room.seq for room in rooms]
        seen_by_all = [room.until(room.seq + SEATS) for room in rooms]
        began = watching.perf_counter()
        answers = [
            asyncio.ensure_future(line.send(room.form(place, "thumb", way="pass")))
            for place in range(SEATS)
            for room, line in zip(rooms, (of_room[place] for of_room in lines), strict=True)
        ]
        await asyncio.gather(*answers)
        found.one["votes"].append((watching.perf_counter() - began) * 1000)
        shown = await asyncio.wait_for(asyncio.gather(*seen_by_all), watching.PATIENCE)
        found.one["votes shown"].append((max(shown) - began) * 1000)
        found.one["kept"].append(sum(room.seq - was for room, was in zip(rooms, before, strict=True)))
    for line in (line for one in lines for line in one):
        line.close()


def _rows(found: Figures, extent: Extent, halls: dict[str, _Hall]) -> Iterator[Row]:
    posted, second = "from the form to the last of 12", "a change each second"
    yield from found.rows("S4 one", f"{posted}, one room", "own one", "bare one", {50: 6, 95: 12})
    yield from found.rows("S4 few", f"{posted}, {extent.few} rooms, {second}", "own few", "bare few", {})
    yield from found.rows(
        "S4 many", f"{posted}, {extent.rooms} rooms, {second}", "own many", "bare many", {50: 12, 99: 50}
    )
    places = {"one": "one room", "few": f"{extent.few} rooms", "many": f"{extent.rooms} rooms", "often": OFTEN_WORDS}
    for name, place in places.items():
        for share in (50, 99):
            judged = share == 50 and name != "often"
            yield row(
                f"S4 fan-out {name} p{share}", f"from the registry to the last of 12, {place}",
                found.at(f"probe {name} alone", share), "ms", floors=found.at(f"bare {name} alone", share), ratio=lower,
                goal="≥ 0.5 × floor" if judged else "", least=0.5 if judged else None, of="ratio",
            )  # fmt: skip
    votes, kept, shown = min(VOTING, extent.rooms) * SEATS, found.one["kept"], found.one["votes shown"]
    sockets = extent.crowd * SEATS
    still = [float(watching.up(halls[kind].rooms)) for kind in ("own", "probe")]
    yield from (
        row("S4 processor", f"processor time of a change, {extent.rooms} rooms", found.one["own many time"], "ms",
            floors=found.one["bare many time"], ratio=lower),
        row("S4 rate", f"changes, {AT_ONCE} under way", found.one["own rate"], "/s", floors=found.one["bare rate"],
            ratio=higher),
        row("S4 votes", f"{votes} at once, {SEATS} a room: all answered", found.one["votes"], "ms"),
        row("S4 votes shown", f"{votes} at once: the last picture is everywhere", shown, "ms"),
        row("S4 votes kept", "votes that count", kept, "", goal=f"{votes}", least=votes, most=votes),
        row("S4 picture", "a picture, as it is sent", [halls["own"].rooms[0].size / 1000], "kB"),
        row("S4 up", "sockets still open after all that", still, "", goal=f"{sockets:,}", least=sockets),
    )  # fmt: skip


# Two processes -----------------------------------------------------------------------------------------------------


async def _two(ports: Sequence[int], one: dict[str, Any], extent: Extent) -> list[Row]:
    """A form at one process, watchers at both."""
    near, far = (_watched(port, one) for port in ports)
    await watching.watch([near, far])
    line = Line(ports[0])
    step, chance, found = watching.talk(near), Random(4), Figures()
    await asyncio.sleep(SETTLES)
    for turn in range(-1, extent.rounds):
        runs: dict[str, list[Change]] = {"near": [], "far": []}
        for _ in range(extent.pairs):
            await asyncio.sleep(0.005 + chance.random() / 100)
            seq = max(near.seq, far.seq) + 1
            waits = {"near": near.until(seq), "far": far.until(seq)}
            await line.ready()
            sent = watching.perf_counter()
            await line.send(next(step))
            for name, wait in waits.items():
                runs[name].append(Change((await asyncio.wait_for(wait, watching.PATIENCE) - sent) * 1000, 0.0))
        if turn >= 0:
            for name, changes in runs.items():
                found.add(name, changes)
    return list(found.rows("S4 two", "a form at one process, 12 watchers at another", "far", "near", {}, (50, 95)))
