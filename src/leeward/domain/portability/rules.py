"""Reading other people's lists without trusting them, and what the rows mean.

Four files, each optional, at least one that names a meeting or a person:

- `members.csv`: member or name; joined and left when known. Several rows of one person are several stints.
- `attendance.csv`: date, member (or name), role. A row says that somebody was there; absence is never written down.
- `sessions.csv`: date, n_listed. Counts to check against; it makes no meetings.
- `meetings.ics`: dates of meetings, recurring ones followed up to the day of the import.

Three sizes of "no". A file that is not what it says (encoding, columns, size) is a Refusal and nothing is read further.
A row that cannot be used is a `Refused` with its line; the others go on. A count that disagrees is a `Mismatch`.

Who is who. A person is a distinct identifier, capitals aside; `people` counts them all. An observer or guest was in
the room but not as a member: somebody who was only ever that is a person without a stint. A stint is a run of member
appearances without a silence of more than `SILENCE`; it ends at its last appearance, unless that lies within
`SILENCE` before the last meeting of the files. Dates in members.csv say it better and win.

Lines are read through a window of `LINE_MOST` bytes, so a file costs memory by what it means and not by its size.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
import unicodedata
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import Any, BinaryIO

from dateutil.rrule import rrulestr
from icalendar import Event

from leeward.domain.people.rules import NAME_LENGTH, shown_name
from leeward.lib.crypto import CannotOpen, seal_with_passphrase, unseal_with_passphrase
from leeward.lib.refusals import Refusal
from leeward.lib.words import clean

MEMBERS, ATTENDANCE, SESSIONS, MEETINGS = "members.csv", "attendance.csv", "sessions.csv", "meetings.ics"
FILES = (MEMBERS, ATTENDANCE, SESSIONS, MEETINGS)

LINE_MOST = 64 * 1024  # bytes, its end included
FILE_MOST = 32 * 1024 * 1024  # bytes
LINES_MOST = 200_000
REFUSED_MOST = 1_000  # listed; the others are counted
UNUSABLE_MOST = 5_000  # rows: with more of them it is not the file that was meant
PEOPLE_MOST = 1_000
SPELLINGS_MOST = 5_000  # different cells that name somebody
NAME_CELL_MOST = 160  # characters, before they are counted as people count them
MEETINGS_MOST = 5_000
STINTS_MOST = 50  # of one person, in members.csv
EVENTS_MOST = 2_000
EVENT_MOST, ALL_EVENTS_MOST = 16 * 1024, 384 * 1024  # characters that matter: parsing costs some 2 µs each
PROGRESS_EVERY = 10_000  # lines
FIRST_YEAR, LAST_YEAR = 1990, 2100
SILENCE = timedelta(days=120)
UPLOAD_LASTS = timedelta(hours=1)

COLUMNS: dict[str, frozenset[str]] = {
    "date": frozenset({"date", "day", "when", "meeting", "meeting date", "session", "session date"}),
    "member": frozenset({"member", "member id", "id", "person", "participant", "attendee", "handle"}),
    "name": frozenset({"name", "display name", "full name", "pseudonym", "nickname"}),
    "role": frozenset({"role", "as", "kind", "type", "status"}),
    "joined": frozenset({"joined", "join date", "joined at", "joined on", "since", "from", "start"}),
    "left": frozenset({"left", "left at", "left on", "leave date", "until", "to", "end"}),
    "listed": frozenset({"n listed", "listed", "count", "present", "number", "n"}),
}
NEEDED: dict[str, tuple[tuple[str, ...], ...]] = {  # one of each
    MEMBERS: (("member", "name"),),
    ATTENDANCE: (("date",), ("member", "name")),
    SESSIONS: (("date",), ("listed",)),
}
READ: dict[str, tuple[str, ...]] = {
    MEMBERS: ("member", "name", "joined", "left"),
    ATTENDANCE: ("date", "member", "name", "role"),
    SESSIONS: ("date", "listed"),
}
MEMBER_ROLES = frozenset({"", "voting", "regular", "unspecified", "lead", "member"})
GUEST_ROLES = frozenset({"observer", "guest"})

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_NUMBER = re.compile(r"[0-9]{1,6}")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

Progress = Callable[[str, int], None]
Source = BinaryIO | Path


# ── what comes out ───────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Refused:
    """A row left out. `facts` are numbers and vocabulary, never what somebody typed."""

    file: str
    line: int
    reason: str
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Mismatch:
    """sessions.csv listed another number than attendance.csv holds. None: it does not know the date."""

    date: date
    listed: int | None
    found: int


@dataclass(frozen=True)
class Roster:
    """One meeting of the past: who was there, by key, in order of key."""

    date: date
    present: tuple[str, ...] = ()
    guests: tuple[str, ...] = ()


@dataclass(frozen=True, order=True)
class Stint:
    """`joined` None: the files do not say. `left` None: still in. Both days belong to the stint."""

    joined: date | None
    left: date | None


@dataclass(frozen=True)
class Person:
    """Without a stint: only ever a guest."""

    key: str
    name: str
    stints: tuple[Stint, ...] = ()

    @property
    def active(self) -> bool:
        return any(stint.left is None for stint in self.stints)


@dataclass(frozen=True)
class History:
    """Rosters by date, people by key."""

    rosters: tuple[Roster, ...]
    people: tuple[Person, ...]

    @property
    def members(self) -> tuple[Person, ...]:
        return tuple(person for person in self.people if person.stints)

    @property
    def active(self) -> tuple[Person, ...]:
        return tuple(person for person in self.people if person.active)

    @property
    def attendances(self) -> int:
        return sum(len(roster.present) for roster in self.rosters)

    @property
    def guest_visits(self) -> int:
        return sum(len(roster.guests) for roster in self.rosters)


@dataclass(frozen=True)
class ImportPlan:
    """Everything an import will store, before anything is stored."""

    history: History
    digest: str
    refused: tuple[Refused, ...]
    refused_total: int
    mismatches: tuple[Mismatch, ...]
    lines: Mapping[str, int]

    def as_json(self, group: str | None) -> dict[str, object]:
        history = self.history
        return {
            "group": group,
            "people": len(history.people),
            "members": len(history.members),
            "active": len(history.active),
            "meetings": len(history.rosters),
            "attendances": history.attendances,
            "guest_visits": history.guest_visits,
            "refused": [
                {"file": row.file, "line": row.line, "reason": row.reason, **row.facts} for row in self.refused
            ],
            "refused_total": self.refused_total,
            "mismatches": [
                {"date": odd.date.isoformat(), "listed": odd.listed, "found": odd.found} for odd in self.mismatches
            ],
        }


class _Unusable(Exception):
    """This row cannot be used; the file goes on."""

    def __init__(self, reason: str, **facts: object) -> None:
        super().__init__(reason)
        self.reason, self.facts = reason, facts


@dataclass
class _Reading:
    """What has been read so far."""

    zone: tzinfo
    until: date
    progress: Progress | None = None
    names: dict[str, str] = field(default_factory=dict)  # key → name as shown
    said: dict[str, list[Stint]] = field(default_factory=dict)  # key → stints of members.csv
    says_left: bool = False
    present: dict[date, dict[str, tuple[bool, int]]] = field(default_factory=dict)  # date → key → (member, line)
    planned: dict[date, int] = field(default_factory=dict)  # dates of meetings.ics → line
    days: set[date] = field(default_factory=set)  # of meetings, from either file
    listed: dict[date, tuple[int, int]] = field(default_factory=dict)  # date → (number, line)
    refused: list[Refused] = field(default_factory=list)
    refused_total: int = 0
    lines: dict[str, int] = field(default_factory=dict)
    rule_days: int = 0  # looked through by rules so far
    _keys: dict[tuple[str, str], str] = field(default_factory=dict)

    def refuse(self, file: str, line: int, reason: str, facts: Mapping[str, object]) -> None:
        self.refused_total += 1
        if self.refused_total > UNUSABLE_MOST:
            raise Refusal("import_unusable", file=file, line=line, most=UNUSABLE_MOST)
        if len(self.refused) < REFUSED_MOST:
            self.refused.append(Refused(file, line, reason, dict(facts)))

    def person(self, file: str, member: str, name: str) -> str:
        """The key of whoever a row speaks of. A name beside an identifier is what is shown, the first one stays."""
        if (known := self._keys.get((member, name))) is not None:
            return known
        identifier, shown = _name(member), _name(name)
        if not (identifier or shown):
            raise _Unusable("nobody_named")
        key = (identifier or shown).casefold()
        if (key not in self.names and len(self.names) == PEOPLE_MOST) or len(self._keys) == SPELLINGS_MOST:
            raise Refusal("import_too_many_people", file=file, most=PEOPLE_MOST)
        if shown and self.names.get(key, identifier) == identifier:
            self.names[key] = shown
        self.names.setdefault(key, identifier)
        self._keys[member, name] = key
        return key

    def room_for(self, file: str, day: date) -> None:
        self.days.add(day)
        if len(self.days) > MEETINGS_MOST:
            raise Refusal("import_too_many_meetings", file=file, most=MEETINGS_MOST)


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def found_in(folder: Path) -> dict[str, Path]:
    """The files an import reads, by name. Raises Refusal("import_no_folder" | "import_nothing")."""
    if not folder.is_dir():
        raise Refusal("import_no_folder")
    found = {name: folder / name for name in FILES if (folder / name).is_file()}
    if not found.keys() - {SESSIONS}:
        raise Refusal("import_nothing")
    return found


def checked(
    sources: Mapping[str, Source], *, zone: tzinfo, until: date, progress: Progress | None = None
) -> ImportPlan:
    """Everything the files say, in memory. `until` is the day of the import in the group's `zone`: later dates are
    not history. `progress(file, lines_so_far)` is called every `PROGRESS_EVERY` lines and at the end of each file.

    Raises Refusal("import_…") when a file as a whole cannot be used.
    """
    if not sources.keys() & {MEMBERS, ATTENDANCE, MEETINGS}:
        raise Refusal("import_nothing")
    reading = _Reading(zone, until, progress)
    for name, read in ((MEMBERS, _member), (ATTENDANCE, _appearance), (SESSIONS, _count)):
        if name in sources:
            _read_table(reading, name, sources[name], read)
    if MEETINGS in sources:
        _read_calendar(reading, sources[MEETINGS])
    history = _history(reading)
    if not (history.people or history.rosters):
        raise Refusal("import_no_rows", refused=reading.refused_total)
    reading.refused.sort(key=lambda row: (FILES.index(row.file), row.line))
    return ImportPlan(
        history,
        history_digest(history),
        tuple(reading.refused),
        reading.refused_total,
        _mismatches(reading) if SESSIONS in sources else (),
        dict(reading.lines),
    )


def _lines(reading: _Reading, name: str, source: Source) -> Iterator[tuple[int, str]]:
    """Numbered lines without their ends. No line is ever held longer than LINE_MOST."""
    number = size = 0
    try:
        with source.open("rb") if isinstance(source, Path) else nullcontext(source) as stream:
            while raw := stream.readline(LINE_MOST + 1):
                number, size = number + 1, size + len(raw)
                if len(raw) > LINE_MOST:
                    raise Refusal("import_line_too_long", file=name, line=number, kib=LINE_MOST // 1024)
                if size > FILE_MOST:
                    raise Refusal("import_file_too_large", file=name, mib=FILE_MOST // 1024 // 1024)
                if number > LINES_MOST:
                    raise Refusal("import_too_many_lines", file=name, most=LINES_MOST)
                try:
                    text = raw.decode("utf-8-sig" if number == 1 else "utf-8")
                except UnicodeDecodeError:
                    raise Refusal("import_not_utf8", file=name, line=number) from None
                if reading.progress and number % PROGRESS_EVERY == 0:
                    reading.progress(name, number)
                yield number, text.rstrip("\r\n")
    except OSError:
        raise Refusal("import_unreadable", file=name) from None
    reading.lines[name] = number
    if reading.progress:
        reading.progress(name, number)


def _read_table(
    reading: _Reading, name: str, source: Source, read: Callable[[_Reading, dict[str, str], int], None]
) -> None:
    rows = ((number, text) for number, text in _lines(reading, name, source) if text.strip())
    number, text = next(rows, (0, ""))
    if not number:
        raise Refusal("import_empty", file=name)
    separator, places, width = _header(name, number, text)
    for number, text in rows:
        try:
            cells = _cells(text, separator)
            while len(cells) > width and not cells[-1].strip():
                cells.pop()
            if len(cells) > width:
                raise _Unusable("too_many_cells", columns=width)
            read(reading, {what: cells[at] if at < len(cells) else "" for what, at in places.items()}, number)
        except _Unusable as unusable:
            reading.refuse(name, number, unusable.reason, unusable.facts)


def _header(name: str, number: int, text: str) -> tuple[str, dict[str, int], int]:
    """Separator, column places, width: of comma, semicolon and tab the one that shows most columns we know."""
    if "\x00" in text:
        raise Refusal("import_not_utf8", file=name, line=number)
    best: tuple[str, dict[str, int], int] = (",", {}, 0)
    for separator in ",;\t":
        try:
            titles = [re.sub(r"[\s_-]+", " ", clean(cell)).casefold() for cell in _cells(text, separator)]
        except _Unusable:
            continue
        hits = [(what, at) for at, title in enumerate(titles) for what in READ[name] if title in COLUMNS[what]]
        if len(hits) > len(best[1]):
            twice = [what for what, times in Counter(what for what, _ in hits).items() if times > 1]
            if twice:
                raise Refusal("import_columns_twice", file=name, columns=", ".join(twice))
            best = separator, dict(hits), len(titles)
    missing = tuple("/".join(one_of) for one_of in NEEDED[name] if not set(one_of) & best[1].keys())
    if missing:
        raise Refusal("import_columns_missing", file=name, columns=", ".join(missing))
    return best


def _cells(text: str, separator: str) -> list[str]:
    """One line is one row: a quotation that is still open at its end is broken, not continued."""
    try:
        return next(csv.reader([text], delimiter=separator, strict=True, skipinitialspace=True))
    except csv.Error:
        raise _Unusable("broken_quotes") from None


def _name(cell: str) -> str:
    """A name fit to be shown, or "" for an empty cell. A cell that a spreadsheet would calculate is no name."""
    if cell.strip(" ").startswith(_FORMULA):
        raise _Unusable("formula")
    if len(cell) > NAME_CELL_MOST:
        raise _Unusable("too_long", most=NAME_LENGTH)
    try:
        return shown_name(cell) if clean(cell) else ""
    except Refusal as refusal:
        raise _Unusable(refusal.code, **{k: v for k, v in refusal.facts.items() if k in ("most", "least")}) from None


def _day(cell: str, reading: _Reading) -> date:
    """A day as YYYY-MM-DD, or a moment, which falls on a day in the group's zone."""
    text = cell.strip()
    try:
        if _DAY.fullmatch(text):
            day = date.fromisoformat(text)
        elif _MOMENT.fullmatch(text):
            moment = datetime.fromisoformat(text)
            _in_range(moment.date())
            day = moment.astimezone(reading.zone).date() if moment.tzinfo else moment.date()
        else:
            raise _Unusable("not_a_date" if text else "no_date")
    except ValueError:
        raise _Unusable("not_a_date") from None
    return _past(_in_range(day), reading)


