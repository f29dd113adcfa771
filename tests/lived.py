"""A group that has lived, with a marker nobody would type in every text that people write. For the canary matrix."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from allauth.account.models import EmailAddress

from leeward.domain.groups import actions as groups
from leeward.domain.groups import queries as group_queries
from leeward.domain.groups.models import Membership
from leeward.domain.groups.rules import Member
from leeward.domain.ideas import actions as ideas
from leeward.domain.ideas.models import Idea
from leeward.domain.meetings import actions as meetings
from leeward.domain.meetings import queries as meeting_queries
from leeward.domain.meetings.models import GuestPresence
from leeward.domain.meetings.rules import Answer, Block, BlockKind, Rhythm, Way, shown_at
from leeward.domain.people import actions as people
from leeward.domain.people import queries as person_queries
from leeward.domain.people.rules import Self
from leeward.domain.places import actions as places
from leeward.domain.places.rules import Facts
from leeward.domain.pledges import actions as pledges
from leeward.domain.polls import actions as polls
from leeward.domain.polls.rules import Change
from leeward.domain.portability import actions as portability
from leeward.domain.room import actions as room
from leeward.domain.room.rules import Move
from leeward.domain.safety import actions as safety
from leeward.lib.tickets import Operator
from tests.cast import NOW, ZONE, a_group, an_unclaimed

FOUNDED = NOW - timedelta(days=60)
HELD = NOW + timedelta(minutes=10) - timedelta(days=14)
NEXT = NOW + timedelta(minutes=10)


@dataclass
class Lived:
    """`people` by name; ids by kind, for filling in addresses."""

    people: dict[str, Self]
    group: str
    ids: dict[str, list[str]]
    invitation: str

    def ticket(self, name: str, at: datetime = NOW) -> Member:
        return group_queries.member(self.people[name], group=self.group, at=at)


def _person(name: str) -> Self:
    row = people.welcome(name=f"zqself{name.lower()}", zone=ZONE, adult=True, at=FOUNDED)
    EmailAddress.objects.create(user=row, email=f"zqmail{name.lower()}@example.org", verified=True, primary=True)
    return person_queries.ticket_of(row)


def lived() -> Lived:
    """Ana founded; Ben leads next; Chidi has not said yes; Dara said yes in the room only; Eli is on a break and said
    yes; Farah said yes and left; Wim stands in line; Zoe is unclaimed; Gus sits in Lagoon; Hana in no group."""
    safety.write_example_lines(Operator(), at=FOUNDED)
    cast = {name: _person(name) for name in ("Ana", "Ben", "Chidi", "Dara", "Eli", "Farah", "Gus", "Hana", "Wim")}
    ana = a_group(
        cast["Ana"], at=FOUNDED, name="zqgroupname", purpose="zqpurpose", cohort="zqcohort", my_name="zqnameana",
        capacity=6,
    )  # fmt: skip
    here = Lived(cast, ana.group, {}, "")
    for name in ("Ben", "Dara", "Eli", "Farah"):
        token = groups.invite(ana, at=FOUNDED).token
        groups.join(cast[name], token=token, name=f"zqname{name.lower()}", at=FOUNDED)
        groups.say_im_in(here.ticket(name, FOUNDED), at=FOUNDED)
    zoe = an_unclaimed(here.group, "zqnamezoe", at=FOUNDED)
    place = places.add_place(
        ana,
        Facts("zqplacelabel", "zqplaceaddress", "https://zqplacelink.example.org/x", "zqplacenotes", True, False, None),
        at=FOUNDED,
    )
    pledges.draft(ana, lines=["zqpledgeline"], at=FOUNDED)
    pledge = pledges.adopt(ana, at=FOUNDED)
    for name in ("Ana", "Ben", "Eli", "Farah"):
        pledges.agree(here.ticket(name, FOUNDED), pledge=pledge, at=FOUNDED)
    start = shown_at(HELD, ZONE)
    meetings.set_rhythm(ana, Rhythm(start, ZONE, cycle=(Way.HYBRID,)), place=place, at=FOUNDED)
    before = HELD - timedelta(days=1)
    first = meeting_queries.next_meeting(here.ticket("Ben", before), at=before)
    assert first is not None
    meetings.take_turn(here.ticket("Ana", before), meeting=first.pk, at=before)
    meetings.arrange(
        here.ticket("Ana", before), meeting=first.pk, local=start, theme="zqthemeheld", way=Way.HYBRID, place=place,
        at=before,
    )  # fmt: skip
    room.open_room(here.ticket("Ana", HELD), meeting=first.pk, at=HELD)
    for name in ("Ben", "Farah"):
        room.move(here.ticket(name, HELD), meeting=first.pk, move=Move.ARRIVE, at=HELD)
    dara, ben = here.ticket("Dara", HELD).membership, here.ticket("Ben", HELD).membership
    room.move(here.ticket("Ana", HELD), meeting=first.pk, move=Move.MARK_HERE, whom=dara, at=HELD)
    room.record_spoken_yes(here.ticket("Ana", HELD), meeting=first.pk, membership=dara, witness=ben, at=HELD)
    room.move(here.ticket("Dara", HELD), meeting=first.pk, move=Move.ARRIVE, at=HELD)
    room.move(here.ticket("Ana", HELD), meeting=first.pk, move=Move.START, at=HELD)
    for name, seen in (("Ana", "group"), ("Ben", "me"), ("Farah", "group")):
        text = f"zqstep{seen}{name.lower()}"
        room.move(here.ticket(name, HELD), meeting=first.pk, move=Move.COMMIT, text=text, seen=seen, at=HELD)
    room.move(here.ticket("Ana", HELD), meeting=first.pk, move=Move.CLOSE, at=HELD + timedelta(minutes=50))
    meetings.add_to_record(here.ticket("Ben"), meeting=first.pk, text="zqaddendum", at=NOW - timedelta(days=10))
    groups.leave(here.ticket("Farah"), at=NOW - timedelta(days=9))
    groups.pause(here.ticket("Eli"), at=NOW - timedelta(days=8))
    token = groups.invite(here.ticket("Ben"), at=NOW - timedelta(days=3)).token
    groups.join(cast["Chidi"], token=token, name="zqnamechidi", at=NOW - timedelta(days=2))

    token = groups.invite(here.ticket("Ben"), at=NOW - timedelta(days=3)).token
    wait = groups.join(cast["Wim"], token=token, name="zqwaitwim", at=NOW - timedelta(days=1))
    GuestPresence.objects.create(meeting=first, name="zqguest")

    second = meeting_queries.next_meeting(here.ticket("Ben"), at=NOW)
    assert second is not None
    meetings.take_turn(here.ticket("Ben"), meeting=second.pk, at=NOW - timedelta(days=5))
    meetings.arrange(
        here.ticket("Ben"), meeting=second.pk, local=datetime.fromisoformat(second.local), theme="zqthemenext",
        way=Way.HYBRID, place=place, at=NOW - timedelta(days=2),
    )  # fmt: skip
    meetings.set_agenda(
        here.ticket("Ben"), meeting=second.pk, blocks=[Block(BlockKind.OPEN, "zqblock", 30)], at=NOW - timedelta(days=2)
    )
    meetings.answer_rsvp(here.ticket("Ana"), meeting=second.pk, answer=Answer.ROOM, at=NOW - timedelta(days=1))
    third = meeting_queries.coming(here.ticket("Ben"), at=NOW)[1]
    item = polls.propose_item(here.ticket("Ana"), meeting=third.pk, title="zqtopic", at=NOW - timedelta(days=1))
    change = polls.propose_change(
        here.ticket("Ana"), what=Change.PURPOSE, value="zqproposed", at=NOW - timedelta(days=1)
    )
    made = groups.invite(here.ticket("Ben"), address="zqinvited@example.org", at=NOW - timedelta(days=1))
    room.open_room(here.ticket("Ben"), meeting=second.pk, at=NOW)
    room.move(here.ticket("Ben"), meeting=second.pk, move=Move.COMMIT, text="zqstepnow", seen="me", at=NOW)
    room.move(here.ticket("Ana"), meeting=second.pk, move=Move.ARRIVE, at=NOW)
    room.move(here.ticket("Ben"), meeting=second.pk, move=Move.START, at=NOW)
    room.move(here.ticket("Ben"), meeting=second.pk, move=Move.MOOD, text="zqmood", at=NOW)
    room.move(here.ticket("Ben"), meeting=second.pk, move=Move.CATCH, text="zqline", at=NOW)
    room.move(here.ticket("Ben"), meeting=second.pk, move=Move.ASK, text="zqquestion", at=NOW)
    ideas.keep_from_room(here.group, lines=["zqidea"], at=NOW - timedelta(days=5))
    upload = portability.keep_upload(
        cast["Ana"], files={"attendance.csv": b"date,member\n2026-01-01,zqupload\n"},
        facts={"name": "zquploadname", "purpose": "x", "cohort": "", "format": "topic_circle", "country": "DE",
               "zone": ZONE, "time": "18:00", "minutes": 60}, at=NOW,
    )  # fmt: skip

    lagoon = a_group(cast["Gus"], at=FOUNDED, name="zqlagoon", purpose="zqlagoonpurpose", my_name="zqnamegus")
    other_place = places.add_place(
        lagoon, Facts("zqlagoonplace", "zqlagoonaddress", "", "", True, False, None), at=FOUNDED
    )
    here.ids = {
        "group": [here.group, lagoon.group],
        "meeting": [first.pk, second.pk, third.pk],
        "place": [place, other_place],
        "poll": [change, *(seen.pk for seen in _polls(here.group))],
        "item": [item],
        "idea": list(Idea.objects.values_list("pk", flat=True)),
        "whom": [zoe, here.ticket("Ana").membership],
        "waiting": [wait.pk],
        "upload": [upload],
        "membership": list(Membership.objects.values_list("pk", flat=True)),
    }
    here.invitation = made.token
    return here


def _polls(group: str) -> list:  # type: ignore[type-arg]
    from leeward.domain.polls.models import Poll

    return list(Poll.objects.filter(group=group))
