"""Who watches which room, in this process, and the one timer of each watched room.

Everything in here happens on the server's event loop; what stands under "From any thread" may be called from any.
A watcher is offered the newest picture only: one that is slow skips those in between, and never holds the
others up.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Protocol

from leeward.lib import clock

View = tuple[str, str]  # (language, role): who is shown the same picture
CLOSED_FOR_YOU = 4404
OVER = json.dumps({"over": True})
LOOKS_AT_LEAST_EVERY = 5.0  # seconds; a clock that was set forward is noticed this late at most
GONE_AFTER = 5.0  # seconds without a socket: a page that is loaded again is no lost connection
_log = logging.getLogger("leeward.live")


class Watcher(Protocol):
    group: str
    membership: str
    person: str
    visit: str
    view: View

    def offer(self, seq: int, frame: str) -> None: ...
    def dismiss(self, code: int) -> None: ...
    def still_admitted(self) -> bool: ...


@dataclass
class _Room:
    group: str
    watchers: set[Watcher] = field(default_factory=set)
    seq: int = 0
    due: datetime | None = None
    timer: asyncio.TimerHandle | None = None
    over: bool = False


@dataclass(frozen=True)
class Picture:
    """A room at one moment: `frames` by view, `due` when the clock next has something to do in it."""

    meeting: str
    seq: int
    due: datetime | None
    frames: Mapping[View, str]


class Registry:
    """Four blocking hooks run in threads. `fold(group, meeting)` lets the clock do what it owes. `render(meeting,
    views)` makes a picture. `connection(group, meeting, membership, lost)` notes that somebody's last socket here went,
    or that one came back. `forget(meeting)` drops what this process remembers of a closed room."""

    def __init__(self) -> None:
        self._rooms: dict[str, _Room] = {}
        self._views: dict[str, frozenset[View]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._rechecking = False
        self.fold: Callable[[str, str], None] = lambda group, meeting: None
        self.render: Callable[[str, Iterable[View]], Picture | None] = lambda meeting, views: None
        self.forget: Callable[[str], None] = lambda meeting: None
        self.connection: Callable[[str, str, str, bool], None] = lambda group, meeting, membership, lost: None

    # From any thread -------------------------------------------------------------------------------------------------

    def views(self, meeting: str) -> frozenset[View]:
        """Which pictures of a room somebody here looks at."""
        return self._views.get(meeting, frozenset())

    def watched(self) -> tuple[str, ...]:
        return tuple(self._views)

    def show(self, picture: Picture) -> None:
        """Hand a picture to everybody here who watches the room."""
        self._soon(lambda: self._show(picture))

    def over(self, meeting: str) -> None:
        """The room is closed: everybody's page goes on to the meeting's own."""
        self._soon(lambda: self._over(meeting))

    def dismiss(self, *, membership: str = "", person: str = "", visit: str = "") -> None:
        """Close the sockets of somebody who left, or who signed a device out."""
        self._soon(lambda: self._dismiss(membership, person, visit))

    def refresh(self) -> None:
        """Draw every watched room anew, and ask who may watch: other processes could not be heard for a while."""
        self._soon(self._redraw_all)
        self.recheck()

    def recheck(self) -> None:
        """Close the socket of whoever would not be let in any more. A round that is still going on is enough."""
        self._soon(self._recheck)

    def lost_elsewhere(self, meeting: str, membership: str) -> None:
        """Another process saw somebody's last socket go. If they have one here, they are not lost."""
        self._soon(lambda: self._perhaps_back(meeting, membership))

    def _soon(self, do: Callable[[], None]) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(do)

    # On the loop -----------------------------------------------------------------------------------------------------

    def join(self, meeting: str, watcher: Watcher, *, seq: int, due: datetime | None) -> None:
        self._loop = asyncio.get_running_loop()
        room = self._rooms.setdefault(meeting, _Room(watcher.group))
        away = not any(other.membership == watcher.membership for other in room.watchers)
        room.watchers.add(watcher)
        self._note_views(meeting, room)
        if seq >= room.seq:
            room.seq = seq
            self._set_timer(meeting, room, due)
        if away:
            self._in_thread(self.connection, room.group, meeting, watcher.membership, False)

    def leave(self, meeting: str, watcher: Watcher) -> None:
        room = self._rooms.get(meeting)
        if room is None or watcher not in room.watchers:
            return
        room.watchers.discard(watcher)
        asyncio.get_running_loop().call_later(GONE_AFTER, self._perhaps_gone, room.group, meeting, watcher.membership)
        if room.watchers:
            self._note_views(meeting, room)
            return
        if room.timer is not None:
            room.timer.cancel()
        del self._rooms[meeting]
        self._views.pop(meeting, None)

    def _perhaps_back(self, meeting: str, membership: str) -> None:
        room = self._rooms.get(meeting)
        if room is not None and any(watcher.membership == membership for watcher in room.watchers):
            self._in_thread(self.connection, room.group, meeting, membership, False)

    def _perhaps_gone(self, group: str, meeting: str, membership: str) -> None:
        room = self._rooms.get(meeting)
        if room is None or not any(other.membership == membership for other in room.watchers):
            self._in_thread(self.connection, group, meeting, membership, True)

    def _note_views(self, meeting: str, room: _Room) -> None:
        self._views[meeting] = frozenset(watcher.view for watcher in room.watchers)

    def _show(self, picture: Picture) -> None:
        room = self._rooms.get(picture.meeting)
        if room is None or picture.seq < room.seq:
            return
        room.seq = picture.seq
        missing = False
        for watcher in room.watchers:
            frame = picture.frames.get(watcher.view)
            if frame is None:
                missing = True
            else:
                watcher.offer(picture.seq, frame)
        self._set_timer(picture.meeting, room, picture.due)
        if missing:
            self._redraw(picture.meeting)

    def _over(self, meeting: str) -> None:
        self._in_thread(self.forget, meeting)
        room = self._rooms.get(meeting)
        if room is None or room.over:
            return
        room.over = True
        room.seq = sys.maxsize  # nothing comes after it
        self._set_timer(meeting, room, None)
        for watcher in room.watchers:
            watcher.offer(room.seq, OVER)

    def _redraw_all(self) -> None:
        for meeting in list(self._rooms):
            self._redraw(meeting)

    def _redraw(self, meeting: str) -> None:
        views = self._views.get(meeting)
        if views:
            self._in_thread(self._draw, meeting, views)

    def _draw(self, meeting: str, views: frozenset[View]) -> None:
        picture = self.render(meeting, views)
        if picture is None:
            self.over(meeting)
        else:
            self.show(picture)

    def _recheck(self) -> None:
        if not self._rechecking:
            self._rechecking = True
            self._in_thread(self._ask_all, [watcher for room in self._rooms.values() for watcher in room.watchers])

    def _ask_all(self, watchers: Iterable[Watcher]) -> None:
        try:
            for watcher in watchers:
                if not watcher.still_admitted():
                    self._soon(partial(watcher.dismiss, CLOSED_FOR_YOU))
        finally:
            self._rechecking = False

    def _dismiss(self, membership: str, person: str, visit: str) -> None:
        for room in list(self._rooms.values()):
            for watcher in list(room.watchers):
                if (
                    (membership and watcher.membership == membership)
                    or (person and watcher.person == person)
                    or (visit and watcher.visit == visit)
                ):
                    watcher.dismiss(CLOSED_FOR_YOU)

    def _set_timer(self, meeting: str, room: _Room, due: datetime | None) -> None:
        if room.timer is not None:
            room.timer.cancel()
        room.due, room.timer = due, None
        if due is not None:
            wait = max((due - clock.now()).total_seconds(), 0.0)
            loop = asyncio.get_running_loop()
            room.timer = loop.call_later(min(wait, LOOKS_AT_LEAST_EVERY), self._look, meeting)

    def _look(self, meeting: str) -> None:
        room = self._rooms.get(meeting)
        if room is None or room.due is None:
            return
        if clock.now() < room.due:
            self._set_timer(meeting, room, room.due)
        else:
            room.timer = asyncio.get_running_loop().call_later(LOOKS_AT_LEAST_EVERY, self._look, meeting)
            self._in_thread(self.fold, room.group, meeting)

    def _in_thread(self, do: Callable[..., object], *arguments: object) -> None:
        asyncio.get_running_loop().run_in_executor(None, _quietly, do, *arguments)


def _quietly(do: Callable[..., object], *arguments: object) -> None:
    """A database that is away for a moment costs this try; the next look or the next command makes up for it."""
    from django.db import close_old_connections

    close_old_connections()
    try:
        do(*arguments)
    except Exception:
        _log.warning("a room could not be looked after", exc_info=True)
    finally:
        close_old_connections()


registry = Registry()
