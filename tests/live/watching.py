"""Browsers and sockets of people in a room, from outside: only addresses, cookies, pages and frames."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from html import unescape
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlencode, urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from tests.servers import Loop

TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
SCENE = re.compile(r'<div id="scene" data-seq="(\d+)" data-phase="(\w*)" data-kind="(\w*)"[^>]* data-say="([^"]*)"')
LINE = re.compile(r'<li><span>([^<]+?)(?: <span class="chip">[^<]*</span>)? <span class="quiet">([^<]*)</span></span>')
COMES_AGAIN = 0.1  # seconds


@dataclass(frozen=True)
class Seen:
    """What a picture shows, whoever looks and whatever their language's buttons say."""

    seq: int
    phase: str
    kind: str
    say: str
    people: tuple[tuple[str, str], ...]


def seen_in(html: str) -> Seen | None:
    """What a page or a frame shows of the room; None for a page without one."""
    found = SCENE.search(html)
    if found is None:
        return None
    people = tuple((unescape(name), unescape(how)) for name, how in LINE.findall(html))
    return Seen(int(found[1]), found[2], found[3], unescape(found[4]), people)


@dataclass
class Device:
    """A browser of one member: pages and forms over real HTTP."""

    name: str
    url: str
    cookie: str
    group: str
    meeting: str
    token: str = ""
    token_cookie: str = ""

    @property
    def room(self) -> str:
        return f"/g/{self.group}/meetings/{self.meeting}/room/"

    def socket(self, role: str = "member") -> str:
        return f"/live/{self.group}/{self.meeting}/{role}/"

    def _ask(self, method: str, path: str, body: str | None = None) -> tuple[int, str, dict[str, str]]:
        line = HTTPConnection(urlsplit(self.url).hostname or "", urlsplit(self.url).port, timeout=20)
        cookies = f"leeward={self.cookie}" + (f"; leeward_form={self.token_cookie}" if self.token_cookie else "")
        headers = {"Cookie": cookies, "Connection": "close"}
        if body is not None:
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "X-Leeward-Live": "1"}
        try:
            line.request(method, path, body=body, headers=headers)
            answer = line.getresponse()
            text = answer.read().decode()
        finally:
            line.close()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie" and value.startswith("leeward_form="):
                self.token_cookie = value.split(";")[0].split("=", 1)[1]
        return answer.status, text, {name.lower(): value for name, value in answer.getheaders()}

    def get(self, path: str = "") -> tuple[int, str]:
        status, text, _headers = self._ask("GET", path or self.room)
        found = TOKEN.search(text)
        if found:
            self.token = found[1]
        return status, text

    def look(self) -> Seen | None:
        return seen_in(self.get()[1])

    def post(self, path: str, **typed: str) -> int:
        if not self.token:
            self.get()
        data = urlencode({"csrfmiddlewaretoken": self.token} | typed)
        return self._ask("POST", path, data)[0]

    def tap(self, move: str, **typed: str) -> int:
        """Send one command as the page's script does. Returns the answer's status."""
        return self.post(f"{self.room}{move}/", **typed)


@dataclass
class Frame:
    at: float  # time.monotonic()
    raw: str
    said: dict[str, Any]


