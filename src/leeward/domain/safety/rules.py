"""Help lines: reading the operator's file, what counts as checked, and when a country is ready for a group.

The file is TOML with one `[[line]]` for each help line; docs/stewards/help-lines.md says what stands in it. A line that
cannot be read is left out and named with what is wrong; the others stay. A country is ready when it has an
emergency number and at least one other line that somebody checked within six months (TRUST §5).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from leeward.lib import words
from leeward.lib.refusals import Refusal

CHECKED_LASTS_DAYS = 183
CLOCKS_DIFFER_DAYS = 1  # a date written in a zone ahead of ours
LINES_MOST = 2000
FILE_BYTES_MOST = 1024 * 1024
LENGTHS = {"name": 80, "audience": 80, "phone": 30, "text": 60, "hours": 80, "source": 200}
LANGUAGES_MOST = 20
_COUNTRY = re.compile(r"[A-Z]{2}")
_PHONE = re.compile(r"\+?[0-9(][0-9 ()/.-]*")
_URL = re.compile(r"https?://[^\s<>\"'`\\@]{1,490}", re.IGNORECASE)
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_KNOWN = {
    "country", "audience", "name", "phone", "text", "url", "hours", "languages", "source", "verified_on", "emergency",
    "example",
}  # fmt: skip


@dataclass(frozen=True)
class HelpLine:
    """One line of help. `country` is ISO 3166-1 alpha-2; empty text means: none."""

    country: str
    name: str
    verified_on: date
    audience: str = ""
    phone: str = ""
    text: str = ""
    url: str = ""
    hours: str = ""
    languages: tuple[str, ...] = ()
    source: str = ""
    emergency: bool = False
    example: bool = False

    @property
    def dial(self) -> str:
        """The number as a telephone dials it."""
        return "".join(c for c in self.phone if c.isdigit() or c == "+")


@dataclass(frozen=True)
class Register:
    """What a file says: its lines, and what is wrong with the others, in plain words for the operator."""

    lines: tuple[HelpLine, ...] = ()
    problems: tuple[str, ...] = ()


class _Wrong(Exception):
    pass


def read(text: str) -> Register:
    """The register in `text`. Never raises: what cannot be used is named in `problems`."""
    if len(text.encode(errors="replace")) > FILE_BYTES_MOST:
        return Register(problems=(f"The file is larger than {FILE_BYTES_MOST} bytes.",))
    try:
        raw = tomllib.loads(text.removeprefix("\ufeff"))
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        return Register(problems=(f"The file is not TOML: {error}",))
    rows = raw.pop("line", [])
    problems = [f"{key!r} at the top is not known. Each help line starts with [[line]]." for key in raw]
    if not isinstance(rows, list):
        return Register(problems=(*problems, "Write [[line]] with two brackets."))
    if len(rows) > LINES_MOST:
        return Register(problems=(*problems, f"There are {len(rows)} lines; {LINES_MOST} is the most."))
    lines: list[HelpLine] = []
    for number, row in enumerate(rows, start=1):
        name = row.get("name") if isinstance(row, dict) else None
        called = f"Line {number} ({name})" if isinstance(name, str) and name.strip() else f"Line {number}"
        try:
            if not isinstance(row, dict):
                raise _Wrong("is not a table. Start it with [[line]]")
            line = _line(row)
            if any((line.country, line.name, line.phone) == (old.country, old.name, old.phone) for old in lines):
                raise _Wrong("stands in the file twice")
            lines.append(line)
        except _Wrong as wrong:
            problems.append(f"{called}: {wrong}.")
    return Register(tuple(lines), tuple(problems))


def _line(row: dict[str, Any]) -> HelpLine:
    unknown = sorted(set(row) - _KNOWN)
    if unknown:
        raise _Wrong(f"{unknown[0]!r} is not known")
    said = {field: _text(row, field) for field in LENGTHS}
    country = row.get("country")
    if not isinstance(country, str) or not _COUNTRY.fullmatch(country):
        raise _Wrong("country must be two capital letters, like DE")
    if not said["name"]:
        raise _Wrong("name is missing")
    if said["phone"] and not _PHONE.fullmatch(said["phone"]):
        raise _Wrong("phone may hold digits, spaces, +, -, /, dots and brackets")
    url = row.get("url", "")
    if not isinstance(url, str) or (url and not _URL.fullmatch(url)):
        raise _Wrong("url must start with https:// or http://")
    verified_on = row.get("verified_on")
    if type(verified_on) is not date:
        raise _Wrong("verified_on must be a date without quotes, like 2026-03-31")
    emergency, example = row.get("emergency", False), row.get("example", False)
    if not isinstance(emergency, bool) or not isinstance(example, bool):
        raise _Wrong("emergency and example must be true or false")
    if emergency and not said["phone"]:
        raise _Wrong("an emergency line needs a phone number")
    if not (said["phone"] or said["text"] or url):
        raise _Wrong("it needs a phone, a text number or a url")
    languages = row.get("languages", [])
    if not isinstance(languages, list) or len(languages) > LANGUAGES_MOST:
        raise _Wrong('languages must be a list, like ["de", "en"]')
    if not all(isinstance(code, str) and _LANGUAGE.fullmatch(code) for code in languages):
        raise _Wrong('languages must be codes, like ["de", "en"]')
    return HelpLine(
        country=country,
        verified_on=verified_on,
        url=url,
        languages=tuple(languages),
        emergency=emergency,
        example=example,
        **said,
    )


def _text(row: dict[str, Any], field: str) -> str:
    value = row.get(field, "")
    if not isinstance(value, str):
        raise _Wrong(f"{field} must be text in quotes")
    try:
        return words.line(value, field=field, most=LENGTHS[field], least=0)
    except Refusal as refusal:
        why = f"longer than {LENGTHS[field]} characters" if refusal.code == "too_long" else "not text"
        raise _Wrong(f"{field} is {why}") from refusal


def fresh(line: HelpLine, on: date) -> bool:
    """Whether somebody checked this line within six months before `on`."""
    return -CLOCKS_DIFFER_DAYS <= (on - line.verified_on).days <= CHECKED_LASTS_DAYS


def lines_for(lines: Sequence[HelpLine], country: str, on: date) -> tuple[HelpLine, ...]:
    """A country's lines: emergency first, then the checked ones, then those to check; file order within."""
    mine = [line for line in lines if line.country == country]
    return tuple(sorted(mine, key=lambda line: (not line.emergency, not fresh(line, on))))


def lacks(lines: Sequence[HelpLine], country: str, on: date) -> str | None:
    """What a country lacks before a group may open there: "emergency", "checked_line", or None when it is ready."""
    mine = [line for line in lines if line.country == country]
    if not any(line.emergency for line in mine):
        return "emergency"
    if not any(fresh(line, on) for line in mine if not line.emergency):
        return "checked_line"
    return None


def country_ready(lines: Sequence[HelpLine], country: str, on: date) -> bool:
    return lacks(lines, country, on) is None
