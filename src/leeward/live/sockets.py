"""Sockets by address. A socket from another site, or for anything else, is closed before it is accepted."""

from __future__ import annotations

from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import re_path

from leeward.lib.ids import ALPHABET, ID_LENGTH
from leeward.live.consumer import ROLES, RoomSocket
from leeward.live.registry import CLOSED_FOR_YOU

ID = f"[{ALPHABET}]{{{ID_LENGTH}}}"


class Nothing(AsyncWebsocketConsumer):
    """The one answer to every other address."""

    async def connect(self) -> None:
        await self.close(code=CLOSED_FOR_YOU)


sockets = AllowedHostsOriginValidator(
    URLRouter(
        [
            re_path(rf"^live/(?P<group>{ID})/(?P<meeting>{ID})/(?P<role>{'|'.join(ROLES)})/$", RoomSocket.as_asgi()),
            re_path(r"^.*$", Nothing.as_asgi()),
        ]
    )
)
