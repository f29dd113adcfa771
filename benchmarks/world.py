"""A home full of groups, written in bulk, and what is asked of it. `benchmarks.fill` runs it."""

from __future__ import annotations

import secrets
import string
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.core.management import call_command
from django.db import connection, models, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from leeward.domain.commitments.models import Commitment
from leeward.domain.groups import queries as groups
from leeward.domain.groups.models import CoreYes, Founder, Group, Membership, Stint
from leeward.domain.meetings.models import AgendaBlock, Attendance, Leaf, Meeting, Record, Rhythm, Rsvp
from leeward.domain.meetings.rules import NO_PREVIOUS, LeafKind, Way, leaf_hash, record_hash, record_lines
from leeward.domain.meetings.rules import Leaf as SealedLeaf
from leeward.domain.people import queries as people
from leeward.domain.people.models import Person
from leeward.domain.places.models import Place
from leeward.domain.pledges.models import Assent, Pledge
from leeward.domain.polls.models import Ballot, Poll
from leeward.domain.room import actions as room
from leeward.domain.safety import actions as safety
from leeward.lib.tickets import Operator
from leeward.web.assets import gather

Row = TypeVar("Row", bound=models.Model)

ZONE = "Europe/Berlin"
SIZE = 10  # members of an ordinary group
LOOKED_AT = 12  # members of a group that is looked at
VISITED = 32  # groups that are looked at, one visitor each, spread evenly over all
HELD = 2  # meetings behind an ordinary group
LONG = 12  # meetings behind a group that is looked at
AHEAD = 6  # dates before every group
AT_A_TIME = 100  # groups written at once
CORE = 7
STEP = "Ten minutes round the block"
AGENDA = (("mood", 10), ("spotlight", 10), ("brainstorm", 10), ("commitment", 10), ("mood", 10))  # kind and minutes

MAIN_PAGES = (
    "home", "group", "group_people", "meeting", "room", "record", "pledge", "dates", "launch", "places",
    "invitations", "group_settings", "new_poll", "poll",
)  # fmt: skip


class Rows:
    """Rows that wait to be written, by table, in an order in which they can be."""

    ORDER: tuple[type[models.Model], ...] = (
        Person, Group, Membership, Stint, Founder, CoreYes, Place, Pledge, Assent, Rhythm, Meeting, AgendaBlock,
        Attendance, Rsvp, Record, Leaf, Commitment, Poll, Ballot,
    )  # fmt: skip

    def __init__(self) -> None:
        self.kept: dict[type[models.Model], list[Any]] = {model: [] for model in self.ORDER}

    def add(self, row: Row) -> Row:
        self.kept[type(row)].append(row)
        return row

    def write(self) -> int:
        with transaction.atomic():
            for model, rows in self.kept.items():
                model._default_manager.bulk_create(rows)
        number = sum(map(len, self.kept.values()))
        self.__init__()  # type: ignore[misc]
        return number


