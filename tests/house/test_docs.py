"""The map and the glossary are complete, or the build is red."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOUNS = sorted(path.parent.name for path in (ROOT / "src/leeward/domain").glob("*/__init__.py"))


def test_every_package_stands_in_the_glossary_once() -> None:
    text = (ROOT / "docs/words.md").read_text()
    packages = re.findall(r"^- \*\*(\w+)\*\* —", text.split("## Packages")[1].split("## Terms")[0], re.M)
    assert sorted(packages) == NOUNS


def test_terms_are_defined_once_and_in_order() -> None:
    terms = re.findall(r"^- \*\*([\w ]+)\*\* —", (ROOT / "docs/words.md").read_text().split("## Terms")[1], re.M)
    assert terms == sorted(set(terms))


def test_every_package_has_a_chapter() -> None:
    short = [
        noun
        for noun in NOUNS
        if len((ROOT / "src/leeward/domain" / noun / "__init__.py").read_text().strip('"\n').split("\n")) < 3
    ]
    assert short == []


def test_every_row_of_the_map_leads_somewhere() -> None:
    text = (ROOT / "docs/map.md").read_text()
    rows = [line for line in text.split("\n") if line.startswith("| [")]
    paths = [path for row in rows for path in re.findall(r"`((?:src|tests|docs)/[^`]+)`", row)]
    assert len(rows) > 10
    assert [path for path in paths if not (ROOT / path).exists()] == []
    assert [row for row in rows if len(re.findall(r"`(?:src|tests)/", row)) < 2] == []


def test_every_package_is_on_the_map() -> None:
    text = (ROOT / "docs/map.md").read_text()
    assert [noun for noun in NOUNS if f"domain/{noun}/" not in text] == []
