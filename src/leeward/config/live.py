"""How a change of a room reaches those who watch it: after the commit, drawn once, handed to every watcher."""

from __future__ import annotations

import json
from collections.abc import Iterable

from django.db import transaction

from leeward.domain.groups.events import MemberLeft, MemberPaused
from leeward.domain.people.events import DevicesSignedOut
from leeward.domain.room import actions as room
from leeward.domain.room import queries
from leeward.domain.room.events import RoomForgotten, RoomMoved
from leeward.lib import clock
from leeward.lib.tickets import Clock
from leeward.live import bus
from leeward.live.registry import Picture, View, registry
from leeward.web.room import picture


def render(meeting: str, views: Iterable[View]) -> Picture | None:
    """The room as it is now, one drawing for each view. None when it is not open (any more)."""
    at = clock.now()
    scene = queries.scene(Clock(), meeting=meeting, at=at)
    if scene is None:
        return None
    drawn = picture.draw(scene, views, at=at)
    frames = {view: json.dumps({"seq": scene.seq, "html": html}) for view, html in drawn.items()}
    return Picture(meeting, scene.seq, scene.due, frames)


def fold(group: str, meeting: str) -> None:
    """The clock's turn in one room; it looks different even when nothing was owed (somebody may take the lead now)."""
    if not room.fold_due(Clock(), group=group, meeting=meeting, at=clock.now()):
        show(meeting)


def note_connection(group: str, meeting: str, membership: str, lost: bool) -> None:
    noted = room.note_connection(Clock(), meeting=meeting, membership=membership, lost=lost, at=clock.now())
    if noted and lost:
        bus.tell_lost(meeting, membership)


def show(meeting: str) -> None:
    """Draw what is watched here, and tell the other processes, which draw what they miss by themselves."""
    views = registry.views(meeting)
    drawn = render(meeting, views) if views or bus.shared() else None
    if drawn is not None:
        registry.show(drawn)
        bus.tell(drawn)
        _drawn[meeting] = drawn.seq
    elif views:  # somebody else closed it, and whoever watches here has not heard
        registry.over(meeting)


_drawn: dict[str, int] = {}


def after_room_moved(event: RoomMoved) -> None:
    """Several steps of one transaction are one picture: the first that comes up after the commit draws them all."""
    transaction.on_commit(lambda: _show_once(event.meeting, event.seq), robust=True)


def _show_once(meeting: str, seq: int) -> None:
    if _drawn.get(meeting, 0) < seq:
        show(meeting)


def after_room_forgotten(event: RoomForgotten) -> None:
    def over() -> None:
        registry.over(event.meeting)
        bus.tell_over(event.meeting)

    transaction.on_commit(over, robust=True)


def after_member_left(event: MemberLeft | MemberPaused) -> None:
    transaction.on_commit(lambda: _dismiss(membership=event.by), robust=True)


def after_devices_signed_out(event: DevicesSignedOut) -> None:
    transaction.on_commit(lambda: _dismiss(person=event.person), robust=True)


def _dismiss(*, membership: str = "", person: str = "") -> None:
    registry.dismiss(membership=membership, person=person)
    bus.tell_dismissed(membership=membership, person=person)


def forget(meeting: str) -> None:
    _drawn.pop(meeting, None)
    queries.forget_meeting(meeting)


def connect() -> None:
    """Give the registry its hands, once a process."""
    registry.fold, registry.render, registry.connection = fold, render, note_connection
    registry.forget = forget
