"""Everything Leeward says to people: the messages that are extracted for translators, a pseudo catalogue of them, and
what a reader gets to see of a page."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory

from babel.messages import Catalog
from babel.messages.frontend import CommandLineInterface
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src/leeward"
TEMPLATES = SOURCE / "web/templates"


# What translators get ----------------------------------------------------------------------------------------------


@cache
def messages() -> Catalog:
    """What `make words` gathers, by the very command of the Makefile."""
    recipe = (ROOT / "Makefile").read_text().split("\nwords:")[1].split("\n\n")[0]
    arguments = shlex.split(recipe.split("$(BIN)/")[1])
    with TemporaryDirectory() as folder:
        target = Path(folder) / "messages.pot"
        arguments[arguments.index("-o") + 1] = str(target)
        arguments[arguments.index("pyproject.toml")] = str(ROOT / "pyproject.toml")
        arguments[-1] = str(ROOT / arguments[-1])
        CommandLineInterface().run(arguments)
        with target.open("rb") as lines:
            return read_po(lines)


def sentences_of(catalogue: Catalog) -> list[tuple[str, str]]:
    """(where, text) of every message, plural forms by themselves."""
    found = []
    for message in catalogue:
        if message.id:
            where = " ".join(f"{Path(path).name}:{line}" for path, line in message.locations)
            forms = message.id if isinstance(message.id, tuple) else (message.id,)
            found += [(where, text) for text in forms]
    return found


# The pseudo language -----------------------------------------------------------------------------------------------

# Amharic: dates and countries come in a script of their own, and neither the framework nor a library speaks it. So
# whatever shows a Latin letter was typed by people, is a name, or was missed.
PSEUDO = "am"
_PLAIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ODD = "áƀçðéƒĝĥîĵķļɱñöþǫřšţûṽŵẋýžÁƁÇÐÉƑĜĤÎĴĶĻⱮÑÖÞǪŘŠŢÛṼŴẊÝŽ"
_ACCENTED = str.maketrans(_PLAIN, _ODD)
_PLACEHOLDER = re.compile(r"(%\(\w+\)[a-z]|%%)")


def pseudo(text: str) -> str:
    """⟦Šîĝñ îñ⟧: readable, and nobody would type it. Placeholders stay."""
    parts = _PLACEHOLDER.split(text)
    return "⟦" + "".join(part if place % 2 else part.translate(_ACCENTED) for place, part in enumerate(parts)) + "⟧"


def write_pseudo(folder: Path, *, language: str = PSEUDO, without: Iterable[str] = ()) -> None:
    """The pseudo catalogue as a translator would hand it in; `without` some messages."""
    catalogue = Catalog(locale=language)
    for message in messages():
        if message.id and message.id not in set(without):
            if isinstance(message.id, tuple):
                one, many = map(pseudo, message.id)
                said: object = (one, *[many] * (catalogue.num_plurals - 1))
            else:
                said = pseudo(message.id)
            catalogue.add(message.id, said, flags=message.flags, context=message.context)
    target = folder / language / "LC_MESSAGES" / "django.po"
    target.parent.mkdir(parents=True)
    with target.open("wb") as out:
        write_po(out, catalogue)


# What a reader gets to see of a page -------------------------------------------------------------------------------

_SILENT = {"script", "style"}
_VOID = {"br", "hr", "img", "input", "link", "meta"}
_READ_OUT = ("title", "placeholder", "aria-label", "alt", "aria-roledescription", "aria-valuetext", "label", "summary")


@dataclass
class _Reader(HTMLParser):
    """Text between tags and text in attributes, piece by piece."""

    pieces: list[tuple[str, str]] = field(default_factory=list)
    html_tag: dict[str, str] = field(default_factory=dict)
    _open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag not in _VOID:
            self._open.append(tag)
        if tag == "html":
            self.html_tag = given
        shown = [name for name in _READ_OUT if given.get(name)]
        if tag == "input" and given.get("type") in ("submit", "button", "reset"):
            shown.append("value")
        if tag == "meta" and given.get("name") in ("description", "application-name"):
            shown.append("content")
        self.pieces += [(f"{tag}[{name}]", given[name]) for name in shown]

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            del self._open[len(self._open) - 1 - self._open[::-1].index(tag) :]

    def handle_data(self, data: str) -> None:
        if data.strip() and not _SILENT & set(self._open[-1:]):
            self.pieces.append((self._open[-1] if self._open else "", data.strip()))


def shown_on(html: str) -> list[tuple[str, str]]:
    """(tag, text) of every piece that a reader sees or hears."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.pieces


def tag_of(html: str) -> dict[str, str]:
    """The attributes of the page's `html` tag."""
    reader = _Reader()
    reader.feed(html)
    return reader.html_tag


# Sources, read without running them --------------------------------------------------------------------------------


def trees(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    """(path, syntax) of every module below these folders of the source."""
    for folder in folders:
        for path in sorted((SOURCE / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                yield str(path.relative_to(SOURCE)), ast.parse(path.read_text())


def name_of(call: ast.Call) -> str:
    """`gettext` for gettext(…) and translation.gettext(…)."""
    function = call.func
    if isinstance(function, ast.Name):
        return function.id
    return function.attr if isinstance(function, ast.Attribute) else ""
