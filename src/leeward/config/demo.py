"""The lived-in demo: a group twelve weeks old that meets in a few minutes, and one that is just being founded.

Everything goes through the same actions as a person's taps, each at its own moment in the past.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction

from leeward.domain.founding import actions as founding
from leeward.domain.groups import actions as groups
from leeward.domain.groups import queries as group_queries
from leeward.domain.groups.rules import Format, Member
from leeward.domain.meetings import actions as meetings
from leeward.domain.meetings import queries as meeting_queries
from leeward.domain.meetings.rules import Answer, Rhythm, Way, happens_at, shown_at
from leeward.domain.people import actions as people
from leeward.domain.people import queries as person_queries
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
from leeward.lib import clock
from leeward.lib.tickets import Clock, Operator
from leeward.web.people.entry import entry_link

ZONE = "Europe/Berlin"
WEEKS = 12
LINKS_LAST = timedelta(days=2)

# name and what they are here for, in the order in which the links are printed
CAST = {
    "Ana": "founded the group twelve weeks ago",
    "Ben": "leads today's meeting",
    "Chidi": "is new and has not read the pledge yet",
    "Dara": "a member, leads in two weeks",
    "Eli": "a member who is on a break",
    "Gus": "is founding a group of his own",
    "Hana": "has an account and no group",
}
CORE = ("Ana", "Ben", "Dara", "Eli", "Fay", "Ivo")
NEIGHBOURS = ("Gus", "Kim", "Lea", "Moe")

PLEDGE = (
    "What is said here stays here.",
    "We listen more than we advise.",
    "Anyone may pass, pause or leave, without a reason.",
    "We begin and end on time.",
)
THEMES = (
    "Evenings that do not end", "Saying no to one more thing", "Asking for help", "Sleep, or the lack of it",
    "When plans fall through", "A day without the phone",
)  # fmt: skip
STEPS = (
    ("Ten minutes round the block", "Put the phone in the kitchen at nine", "Ask my sister for Tuesday"),
    ("Say no once this week", "Eat lunch away from the desk", "Write down three things before bed"),
    ("Call the office about fewer hours", "One evening without a list", "Walk to the station"),
    ("Lights out at ten, three times", "Tea instead of the last coffee", "Leave the bag packed in the hall"),
    ("Leave Saturday empty", "Tell my team when I go home", "Sit in the park once"),
    ("Phone stays off until breakfast", "Ring my mother on Sunday", "Swim on Thursday"),
)  # fmt: skip


def build(say: Callable[[str], None]) -> None:
    """Fill an empty home. One transaction: a demo that was interrupted is made anew."""
    now = clock.now()
    safety.write_example_lines(Operator(), at=now - timedelta(weeks=WEEKS + 2))
    with transaction.atomic():
        selves = _people(now)
        say("… twelve weeks of meetings")
        _harbour(selves, now)
        say("… a group on its launch path")
        _lantern(selves, now)
    lines = [(name, _link(selves[name], now)) for name in CAST]
    (settings.LEEWARD_HOME / "links.json").write_text(json.dumps(lines))


def links() -> str:
    """The cast's sign-in links, as they are printed."""
    lines = json.loads((settings.LEEWARD_HOME / "links.json").read_text())
    width = max(len(name) for name, _path in lines)
    return "\n".join(
        ["Sign in as:", *(f"  {name:<{width}}  {settings.PUBLIC_URL}{path}  {CAST[name]}" for name, path in lines)]
    )


def _link(me: Self, now: datetime) -> str:
    link = entry_link(Operator(), person=me.person, lasts=LINKS_LAST, reusable=True, at=now)
    return link.removeprefix(settings.PUBLIC_URL)


def _people(now: datetime) -> dict[str, Self]:
    selves = {}
    for name in dict.fromkeys((*CAST, *CORE, *NEIGHBOURS)):
        row = people.welcome(name=name, zone=ZONE, adult=True, at=now - timedelta(weeks=WEEKS + 2))
        EmailAddress.objects.create(user=row, email=f"{name.lower()}@example.org", verified=True, primary=True)
        selves[name] = person_queries.ticket_of(row)
    return selves


def _seat(me: Self, host: Member, at: datetime) -> Member:
    token = groups.invite(host, at=at).token
    groups.join(me, token=token, name=me.name, at=at)
    return group_queries.member(me, group=host.group, at=at)


