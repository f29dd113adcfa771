"""What pages cost in statements: the same in a small and a large group, and with a short and a long past.

Everything that goes to the database for one request is counted: the visit, the person, the page's own reads, and the
begin and end of a transaction (inside a test these are a savepoint and its release).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from leeward.domain.commitments import actions as commitments
from leeward.domain.commitments.rules import SeenBy
from leeward.domain.groups import actions as groups
from leeward.domain.groups import queries as group_queries
from leeward.domain.groups.rules import Member, polls_decide
from leeward.domain.meetings import actions as meetings
from leeward.domain.meetings import queries as meeting_queries
from leeward.domain.meetings.models import Attendance, GuestPresence, Meeting, Record
from leeward.domain.meetings.rules import Answer, Block, BlockKind, Rhythm, Way, shown_at
from leeward.domain.people.rules import Self
from leeward.domain.places import actions as places
from leeward.domain.places.rules import Facts
from leeward.domain.pledges import actions as pledges
from leeward.domain.polls import actions as polls
from leeward.domain.polls import queries as poll_queries
from leeward.domain.polls.rules import Change, Thumb
from leeward.domain.room import actions as room
from leeward.domain.room.rules import Move
from leeward.domain.safety import actions as safety
from leeward.lib.tickets import Operator
from tests.cast import NOW, ZONE, a_group, a_person, joins
from tests.house.crawl import SLUGS, patterns
from tests.web.signing import signed_in

pytestmark = pytest.mark.django_db

MOST = 8
CORE = 5
BEGUN = NOW - timedelta(weeks=100)
SOON = NOW + timedelta(minutes=5)
PLACE = Facts("Library, small hall", "Am Markt 3", "https://meet.example.org/h", "Lift at the back.", True, True, None)

# Pages that must be among those that are counted; a new address of a group is counted without a word here.
MAIN = {
    "home", "account", "group", "group_people", "group_settings", "leave", "invitations", "places", "place",
    "new_place", "launch", "pledge", "dates", "room now", "meeting now", "meeting next",
    "change next", "agenda next",
}  # fmt: skip
WHILE_FOUNDING = {"draft", "rhythm"}
WITH_A_PAST = {
    "record", "record_markdown", "record_csv", "poll", "new_poll", "propose purpose", "speak_for now", "meeting last",
    "addendum last",
}  # fmt: skip


@dataclass
class Peers:
    """A group that meets now, and again in two weeks; `me` led the last meeting and leads the next ones.

    `people[0]` founded it. `last` is empty when it has no past.
    """

    people: list[Self]
    group: str
    now: str
    next: str
    last: str
    poll: str
    place: str

    @property
    def me(self) -> Self:
        return self.people[1]

    def ticket(self, person: Self) -> Member:
        return group_queries.member(person, group=self.group, at=NOW)


@pytest.fixture(autouse=True)
def _here(clock_at: Callable[[datetime], None], settings: LazySettings, tmp_path: Path) -> None:
    clock_at(NOW)
    settings.LEEWARD_HELP_LINES = tmp_path / "help-lines.toml"
    safety.write_example_lines(Operator(), at=NOW)


def peers(*, size: int, behind: int) -> Peers:
    """A group of `size` with `behind` meetings in its past. Whatever can be said by each member, each has said."""
    people = [a_person(f"Member {number}", at=BEGUN) for number in range(1, size + 1)]
    host = a_group(people[0], at=BEGUN)
    seats = [host, *(joins(me, group=host, at=BEGUN) for me in people[1:])]
    groups.say_im_in(host, at=BEGUN)
    pledges.draft(host, lines=["What is said here stays here."], at=NOW - timedelta(days=40))
    pledge = pledges.adopt(host, at=NOW - timedelta(days=40))
    for seat in seats:
        pledges.agree(seat, pledge=pledge, at=NOW - timedelta(days=40))
    place = places.add_place(host, PLACE, at=BEGUN)
    past = [_held(host.group, seats, NOW - timedelta(weeks=2 * (behind - number)), place) for number in range(behind)]

    rhythm = Rhythm(shown_at(SOON, ZONE), ZONE, cycle=(Way.HYBRID,))
    with transaction.atomic():  # past the core gate, which three people do not open
        meetings.keep_rhythm(host.group, rhythm, place=place, by=host.membership, at=NOW)
    now, following = (row.pk for row in meeting_queries.coming(host, at=NOW, most=2))
    here = Peers(people, host.group, now, following, past[-1] if past else "", "", place)
    _said_by_each(here)
    return here


def _held(group: str, seats: list[Member], start: datetime, place: str) -> str:
    """One meeting of the past, closed as the room closes it. Returns its id."""
    row = Meeting(
        group_id=group, starts_at=start, ends_at=start + timedelta(hours=1), local=f"{start:%Y-%m-%dT%H:%M}", zone=ZONE,
        minutes=60, way=Way.HYBRID.value, place_id=place, theme="Small repairs", lead_id=seats[1].membership,
        opened_at=start,
    )  # fmt: skip
    row.save(force_insert=True)
    here = {seat.membership: "room" for seat in seats}
    with transaction.atomic():
        for member in here:
            commitments.keep_from_room(
                group, meeting=row.pk, membership=member, text="Walk at noon", seen=SeenBy.GROUP, at=row.ends_at
            )
        steps = [(member, "Walk at noon") for member in here]
        meetings.close(row, meetings.Held(here, seats[1].membership, steps), by=seats[1].membership, at=row.ends_at)
    GuestPresence.objects.create(meeting=row, name="Guest")
    return row.pk


def _said_by_each(here: Peers) -> None:
    seats = [here.ticket(person) for person in here.people]
    lead = seats[1]
    for meeting in (here.now, here.next):
        meetings.take_turn(lead, meeting=meeting, at=NOW)
        meetings.take_turn(seats[2], meeting=meeting, at=NOW)
        blocks = [Block(BlockKind.OPEN, "One", 10), Block(BlockKind.OPEN, "Two", 10)]
        meetings.set_agenda(lead, meeting=meeting, blocks=blocks, at=NOW)
        for seat in seats:
            meetings.answer_rsvp(seat, meeting=meeting, answer=Answer.ROOM, at=NOW)
    for number, seat in enumerate(seats):
        polls.propose_item(seat, meeting=here.next, title=f"Topic {number}", at=NOW)
        groups.invite(seat, at=NOW)
    if polls_decide(seats[2]):
        here.poll = polls.propose_change(seats[2], what=Change.CAPACITY, value=10, at=NOW)
    else:  # until the first meeting there are polls about topics only
        here.poll = poll_queries.open_polls(lead)[0].id
    for poll in poll_queries.open_polls(lead):
        for seat in seats:
            polls.vote(seat, poll=poll.id, thumb=Thumb.UP, at=NOW)
    for seat in seats:
        room.open_room(seat, meeting=here.now, at=NOW)
        room.move(seat, meeting=here.now, move=Move.COMMIT, text="Walk at noon", seen="group", at=NOW)


def pages(here: Peers) -> dict[str, str]:
    """Every address of the group, and mine: what it is → its path."""
    ids: dict[str, dict[str, str]] = {
        "group": {"": here.group},
        "meeting": {"now": here.now, "next": here.next} | ({"last": here.last} if here.last else {}),
        "poll": {"": here.poll},
        "place": {"": here.place},
        "whom": {"": here.ticket(here.people[2]).membership},
        "what": {slug: slug for slug in SLUGS["what"]},
    }
    paths = {name: reverse(name) for name in ("home", "account")}
    for found in patterns():
        wanted = list(found.pattern.converters)
        if "group" not in wanted or not set(wanted) <= set(ids):
            continue
        for chosen in product(*(ids[kind].items() for kind in wanted)):
            name = " ".join(filter(None, [str(found.name), *(label for label, _value in chosen)]))
            values = {kind: value for kind, (_label, value) in zip(wanted, chosen, strict=True)}
            paths[name] = reverse(str(found.name), kwargs=values)
    return paths


def heard(client: Client, path: str) -> tuple[int, int]:
    """(status, statements) of one GET."""
    with CaptureQueriesContext(connection) as statements:
        answer = client.get(path)
    return answer.status_code, len(statements)


def reading(client: Client, path: str) -> int:
    """How many statements a page costs."""
    status, number = heard(client, path)
    assert status == 200, f"{path} answered {status}"
    return number


def saying_no(client: Client, here: Peers) -> int:
    """How many statements "I can't come" costs."""
    with CaptureQueriesContext(connection) as statements:
        answer = client.post(reverse("rsvp", args=[here.group, here.next]), {"answer": "cant"})
    assert answer.status_code == 302
    return len(statements)


def costs(here: Peers, me: Self | None = None) -> dict[str, int]:
    """Every page that `me` can read, and the RSVP."""
    client = signed_in(me or here.me)
    found = {name: heard(client, path) for name, path in pages(here).items()}
    read = {name: number for name, (status, number) in found.items() if status == 200}
    wanted = MAIN | (WITH_A_PAST if here.last else WHILE_FOUNDING)
    assert wanted - set(read) == set()
    return read | {"rsvp": saying_no(client, here)}


# The same


def test_a_page_costs_the_same_with_3_and_with_12_members() -> None:
    few, many = peers(size=3, behind=1), peers(size=12, behind=1)
    assert costs(few) == costs(many)


def test_a_page_costs_the_same_with_1_and_with_40_meetings_behind() -> None:
    short, long = peers(size=3, behind=1), peers(size=3, behind=40)
    assert costs(short) == costs(long)


def test_a_page_costs_the_founder_the_same_with_3_and_with_12_members() -> None:
    few, many = peers(size=3, behind=0), peers(size=12, behind=0)
    assert costs(few, few.people[0]) == costs(many, many.people[0])


def test_home_costs_the_same_with_one_and_with_four_groups() -> None:
    hana = a_person("Hana")
    first, *others = (peers(size=3, behind=1) for _ in range(3))
    joins(hana, group=first.ticket(first.people[0]))
    one = reading(signed_in(hana), reverse("home"))
    for other in others:
        joins(hana, group=other.ticket(other.people[0]))
    a_group(hana, name="Lagoon")
    assert reading(signed_in(hana), reverse("home")) == one


# And few


@pytest.mark.parametrize("behind", [0, 1, 40])
def test_the_group_page_and_an_rsvp_cost_at_most_8_whatever_the_past(behind: int) -> None:
    here = peers(size=CORE, behind=behind)
    client = signed_in(here.me)
    assert reading(client, reverse("group", args=[here.group])) <= MOST
    assert saying_no(client, here) <= MOST


def test_the_page_of_a_group_that_is_just_being_founded_costs_at_most_8() -> None:
    ana = a_person("Ana")
    here = a_group(ana)
    assert reading(signed_in(ana), reverse("group", args=[here.group])) <= MOST


# That it would be seen


def test_a_read_that_asks_once_for_each_row_is_seen() -> None:
    def names(here: Peers) -> int:
        with CaptureQueriesContext(connection) as statements:
            assert [row.membership.name for row in Attendance.objects.filter(meeting=here.last)]
        return len(statements)

    def leaves(here: Peers) -> int:
        with CaptureQueriesContext(connection) as statements:
            assert [len(row.leaves.all()) for row in Record.objects.filter(group=here.group)]
        return len(statements)

    few, many, long = peers(size=3, behind=1), peers(size=12, behind=1), peers(size=3, behind=40)
    assert (names(few), names(many)) == (1 + 3, 1 + 12)
    assert (leaves(few), leaves(long)) == (1 + 1, 1 + 40)


def test_what_each_member_can_say_stands_on_the_pages_that_are_counted() -> None:
    here = peers(size=12, behind=1)
    client = signed_in(here.me)
    paths = pages(here)
    for name in ("group", "group_people", "meeting next", "meeting last", "room now", "record", "pledge"):
        shown = client.get(paths[name]).content.decode()
        assert [f"Member {number}" in shown for number in range(1, 13)] == [True] * 12, name
    shown = client.get(paths["meeting next"]).content.decode()
    assert [f"Topic {number}" in shown for number in range(12)] == [True] * 12
