"""Pages are well formed: what the template nests is what the browser builds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client

from tests.cast import NOW
from tests.house.crawl import addresses
from tests.lived import lived
from tests.web.signing import signed_in

pytestmark = pytest.mark.django_db
VOID = {"input", "meta", "link", "img", "br", "hr"}
ENDS_A_PARAGRAPH = {"form", "div", "ul", "ol", "dl", "section", "h1", "h2", "h3", "p", "details", "fieldset", "nav"}


class Wrongs(HTMLParser):
    """What a browser would build otherwise than it is written."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.found: list[str] = []
        self.ids: list[str] = []
        self.wanted: set[str] = set()
        self.feed(html)
        self.found += [f"{tag} is never closed" for tag in self.stack]
        self.found += [f"id {name} twice" for name in {name for name in self.ids if self.ids.count(name) > 1}]
        self.found += [f"nothing has the id {name}" for name in self.wanted - set(self.ids)]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        at = dict(attrs)
        if tag in ENDS_A_PARAGRAPH and "p" in self.stack:
            self.found.append(f"{tag} inside a paragraph")
        if tag == "form" and "form" in self.stack:
            self.found.append("a form inside a form")
        if at.get("id"):
            self.ids.append(at["id"] or "")
        self.wanted |= {name for key in ("for", "aria-describedby") for name in (at.get(key) or "").split()}
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.stack or self.stack.pop() != tag:
            self.found.append(f"{tag} closed out of order")


@pytest.mark.parametrize("name", ["nobody", "Ana", "Ben", "Chidi"])
def test_every_page_is_well_formed(
    clock_at: Callable[[datetime], None], settings: LazySettings, tmp_path: Path, name: str
) -> None:
    settings.LEEWARD_HELP_LINES = tmp_path / "help-lines.toml"
    clock_at(NOW)
    here = lived()
    client = Client() if name == "nobody" else signed_in(here.people[name])
    wrong, pages = {}, 0
    for address_name, address in addresses(here):
        answer = client.get(address)
        if answer.headers["Content-Type"].startswith("text/html") and answer.content:
            pages += 1
            if found := Wrongs(answer.content.decode()).found:
                wrong[address_name] = found
    assert wrong == {}
    assert pages > 30


def test_a_form_inside_a_paragraph_would_be_seen() -> None:
    assert Wrongs("<p><form></form></p>").found == ["form inside a paragraph"]