@dataclass(eq=False)
class Watch:
    """One socket. With `stays` it does as the page's script does: shows nothing older than what it shows, comes again
    when it is cut off, and then gets the page. `rereads=False` is a script that forgets to."""

    device: Device
    role: str = "member"
    stays: bool = False
    rereads: bool = True
    reads: bool = True
    origin: str | None = "same"
    frames: list[Frame] = field(default_factory=list)
    shows: Seen | None = None
    refused: int = 0  # the status of a handshake that was turned away
    closed: int = 0  # the code of a socket that was closed
    over: bool = False
    came: int = 0
    reread: int = 0
    line: ClientConnection | None = None
    task: asyncio.Task[None] | None = None

    @property
    def pictures(self) -> list[Frame]:
        return [frame for frame in self.frames if "html" in frame.said]

    @property
    def numbers(self) -> list[int]:
        return [frame.said["seq"] for frame in self.frames if "seq" in frame.said]

    async def live(self) -> None:
        while True:
            try:
                await self._once()
            except InvalidStatus as turned_away:
                self.refused = turned_away.response.status_code
            except (OSError, InvalidHandshake, EOFError, TimeoutError):
                pass
            if not self.stays or self.over:
                return
            await asyncio.sleep(COMES_AGAIN)

    async def _once(self) -> None:
        url = self.device.url
        origin = url if self.origin == "same" else self.origin
        self.line = await connect(
            url.replace("http", "ws", 1) + self.device.socket(self.role),
            origin=origin, additional_headers={"Cookie": f"leeward={self.device.cookie}"},  # type: ignore[arg-type]
            ping_interval=None, open_timeout=20, close_timeout=1, max_size=None, proxy=None,
        )  # fmt: skip
        self.came += 1
        self.refused = 0
        if not self.reads:
            self.line.transport.pause_reading()
            await self.line.wait_closed()
            return
        try:
            async for raw in self.line:
                await self._hear(str(raw))
        except ConnectionClosed:
            pass
        self.closed = self.line.close_code or 1006

    async def _hear(self, raw: str) -> None:
        at, said = time.monotonic(), dict(json.loads(raw))
        self.frames.append(Frame(at, raw, said))
        if said.get("over"):
            self.over = True
        elif "html" in said:
            self._show(seen_in(said["html"]))
        elif self.stays and self.rereads and (self.shows is None or said["seq"] > self.shows.seq):
            self._reading = asyncio.create_task(self._reread())

    async def _reread(self) -> None:
        """The page anew; when the line breaks on the way, again."""
        for _ in range(20):
            try:
                status, text = await asyncio.to_thread(self.device.get)
            except (OSError, HTTPException):
                await asyncio.sleep(COMES_AGAIN)
                continue
            if status == 200:
                self.reread += 1
                self._show(seen_in(text))
                return
            await asyncio.sleep(COMES_AGAIN)

    def _show(self, seen: Seen | None) -> None:
        if seen is not None and (self.shows is None or seen.seq >= self.shows.seq):
            self.shows = seen


class Watchers:
    """Many sockets on one loop."""

    def __init__(self) -> None:
        self.loop = Loop()
        self.all: list[Watch] = []

    def add(self, device: Device, **how: Any) -> Watch:
        """Watch, and wait until the socket is open or was turned away."""
        watch = self.add_soon(device, **how)
        wait_for(lambda: watch.came > 0 or watch.refused > 0, what=f"{device.name}'s socket")
        if watch.came and watch.reads:
            wait_for(lambda: bool(watch.frames) or watch.closed > 0, what=f"{device.name}'s first frame")
        return watch

    def add_soon(self, device: Device, **how: Any) -> Watch:
        watch = Watch(device, **how)
        self.all.append(watch)

        async def begin() -> None:
            watch.task = asyncio.create_task(watch.live())

        self.loop.run(begin())
        return watch

    def drop(self, watch: Watch) -> None:
        """Go away without a word."""

        async def tear() -> None:
            watch.stays = False
            if watch.line is not None:
                watch.line.transport.abort()

        self.loop.run(tear())

    def stop_all(self) -> None:
        for watch in self.all:
            self.drop(watch)

    def stop(self) -> None:
        self.loop.stop()


def wait_for(true: Callable[[], bool], *, seconds: float = 10, what: str = "it") -> float:
    """Returns the seconds it took; fails when it does not become true in time."""
    began = time.monotonic()
    while not true():
        if time.monotonic() - began > seconds:
            raise AssertionError(f"{what} did not come within {seconds} s")
        time.sleep(0.005)
    return time.monotonic() - began


def all_show(watches: Iterable[Watch], seq: int, *, seconds: float = 10) -> float:
    """Wait until everybody has the picture with this number."""
    chosen = list(watches)
    return wait_for(
        lambda: all(watch.numbers and watch.numbers[-1] >= seq for watch in chosen),
        seconds=seconds,
        what=f"picture {seq}",
    )
