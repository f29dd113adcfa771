"""Sockets by address. A socket that asks for anything else is closed."""

from __future__ import annotations

from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import re_path

from leeward.live.registry import NobodyHere

sockets = AllowedHostsOriginValidator(URLRouter([re_path(r"^.*$", NobodyHere.as_asgi())]))
