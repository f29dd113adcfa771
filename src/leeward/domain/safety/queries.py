"""Reads of the operator's help lines. They are for everybody, so they ask for no ticket."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from leeward.domain.safety import rules
from leeward.domain.safety.rules import HelpLine, Register


def register() -> Register:
    """What the operator's file says now. A file that is not there is a register with one problem."""
    path = Path(settings.LEEWARD_HELP_LINES)
    try:
        state = path.stat()
    except OSError:
        return Register(problems=(f"There is no file of help lines at {path}.",))
    return _read(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=4)
def _read(path: Path, _changed: int, size: int) -> Register:
    if size > rules.FILE_BYTES_MOST:
        return Register(problems=(f"The file is larger than {rules.FILE_BYTES_MOST} bytes.",))
    try:
        return rules.read(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        return Register(problems=(f"The file of help lines cannot be read: {error.strerror}.",))
    except UnicodeDecodeError:
        return Register(problems=("The file of help lines is not UTF-8 text.",))


@dataclass(frozen=True)
class LineSeen:
    """A help line as anybody sees it; `check` asks the reader to check the number, because nobody did lately."""

    line: HelpLine
    check: bool


@dataclass(frozen=True)
class CountryLines:
    country: str
    lines: tuple[LineSeen, ...]


def lines_for(country: str, *, at: datetime) -> tuple[LineSeen, ...]:
    """A country's help lines, emergency first."""
    on = at.date()
    found = rules.lines_for(register().lines, country, on)
    return tuple(LineSeen(line, check=not rules.fresh(line, on)) for line in found)


def _counting() -> tuple[HelpLine, ...]:
    """The lines that let a group open: an example is nobody to call."""
    lines = register().lines
    return lines if settings.LEEWARD_EXAMPLE_LINES_COUNT else tuple(line for line in lines if not line.example)


def countries() -> tuple[str, ...]:
    """Countries that have any line, in the order of their codes."""
    return tuple(sorted({line.country for line in register().lines}))


def ready_countries(*, at: datetime) -> tuple[str, ...]:
    """Countries in which a group may open."""
    lines = _counting()
    return tuple(country for country in countries() if rules.country_ready(lines, country, at.date()))


def country_ready(country: str, *, at: datetime) -> bool:
    """Whether a group may open in `country`: an emergency number, and one line checked within six months."""
    return rules.country_ready(_counting(), country, at.date())


def problems(*, at: datetime) -> tuple[str, ...]:
    """For `leeward doctor`: what is wrong with the file, and lines that nobody checked within six months."""
    found = register()
    stale = [
        f"{line.country}: nobody has checked {line.name!r} since {_written(line.verified_on)}."
        for line in found.lines
        if not line.emergency and not rules.fresh(line, at.date())
    ]
    counting = _counting()
    examples = [
        f"{line.country}: {line.name!r} is an example and opens no group. Put a real line there."
        for line in found.lines
        if line not in counting
    ]
    lacking = [
        f"{country}: no group can open, there is no "
        + ("emergency number." if lack == "emergency" else "line checked within six months.")
        for country in countries()
        if (lack := rules.lacks(counting, country, at.date()))
    ]
    return (*found.problems, *examples, *stale, *lacking)


def _written(on: date) -> str:
    return on.isoformat()
