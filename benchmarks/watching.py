"""Many watchers and many hands on one event loop: sockets that read no more of a picture than its number, and forms."""

from __future__ import annotations

import asyncio
import re
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from benchmarks import load
from benchmarks.load import HEAD_ENDS, WrongAnswer

PATIENCE = 20.0  # seconds
LATE = 0.05  # seconds
KEPT_ALIVE = 3.0  # seconds; uvicorn puts a silent connection down after 5
AT_A_TIME = 64  # sockets that come in at once
HEAD = re.compile(rb'\{"seq": (\d+)(?:, "at": ([\d.]+))?(, "html": )?')
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


@dataclass
class _Wait:
    """Until every watcher of a room shows a picture with at least this number."""

    seq: int
    missing: int
    done: asyncio.Future[float]


@dataclass(frozen=True)
class Change:
    """One change: milliseconds from sending its form (and from handing its picture over, where the picture says when)
    until the last watcher has it."""

    took: float
    fanned_out: float


class Watched:
    """One room as its watchers see it, at one server."""

    def __init__(self, port: int, group: str, meeting: str, people: Sequence[dict[str, str]]) -> None:
        self.port, self.group, self.meeting, self.people = port, group, meeting, people
        self.sockets: list[Socket] = []
        self.at = 0.0
        self.size = 0
        self._waits: list[_Wait] = []

    @property
    def seq(self) -> int:
        return max(socket.seq for socket in self.sockets)

    def until(self, seq: int) -> asyncio.Future[float]:
        """The moment at which the last watcher shows this picture or a newer one."""
        wait = _Wait(seq, sum(socket.seq < seq for socket in self.sockets), asyncio.get_running_loop().create_future())
        if wait.missing:
            self._waits.append(wait)
        else:
            wait.done.set_result(perf_counter())
        return wait.done

    def saw(self, before: int, seq: int, at: float, size: int) -> None:
        """A watcher that showed `before` shows `seq`."""
        now = perf_counter()
        if size:
            self.at, self.size = at, size
        for wait in self._waits:
            if before < wait.seq <= seq:
                wait.missing -= 1
                if not wait.missing and not wait.done.done():
                    wait.done.set_result(now)
        if self._waits and self._waits[0].done.done():
            self._waits = [wait for wait in self._waits if not wait.done.done()]

    def form(self, place: int, command: str, **typed: str) -> bytes:
        """A form of one of the people here, as their page's script sends it."""
        person = self.people[place]
        body = "&".join(f"{name}={value}" for name, value in {"csrfmiddlewaretoken": person["form"], **typed}.items())
        path = f"/g/{self.group}/meetings/{self.meeting}/room/{command}/"
        return load.request(path, method="POST", cookies=person["cookies"], body=body, headers=("X-Leeward-Live: 1",))


class Socket(asyncio.Protocol):
    """One watcher. Frames come whole and unmasked; of a picture only its head is read."""

    def __init__(self, room: Watched, place: int, role: str) -> None:
        self.room, self.place, self.role = room, place, role
        self.seq, self.open = -1, asyncio.get_running_loop().create_future()
        self.up = False
        self._rest, self._greeted = b"", False

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        lines = [
            f"GET /live/{self.room.group}/{self.room.meeting}/{self.role}/ HTTP/1.1", "Host: localhost",
            f"Origin: http://localhost:{self.room.port}", "Connection: Upgrade", "Upgrade: websocket",
            "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            f"Cookie: {self.room.people[self.place]['cookies']}",
        ]  # fmt: skip
        transport.write("\r\n".join([*lines, "", ""]).encode())

    def data_received(self, data: bytes) -> None:
        self._rest = self._rest + data if self._rest else data
        if not self._greeted:
            head, end, rest = self._rest.partition(HEAD_ENDS)
            if not end:
                return
            if head[9:12] != b"101":
                self.open.set_exception(WrongAnswer(f"a socket was turned away: {head[:120]!r}"))
                return
            self._rest, self._greeted = rest, True
        place, data = 0, self._rest
        while len(data) - place >= 2:
            size, begins = data[place + 1], place + 2
            if size == 126:
                if len(data) < begins + 2:
                    break
                size, begins = struct.unpack_from("!H", data, begins)[0], begins + 2
            elif size == 127:
                if len(data) < begins + 8:
                    break
                size, begins = struct.unpack_from("!Q", data, begins)[0], begins + 8
            if len(data) < begins + size:
                break
            self._hear(data[place] & 15, data, begins, size)
            place = begins + size
        self._rest = data[place:] if place else data

    def _hear(self, kind: int, data: bytes, begins: int, size: int) -> None:
        if kind == PING:
            self.transport.write(bytes([0x80 | PONG, 0x80 | size, 0, 0, 0, 0]) + data[begins : begins + size])
            return
        found = HEAD.match(data, begins) if kind == TEXT else None
        if found is None:
            self._gone(WrongAnswer(f"a socket said {data[begins : begins + min(size, 80)]!r}"))
            return
        before, self.seq = self.seq, int(found[1])
        self.room.saw(before, self.seq, float(found[2] or 0), size if found[3] else 0)
        if not self.open.done():
            self.up = True
            self.open.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._gone(WrongAnswer("a socket was cut off"))

    def _gone(self, why: Exception) -> None:
        self.up = False
        if not self.open.done():
            self.open.set_exception(why)


