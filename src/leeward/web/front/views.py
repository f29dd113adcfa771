"""What this is."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse

from leeward.web import tickets
from leeward.web.forms import page


@dataclass(frozen=True)
class FrontPage:
    signed_in: bool


def front(request: HttpRequest) -> HttpResponse:
    return page(request, "front/front.html", FrontPage(tickets.recognised(request) is not None))
