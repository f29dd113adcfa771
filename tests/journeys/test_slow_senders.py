"""A request that comes slowly, or not at all, holds nobody else up."""

from __future__ import annotations

import socket
import time
import urllib.request
from collections.abc import Iterator

import pytest

from tests.servers import Site, start_site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    found = start_site(tmp_path_factory.mktemp("slow") / "home", LEEWARD_THREADS="2")
    yield found
    found.stop()


def begun(site: Site, more: str = "Content-Length: 1000") -> socket.socket:
    """A form of which three bytes come and then nothing."""
    line = socket.create_connection(("localhost", int(site.url.rsplit(":", 1)[1])), timeout=10)
    head = f"POST /sign-in/ HTTP/1.1\r\nHost: {site.url.removeprefix('http://')}\r\n{more}\r\n\r\n"
    line.sendall(head.encode() + b"ema")
    return line


def test_forms_that_never_end_hold_nobody_up(site: Site) -> None:
    lines = [begun(site) for _number in range(24)]
    began = time.monotonic()
    with urllib.request.urlopen(site.url + "/help/", timeout=5) as answer:
        assert answer.status == 200
    assert time.monotonic() - began < 2
    for line in lines:
        line.close()


def test_a_body_without_a_length_is_bounded(site: Site) -> None:
    line = begun(site, "Transfer-Encoding: chunked")
    line.close()
    line = socket.create_connection(("localhost", int(site.url.rsplit(":", 1)[1])), timeout=10)
    head = f"POST /sign-in/ HTTP/1.1\r\nHost: {site.url.removeprefix('http://')}\r\nTransfer-Encoding: chunked\r\n\r\n"
    line.sendall(head.encode())
    piece = b"x" * 65536
    try:
        for _number in range(200):
            line.sendall(b"10000\r\n" + piece + b"\r\n")
    except OSError:
        pass  # the server has heard enough and answered
    assert b" 413 " in line.recv(200) or line.recv(1) == b""
    with urllib.request.urlopen(site.url + "/help/", timeout=5) as answer:
        assert answer.status == 200
