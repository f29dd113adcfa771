"""The root application: sockets go to Channels, pages through a thread pool into Django's WSGI application.

A page through Django's own ASGI handler costs five times as much on the same server (docs/decisions/0001).
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "leeward.config.settings")

from a2wsgi import WSGIMiddleware
from django.core.wsgi import get_wsgi_application

_django: Any = get_wsgi_application()
_pages = WSGIMiddleware(_django, workers=int(os.environ.get("LEEWARD_THREADS", "8")))

from leeward.live.sockets import sockets  # noqa: E402 — after Django is set up

Scope = MutableMapping[str, Any]


def _whole(receive: Callable[[], Awaitable[Scope]]) -> Callable[[], Awaitable[Scope]]:
    """A form that was cut off on its way is no form: what has come of it is not read as if it were all."""

    async def received() -> Scope:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionResetError("the browser went away")
        return message

    return received


async def application(
    scope: Scope, receive: Callable[[], Awaitable[Scope]], send: Callable[[Scope], Awaitable[None]]
) -> None:
    if scope["type"] == "websocket":
        await sockets(scope, receive, send)
    elif scope["type"] == "http":
        await _pages(scope, _whole(receive), send)  # type: ignore[arg-type]
    elif scope["type"] == "lifespan":
        await _lifespan(receive, send)


async def _lifespan(receive: Callable[[], Awaitable[Scope]], send: Callable[[Scope], Awaitable[None]]) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