def _harbour(selves: dict[str, Self], now: datetime) -> None:
    begun = now - timedelta(weeks=WEEKS, days=8)
    ana = founding.found(
        selves["Ana"],
        name="Harbour",
        purpose="We make room for one another when days are too full.",
        cohort="People who look after somebody and work",
        format=Format.TOPIC_CIRCLE,
        country="DE",
        zone=ZONE,
        my_name="Ana",
        at=begun,
    )
    group = ana.group

    def ticket(name: str, at: datetime) -> Member:
        return group_queries.member(selves[name], group=group, at=at)

    for name in CORE[1:]:
        groups.say_im_in(_seat(selves[name], ana, begun), at=begun)
    groups.say_im_in(ana, at=begun)
    hall = places.add_place(
        ana,
        Facts(
            label="Library, small hall",
            address="Am Markt 3, first floor",
            link="https://meet.example.org/harbour",
            access_notes="Lift at the back. Ring at the side door after 18:00.",
            cost_free=True,
            screen_sharing=True,
            reserved_until=None,
        ),
        at=begun,
    )
    pledges.draft(ana, lines=PLEDGE, at=begun)
    pledge = pledges.adopt(ana, at=begun)
    for name in CORE:
        pledges.agree(ticket(name, begun), pledge=pledge, at=begun)

    soon = shown_at(now, ZONE).replace(second=0, microsecond=0) + timedelta(minutes=10)
    soon -= timedelta(minutes=soon.minute % 5)
    meetings.set_rhythm(
        ana,
        Rhythm(soon - timedelta(weeks=WEEKS), ZONE, cycle=(Way.HYBRID,)),
        place=hall,
        at=happens_at(soon - timedelta(weeks=WEEKS), ZONE) - timedelta(days=7),
    )
    for number in range(WEEKS // 2):
        _meeting(selves, group, number, happens_at(soon - timedelta(weeks=WEEKS - 2 * number), ZONE))

    _seat(selves["Chidi"], ticket("Ana", now), now - timedelta(days=2))
    groups.pause(ticket("Eli", now), at=now - timedelta(days=10))
    meetings.plan_ahead(Clock(), group=group, at=now)
    today, later = meeting_queries.coming(ticket("Ben", now), at=now)[:2]
    meetings.take_turn(ticket("Ben", now), meeting=today.pk, at=now - timedelta(days=9))
    meetings.take_turn(ticket("Dara", now), meeting=later.pk, at=now - timedelta(days=5))
    meetings.arrange(
        ticket("Ben", now), meeting=today.pk, local=datetime.fromisoformat(today.local), theme="Small repairs",
        way=Way.HYBRID, place=hall, at=now - timedelta(days=3),
    )  # fmt: skip
    meetings.confirm(ticket("Ben", now), meeting=today.pk, at=now - timedelta(days=2))
    for name, answer in (("Ana", Answer.ROOM), ("Dara", Answer.ONLINE), ("Fay", Answer.ROOM), ("Ivo", Answer.CANT)):
        meetings.answer_rsvp(ticket(name, now), meeting=today.pk, answer=answer, at=now - timedelta(days=1))
    polls.propose_item(
        ticket("Fay", now), meeting=later.pk, title="What helps on Sunday evenings?", at=now - timedelta(hours=20)
    )
    polls.propose_change(ticket("Dara", now), what=Change.CAPACITY, value=10, at=now - timedelta(hours=30))
    for seen in poll_queries.open_polls(ticket("Ana", now)):
        polls.vote(ticket("Ana", now), poll=seen.id, thumb=Thumb.UP, at=now - timedelta(hours=4))
    pledges.invite(ticket("Dara", now), at=now - timedelta(hours=3))


def _meeting(selves: dict[str, Self], group: str, number: int, start: datetime) -> None:
    """One meeting that was held, tap by tap."""
    lead = CORE[number % len(CORE)]

    def ticket(name: str, at: datetime) -> Member:
        return group_queries.member(selves[name], group=group, at=at)

    meeting = meeting_queries.next_meeting(ticket(lead, start), at=start)
    assert meeting is not None
    meetings.take_turn(ticket(lead, start), meeting=meeting.pk, at=start - timedelta(days=10))
    meetings.arrange(
        ticket(lead, start), meeting=meeting.pk, local=datetime.fromisoformat(meeting.local), theme=THEMES[number],
        way=Way.HYBRID, place=meeting.place_id, at=start - timedelta(days=4),
    )  # fmt: skip
    here = [name for turn, name in enumerate(CORE) if name == lead or (turn + number) % 4]
    at = start - timedelta(minutes=5)
    room.open_room(ticket(lead, at), meeting=meeting.pk, way="room", at=at)
    for turn, name in enumerate(here):
        if name != lead:
            way = "online" if turn % 3 == 2 else "room"
            room.move(ticket(name, at), meeting=meeting.pk, move=Move.ARRIVE, way=way, at=at + timedelta(minutes=turn))
    at = start
    room.move(ticket(lead, at), meeting=meeting.pk, move=Move.START, at=at)
    for name, step in zip(here, STEPS[number], strict=False):
        room.move(
            ticket(name, at), meeting=meeting.pk, move=Move.COMMIT, text=step, seen="group",
            at=start + timedelta(minutes=50),
        )  # fmt: skip
    room.move(ticket(lead, at), meeting=meeting.pk, move=Move.CLOSE, at=start + timedelta(minutes=58))


def _lantern(selves: dict[str, Self], now: datetime) -> None:
    begun = now - timedelta(days=6)
    gus = founding.found(
        selves["Gus"],
        name="Lantern",
        purpose="We talk about the first year with a child, as it is.",
        cohort="New parents in the north of town",
        format=Format.LIFE_STAGE_COHORT,
        country="DE",
        zone=ZONE,
        my_name="Gus",
        at=begun,
    )
    groups.say_im_in(gus, at=begun)
    for day, name in enumerate(NEIGHBOURS[1:], 1):
        seat = _seat(selves[name], gus, begun + timedelta(days=day))
        if name != "Moe":
            groups.say_im_in(seat, at=begun + timedelta(days=day))
    founding.take_step(gus, step="survey", at=begun)
    founding.mark_step_done(gus, step="survey", at=begun + timedelta(days=2))
    kim = group_queries.member(selves["Kim"], group=gus.group, at=now)
    founding.take_step(kim, step="place", at=now - timedelta(days=1))
