"""What every answer has in common: refusals become pages, pages are never stored, language follows the person."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import redirect
from django.utils import translation

from leeward.lib.refusals import NotHere, Refusal
from leeward.web import errors
from leeward.web.tickets import NotIntroduced

GetResponse = Callable[[HttpRequest], HttpResponse]
_WITHOUT_SLASH = re.compile(r"/(help(/[A-Za-z]{2})?|sign-in|home|account|found|bring)")  # as people type them


class answers:
    """Turns the domain's two exceptions into their pages and puts the common headers on every answer."""

    sync_capable, async_capable = True, False

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not (length.isascii() and length.isdecimal() and len(length) < 20) or (
            int(length) > settings.LEEWARD_UPLOAD_MOST
        ):
            response = errors.too_large(request)
        elif (request.encoding or "utf-8").lower() not in ("utf-8", "utf8"):
            response = errors.bad_request(request)  # no browser sends a form otherwise, and some codecs only raise
        elif request.method in ("GET", "HEAD") and _WITHOUT_SLASH.fullmatch(request.path):
            response = redirect(f"{request.path}/")
        else:
            response = self.get_response(request)
        if not request.path.startswith(settings.STATIC_URL):
            response.headers.setdefault("Cache-Control", "no-store")
            response.headers.setdefault("X-Robots-Tag", "noindex, nofollow")
            response.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()")
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, NotHere):
            return errors.not_found(request)
        if isinstance(exception, Refusal):
            return errors.refused(request, exception)
        if isinstance(exception, NotIntroduced):
            return redirect("introduce")
        if isinstance(exception, errors.TOO_LARGE):
            return errors.too_large(request)
        if isinstance(exception, MultiPartParserError | UnicodeDecodeError):
            return errors.bad_request(request)
        return None


def language(get_response: GetResponse) -> GetResponse:
    """The person's language once they are signed in (`web.tickets` sets it), before that what the browser asks for."""

    def middleware(request: HttpRequest) -> HttpResponse:
        translation.activate(translation.get_language_from_request(request))
        response = get_response(request)
        response.headers["Content-Language"] = translation.get_language() or settings.LANGUAGE_CODE
        return response

    return middleware
