"""The `leeward` command as somebody types it: real processes, real homes, real kills."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.data import path_of
from tests.servers import ROOT, start_site

ONLY_ONCE = pytest.mark.skipif("LEEWARD_TEST_DB" in os.environ, reason="homes of their own, on SQLite")
pytestmark = ONLY_ONCE


def environment(home: Path, **more: str) -> dict[str, str]:
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("LEEWARD_", "DATABASE_", "PYTEST", "DJANGO"))}
    return plain | {"LEEWARD_HOME": str(home), "PYTHONPATH": str(ROOT / "src")} | more


def leeward(home: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "leeward", *words], env=environment(home, **more), cwd=ROOT, capture_output=True,
        text=True, timeout=300, check=False,
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "lists"
    made.mkdir()
    (made / "attendance.csv").write_text("date,member\n2026-08-06,ana\n2026-08-06,ben\n2026-08-20,ana\n")
    return made


def test_a_group_goes_from_one_home_to_another(tmp_path: Path, folder: Path) -> None:
    one, other, file, phrase = tmp_path / "one", tmp_path / "other", tmp_path / "group.leeward", tmp_path / "phrase"
    phrase.write_text("four words do well\n")
    taken = json.loads(leeward(one, "import-group", str(folder), "--json", "--name", "Harbour").stdout)
    assert {name: taken[name] for name in ("people", "meetings", "attendances", "refused")} == {
        "people": 2, "meetings": 2, "attendances": 3, "refused": [],
    }  # fmt: skip
    given = leeward(one, "export-group", taken["group"], str(file), "--passphrase-file", str(phrase), "--json")
    assert json.loads(given.stdout)["bytes"] == file.stat().st_size
    assert file.stat().st_mode & 0o077 == 0
    back = json.loads(leeward(other, "import-group", str(file), "--passphrase-file", str(phrase), "--json").stdout)
    assert (back["group"], back["meetings"], back["attendances"]) == (taken["group"], 2, 3)
    assert json.loads(leeward(other, "doctor", "--json").stdout)["findings"][3]["well"] is True
    assert (one / "keys.json").read_bytes() != (other / "keys.json").read_bytes()


def test_wrong_words_end_with_status_1_and_a_sentence(tmp_path: Path, folder: Path) -> None:
    home = tmp_path / "home"
    for words, expected in (
        (("import-group", str(tmp_path / "nowhere")), "There is no such folder, and no such file."),
        (("import-group", str(folder), "--zone", "Mars/Olympus"), "Please choose a time zone from the list."),
        (("import-group", str(folder), "--time", "noon"), "Please give the time like 18:30."),
        (
            ("export-group", "0" * 16, str(tmp_path / "x"), "--passphrase-file", str(folder / "attendance.csv")),
            "There is no group with this id.",
        ),
        (
            ("export-group", "0" * 16, str(tmp_path / "x"), "--passphrase-file", str(tmp_path / "none")),
            "There is no group with this id.",
        ),
        (
            ("export-group", "0" * 16, str(tmp_path / "no" / "x"), "--passphrase-file", str(folder / "attendance.csv")),
            "The folder that this file shall go to is not there.",
        ),
        (("invite", "not an address"), "Please give an e-mail address like name@example.org."),
    ):
        done = leeward(home, *words)
        assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stderr
        assert expected in done.stderr


def test_a_taken_port_is_said_plainly_and_nothing_is_started(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = leeward(tmp_path / "home", "serve", PORT=port)
    assert done.returncode == 1
    assert f"Port {port} on 127.0.0.1 cannot be used" in done.stderr
    assert "PORT=8001 leeward serve" in done.stderr
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("port", ["port", "0", "65536", "\u00b2", "-1"])
@pytest.mark.parametrize("command", ["serve", "doctor", "tick"])
def test_a_port_that_is_none_is_said_plainly_by_every_command(tmp_path: Path, command: str, port: str) -> None:
    done = leeward(tmp_path / "home", command, PORT=port)
    assert (done.returncode, done.stderr.strip()) == (1, f"PORT is {port!r}. It must be a number from 1 to 65535.")


def test_the_demo_leaves_alone_what_belongs_to_a_real_server(tmp_path: Path) -> None:
    lines = tmp_path / "help-lines.toml"
    lines.write_text("# checked by the operator\n")
    done = leeward(
        tmp_path / "demo", "demo", DATABASE_URL="postgresql://nobody@127.0.0.1:1/production", HELP_LINES=str(lines),
        MAIL_URL="smtp://127.0.0.1:1", VALKEY_URL="redis://127.0.0.1:1/0",
    )  # fmt: skip
    assert (done.returncode, lines.read_text()) == (0, "# checked by the operator\n"), done.stderr
    [said] = [line for line in done.stderr.splitlines() if "alone" in line]
    assert "DATABASE_URL, HELP_LINES, MAIL_URL, VALKEY_URL" in said
    assert rows_of(tmp_path / "demo")["groups_group"] == 2
    assert (tmp_path / "demo" / "help-lines.toml").exists()
    assert leeward(tmp_path / "demo", "demo", "--fresh").returncode == 0  # made anew, keys and all


def test_lost_keys_are_not_replaced_and_the_way_back_is_said(tmp_path: Path, folder: Path) -> None:
    home, keys = tmp_path / "home", tmp_path / "home" / "keys.json"
    leeward(home, "import-group", str(folder))
    copy = keys.read_bytes()
    keys.unlink()
    for command in (("serve",), ("tick",), ("doctor",), ("invite", "ana@example.org")):
        done = leeward(home, *command)
        assert (done.returncode, keys.exists(), "Traceback" in done.stderr) == (1, False, False), done.stderr
        assert "Put your copy of keys.json back" in done.stderr
    keys.write_bytes(copy)
    keys.chmod(0o600)
    found = json.loads(leeward(home, "doctor", "--json").stdout)["findings"]
    assert [finding["well"] for finding in found[:4]] == [True] * 4


def test_a_start_that_got_no_further_than_an_empty_database_is_a_first_start(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    sqlite3.connect(home / "leeward.sqlite3").close()
    (home / "leeward.sqlite3").touch()
    assert leeward(home, "tick").returncode == 0


def test_a_slash_at_the_end_of_the_public_address_is_not_doubled(tmp_path: Path) -> None:
    done = leeward(tmp_path / "home", "invite", "a@example.org", "--json", PUBLIC_URL="https://groups.example.org/")
    link = json.loads(done.stdout)["invited"][0]["link"]
    assert link.startswith("https://groups.example.org/enter/")


def test_serve_refuses_a_demo_home_and_the_demo_refuses_another(tmp_path: Path) -> None:
    home = tmp_path / "demo"
    home.mkdir()
    (home / "demo.json").write_text("{}")
    done = leeward(home, "serve")
    assert (done.returncode, "holds the demo" in done.stderr) == (1, True)
    other = tmp_path / "other"
    other.mkdir()
    (other / "precious").write_text("mine")
    done = leeward(other, "demo")
    assert (done.returncode, (other / "precious").read_text()) == (1, "mine")


def test_an_invited_person_signs_in_by_the_printed_link(tmp_path: Path) -> None:
    home = tmp_path / "home"
    site = start_site(home)
    try:
        invited = json.loads(leeward(home, "invite", "ana@example.org", "--json", PUBLIC_URL=site.url).stdout)
        link = invited["invited"][0]["link"]
        assert invited["invited"][0]["mailed"] is False
        page = urllib.request.urlopen(link, timeout=10).read().decode()
        assert "Come in" in page
    finally:
        site.stop()


def test_it_stops_within_five_seconds_with_open_connections(tmp_path: Path) -> None:
    site = start_site(tmp_path / "home")
    port = int(site.url.rsplit(":", 1)[1])
    idle = [HTTPConnection("localhost", port) for _ in range(5)]
    for connection in idle:
        connection.request("GET", "/help/")
        connection.getresponse().read()
    half = socket.create_connection(("localhost", port))
    half.sendall(b"POST /sign-in/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nemail=")
    websocket = socket.create_connection(("localhost", port))
    websocket.sendall(
        b"GET /live/x/ HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    seconds = site.stop()
    assert seconds <= 5
    assert site.process.returncode in (0, -signal.SIGTERM, 128 + signal.SIGTERM)


def test_home_keys_and_database_are_private(tmp_path: Path) -> None:
    home = tmp_path / "home"
    leeward(home, "tick")
    private = (home, home / "keys.json", home / "leeward.sqlite3")
    assert [path.stat().st_mode & 0o077 for path in private] == [0, 0, 0]


def test_in_a_home_that_others_can_read_keys_and_database_are_private_all_the_same(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    leeward(home, "tick")
    assert [path.stat().st_mode & 0o077 for path in (home / "keys.json", home / "leeward.sqlite3")] == [0, 0]
    (home / "leeward.sqlite3").chmod(0o644)
    done = leeward(home, "doctor")
    assert "leeward.sqlite3 can be read by others: chmod 600." in done.stderr


def rows_of(home: Path) -> dict[str, int]:
    database = home / "leeward.sqlite3"
    if not database.exists():
        return {}
    with sqlite3.connect(database) as reading:
        names = [name for (name,) in reading.execute("SELECT name FROM sqlite_master WHERE type='table'")]
        tables = [name for name in names if name.startswith(("groups_", "meetings_"))]
        return {name: reading.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables}


def killed_at(home: Path, folder: Path, seconds: float) -> None:
    importing = subprocess.Popen(
        [sys.executable, "-m", "leeward", "import-group", str(folder), "--json"], env=environment(home), cwd=ROOT,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    time.sleep(seconds)
    importing.kill()
    importing.wait()


def kill_series(tmp_path: Path, number: int) -> None:
    """Kill an import at `number` moments spread over its run: after each, all or nothing is there."""
    folder = path_of("nodejs_tsc_attendance")
    whole_home = tmp_path / "whole"
    leeward(whole_home, "tick")
    began = time.monotonic()
    done = json.loads(leeward(whole_home, "import-group", str(folder), "--json").stdout)
    lasts = time.monotonic() - began
    whole = rows_of(whole_home)
    assert (done["people"], done["meetings"], whole["meetings_meeting"]) == (86, 319, 319)
    home = tmp_path / "home"
    leeward(home, "tick")
    empty = rows_of(home)
    seen = set()
    for turn in range(number):
        killed_at(home, folder, lasts * (turn + 1) / (number + 1))
        rows = rows_of(home)
        assert rows in (empty, whole), rows
        seen.add(rows == whole)
    again = json.loads(leeward(home, "import-group", str(folder), "--json").stdout)
    assert (rows_of(home), again["meetings"]) == (whole, 319)
    assert False in seen
    assert json.loads(leeward(home, "doctor", "--json").stdout)["findings"][3]["well"] is True


def test_an_import_killed_at_three_moments_leaves_all_or_nothing(tmp_path: Path) -> None:
    kill_series(tmp_path, 3)


@pytest.mark.drill
def test_an_import_killed_at_forty_moments_leaves_all_or_nothing(tmp_path: Path) -> None:
    kill_series(tmp_path, 40)