def _in_range(day: date) -> date:
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise _Unusable("date_out_of_range", first=FIRST_YEAR, last=LAST_YEAR)
    return day


def _past(day: date, reading: _Reading) -> date:
    if day > reading.until:
        raise _Unusable("ahead")
    return day


def _appearance(reading: _Reading, row: dict[str, str], line: int) -> None:
    day = _day(row["date"], reading)
    role = row.get("role", "").strip().casefold()
    if role not in MEMBER_ROLES and role not in GUEST_ROLES:
        raise _Unusable("role_unknown")
    key = reading.person(ATTENDANCE, row.get("member", ""), row.get("name", ""))
    reading.room_for(ATTENDANCE, day)
    there = reading.present.setdefault(day, {})
    if key in there:
        raise _Unusable("already_listed", first=there[key][1])
    there[key] = role in MEMBER_ROLES, line


def _member(reading: _Reading, row: dict[str, str], line: int) -> None:
    reading.says_left = "left" in row
    joined, left = (_day(row[what], reading) if row.get(what, "").strip() else None for what in ("joined", "left"))
    if joined and left and left < joined:
        raise _Unusable("left_before_joined")
    key = reading.person(MEMBERS, row.get("member", ""), row.get("name", ""))
    stints = reading.said.setdefault(key, [])
    if len(stints) == STINTS_MOST:
        raise _Unusable("too_many_stints", most=STINTS_MOST)
    new = Stint(joined, left)
    if any(_overlap(new, other) for other in stints):
        raise _Unusable("stints_overlap")
    stints.append(new)


