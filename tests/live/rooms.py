"""A room that is open and talks: the cast in it, one long block in which the floor costs tokens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from leeward.domain.groups.models import Group
from leeward.domain.meetings import actions as meetings
from leeward.domain.meetings.models import Meeting
from leeward.domain.meetings.rules import Block, BlockKind
from leeward.domain.people.rules import Self
from leeward.domain.room import actions as room
from leeward.domain.room.rules import Move
from tests.cast import INSIDE, NOW, Harbour, harbour
from tests.live.watching import Device
from tests.meeting import START, agreed, planned
from tests.web.signing import signed_in

TALK = (Block(BlockKind.OPEN, "Talk", 45),)


@dataclass
class Scene:
    """Everybody `names` is in the room; Ben leads."""

    here: Harbour
    group: str
    meeting: str
    names: tuple[str, ...]

    def member(self, name: str) -> str:
        return self.here.membership(name)

    def move(self, name: str, move: Move, *, at: datetime, **facts: str) -> None:
        """A command, without a page."""
        ticket = self.here.ticket(name, at=at)
        room.move(ticket, meeting=self.meeting, move=move, at=at, **facts)  # type: ignore[arg-type]


def a_scene(
    *, size: int = 5, blocks: tuple[Block, ...] = TALK, names: tuple[str, ...] = (), start: datetime = START,
    at: datetime = NOW, begin: bool = True, pledged: tuple[str, ...] = (),
) -> Scene:  # fmt: skip
    """A group of `size` in its open room. `pledged` (everybody) said yes, `names` (everybody) came; `begin`: the first
    block runs."""
    here = harbour(size=size, at=at)
    everybody = (*INSIDE, *(f"Member {number}" for number in range(6, size + 1)))
    agreed(here, at=at, names=pledged or everybody)
    row = planned(here, start=start, at=at)
    ben = here.ticket("Ben", at=at)
    meetings.take_turn(ben, meeting=row.pk, at=at)
    meetings.set_agenda(ben, meeting=row.pk, blocks=blocks, at=at)
    Group.objects.filter(pk=here.group).update(first_closed_at=at)  # a first meeting would begin with the pledge
    scene = Scene(here, here.group, row.pk, names or everybody)
    room.open_room(here.ticket("Ben", at=start), meeting=row.pk, at=start)
    for name in scene.names:
        if name != "Ben":
            scene.move(name, Move.ARRIVE, at=start)
    if begin:
        scene.move("Ben", Move.START, at=start)
    return scene


def cookie_of(me: Self) -> str:
    """What the cookie of a signed-in device holds."""
    return signed_in(me).cookies[settings.SESSION_COOKIE_NAME].value


def device(scene: Scene, name: str, url: str, *, cookie: str = "") -> Device:
    """A browser of this person, without scripts."""
    made = cookie or cookie_of(scene.here.people[name])
    return Device(name, url, made, scene.group, scene.meeting)


def a_later_meeting(scene: Scene) -> Meeting:
    return Meeting.objects.filter(group=scene.group).exclude(pk=scene.meeting).order_by("starts_at")[0]


def past(scene: Scene, minutes: float) -> datetime:
    """So many minutes after the meeting began."""
    return Meeting.objects.get(pk=scene.meeting).starts_at + timedelta(minutes=minutes)
