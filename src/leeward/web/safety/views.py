"""Help now: opens for everybody, signed out too, with the same lines; sets no cookie.

The page of whoever is not signed in may be kept anywhere. Around the lines a signed-in person finds their own way back
and, if they chose it, the way to leave fast: that page their browser alone may keep.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template import engines
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from leeward.domain.safety import queries
from leeward.domain.safety.queries import LineSeen
from leeward.lib import clock
from leeward.lib.refusals import NotHere
from leeward.web import languages, tickets
from leeward.web.jinja import Chrome
from leeward.web.safety.countries import country_choices, country_name, language_name

KEPT_SECONDS = 3600


@dataclass(frozen=True)
class LineShown:
    seen: LineSeen
    languages: str


@dataclass(frozen=True)
class HelpPage:
    """`country` is empty while none is chosen."""

    country: str
    country_name: str
    lines: tuple[LineShown, ...]
    countries: tuple[tuple[str, str], ...]
    examples: bool


@require_safe
def help_now(request: HttpRequest, country: str = "") -> HttpResponse:
    if country and country != country.upper():
        return redirect("help_country", country.upper())
    known = queries.countries()
    if country and country not in known:
        raise NotHere
    if not country and len(known) == 1:
        country = known[0]
    lines = tuple(
        LineShown(seen, ", ".join(language_name(code) for code in seen.line.languages))
        for seen in (queries.lines_for(country, at=clock.now()) if country else ())
    )
    return _shown(
        request,
        HelpPage(
            country=country,
            country_name=country_name(country) if country else "",
            lines=lines,
            countries=tuple(country_choices(known)),
            examples=any(shown.seen.line.example for shown in lines),
        ),
    )


def _shown(request: HttpRequest, page: HelpPage) -> HttpResponse:
    """No form and no name in it. Signed out there are the same bytes for everybody."""
    me = tickets.recognised(request)
    chrome = Chrome(
        signed_in=me is not None,
        quick_exit=me.quick_exit if me else False,
        **languages.of_the_page(),
        demo=settings.LEEWARD_DEMO,
        zone="UTC",
    )
    html = engines["jinja2"].get_template("safety/help.html").render({"page": page, "chrome": chrome, "messages": ()})
    response = HttpResponse(html)
    response.headers["Cache-Control"] = f"{'private' if me else 'public'}, max-age={KEPT_SECONDS}"
    patch_vary_headers(response, ("Accept-Language", "Cookie"))
    return response
