"""Names of countries and languages in the reader's language."""

from __future__ import annotations

from babel import Locale
from babel.core import UnknownLocaleError
from django.utils import translation


def _locale() -> Locale:
    try:
        return Locale.parse((translation.get_language() or "en").replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale("en")


def country_name(code: str) -> str:
    """The name of an ISO 3166-1 alpha-2 code, or the code itself."""
    return _locale().territories.get(code, code) or code


def language_name(code: str) -> str:
    """The name of a language code, or the code itself."""
    return _locale().languages.get(code.replace("-", "_"), code) or code


def country_choices(codes: tuple[str, ...]) -> list[tuple[str, str]]:
    """Codes with their names, in the order of the names."""
    return sorted(((code, country_name(code)) for code in codes), key=lambda pair: pair[1].casefold())
