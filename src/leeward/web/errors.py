"""The pages that say no. The not-found page is one and the same for absent, forbidden and left."""

from __future__ import annotations

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import engines
from django.utils.translation import gettext as _

from leeward.lib.refusals import Refusal
from leeward.web import languages, words

LIVE = "X-Leeward-Live"  # a form of the room, sent by a script that stays on its page
TOO_LARGE = (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent)


def _bare(template: str, status: int, **context: object) -> HttpResponse:
    """A page that knows nothing of who asks: no form, no token, no cookie, no echo."""
    html = engines["jinja2"].get_template(template).render(context | languages.of_the_page())
    return HttpResponse(html, status=status)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _bare("errors/404.html", 404)


def server_error(request: HttpRequest) -> HttpResponse:
    return _bare("errors/500.html", 500)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if isinstance(exception, TOO_LARGE):
        return too_large(request)
    return _bare("errors/400.html", 400)


def too_large(request: HttpRequest) -> HttpResponse:
    return _bare("errors/413.html", 413)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _bare("errors/404.html", 404)


def csrf(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _bare("errors/403_csrf.html", 403)


def refused(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """A refusal that no form took up: the sentence, and the way back."""
    if LIVE in request.headers:
        return JsonResponse({"sentence": words.sentence(refusal)}, status=409)
    return _bare("errors/refused.html", 409, sentence=words.sentence(refusal), title=_("That did not happen"))