class _Talk(asyncio.Protocol):
    """One connection, one form at a time."""

    answer: asyncio.Future[tuple[int, bytes]]

    def __init__(self) -> None:
        self._heard, self._wanted = b"", 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._heard += data
        if not self._wanted:
            end = self._heard.find(HEAD_ENDS)
            if end < 0:
                return
            length = re.search(rb"content-length: (\d+)", self._heard[:end], re.I)
            self._wanted = end + len(HEAD_ENDS) + (int(length[1]) if length else 0)
        if len(self._heard) >= self._wanted and not self.answer.done():
            self.answer.set_result((int(self._heard[9:12]), self._heard))

    def connection_lost(self, exc: Exception | None) -> None:
        if hasattr(self, "answer") and not self.answer.done():
            self.answer.set_exception(WrongAnswer("the server hung up"))

    def begin(self, request: bytes) -> asyncio.Future[tuple[int, bytes]]:
        self._heard, self._wanted = b"", 0
        self.answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self.answer


class Line:
    """A kept-alive connection. As a browser does, it is made anew once the server could have put it down."""

    def __init__(self, port: int) -> None:
        self.port, self._used = port, 0.0
        self._talk: _Talk | None = None

    async def ready(self) -> None:
        if self._talk is None or perf_counter() - self._used > KEPT_ALIVE:
            self.close()
            _transport, self._talk = await asyncio.get_running_loop().create_connection(_Talk, "127.0.0.1", self.port)
        self._used = perf_counter()

    async def send(self, request: bytes, status: int = 204) -> bytes:
        """Raises WrongAnswer for another status. A line that is ready sends at once."""
        await self.ready()
        assert self._talk is not None
        found, answer = await asyncio.wait_for(self._talk.begin(request), PATIENCE)
        self._used = perf_counter()
        if found != status:
            raise WrongAnswer(f"{request[:120]!r}: {answer[:300]!r}")
        return answer

    def close(self) -> None:
        if self._talk is not None:
            self._talk.transport.close()


async def watch(rooms: Sequence[Watched], *, role: str = "member") -> float:
    """Everybody of these rooms comes to watch, some at a time. Returns the seconds it took until each was greeted."""
    began, gate = perf_counter(), asyncio.Semaphore(AT_A_TIME)
    loop = asyncio.get_running_loop()

    async def come(room: Watched, place: int) -> None:
        async with gate:
            _transport, socket = await loop.create_connection(lambda: Socket(room, place, role), "127.0.0.1", room.port)
            room.sockets.append(socket)
            await asyncio.wait_for(socket.open, PATIENCE)

    await asyncio.gather(*(come(room, place) for room in rooms for place in range(len(room.people))))
    return perf_counter() - began


def up(rooms: Sequence[Watched]) -> int:
    return sum(socket.up for room in rooms for socket in room.sockets)


@dataclass
class Hand:
    """Who changes one room, over a connection of their own. `step` makes the next form; each is one picture more."""

    room: Watched
    line: Line
    step: Iterator[bytes]
    changes: list[Change] = field(default_factory=list)

    async def change(self, due: float | None = None) -> None:
        """One change, counted from when it was due if that is long past."""
        await self.line.ready()
        seen = self.room.until(self.room.seq + 1)
        sent = perf_counter()
        await self.line.send(next(self.step))
        came = await asyncio.wait_for(seen, PATIENCE)
        began = sent if due is None or sent - due < LATE else due
        self.changes.append(Change((came - began) * 1000, (came - self.room.at) * 1000 if self.room.at else 0.0))


def talk(room: Watched) -> Iterator[bytes]:
    """A conversation without an end: hands go up and down, the floor goes round."""
    yield room.form(0, "raise", way="turn")
    speaker, number = 0, len(room.people)
    while True:
        after, other = (speaker + 1) % number, (speaker + 2) % number
        yield room.form(after, "raise", way="turn")
        yield room.form(other, "raise", way="turn")
        yield room.form(other, "lower")
        yield room.form(speaker, "pass")
        yield room.form(after, "accept")
        speaker = after


def told(room: Watched, size: int, *, rows: int) -> Iterator[bytes]:
    """Pictures that a probe is told to hand over, after so many rows were committed."""
    seq = max(room.seq, 1_000_000)
    while True:
        seq += 1
        yield load.request(f"/show/{room.meeting}/{seq}/{size}/{rows}", method="POST")


async def one_after_another(hand: Hand, number: int, pause: Callable[[], float]) -> list[Change]:
    hand.changes = []
    for _ in range(number):
        await asyncio.sleep(pause())
        await hand.change()
    return hand.changes


async def each_second(
    hands: Sequence[Hand], seconds: int, chance: Callable[[], float], *, a_second: float = 1.0
) -> list[Change]:
    """So many changes a second in every room, each at a moment of its own within its slice."""
    began = perf_counter() + 0.05

    async def keep(hand: Hand) -> None:
        hand.changes = []
        for turn in range(max(int(seconds * a_second), 1)):
            due = began + (turn + chance()) / a_second
            await asyncio.sleep(max(due - perf_counter(), 0))
            await hand.change(due)

    await asyncio.gather(*map(keep, hands))
    return [change for hand in hands for change in hand.changes]


async def as_fast_as_it_goes(hands: Sequence[Hand], at_once: int, seconds: float) -> float:
    """Changes a second when `at_once` of them are always under way, spread over all rooms."""
    ends, count = perf_counter() + seconds, 0

    async def keep(mine: Sequence[Hand]) -> None:
        nonlocal count
        while True:
            for hand in mine:
                if perf_counter() > ends:
                    return
                await hand.change()
                count += 1

    began = perf_counter()
    await asyncio.gather(*(keep(hands[place::at_once]) for place in range(at_once) if hands[place::at_once]))
    return count / (perf_counter() - began)
