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
from pathlib import Path
from typing import Any

from tests.servers import ROOT, Site, free_port, start_site

STARTS_WITHIN = 30


def _environment(home: Path) -> dict[str, str]:
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("LEEWARD_", "DATABASE_", "DJANGO", "PYTEST"))}
    return plain | {"LEEWARD_HOME": str(home), "PYTHONPATH": str(ROOT / "src")}


def filled(homes: Sequence[tuple[Path, int, int]]) -> list[dict[str, Any]]:
    """Fill homes, (path, groups, longest history) each, at once. Returns what `benchmarks.fill` says of each."""
    making = []
    for home, groups, longest in homes:
        out = home.with_suffix(".json")
        words = [sys.executable, "-m", "benchmarks.fill", str(out), str(groups), str(longest)]
        making.append((out, subprocess.Popen(words, cwd=ROOT, env=_environment(home))))
    endings = [process.wait() for _out, process in making]
    if any(endings):
        raise RuntimeError("a home could not be filled")
    return [json.loads(out.read_text()) for out, _process in making]


@contextmanager
def leeward(home: Path, *, command: str = "serve") -> Iterator[Site]:
    site = start_site(home, command=command)
    try:
        yield site
    finally:
        site.stop()


def port_of(site: Site) -> int:
    return int(site.url.rpartition(":")[2])


@contextmanager
def floor(home: Path, plan: Path, kind: str) -> Iterator[int]:
    """The floor's server over the same home; its port."""
    port = free_port()
    words = [sys.executable, "-m", "benchmarks.floor", str(plan), str(port), kind]
    process = subprocess.Popen(words, cwd=ROOT, env=_environment(home))
    try:
        _wait_for(process, port)
        yield port
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


def memory_of(site: Site) -> float:
    """Resident memory of a server in MB."""
    pid = site.process.pid
    status = Path(f"/proc/{pid}/status")
    if status.exists():
        found = re.search(r"^VmRSS:\s+(\d+) kB", status.read_text(), re.M)
        assert found is not None
        return int(found[1]) / 1000
    answer = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True)
    return int(answer.stdout) / 1000
