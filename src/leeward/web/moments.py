"""Dates and times as a person reads them: their language, their zone, and the zone always beside the time."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo, available_timezones

from babel import dates
from django.utils import timezone, translation


def _locale() -> str:
    language = translation.get_language() or "en"
    return {"en": "en_GB"}.get(language, language.replace("-", "_"))


def _zone(zone: str | None) -> ZoneInfo:
    return ZoneInfo(zone) if zone else ZoneInfo(timezone.get_current_timezone_name())


def day(value: date) -> str:
    """Thursday, 15 October 2026"""
    return dates.format_date(value, "full", locale=_locale())


def short_day(value: date) -> str:
    """15 Oct 2026"""
    return dates.format_skeleton("yMMMd", value, locale=_locale())


def day_of(at: datetime, zone: str | None = None) -> str:
    return day(at.astimezone(_zone(zone)).date())


def short_day_of(at: datetime, zone: str | None = None) -> str:
    return short_day(at.astimezone(_zone(zone)).date())


def time_of(at: datetime, zone: str | None = None) -> str:
    """19:00 (Berlin)"""
    tz = _zone(zone)
    return _hour(at.astimezone(tz), tz)


def _hour(local: datetime, tz: ZoneInfo) -> str:
    return f"{dates.format_time(local.time(), 'short', locale=_locale())} ({_city(tz)})"


def _city(tz: ZoneInfo) -> str:
    return "UTC" if tz.key == "UTC" else dates.get_timezone_location(tz, locale=_locale(), return_city=True)


def day_and_time(at: datetime, zone: str | None = None) -> str:
    """Thursday, 15 October 2026, 19:00 (Berlin)"""
    return _joined(day_of(at, zone), time_of(at, zone))


def _joined(day: str, hour: str) -> str:
    return str(dates.get_datetime_format("medium", locale=_locale())).replace("{0}", hour).replace("{1}", day)


def wall_time(local: datetime, zone: str) -> str:
    """A wall time that is already in its zone: Thursday, 15 October 2026, 19:00 (Berlin)"""
    return _joined(day(local.date()), _hour(local, ZoneInfo(zone)))


_AREAS = (
    "Africa/", "America/", "Antarctica/", "Arctic/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/",
    "Pacific/",
)  # fmt: skip


def zone_choices() -> list[tuple[str, str]]:
    """Time zones by continent and city."""
    names = sorted(name for name in available_timezones() if name.startswith(_AREAS))
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in names)]