def _overlap(one: Stint, other: Stint) -> bool:
    """Two rows of one person tell of two stints only when both say from when, and one ends before the other begins."""
    if one.joined is None or other.joined is None:
        return True
    return one.joined <= (other.left or date.max) and other.joined <= (one.left or date.max)


def _count(reading: _Reading, row: dict[str, str], line: int) -> None:
    day = _day(row["date"], reading)
    number = row["listed"].strip()
    if not _NUMBER.fullmatch(number):
        raise _Unusable("not_a_number")
    if day in reading.listed:
        raise _Unusable("already_listed", first=reading.listed[day][1])
    reading.listed[day] = int(number), line


# ── calendars ────────────────────────────────────────────────────────────────────────────────────────────────────────

# Only these lines of an event are handed to the parser: no descriptions, addresses, alarms, attachments or time zone
# definitions (a VTIMEZONE may hold a rule of its own), and nothing that could be fetched.
EVENT_LINES = frozenset({"DTSTART", "RRULE", "RDATE", "EXDATE", "STATUS", "RECURRENCE-ID", "UID"})
EVENT_LINE_MOST, RULE_MOST = 400, 200  # characters; lists of dates may be longer
RULE_PARTS = frozenset(
    {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYHOUR", "BYMINUTE", "BYSECOND"}
    | {"BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "BYYEARDAY", "BYWEEKNO"}
)
RULE_STEPS = frozenset({"DAILY", "WEEKLY", "MONTHLY", "YEARLY"})
RULE_INTERVAL_MOST = 1_000
# The Gregorian calendar repeats every 400 years, weekdays included. A rule is followed 7,600 years later than written,
# because dateutil looks for the next date up to the year 9999 and cannot be stopped on the way: there it gives up soon.
_LATER = 19 * 400
RULE_DAYS_MOST = 140_000  # calendar days that all rules of a file together may look through


@dataclass
class _Event:
    line: int
    uid: str
    start: date | datetime
    replaces: date | None
    cancelled: bool
    rule: dict[str, list[object]] | None
    extra: list[date | datetime]
    without: set[date]


def _read_calendar(reading: _Reading, source: Source) -> None:
    events: list[_Event] = []
    for line, text in _event_texts(reading, source):
        try:
            if text is None:
                raise _Unusable("event_broken")
            events.append(_event(line, text))
        except _Unusable as unusable:
            reading.refuse(MEETINGS, line, unusable.reason, unusable.facts)
    moved: dict[str, set[date]] = defaultdict(set)
    for event in events:
        if event.replaces:
            moved[event.uid].add(event.replaces)
    for event in events:
        try:
            if event.cancelled:
                raise _Unusable("cancelled")
            without = event.without if event.replaces else event.without | moved[event.uid]
            days = _dates(event, without, reading)
            new = [day for day in days if day not in reading.planned]
            if days and not new:
                raise _Unusable("already_listed", first=reading.planned[days[0]])
            for day in new:
                reading.room_for(MEETINGS, day)
                reading.planned[day] = event.line
        except _Unusable as unusable:
            reading.refuse(MEETINGS, event.line, unusable.reason, unusable.facts)


def _event_texts(reading: _Reading, source: Source) -> Iterator[tuple[int, str | None]]:
    """(line, what matters of the event that begins there); None for an event too long or never ended."""
    start = depth = count = total = 0  # depth counts the parts inside an event (alarms)
    kept: list[str] = []
    size, wanted, begun = 0, False, False
    for number, text in _lines(reading, MEETINGS, source):
        if not begun:
            if not text.strip():
                continue
            if text.strip().upper() != "BEGIN:VCALENDAR":
                raise Refusal("import_not_a_calendar", file=MEETINGS)
            begun = True
        mark = text.strip().upper()
        if not start:
            if mark == "BEGIN:VEVENT":
                start, depth, kept, size, wanted = number, 0, [], 0, False
                count += 1
                if count > EVENTS_MOST:
                    raise Refusal("import_too_many_events", file=MEETINGS, most=EVENTS_MOST)
        elif text[:1] in (" ", "\t"):
            if wanted:
                size += len(text)
                if size <= EVENT_MOST:
                    kept[-1] += text[1:]
        elif mark == "END:VEVENT" and not depth:
            total += min(size, EVENT_MOST)
            if total > ALL_EVENTS_MOST:
                raise Refusal("import_too_many_events", file=MEETINGS, most=EVENTS_MOST)
            yield start, "\r\n".join(kept) if size <= EVENT_MOST else None
            start = 0
        elif mark in ("BEGIN:VEVENT", "END:VCALENDAR"):
            yield start, None
            start = number if mark == "BEGIN:VEVENT" else 0
            depth, kept, size, wanted = 0, [], 0, False
        elif mark.startswith(("BEGIN:", "END:")):
            depth = max(depth + (1 if mark.startswith("BEGIN:") else -1), 0)
            wanted = False
        else:
            wanted = not depth and _property(mark) in EVENT_LINES
            if wanted:
                size += len(text)
                if size <= EVENT_MOST:
                    kept.append(text)
    if not begun:
        raise Refusal("import_empty", file=MEETINGS)
    if start:
        yield start, None


def _property(text: str) -> str:
    return re.split("[;:]", text[:20], maxsplit=1)[0].upper()


def _event(line: int, text: str) -> _Event:
    most = {"EXDATE": EVENT_MOST, "RDATE": EVENT_MOST, "RRULE": RULE_MOST}
    if any(len(part) > most.get(_property(part), EVENT_LINE_MOST) for part in text.split("\r\n")):
        raise _Unusable("event_broken")
    try:
        event = Event.from_ical(f"BEGIN:VEVENT\r\n{text}\r\nEND:VEVENT\r\n")
        start, rule, other = event.get("DTSTART"), event.get("RRULE"), event.get("RECURRENCE-ID")
        if event.errors or isinstance(start, list) or isinstance(other, list):
            raise _Unusable("event_broken")
        if start is None:
            raise _Unusable("no_date")
        if isinstance(rule, list):
            raise _Unusable("rule_unusual")
        return _Event(
            line,
            str(event.get("UID", "")),
            start.dt,
            _own_day(other.dt, start.dt) if other is not None else None,
            str(event.get("STATUS", "")).upper() == "CANCELLED",
            {str(key).upper(): list(values) for key, values in rule.items()} if rule is not None else None,
            _listed(event.get("RDATE")),
            {_own_day(moment, start.dt) for moment in _listed(event.get("EXDATE"))},
        )
    except _Unusable:
        raise
    except Exception:  # whatever a parser of other people's files may raise, this event cannot be used
        raise _Unusable("event_broken") from None


def _listed(value: Any) -> list[date | datetime]:
    found: list[date | datetime] = []
    for dates in value if isinstance(value, list) else [value] if value is not None else []:
        for one in dates.dts:
            found.append(one.dt[0] if isinstance(one.dt, tuple) else one.dt)
    return found


def _own_day(moment: date | datetime, start: date | datetime) -> date:
    """The day of `moment` where the event takes place."""
    if isinstance(moment, datetime) and isinstance(start, datetime) and moment.tzinfo and start.tzinfo:
        return moment.astimezone(start.tzinfo).date()
    return _as_day(moment)


def _as_day(moment: date | datetime) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _dates(event: _Event, without: set[date], reading: _Reading) -> list[date]:
    """The days on which the event was held."""
    _in_range(_as_day(event.start))
    if event.rule is not None and _local(event.start, reading.zone) > reading.until:
        raise _Unusable("ahead")
    moments = [event.start] if event.rule is None else _followed(event.rule, event.start, reading)
    moments += [moment for moment in event.extra if FIRST_YEAR <= _as_day(moment).year <= LAST_YEAR]
    days = {_local(moment, reading.zone) for moment in moments if _own_day(moment, event.start) not in without}
    held = sorted(day for day in days if day.year >= FIRST_YEAR and day <= reading.until)
    if not held:
        raise _Unusable("ahead" if days else "rule_no_dates")
    return held


def _local(moment: date | datetime, zone: tzinfo) -> date:
    if isinstance(moment, datetime):
        return (moment.astimezone(zone) if moment.tzinfo else moment).date()
    return moment


def _followed(
    parts: Mapping[str, Sequence[object]], start: date | datetime, reading: _Reading
) -> list[date | datetime]:
    """Moments of a rule up to `reading.until`, in the event's own zone."""
    if not parts.keys() <= RULE_PARTS or str(parts.get("FREQ", [""])[0]) not in RULE_STEPS:
        raise _Unusable("rule_unusual")
    if any(len(parts.get(part, ())) > 1 for part in ("BYHOUR", "BYMINUTE", "BYSECOND")):
        raise _Unusable("rule_unusual")
    try:
        interval, count = int(str(parts.get("INTERVAL", [1])[0])), int(str(parts.get("COUNT", [1])[0]))
    except ValueError:
        raise _Unusable("rule_unusual") from None
    if not 1 <= interval <= RULE_INTERVAL_MOST or count < 1:
        raise _Unusable("rule_unusual")
    if count > MEETINGS_MOST:
        raise _Unusable("too_many_dates", most=MEETINGS_MOST)
    if reading.rule_days >= RULE_DAYS_MOST:
        raise _Unusable("rules_too_heavy")
    zone = start.tzinfo if isinstance(start, datetime) else None
    first = start.replace(tzinfo=None) if isinstance(start, datetime) else datetime.combine(start, time())
    end = datetime.combine(reading.until + timedelta(days=1), time(23, 59, 59))  # a day more: zones differ
    text = ";".join(
        f"{part}={','.join(_written(value) for value in values)}"
        for part, values in parts.items()
        if part not in ("UNTIL", "BYHOUR", "BYMINUTE", "BYSECOND")
    )
    found: list[datetime] = []
    beginning = first.replace(year=first.year + _LATER)
    reached = first.replace(year=9999, month=12, day=31)
    try:
        for written in parts.get("UNTIL", ()):
            end = min(end, _wall(written, zone))
        for shifted in rrulestr(text, dtstart=beginning):
            wall = shifted.replace(year=shifted.year - _LATER)
            if wall > end or len(found) > MEETINGS_MOST:
                reached = shifted
                break
            found.append(wall)
            if "COUNT" in parts and len(found) == count:
                reached = shifted
                break
    except Exception:  # as above: dateutil has its own ways to fail on a rule that nobody would write
        raise _Unusable("rule_unusual") from None
    finally:
        reading.rule_days += (reached - beginning).days
    if len(found) > MEETINGS_MOST:
        raise _Unusable("too_many_dates", most=MEETINGS_MOST)
    if isinstance(start, datetime):
        return [wall.replace(tzinfo=zone) for wall in found]
    return [wall.date() for wall in found]


def _wall(written: object, zone: tzinfo | None) -> datetime:
    """UNTIL in the event's own wall time; a day means all of it."""
    if isinstance(written, datetime):
        return (written.astimezone(zone) if written.tzinfo and zone else written).replace(tzinfo=None)
    if isinstance(written, date):
        return datetime.combine(written, time(23, 59, 59))
    raise _Unusable("rule_unusual")


def _written(value: object) -> str:
    to_ical = getattr(value, "to_ical", None)
    return to_ical().decode() if to_ical else str(value)


# ── what the rows mean ───────────────────────────────────────────────────────────────────────────────────────────────


def _history(reading: _Reading) -> History:
    days = sorted(reading.present.keys() | reading.planned.keys())
    appeared: dict[str, list[date]] = defaultdict(list)
    rosters = []
    for day in days:
        there = sorted(reading.present.get(day, {}).items())
        present = tuple(key for key, (member, _) in there if member)
        for key in present:
            appeared[key].append(day)
        rosters.append(Roster(day, present, tuple(key for key, (member, _) in there if not member)))
    last = days[-1] if days else None
    people = []
    for key, name in sorted(reading.names.items()):
        said, seen = reading.said.get(key), appeared[key]
        if said is None or said == [Stint(None, None)]:
            stints = stints_of(seen, last) if last else ()
            if said and not stints:
                stints = (Stint(None, None),)
        else:
            stints = tuple(sorted(_as_said(stint, seen, last, reading.says_left) for stint in said))
        people.append(Person(key, name, stints))
    return History(tuple(rosters), tuple(people))


def stints_of(appearances: Iterable[date], last_meeting: date) -> tuple[Stint, ...]:
    """Runs of appearances (in order) without a silence of more than SILENCE; the last is open when it reaches the
    last meeting."""
    runs: list[list[date]] = []
    for day in appearances:
        if runs and day - runs[-1][-1] <= SILENCE:
            runs[-1].append(day)
        else:
            runs.append([day])
    return tuple(Stint(run[0], None if last_meeting - run[-1] <= SILENCE else run[-1]) for run in runs)


def _as_said(stint: Stint, seen: Sequence[date], last: date | None, says_left: bool) -> Stint:
    """A stint of members.csv. What it leaves open is read from the appearances: the beginning always, the end only
    when the file has no column for it (an empty cell in one means: still in)."""
    if stint.joined is None:  # then `left` is given
        first = min(seen, default=stint.left)
        return Stint(min(first, stint.left) if first and stint.left else stint.left, stint.left)
    if stint.left is None and not says_left and last is not None and any(day >= stint.joined for day in seen):
        latest = max(day for day in seen if day >= stint.joined)
        return Stint(stint.joined, latest if last - latest > SILENCE else None)
    return stint


def _mismatches(reading: _Reading) -> tuple[Mismatch, ...]:
    found = {day: len(there) for day, there in reading.present.items()}
    listed = {day: number for day, (number, _) in reading.listed.items()}
    return tuple(
        Mismatch(day, listed.get(day), found.get(day, 0))
        for day in sorted(found.keys() | listed.keys())
        if listed.get(day) != found.get(day, 0)
    )


def history_digest(history: History) -> str:
    """SHA-256 in hex over one canonical form: the same history, however its files were written, is one."""

    def iso(day: date | None) -> str | None:
        return day.isoformat() if day else None

    form = [
        "leeward history 1",
        [[iso(r.date), sorted(r.present), sorted(r.guests)] for r in sorted(history.rosters, key=lambda r: r.date)],
        [
            [p.key, p.name, [[iso(s.joined), iso(s.left)] for s in p.stints]]
            for p in sorted(history.people, key=lambda p: p.key)
        ],
    ]
    return hashlib.sha256(json.dumps(form, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


# ── the portable file ────────────────────────────────────────────────────────────────────────────────────────────────

FILE_VERSION = 1
_HEADER = b"LEEWARD-GROUP %d\n"
_HEADER_FORM = re.compile(rb"LEEWARD-GROUP ([0-9]{1,4})\n")
PASSPHRASE_LEAST, PASSPHRASE_MOST = 12, 1_000  # characters
PACKED_MOST = 32 * 1024 * 1024  # bytes of the file
UNPACKED_MOST = 64 * 1024 * 1024  # bytes of its JSON
UNPACKED_PARTS_MOST = 2_000_000  # values in it: a value costs some 60 bytes of memory, however short it is written


def passphrase_of(text: str) -> str:
    """The one form of a passphrase, however it was typed. Raises Refusal("passphrase_short" | "too_long")."""
    phrase = unicodedata.normalize("NFKC", clean(text).replace("\n", " "))
    if len(phrase) < PASSPHRASE_LEAST:
        raise Refusal("passphrase_short", field="passphrase", least=PASSPHRASE_LEAST)
    if len(phrase) > PASSPHRASE_MOST:
        raise Refusal("too_long", field="passphrase", most=PASSPHRASE_MOST, over=len(phrase) - PASSPHRASE_MOST)
    return phrase


def packed(payload: Mapping[str, object], passphrase: str) -> bytes:
    """Header, then the compressed JSON of `payload` sealed by passphrase and bound to the header's version.

    Raises Refusal("passphrase_short" | "portable_too_large").
    """
    phrase = passphrase_of(passphrase)
    plain = json.dumps(payload, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True).encode()
    header = _HEADER % FILE_VERSION
    data = header + seal_with_passphrase(zlib.compress(plain, 6), phrase, header.decode())
    if len(plain) > UNPACKED_MOST or _parts(plain) > UNPACKED_PARTS_MOST or len(data) > PACKED_MOST:
        raise Refusal("portable_too_large", mib=UNPACKED_MOST // 1024 // 1024)
    return data


def unpacked(data: bytes, passphrase: str) -> dict[str, object]:
    """Raises Refusal("portable_not_a_group" | "portable_version" | "portable_too_large" | "portable_closed")."""
    phrase = passphrase_of(passphrase)
    header = _HEADER_FORM.match(data[:32])
    if header is None:
        raise Refusal("portable_not_a_group", field="file")
    if int(header[1]) != FILE_VERSION or header[0] != _HEADER % FILE_VERSION:
        raise Refusal("portable_version", field="file", version=int(header[1]), known=FILE_VERSION)
    if len(data) > PACKED_MOST:
        raise Refusal("portable_too_large", field="file", mib=PACKED_MOST // 1024 // 1024)
    try:
        squeezed = unseal_with_passphrase(data[header.end() :], phrase, header[0].decode())
    except CannotOpen:
        raise Refusal("portable_closed", field="passphrase") from None
    return _opened(squeezed)


def _opened(squeezed: bytes) -> dict[str, object]:
    """What was sealed by somebody who knew the passphrase may still be a bomb."""
    stream = zlib.decompressobj()
    try:
        plain = stream.decompress(squeezed, UNPACKED_MOST + 1)
        if len(plain) > UNPACKED_MOST or _parts(plain) > UNPACKED_PARTS_MOST:
            raise Refusal("portable_too_large", field="file", mib=UNPACKED_MOST // 1024 // 1024)
        if not stream.eof:
            raise Refusal("portable_not_a_group", field="file")
        payload = json.loads(plain, parse_constant=_no_constant)
    except (zlib.error, ValueError, RecursionError):
        raise Refusal("portable_not_a_group", field="file") from None
    if not isinstance(payload, dict):
        raise Refusal("portable_not_a_group", field="file")
    return payload


def _parts(plain: bytes) -> int:
    return plain.count(b",") + plain.count(b"[") + plain.count(b"{")


def _no_constant(name: str) -> float:
    raise ValueError(name)
