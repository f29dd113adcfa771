"""A load generator: kept-alive connections that send their next request as soon as the last one is answered."""

from __future__ import annotations

import selectors
import socket
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

HEAD_ENDS = b"\r\n\r\n"


class WrongAnswer(Exception):
    """The server answered something else than the benchmark is about. A figure of it would mean nothing."""


@dataclass(frozen=True)
class Run:
    """One short run. Times in milliseconds, `rate` in answers a second, `size` in bytes on the wire an answer."""

    answers: int
    rate: float
    p50: float
    p99: float
    size: float


def request(
    path: str, *, method: str = "GET", cookies: str = "", body: str = "", encodings: str = "", close: bool = False,
    headers: Sequence[str] = (),
) -> bytes:  # fmt: skip
    """One request as bytes, as a browser on this machine would send it."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Accept-Language: en", *headers]
    if encodings:
        lines.append(f"Accept-Encoding: {encodings}")
    if cookies:
        lines.append(f"Cookie: {cookies}")
    if method == "POST":
        lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
    if close:
        lines.append("Connection: close")
    return "\r\n".join([*lines, "", body]).encode()


def fetch(port: int, path: str, *, cookies: str = "", encodings: str = "") -> tuple[int, bytes, bytes]:
    """(bytes on the wire, head, body as sent) of one GET. Raises WrongAnswer unless it is a page."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        line.sendall(request(path, cookies=cookies, encodings=encodings, close=True))
        answer = b"".join(iter(lambda: line.recv(65536), b""))
    head, _, body = answer.partition(HEAD_ENDS)
    if head[9:12] != b"200":
        raise WrongAnswer(f"{path}: {head[:120]!r}")
    return len(answer), head, body


class _Line:
    """One kept-alive connection and where it stands."""

    def __init__(self, port: int, requests: Sequence[bytes], status: bytes) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.requests, self.status = requests, status
        self.turn, self.heard, self.wanted, self.sent_at = 0, b"", 0, 0.0

    def send(self) -> None:
        self.heard, self.wanted, self.sent_at = b"", 0, time.perf_counter()
        self.socket.sendall(self.requests[self.turn])
        self.turn = (self.turn + 1) % len(self.requests)

    def complete(self) -> bool:
        """Take in what came; whether the answer is whole."""
        came = self.socket.recv(262144)
        if not came:
            raise WrongAnswer(f"the server hung up after {self.heard[:120]!r}")
        self.heard += came
        if not self.wanted:
            end = self.heard.find(HEAD_ENDS)
            if end < 0:
                return False
            if self.heard[9:12] != self.status:
                raise WrongAnswer(f"{self.requests[self.turn - 1][:80]!r}: {self.heard[:200]!r}")
            head = self.heard[:end].lower()
            place = head.find(b"\r\ncontent-length: ")
            if place < 0:
                raise WrongAnswer(f"no length: {self.heard[:200]!r}")
            self.wanted = end + len(HEAD_ENDS) + int(head[place + 18 :].split(b"\r\n", 1)[0])
        return len(self.heard) >= self.wanted


def drive(
    port: int, requests: Sequence[bytes], *, connections: int, seconds: float, warm_up: float = 0.2, status: int = 200
) -> Run:
    """Ask for `seconds`, after at least `warm_up` in which every connection got an answer. Raises WrongAnswer."""
    lines = [_Line(port, requests[place::connections], str(status).encode()) for place in range(connections)]
    times: list[float] = []
    size, cold = 0, set(lines)
    began, counted_from = time.perf_counter(), float("inf")
    with selectors.DefaultSelector() as waiting:
        for line in lines:
            waiting.register(line.socket, selectors.EVENT_READ, line)
            line.send()
        while waiting.get_map():  # what is under way at the end is waited for: the next run finds nobody at work
            ready = waiting.select(timeout=10)
            if not ready:
                raise WrongAnswer("no answer within 10 s")
            for key, _ in ready:
                line = key.data
                if not line.complete():
                    continue
                now = time.perf_counter()
                cold.discard(line)
                if now > counted_from + seconds:
                    waiting.unregister(line.socket)
                    line.socket.close()
                    continue
                if now > counted_from:
                    times.append(now - line.sent_at)
                    size += len(line.heard)
                elif counted_from == float("inf") and not cold and now >= began + warm_up:
                    counted_from = now
                line.send()
    if not times:
        raise WrongAnswer(f"nothing was answered within {seconds} s")
    times.sort()
    return Run(
        answers=len(times),
        rate=len(times) / seconds,
        p50=statistics.median(times) * 1000,
        p99=times[int(len(times) * 0.99)] * 1000,
        size=size / len(times),
    )
