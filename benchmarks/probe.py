"""Two servers that hand pictures to sockets when they are told to, and nothing else: what a fan-out alone takes.

`python -m benchmarks.probe PORT KIND`. `own` is Leeward with its registry and its consumer; `bare` is a Channels
consumer of a few lines with a set of watchers for each room. Either answers
`POST /show/ROOM/SEQ/SIZE/ROWS`: a picture of this number and size to whoever watches the room, stamped with the moment
at which it was handed over, after so many rows (0 or 1) were committed to a file beside the product's database; and
`own` answers `GET /drawn/` with how many pictures were drawn since the start.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

Show = Callable[[str, int, Callable[[], str]], None]


def _frame(seq: int, size: int) -> str:
    """As the product's frames begin, with the moment beside; `time.perf_counter()` is one clock for all processes."""
    return f'{{"seq": {seq}, "at": {time.perf_counter():.6f}, "html": "{"x" * size}"}}'


def _file() -> Callable[[int], None]:
    """What one committed row takes, with the product's own way of opening SQLite."""
    from leeward.config import settings as product

    database: Any = product.DATABASES["default"]
    own = threading.local()
    name = product.LEEWARD_HOME / f"probe-{os.getpid()}.sqlite3"

    def keep(seq: int) -> None:
        if not hasattr(own, "line"):
            own.line = sqlite3.connect(name, isolation_level=None, timeout=20)
            own.line.executescript(database["OPTIONS"]["init_command"])
            own.line.execute("CREATE TABLE IF NOT EXISTS entry (id INTEGER PRIMARY KEY, seq INTEGER)")
        own.line.execute("INSERT INTO entry (seq) VALUES (?)", (seq,))

    return keep


def _commands(show: Show, drawn: Callable[[], int]) -> Any:
    """WSGI, because the product's own changes come from a thread of that pool too."""
    from a2wsgi import WSGIMiddleware

    keep = _file()

    def application(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        what, *words = environ["PATH_INFO"].strip("/").split("/")
        if what == "show":
            room, seq, size, rows = words[0], *map(int, words[1:])
            for _ in range(rows):
                keep(seq)
            show(room, seq, lambda: _frame(seq, size))
            start("204 No Content", [])
            return []
        said = str(drawn()).encode()
        start("200 OK", [("Content-Length", str(len(said)))])
        return [said]

    return WSGIMiddleware(application, workers=int(os.environ.get("LEEWARD_THREADS", "8")))  # type: ignore[arg-type]


def own_application() -> Any:
    """Leeward, whose drawing is counted."""
    from leeward.config.asgi import application
    from leeward.live.registry import Picture, registry
    from leeward.web.room import picture

    drawn, draw = [0], picture.draw

    def counted(*arguments: Any, **options: Any) -> dict[tuple[str, str], str]:
        found = draw(*arguments, **options)
        drawn[0] += len(found)
        return found

    picture.draw = counted

    def show(room: str, seq: int, frame: Callable[[], str]) -> None:
        views = registry.views(room)
        made = frame()
        registry.show(Picture(room, seq, None, dict.fromkeys(views, made)))

    commands = _commands(show, lambda: drawn[0])

    async def either(scope: Any, receive: Any, send: Any) -> None:
        ours = scope["type"] == "http" and scope["path"].startswith(("/show/", "/drawn/"))
        await (commands if ours else application)(scope, receive, send)

    return either


def bare_application() -> Any:
    """A consumer, a set of watchers for each room, and a call onto the loop."""
    from channels.generic.websocket import AsyncWebsocketConsumer
    from channels.routing import URLRouter
    from django.conf import settings
    from django.urls import re_path

    settings.configure(ALLOWED_HOSTS=["*"])
    rooms: dict[str, set[Any]] = {}
    loops: list[asyncio.AbstractEventLoop] = []

    class Bare(AsyncWebsocketConsumer):
        async def connect(self) -> None:
            self.room = self.scope["url_route"]["kwargs"]["room"]
            loops[:] = [asyncio.get_running_loop()]
            await self.accept()
            rooms.setdefault(self.room, set()).add(self)
            await self.send(text_data='{"seq": 0}')

        async def disconnect(self, code: int) -> None:
            rooms[self.room].discard(self)

    sending: set[asyncio.Task[None]] = set()

    def hand(room: str, frame: str) -> None:
        for consumer in rooms.get(room, ()):
            task = asyncio.create_task(consumer.send(text_data=frame))
            sending.add(task)
            task.add_done_callback(sending.discard)

    def show(room: str, _seq: int, frame: Callable[[], str]) -> None:
        made = frame()
        loops[0].call_soon_threadsafe(hand, room, made)

    sockets: Any = URLRouter([re_path(r"^live/\w+/(?P<room>\w+)/\w+/$", Bare.as_asgi())])
    commands = _commands(show, lambda: 0)

    async def either(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return
        await (sockets if scope["type"] == "websocket" else commands)(scope, receive, send)

    return either


def main(port: str, kind: str) -> None:
    import uvicorn

    from leeward.config.command import server_settings

    application = {"own": own_application, "bare": bare_application}[kind]()
    uvicorn.run(application, host="127.0.0.1", port=int(port), lifespan="off", **server_settings())


if __name__ == "__main__":
    main(*sys.argv[1:])
