"""The cast: each name carries a meaning, in every test.

Ana founded it · Ben leads this fortnight · Chidi is new · Dara is Chidi's buddy · Eli talks a lot ·
Farah left last month · Gus belongs to another group · Hana stewards the network.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from allauth.account.models import EmailAddress

from leeward.domain.groups import actions as groups
from leeward.domain.groups import queries as group_queries
from leeward.domain.groups.models import Membership, Stint
from leeward.domain.groups.rules import Format, Member
from leeward.domain.people import actions as people
from leeward.domain.people import queries as person_queries
from leeward.domain.people.rules import Self

NOW = datetime(2026, 10, 1, 16, 0, tzinfo=UTC)
ZONE = "Europe/Berlin"
INSIDE = ("Ana", "Ben", "Chidi", "Dara", "Eli")


def a_person(name: str, *, at: datetime = NOW, address: str | None = None) -> Self:
    """A person with an account, an address that is verified, and the 18+ statement."""
    row = people.welcome(name=name, zone=ZONE, adult=True, at=at)
    EmailAddress.objects.create(
        user=row, email=address or f"{name.lower()}.{row.pk}@example.org", verified=True, primary=True
    )
    return person_queries.ticket_of(row)


def address_of(me: Self) -> str:
    return EmailAddress.objects.get(user_id=me.person).email


def a_group(founder: Self, *, at: datetime = NOW, name: str = "Harbour", **changes: object) -> Member:
    """A group that `founder` founded just now."""
    facts: dict[str, object] = {
        "name": name,
        "purpose": f"We listen to one another in {name}.",
        "cohort": f"Carers of {name}",
        "format": Format.TOPIC_CIRCLE,
        "country": "DE",
        "zone": ZONE,
        "my_name": founder.name,
    }
    return groups.found(founder, at=at, **(facts | changes))  # type: ignore[arg-type]


def joins(me: Self, *, group: Member, at: datetime = NOW, core: bool = True) -> Member:
    """`me` joins by an invitation of `group`'s holder."""
    made = groups.invite(group, at=at)
    seat = groups.join(me, token=made.token, name=me.name, at=at)
    assert isinstance(seat, Member), f"{me.name} stands in line"
    if core:
        groups.say_im_in(seat, at=at)
    return seat


@dataclass
class Harbour:
    """One group with Ana, Ben, Chidi, Dara and Eli in it; Farah left a month ago; Gus sits in a group of his own."""

    people: dict[str, Self] = field(default_factory=dict)
    group: str = ""
    other_group: str = ""

    def ticket(self, name: str, *, at: datetime = NOW) -> Member:
        """Fresh from the rows, as a request would get it."""
        group = self.other_group if name == "Gus" else self.group
        return group_queries.member(self.people[name], group=group, at=at)

    def membership(self, name: str) -> str:
        group = self.other_group if name == "Gus" else self.group
        return Membership.objects.get(group=group, person=self.people[name].person).pk


def harbour(*, at: datetime = NOW, size: int = 5) -> Harbour:
    """The cast in their places. `size` > 5 adds members named "Member 6" … so that lists can be long."""
    here = Harbour()
    long_ago = at - timedelta(days=60)
    for name in (*INSIDE, "Farah", "Gus", "Hana"):
        here.people[name] = a_person(name, at=long_ago)
    ana = a_group(here.people["Ana"], at=long_ago)
    here.group = ana.group
    for name in ("Ben", "Chidi", "Dara", "Eli", "Farah"):
        joins(here.people[name], group=ana, at=long_ago)
    groups.leave(group_queries.member(here.people["Farah"], group=ana.group, at=long_ago), at=at - timedelta(days=30))
    for number in range(6, size + 1):
        me = a_person(f"Member {number}", at=long_ago)
        here.people[me.name] = me
        joins(me, group=ana, at=long_ago)
    here.other_group = a_group(here.people["Gus"], at=long_ago, name="Lagoon").group
    return here


def an_unclaimed(group: str, name: str, *, at: datetime = NOW) -> str:
    """A seat on paper. Returns its membership id."""
    number = Membership.objects.filter(group=group).count() + 1
    row = Membership(group_id=group, name=name, number=number)
    row.save(force_insert=True)
    Stint.objects.create(group_id=group, membership=row, began_at=at)
    return row.pk
