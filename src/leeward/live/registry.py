"""Who watches which room, in this process. No page opens a socket yet, so every socket is turned away."""

from __future__ import annotations

from channels.generic.websocket import AsyncWebsocketConsumer


class NobodyHere(AsyncWebsocketConsumer):
    """Closes before accepting: the same answer for every address."""

    async def connect(self) -> None:
        await self.close(code=4404)
