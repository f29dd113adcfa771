"""Processes of a run: homes that are filled, floors that are served. Leeward itself starts as in the tests."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers import ROOT, Site, Valkey, free_port, start_site

STARTS_WITHIN = 30


@dataclass(frozen=True)
class Served:
    """A server that answers."""

    port: int
    pid: int


def _environment(home: Path) -> dict[str, str]:
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("LEEWARD_", "DATABASE_", "DJANGO", "PYTEST"))}
    return plain | {"LEEWARD_HOME": str(home), "PYTHONPATH": str(ROOT / "src")}


def filled(homes: Sequence[tuple[Path, str, tuple[int, ...]]]) -> list[Any]:
    """Fill homes, (path, kind, numbers) each, at once. Returns what `benchmarks.fill` says of each."""
    making = []
    for home, kind, numbers in homes:
        out = home.with_suffix(".json")
        words = [sys.executable, "-m", "benchmarks.fill", str(out), kind, *map(str, numbers)]
        making.append((out, subprocess.Popen(words, cwd=ROOT, env=_environment(home))))
    endings = [process.wait() for _out, process in making]
    if any(endings):
        raise RuntimeError("a home could not be filled")
    return [json.loads(out.read_text()) for out, _process in making]


@contextmanager
def leeward(home: Path, *, command: str = "serve", **env: str) -> Iterator[Site]:
    site = start_site(home, command=command, **env)
    try:
        yield site
    finally:
        site.stop()


def served(site: Site) -> Served:
    return Served(int(site.url.rpartition(":")[2]), site.process.pid)


@contextmanager
def floor(home: Path, plan: Path, kind: str) -> Iterator[int]:
    """The floor's server over the same home; its port."""
    port = free_port()
    with _running("benchmarks.floor", str(plan), str(port), kind, home=home, port=port):
        yield port


@contextmanager
def sockets(home: Path, kind: str) -> Iterator[Served]:
    """A server of `benchmarks.probe`."""
    port = free_port()
    with _running("benchmarks.probe", str(port), kind, home=home, port=port) as process:
        yield Served(port, process.pid)


@contextmanager
def valkey() -> Iterator[str]:
    """The address of a Valkey that keeps nothing."""
    running = Valkey()
    try:
        yield running.url
    finally:
        running.kill()


@contextmanager
def _running(module: str, *words: str, home: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-m", module, *words], cwd=ROOT, env=_environment(home))
    try:
        _wait_for(process, port)
        yield process
    finally:
        process.terminate()
        process.wait(timeout=15)


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    ends = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < ends and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"the floor did not start within {STARTS_WITHIN} s")


def memory_of(pid: int) -> float:
    """Resident memory of a process in MB."""
    status = Path(f"/proc/{pid}/status")
    if status.exists():
        found = re.search(r"^VmRSS:\s+(\d+) kB", status.read_text(), re.M)
        assert found is not None
        return int(found[1]) / 1000
    answer = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True)
    return int(answer.stdout) / 1000


def processor_time_of(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    stat = Path(f"/proc/{pid}/stat")
    if stat.exists():
        fields = stat.read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    answer = subprocess.run(["ps", "-o", "time=", "-p", str(pid)], capture_output=True, text=True, check=True)
    *minutes, seconds = answer.stdout.strip().split(":")
    return sum(int(part) * 60**place for place, part in enumerate(reversed(minutes), 1)) + float(seconds)