class Lived:
    """One group that has lived: its rows, and who and what of it can be asked for."""

    def __init__(
        self, rows: Rows, number: int, *, size: int, held: int, now: datetime, next_in: timedelta = timedelta(days=3),
        agenda: Sequence[tuple[str, int]] = AGENDA,
    ) -> None:  # fmt: skip
        self.rows, self.now, self.held = rows, now, held
        self.founded = now - timedelta(weeks=2 * held + 4)
        self.group = rows.add(
            Group(
                name=f"Harbour {number}", purpose="We make room for one another when days are too full.",
                cohort="People who look after somebody and work", format="topic_circle", capacity=12, country="DE",
                zone=ZONE, founded_at=self.founded,
                first_closed_at=self.founded + timedelta(weeks=4) if held else None,
            )
        )  # fmt: skip
        self.place = rows.add(
            Place(
                group=self.group, label="Library, small hall", address="Am Markt 3", link="https://meet.example.org/h",
                access_notes="Lift at the back.", added_at=self.founded,
            )
        )  # fmt: skip
        self.people: list[Person] = []
        self.members = [self._member(place) for place in range(1, size + 1)]
        self._pledge()
        self.rhythm = rows.add(
            Rhythm(
                group=self.group, starts_local="2026-01-08T19:00", zone=ZONE, every_weeks=2, minutes=60,
                cycle="hybrid", place=self.place, set_by=self.members[0], set_at=self.founded,
            )
        )  # fmt: skip
        previous = NO_PREVIOUS
        for place in range(held):
            previous = self._held(place, now - timedelta(weeks=2 * (held - place)) + next_in, previous)
        self.coming = [self._meeting(now + next_in + timedelta(weeks=2 * place)) for place in range(AHEAD)]
        self._next(agenda)
        self._poll()

    def _member(self, place: int) -> Membership:
        person = self.rows.add(
            Person(
                password=f"!{secrets.token_hex(20)}", name=f"Person {place}", zone=ZONE, adult_at=self.founded,
                joined_at=self.founded,
            )
        )  # fmt: skip
        self.people.append(person)
        seat = self.rows.add(
            Membership(
                group=self.group, person=person, name=f"Person {place}", number=place, met=self.held,
                claimed_at=self.founded,
            )
        )  # fmt: skip
        self.rows.add(Stint(membership=seat, group=self.group, began_at=self.founded))
        if place == 1:
            self.rows.add(Founder(group=self.group, membership=seat, at=self.founded))
        if place <= CORE:
            self.rows.add(CoreYes(group=self.group, membership=seat, at=self.founded))
        return seat

    def _pledge(self) -> None:
        lines = ["What is said here stays here.", "We listen more than we advise.", "We begin and end on time."]
        pledge = self.rows.add(
            Pledge(group=self.group, number=1, lines=lines, drafted_at=self.founded, adopted_at=self.founded)
        )
        for member in self.members:
            self.rows.add(Assent(pledge=pledge, membership=member, own=True, at=self.now - timedelta(days=40)))

    def _meeting(self, at: datetime) -> Meeting:
        return self.rows.add(
            Meeting(
                group=self.group, starts_at=at, ends_at=at + timedelta(hours=1), local=at.isoformat()[:16], zone=ZONE,
                minutes=60, way="hybrid", place=self.place, rhythm=self.rhythm, planned_for=at,
            )
        )  # fmt: skip

    def _held(self, place: int, at: datetime, previous: str) -> str:
        meeting = self._meeting(at)
        lead = self.members[place % len(self.members)]
        meeting.theme, meeting.lead = "Small repairs", lead
        meeting.confirmed_at, meeting.opened_at, meeting.closed_at = at - timedelta(days=2), at, meeting.ends_at
        here = self.members[place % 2 :: 2]
        for member in here:
            self.rows.add(Attendance(meeting=meeting, membership=member))
            self.rows.add(Rsvp(meeting=meeting, membership=member, answer="room", at=at - timedelta(days=1)))
            self.rows.add(
                Commitment(group=self.group, meeting=meeting, membership=member, text=STEP, seen="group", at=at)
            )
        lines = record_lines(
            starts_local=meeting.local, zone=ZONE, way=Way.HYBRID, place=self.place.label, theme=meeting.theme,
            topics=(), steps=[STEP] * len(here), next_local="", imported=False,
        )  # fmt: skip
        leaves = [SealedLeaf(line.kind, line.text, secrets.token_hex(16)) for line in lines]
        hashes = [leaf_hash(leaf) for leaf in leaves]
        record = self.rows.add(
            Record(
                group=self.group, number=place + 1, meeting=meeting, previous=previous,
                hash=record_hash(previous, hashes), sealed_at=meeting.ends_at,
            )
        )  # fmt: skip
        authors = iter(here)
        for number, (leaf, digest) in enumerate(zip(leaves, hashes, strict=True), 1):
            author = next(authors) if leaf.kind is LeafKind.STEP else None
            self.rows.add(
                Leaf(
                    record=record, number=number, kind=leaf.kind.value, text=leaf.text, salt=leaf.salt, hash=digest,
                    author=author,
                )
            )  # fmt: skip
        return record.hash

    def _next(self, agenda: Sequence[tuple[str, int]]) -> None:
        self.next = self.coming[0]
        self.next.lead, self.next.theme = self.members[1], "A day without the phone"
        for number, (kind, minutes) in enumerate(agenda, 1):
            self.rows.add(AgendaBlock(meeting=self.next, number=number, kind=kind, title="", minutes=minutes))
        for member in self.members[::2]:
            self.rows.add(Rsvp(meeting=self.next, membership=member, answer="room", at=self.now - timedelta(hours=9)))

    def _poll(self) -> None:
        self.poll = self.rows.add(
            Poll(
                group=self.group, kind="change", subject="capacity", change={"what": "capacity", "to": 10},
                opened_by=self.members[0], opened_at=self.now - timedelta(hours=20),
                closes_at=self.now + timedelta(hours=52), eligible=len(self.members),
            )
        )  # fmt: skip
        for member in self.members:
            self.rows.add(Ballot(poll=self.poll, membership=member))

    def paths(self) -> dict[str, str]:
        """Name → path of each main page."""
        ids = {"group": self.group.pk, "meeting": self.next.pk, "poll": self.poll.pk}
        wanted = {"home": (), "meeting": ("group", "meeting"), "room": ("group", "meeting"), "poll": ("group", "poll")}
        return {
            name: reverse(name, kwargs={kind: ids[kind] for kind in wanted.get(name, ("group",))})
            for name in MAIN_PAGES
        }

    def enter_room(self) -> None:
        """Open the next meeting's room, everybody in it."""
        for person in self.people:
            ticket = groups.member(people.ticket_of(person), group=self.group.pk, at=self.now)
            room.open_room(ticket, meeting=self.next.pk, at=self.now)


