"""The benchmarks measure what they say, and notice when they would not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from benchmarks import load, weight

from tests.servers import ROOT

PAGES = {
    "/": b'<link rel="stylesheet" href="/a.css"><script src="/b.js"></script><a href="/big">x</a><img src="/c.svg">',
    "/a.css": b"body { background: url(/d.png) }",
    "/b.js": b"let b",
    "/c.svg": b"<svg/>",
    "/d.png": b"\0" * 500,
    "/big": b"x" * 9000,
}
KEYS = {"id", "what", "value", "unit", "floor", "ratio", "min", "max", "n", "goal", "met"}


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65536

    def do_GET(self) -> None:
        body = PAGES.get(self.path, b"")
        self.send_response(200 if body else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    def handle_error(self, request: object, address: object) -> None:
        """A load that hangs up is no news."""


@pytest.fixture
def port() -> Iterator[int]:
    server = Server(("127.0.0.1", 0), Answers)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def test_answers_are_counted_whole(port: int) -> None:
    run = load.drive(port, [load.request("/big")] * 2, connections=2, seconds=0.2, warm_up=0.05)
    assert run.answers > 10
    assert 9000 < run.size < 9500
    assert 0 < run.p50 <= run.p99


def test_another_answer_than_expected_is_no_figure(port: int) -> None:
    with pytest.raises(load.WrongAnswer, match="404"):
        load.drive(port, [load.request("/gone")], connections=1, seconds=0.2)
    with pytest.raises(load.WrongAnswer):
        load.drive(port, [load.request("/big")], connections=1, seconds=0.2, status=302)
    with pytest.raises(load.WrongAnswer, match="404"):
        weight.weigh(port, "/gone")


def test_a_first_visit_weighs_the_page_and_all_it_names_and_no_link(port: int) -> None:
    found = weight.weigh(port, "/")
    assert found.alone == load.fetch(port, "/")[0]
    assert found.first == sum(load.fetch(port, path)[0] for path in PAGES if path != "/big")


@pytest.mark.drill
def test_a_quick_run_fills_every_row_and_leaves_nothing_behind(tmp_path: Path) -> None:
    here, out = tmp_path / "here", tmp_path / "found.json"
    here.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", "--out", str(out)], cwd=ROOT,
        env=os.environ | {"TMPDIR": str(here)}, capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = {row["id"]: row for row in json.loads(out.read_text())["rows"]}
    assert {row_id for row_id, row in rows.items() if set(row) != KEYS} == set()
    assert {"S1", "S1 p50", "S2", "S2 p50", "S5 S1", "S5 S2", "S5 group", "S8 group", "S8 memory", "S8 again"} <= set(
        rows
    )
    for row in rows.values():
        figures = [row["value"], row["min"], row["max"], row["n"], *(row[k] for k in ("floor", "ratio") if row[k])]
        assert all(figure > 0 for figure in figures), row
        assert (row["floor"] is None) == (row["ratio"] is None)
        assert row["min"] <= row["value"] <= row["max"]
    assert [rows[f"{kind} size"]["value"] for kind in ("S1", "S2")] == [
        pytest.approx(rows[f"{kind} size"]["floor"], rel=0.01) for kind in ("S1", "S2")
    ]
    assert list(here.iterdir()) == []
