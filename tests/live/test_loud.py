"""Who shouts, floods or does not listen loses their own socket. The others notice nothing."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
import weakref
from statistics import median

import pytest

from leeward.domain.room.rules import Move
from leeward.live.registry import Picture, registry
from tests.live.rooms import Scene, a_scene, device
from tests.live.watching import Device, Watch, Watchers, all_show, wait_for
from tests.meeting import START
from tests.servers import Here

pytestmark = pytest.mark.django_db(transaction=True)
NORMAL = 0.6  # seconds a picture may take on a machine that does other work too; alone it takes some milliseconds


def angry(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the log says in anger; that a text is no text uvicorn says by itself."""
    said = [record.getMessage() for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")]
    return [line for line in said if not line.startswith("Invalid UTF-8")]


class Shouter:
    """A client of our own making that sends frames and hears nothing, until its socket is gone."""

    def __init__(self, one: Device, port: int) -> None:
        self.line = socket.create_connection(("localhost", port), timeout=10)
        self.line.sendall(
            "\r\n".join(
                [
                    f"GET {one.socket()} HTTP/1.1", f"Host: localhost:{port}", f"Origin: http://localhost:{port}",
                    "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", f"Cookie: leeward={one.cookie}", "", "",
                ]
            ).encode()
        )  # fmt: skip
        assert self.line.recv(4096).startswith(b"HTTP/1.1 101")
        self.sent = 0

    @staticmethod
    def frame(data: bytes, opcode: int = 1) -> bytes:
        size = len(data)
        head = bytes([0x80 | opcode, 0x80 | (size if size < 126 else 127)])
        return head + (b"" if size < 126 else struct.pack(">Q", size)) + b"\0\0\0\0" + data

    def shout(self, frame: bytes, *, times: int, a_second: float) -> bool:
        """Returns whether the socket was still there at the end."""
        began = time.monotonic()
        try:
            for number in range(times):
                self.line.sendall(frame)
                self.sent += 1
                ahead = number / a_second - (time.monotonic() - began)
                if ahead > 0:
                    time.sleep(ahead)
        except OSError:
            return False
        return True

    def closed_with(self) -> int:
        """The code of the close frame, 0 when the line ended without one."""
        self.line.settimeout(5)
        try:
            while True:
                kind, size = self._read(2)
                if size > 125:
                    size = int.from_bytes(self._read(2 if size == 126 else 8), "big")
                data = self._read(size)
                if kind & 0x0F == 8:
                    return int.from_bytes(data[:2], "big")
        except OSError:
            return 0

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            part = self.line.recv(size - len(data))
            if not part:
                raise ConnectionResetError
            data += part
        return data


def watching(scene: Scene) -> int:
    """How many sockets the server holds."""
    return len(registry._rooms[scene.meeting].watchers)


def how_long(scene: Scene, others: list[Watch], *, times: int) -> list[float]:
    """Seconds from a command until everybody has its picture."""
    took = []
    for number in range(times):
        seq = others[0].numbers[-1] + 1
        began = time.monotonic()
        scene.move("Ana", (Move.VOLUNTEER, Move.UNVOLUNTEER)[number % 2], at=START)
        all_show(others, seq)
        took.append(max(watch.frames[-1].at for watch in others) - began)
    return took


SHOUTS = {
    "1 MB": (Shouter.frame(b"x" * 1_000_000), 1009),
    "binary": (Shouter.frame(b"\0\1\2", opcode=2), 4429),
    "binary, empty": (Shouter.frame(b"", opcode=2), 4429),
    "no text": (Shouter.frame(b"\xff\xfe"), 1007),
    "no frame": (b"\xff" * 200, 1002),
    "talking": (Shouter.frame(b"hello") * 4, 4429),
    "5,000 at once": (Shouter.frame(b"hello") * 5000, 4429),
}


def test_what_no_page_would_send_closes_that_socket_only(
    server: Here, watchers: Watchers, caplog: pytest.LogCaptureFixture
) -> None:
    scene = a_scene()
    others = [watchers.add(device(scene, name, server.url)) for name in ("Ana", "Ben")]
    how_long(scene, others, times=2)
    codes: dict[str, int] = {}
    for what, (frames, _code) in SHOUTS.items():
        loud = Shouter(device(scene, "Dara", server.url), server.port)
        wait_for(lambda: watching(scene) == 3, what="the third watcher")
        loud.shout(frames, times=1, a_second=1000)
        codes[what] = loud.closed_with()
        wait_for(lambda: watching(scene) == 2, seconds=2, what="the parting")
        assert max(how_long(scene, others, times=2)) < NORMAL, what
    assert codes == {what: code for what, (_frames, code) in SHOUTS.items()}
    assert [watch.closed for watch in others] == [0, 0]
    assert angry(caplog) == []


def test_a_thousand_messages_a_second_close_that_socket_and_the_others_notice_nothing(
    server: Here, watchers: Watchers, caplog: pytest.LogCaptureFixture
) -> None:
    scene = a_scene()
    others = [watchers.add(device(scene, name, server.url)) for name in ("Ana", "Ben", "Eli")]
    quiet = how_long(scene, others, times=14)[2:]
    loud = [Shouter(device(scene, "Dara", server.url), server.port) for _ in range(3)]
    floods = [
        threading.Thread(target=one.shout, args=(Shouter.frame(b"x" * 100),), kwargs={"times": 2000, "a_second": 1000})
        for one in loud
    ]
    for flood in floods:
        flood.start()
    meanwhile = how_long(scene, others, times=12)
    wait_for(lambda: watching(scene) == 3, seconds=2, what="the parting")
    for flood in floods:
        flood.join()
    assert max(meanwhile) < NORMAL
    assert median(meanwhile) < 5 * median(quiet) + 0.1
    assert [watch.closed for watch in others] == [0, 0, 0]
    assert {one.closed_with() for one in loud} <= {4429, 0}
    assert angry(caplog) == []


BIG, MANY = 300_000, 150


class Kept(str):
    """A frame that can be asked whether somebody still holds it."""


def many_big_pictures(scene: Scene, first: int) -> list[weakref.ref[Kept]]:
    """45 MB. Returns what asks for each."""
    asks = []
    for number in range(MANY):
        frame = Kept(f'{{"seq": {first + number}, "html": "' + f"{number:06}" * (BIG // 6) + '"}')
        asks.append(weakref.ref(frame))
        registry.show(Picture(scene.meeting, first + number, None, {("en", "member"): frame}))
        del frame
        time.sleep(0.002)
    return asks


def test_who_never_reads_holds_nobody_up_and_costs_no_memory(server: Here, watchers: Watchers) -> None:
    """Of what they do not take the newest picture waits; those before are forgotten."""
    scene = a_scene()
    other = watchers.add(device(scene, "Ana", server.url))
    deaf = watchers.add(device(scene, "Dara", server.url), reads=False)
    wait_for(lambda: watching(scene) == 2, what="the second watcher")
    first = other.numbers[-1] + 1
    asks = many_big_pictures(scene, first)
    all_show([other], first + MANY - 1)
    assert other.frames[-1].at - other.frames[0].at < 20
    assert len([ask for ask in asks if ask() is not None]) <= 3
    lines = [line.transport for line in server.server.server_state.connections]
    assert 0 < max(line.get_write_buffer_size() for line in lines) < 2 * BIG  # it really is stuck, with one picture

    async def listen() -> list[int]:
        assert deaf.line is not None
        deaf.line.transport.resume_reading()
        numbers: list[int] = []
        while not numbers or numbers[-1] < first + MANY - 1:
            numbers.append(json.loads(await deaf.line.recv())["seq"])
        return numbers

    numbers = watchers.loop.run(listen())
    assert numbers == sorted(numbers)
    assert len(numbers) < MANY / 2  # the greeting, what the line had swallowed already, the newest


def test_who_never_reads_is_given_up_after_a_while(
    server: Here, watchers: Watchers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leeward.live.consumer.PATIENCE", 0.4)
    scene = a_scene()
    other = watchers.add(device(scene, "Ana", server.url))
    watchers.add(device(scene, "Dara", server.url), reads=False)
    wait_for(lambda: watching(scene) == 2, what="the second watcher")
    many_big_pictures(scene, other.numbers[-1] + 1)
    wait_for(lambda: watching(scene) == 1, seconds=3, what="the parting")
    assert other.closed == 0
