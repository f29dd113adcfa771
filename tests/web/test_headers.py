"""One golden set of headers over all addresses: no inline script or style, nothing kept, nothing indexed."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client

from tests.cast import NOW
from tests.house.crawl import addresses
from tests.lived import Lived, lived
from tests.web.signing import signed_in

pytestmark = pytest.mark.django_db


def in_order(headers: dict[str, str]) -> dict[str, str]:
    """The policy's parts come in any order."""
    return {key: "; ".join(sorted(value.split("; "))) for key, value in headers.items()}


GOLDEN = {
    line.partition(": ")[0]: line.partition(": ")[2]
    for line in Path(__file__).with_name("headers.txt").read_text().splitlines()
}
OF_THE_ANSWER = {"Content-Type", "Content-Length", "Location", "Allow", "Vary", "Content-Disposition", "Expires",
                 "Content-Language", "Cache-Control", "ETag"}  # fmt: skip


@pytest.fixture
def here(clock_at: Callable[[datetime], None], settings: LazySettings, tmp_path: Path) -> Lived:
    settings.LEEWARD_HELP_LINES = tmp_path / "help-lines.toml"
    clock_at(NOW)
    return lived()


def test_every_address_answers_with_the_golden_headers(here: Lived) -> None:
    for client in (Client(), signed_in(here.people["Ana"])):
        for name, address in addresses(here):
            for method in ("get", "post"):
                answer = getattr(client, method)(address)
                headers = {key: value for key, value in answer.headers.items() if key not in OF_THE_ANSWER}
                assert in_order(headers) == in_order(GOLDEN), f"{method} {name}"
                kept = answer.headers["Cache-Control"]
                assert ("no-store" in kept) or name in ("help", "help_country"), f"{name} may be kept: {kept}"


def test_the_policy_allows_nothing_inline_and_nobody_elses() -> None:
    policy = GOLDEN["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert re.findall(r"https?:|\*|data:", policy) == []
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy


def test_no_page_carries_inline_script_style_or_another_hosts_address(here: Lived) -> None:
    for client in (Client(), signed_in(here.people["Ana"])):
        for _name, address in addresses(here):
            html = client.get(address).content.decode()
            assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon[a-z]+=\"|javascript:", html) == []
            assert re.findall(r"(?:src|action)=\"(?:https?:)?//", html) == []
            away = set(re.findall(r"href=\"(https?://[^/\"]+)", html))
            assert away <= {"https://zqplacelink.example.org", "https://www.wikipedia.org", *_help_lines(html)}


def _help_lines(html: str) -> set[str]:
    """Links of the operator's help lines may lead away."""
    return (
        set(re.findall(r"href=\"(https?://[^/\"]+)", html))
        if "<h1>Help now</h1>" in html or "Help now</h1>" in html
        else set()
    )
