"""`leeward serve`: one web process without VALKEY_URL, several with it, and a stop that waits for nobody."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.home import House, leeward, made
from tests.live.watching import Watchers, wait_for
from tests.servers import Site, Valkey, a_database, free_port, start_site

POSTGRES = os.environ.get("LEEWARD_TEST_DB") == "postgres"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return made(tmp_path_factory.mktemp("one") / "home", database=a_database() if POSTGRES else "")


@pytest.fixture(scope="module")
def site(house: House) -> Iterator[Site]:
    running = start_site(house.home, **house.env)
    yield running
    if running.process.poll() is None:
        running.stop()


def second(house: House, **env: str) -> subprocess.CompletedProcess[str]:
    """`leeward serve` once more, on another port."""
    return leeward(house.env | {"PORT": str(free_port())} | env, "serve")


def test_a_second_web_process_refuses_to_start(house: House, site: Site) -> None:
    done = second(house)
    assert (done.returncode, done.stderr.count("\n"), "Traceback" in done.stderr) == (1, 1, False), done.stderr
    assert "Another web process already serves" in done.stderr
    assert "VALKEY_URL" in done.stderr


def test_one_that_could_share_refuses_beside_one_that_cannot(house: House, site: Site) -> None:
    valkey = Valkey()
    try:
        done = second(house, VALKEY_URL=valkey.url)
    finally:
        valkey.kill()
    assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stderr
    assert "A web process without VALKEY_URL already serves" in done.stderr


@pytest.mark.skipif(not POSTGRES, reason="on SQLite the home is the database")
def test_another_home_on_the_same_postgresql_refuses_as_well(house: House, site: Site, tmp_path: Path) -> None:
    other = tmp_path / "home"
    other.mkdir()
    (other / "keys.json").write_bytes((house.home / "keys.json").read_bytes())
    done = second(house, LEEWARD_HOME=str(other))
    assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stderr
    assert "Another web process already serves this database" in done.stderr


def test_the_other_commands_go_on_beside_it(house: House, site: Site) -> None:
    assert [leeward(house.env, *words).returncode for words in (("tick",), ("invite", "ana@example.org"))] == [0, 0]


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("localhost:6379", "VALKEY_URL is not an address"),
        ("http://localhost:6379", "VALKEY_URL is not an address"),
        ("redis://localhost:port/0", "VALKEY_URL is not an address"),
        ("redis://localhost/0?colour=blue", "VALKEY_URL is not an address"),
    ],
)
def test_a_wrong_valkey_url_is_said_plainly(tmp_path: Path, address: str, words: str) -> None:
    done = leeward({"LEEWARD_HOME": str(tmp_path / "home"), "PORT": str(free_port()), "VALKEY_URL": address}, "serve")
    assert (done.returncode, done.stderr.count("\n"), "Traceback" in done.stderr) == (1, 1, False), done.stderr
    assert words in done.stderr


def test_a_valkey_that_is_not_there_yet_is_said_and_keeps_nobody_out(tmp_path: Path) -> None:
    site = start_site(tmp_path / "home", VALKEY_URL=f"valkey://127.0.0.1:{free_port()}/0")
    site.stop()
    said = site.log.read_text()
    assert "VALKEY_URL does not answer yet" in said
    assert "Traceback" not in said


def test_it_stops_within_five_seconds_with_open_rooms(house: House, site: Site, watchers: Watchers) -> None:
    """Twelve people watch, one of them takes nothing any more, one never says goodbye. They are sent away."""
    watching = [watchers.add(house.device(name, site.url)) for name in house.names]
    deaf = watchers.add(house.device("Ana", site.url), reads=False)
    mute = socket.create_connection(("localhost", int(site.url.rsplit(":", 1)[1])))
    mute.sendall(b"GET /live/ HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n")
    seconds = site.stop()
    assert seconds <= 5
    wait_for(lambda: all(watch.closed for watch in watching), what="the close")
    assert {watch.closed for watch in watching} == {1012}
    assert deaf.came == 1
    assert "Traceback" not in site.log.read_text()


def test_after_it_stopped_another_may_serve(house: House, site: Site) -> None:
    """Also when it was killed: a lock goes with whoever held it."""
    if site.process.poll() is None:
        site.stop()
    again = start_site(house.home, **house.env)
    again.kill()
    last = start_site(house.home, **house.env)
    assert last.stop() <= 5
