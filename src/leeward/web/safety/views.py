"""Help now: opens for everybody, signed out too; may be kept by the browser, sets no cookie."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template import engines
from django.views.decorators.http import require_safe

from leeward.domain.safety import queries
from leeward.domain.safety.queries import LineSeen
from leeward.lib import clock
from leeward.lib.refusals import NotHere
from leeward.web import languages
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
    return _public(
        HelpPage(
            country=country,
            country_name=country_name(country) if country else "",
            lines=lines,
            countries=tuple(country_choices(known)),
            examples=any(shown.seen.line.example for shown in lines),
        )
    )


def _public(page: HelpPage) -> HttpResponse:
    """The same bytes for everybody: no ticket, no session, no form, so that any cache may keep it."""
    chrome = Chrome(
        signed_in=False,
        quick_exit=False,
        **languages.of_the_page(),
        demo=settings.LEEWARD_DEMO,
        zone="UTC",
    )
    html = engines["jinja2"].get_template("safety/help.html").render({"page": page, "chrome": chrome, "messages": ()})
    response = HttpResponse(html)
    response.headers["Cache-Control"] = f"public, max-age={KEPT_SECONDS}"
    response.headers["Vary"] = "Accept-Language"
    return response