# What is asked for -------------------------------------------------------------------------------------------------


def _browser(person: Person) -> tuple[Client, str]:
    """A signed-in client whose forms are accepted, and its cookies as a header."""
    client = Client(enforce_csrf_checks=True, headers={"host": "localhost", "accept-language": "en"})
    client.force_login(person)
    form = "".join(secrets.choice(string.ascii_letters) for _ in range(32))
    client.cookies[settings.CSRF_COOKIE_NAME] = form
    visit = client.cookies[settings.SESSION_COOKIE_NAME].value
    return client, f"{settings.SESSION_COOKIE_NAME}={visit}; {settings.CSRF_COOKIE_NAME}={form}"


def _asked(client: Client, method: str, path: str, body: str) -> dict[str, Any]:
    """The answer to one request and the statements behind it, when everything is warm."""
    heard: list[tuple[str, Any]] = []

    def listen(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        heard.append((sql, list(params or ())))
        return execute(sql, params, many, context)

    for _ in range(2):
        heard.clear()
        with connection.execute_wrapper(listen):
            answer = client.generic(method, path, body, content_type="application/x-www-form-urlencoded")
    headers = [(name, value) for name, value in answer.headers.items() if name != "Content-Length"]
    headers += [("Set-Cookie", cookie.OutputString()) for cookie in answer.cookies.values()]
    return {
        "method": method, "path": path, "body": body, "status": answer.status_code, "statements": heard,
        "headers": headers, "size": len(answer.content),
    }  # fmt: skip


def _visit(lived: Lived, seat: int) -> dict[str, Any]:
    client, cookies = _browser(lived.people[seat])
    form = client.cookies[settings.CSRF_COOKIE_NAME].value
    paths = lived.paths()
    return {
        "cookies": cookies,
        "pages": paths,
        "S1": _asked(client, "GET", paths["group"], ""),
        "S2": _asked(client, "POST", f"{paths['meeting']}rsvp/", f"csrfmiddlewaretoken={form}&answer=cant"),
    }


def _statements(lived: Lived, seat: int) -> dict[str, int]:
    """Name → statements of each main page and of the RSVP ("rsvp"), BEGIN and COMMIT included."""
    client, _cookies = _browser(lived.people[seat])
    form = client.cookies[settings.CSRF_COOKIE_NAME].value
    paths = lived.paths()
    costs = {}
    for name, path in paths.items():
        with CaptureQueriesContext(connection) as caught:
            answer = client.get(path)
        if answer.status_code != 200:
            raise RuntimeError(f"{name} answered {answer.status_code}")
        costs[name] = len(caught)
    with CaptureQueriesContext(connection) as caught:
        client.post(f"{paths['meeting']}rsvp/", {"csrfmiddlewaretoken": form, "answer": "cant"})
    return costs | {"rsvp": len(caught)}


def _fill(number: int, *, now: datetime) -> tuple[int, list[Lived]]:
    """`number` groups. Returns how many rows that made, and the groups to look at."""
    rows, written, looked_at = Rows(), 0, []
    every = max(number // VISITED, 1)
    for place in range(number):
        if place % every == 0 and len(looked_at) < VISITED:
            looked_at.append(Lived(rows, place, size=LOOKED_AT, held=LONG, now=now))
        else:
            Lived(rows, place, size=SIZE, held=HELD, now=now)
        if place % AT_A_TIME == AT_A_TIME - 1:
            written += rows.write()
    return written + rows.write(), looked_at


def _counted(longest: int, *, now: datetime) -> dict[str, Lived]:
    """Groups that differ in one thing, everybody in the room."""
    rows = Rows()
    shapes = {"few": (3, 3), "many": (LOOKED_AT, 3), "short": (5, 1), "long": (5, longest)}
    made = {
        name: Lived(rows, 0, size=size, held=held, now=now, next_in=timedelta(minutes=5))
        for name, (size, held) in shapes.items()
    }
    rows.write()
    for lived in made.values():
        lived.enter_room()
    return made


def make(number: int, longest: int) -> dict[str, Any]:
    """Fill the home with `number` groups. Returns visitors with their cookies, the statements behind what they ask
    for, and what each main page costs in statements: with few and many members, with one and `longest` meetings
    behind (0: nothing is counted)."""
    now = datetime.now(UTC)
    call_command("migrate", verbosity=0, interactive=False)
    gather()
    safety.write_example_lines(Operator(), at=now)
    written, looked_at = _fill(number, now=now)
    counted = _counted(longest, now=now) if longest else {}
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return {
        "groups": number,
        "people": Person.objects.count(),
        "rows": written,
        "visitors": [_visit(lived, 2 + place % 8) for place, lived in enumerate(looked_at)],
        "statements": {name: _statements(lived, 2) for name, lived in counted.items()},
        "insider": _visit(counted["many"], 2) if counted else None,
    }
