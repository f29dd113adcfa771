"""The root application: sockets go to Channels, pages through a thread pool into Django's WSGI application.

A page through Django's own ASGI handler costs five times as much on the same server (docs/decisions/0001).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "leeward.config.settings")

from a2wsgi import WSGIMiddleware
from django.conf import settings
from django.core.wsgi import get_wsgi_application

_django: Any = get_wsgi_application()
_pages = WSGIMiddleware(_django, workers=int(os.environ.get("LEEWARD_THREADS", "8")))

from leeward.live import bus  # noqa: E402 — after Django is set up
from leeward.live.sockets import sockets  # noqa: E402

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Scope]]
Send = Callable[[Scope], Awaitable[None]]


BODY_SECONDS = 20.0


async def _pages_whole(scope: Scope, receive: Receive, send: Send) -> None:
    """A page's request goes to a thread once all of it is here: a slow sender holds no thread, and a form that was cut
    off on its way is no form."""
    declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    if declared.isdigit() and int(declared) > settings.LEEWARD_UPLOAD_MOST:
        await _pages(scope, receive, send)  # type: ignore[arg-type]  # refused by its length, unread
        return
    try:
        body = await asyncio.wait_for(_body(receive), BODY_SECONDS)
    except TimeoutError:
        await send({"type": "http.response.start", "status": 408, "headers": [(b"connection", b"close")]})
        await send({"type": "http.response.body", "body": b""})
        return
    if body is None:
        return
    length = str(len(body)).encode()
    headers = [
        (name, value) for name, value in scope["headers"] if name not in (b"content-length", b"transfer-encoding")
    ]
    said = [{"type": "http.request", "body": body, "more_body": False}]

    async def received() -> Scope:
        return said.pop() if said else await receive()

    await _pages({**scope, "headers": [*headers, (b"content-length", length)]}, received, send)  # type: ignore[arg-type]


async def _body(receive: Receive) -> bytes | None:
    """All of a request's body, a little more than an upload may have at most; None when the browser went away."""
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if not message.get("more_body") or size > settings.LEEWARD_UPLOAD_MOST:
            return b"".join(parts)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await sockets(scope, receive, send)
    elif scope["type"] == "http":
        await _pages_whole(scope, receive, send)
    elif scope["type"] == "lifespan":
        await _lifespan(receive, send)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            try:
                bus.start()
            except ValueError as wrong:
                await send({"type": "lifespan.startup.failed", "message": str(wrong)})
                return
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
