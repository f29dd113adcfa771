"""One socket of one device. It only carries pictures out: whatever a browser sends in is too much."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.http.cookie import parse_cookie

from leeward.domain.groups import queries as groups
from leeward.domain.people import queries as people
from leeward.domain.room import actions as room
from leeward.lib import clock
from leeward.lib.refusals import NotHere, Refusal
from leeward.live.registry import CLOSED_FOR_YOU, View, registry

ROLES = ("member", "screen")
HEARD_MOST = 3  # frames a client may send before its socket is closed; ours sends none
TOO_LOUD, TOO_SLOW = 4429, 4408
PATIENCE = 30.0  # seconds a picture may wait for a browser that takes none


@dataclass(frozen=True)
class _Admitted:
    membership: str
    person: str
    visit: str
    language: str
    seq: int
    due: datetime | None


def _admitted(cookie: str, group: str, meeting: str) -> _Admitted | None:
    """Who the cookie is, if the room is open to them: the same questions as the page asks."""
    at = clock.now()
    me = people.self_of_visit(cookie, at=at) if cookie else None
    if me is None:
        return None
    try:
        ticket = groups.member(me, group=group, at=at)
        look = room.look(ticket, meeting=meeting, at=at)
    except (NotHere, Refusal):
        return None
    if look is None:
        return None
    return _Admitted(ticket.membership, me.person, me.visit, me.language, look.seq, look.due)


class RoomSocket(AsyncWebsocketConsumer):
    """A watcher of one room. On connect it says the number of the picture that holds; the page gets it by itself."""

    group = membership = person = visit = cookie = ""
    view: View = ("", "")
    seq = 0

    async def __call__(self, *arguments: Any) -> None:
        """However a socket ends, its watcher goes."""
        try:
            await super().__call__(*arguments)
        finally:
            if self.membership:
                registry.leave(self.meeting, self)

    async def connect(self) -> None:
        arguments = self.scope["url_route"]["kwargs"]
        self.group, self.meeting, self.cookie = arguments["group"], arguments["meeting"], _cookie(self.scope)
        self._heard = 0
        self._frame: str | None = None
        self._greeted = self._dismissed = False
        self._sending: asyncio.Task[None] | None = None
        found = await self._admitted()
        if found is None:
            await self.close(code=CLOSED_FOR_YOU)
            return
        self.membership, self.person, self.visit = found.membership, found.person, found.visit
        self.seq, self.view = found.seq, (found.language, arguments["role"])
        await self.accept()
        registry.join(self.meeting, self, seq=found.seq, due=found.due)
        found = await self._admitted()  # once more: something may have happened between the look and the joining
        if found is None:
            self.dismiss(CLOSED_FOR_YOU)
        else:
            await self._greet(found.seq)

    async def _admitted(self) -> _Admitted | None:
        return await database_sync_to_async(_admitted)(self.cookie, self.group, self.meeting)

    async def _greet(self, newest: int) -> None:
        """Say which picture holds."""
        if newest > self.seq:
            self.seq, self._frame = newest, None
        if not self._dismissed and await self._said(json.dumps({"seq": self.seq})):
            self._greeted = True
            self._send()

    async def receive(self, **frame: Any) -> None:
        self._heard += 1
        if frame.get("bytes_data") is not None or self._heard > HEARD_MOST:
            self.dismiss(TOO_LOUD)

    def offer(self, seq: int, frame: str) -> None:
        """Send this picture as soon as the one before is out; of several that wait only the newest is sent."""
        if seq < self.seq:
            return
        self.seq, self._frame = seq, frame
        if self._greeted:
            self._send()

    def _send(self) -> None:
        if self._frame is not None and (self._sending is None or self._sending.done()):
            self._sending = asyncio.create_task(self._send_newest())

    async def _send_newest(self) -> None:
        while (frame := self._frame) is not None:
            self._frame = None
            if not await self._said(frame):
                return

    async def _said(self, text: str) -> bool:
        """Whether the browser took it."""
        try:
            async with asyncio.timeout(PATIENCE):
                await self.send(text_data=text)
        except TimeoutError:
            self.dismiss(TOO_SLOW)
            return False
        except Exception:  # it went away in between
            return False
        return True

    def still_admitted(self) -> bool:
        return _admitted(self.cookie, self.group, self.meeting) is not None

    def dismiss(self, code: int) -> None:
        if self._dismissed:
            return
        self._dismissed = True
        registry.leave(self.meeting, self)
        task = asyncio.create_task(self.close(code=code))
        task.add_done_callback(lambda done: done.cancelled() or done.exception())


def _cookie(scope: dict[str, Any]) -> str:
    raw = next((value for name, value in scope["headers"] if name == b"cookie"), b"")
    return parse_cookie(raw.decode("latin-1")).get(settings.SESSION_COOKIE_NAME, "")
