"""What a place may hold, and when its join link is shown.

A link lets anybody in who has it, so it is shown as late as is useful (RULES 6): to members, from 15 minutes before the
meeting starts until two hours after it ends. An address of a room is visible to members at all times: one has to
find the way. A link is kept as text and never fetched.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlsplit, urlunsplit

from leeward.domain.groups.rules import Member
from leeward.lib import words
from leeward.lib.refusals import Refusal

LABEL_LENGTH = 60
ADDRESS_LENGTH = 200
LINK_LENGTH = 500
NOTES_LENGTH = 500
PLACES_MOST = 20
LINK_OPENS = timedelta(minutes=15)
LINK_STAYS = timedelta(hours=2)


@dataclass(frozen=True)
class Facts:
    """What is said about a place. Empty text means: none."""

    label: str
    address: str
    link: str
    access_notes: str
    cost_free: bool
    screen_sharing: bool
    reserved_until: date | None


def link(text: str) -> str:
    """An address of the web, or nothing. Raises Refusal("link_not_web" | "too_long", field="link")."""
    clean = words.line(text, field="link", most=LINK_LENGTH, least=0)
    if not clean:
        return ""
    if any(c.isspace() or c in "<>\"'`\\" for c in clean):
        raise Refusal("link_not_web", field="link")
    try:
        parts = urlsplit(clean)
        _ = parts.port
    except ValueError:
        raise Refusal("link_not_web", field="link") from None
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise Refusal("link_not_web", field="link")
    return clean


# Video rooms that we recognise, by a part of the host or path, and what asks them not to record.
JITSI_HOSTS = ("meet.jit.si", "jitsi")
JITSI_QUIET = (
    "config.fileRecordingsEnabled=false", "config.localRecording.disable=true", "config.liveStreamingEnabled=false",
    "config.transcription.enabled=false", "config.recordingService.enabled=false",
    "config.liveStreaming.enabled=false",
)  # fmt: skip
BBB_PATHS = ("/bigbluebutton/", "/rooms/", "/b/")
BBB_QUIET = ("record=false", "autoStartRecording=false", "allowStartStopRecording=false")


def video_link(link: str) -> str:
    """The link with what asks a Jitsi or BigBlueButton room not to record; any other link as it is.

    Jitsi reads settings behind `#`, BigBlueButton in the query. A server's own settings have the last word.
    """
    parts = urlsplit(link)
    host = parts.hostname or ""
    if any(name in host for name in JITSI_HOSTS):
        return urlunsplit(parts._replace(fragment=_with_settings(parts.fragment, JITSI_QUIET)))
    if "bigbluebutton" in host or host.startswith("bbb") or any(parts.path.startswith(path) for path in BBB_PATHS):
        return urlunsplit(parts._replace(query=_with_settings(parts.query, BBB_QUIET)))
    return link


def _with_settings(text: str, settings: tuple[str, ...]) -> str:
    """`a=1&b=2` with `settings` instead of what it says of the same names."""
    names = {setting.partition("=")[0] for setting in settings}
    kept = [part for part in text.split("&") if part and part.partition("=")[0] not in names]
    return "&".join([*kept, *settings])


def checked(facts: Facts) -> Facts:
    """Raises Refusal beside the field; a place is a room, a link, or both."""
    kept = Facts(
        label=words.line(facts.label, field="label", most=LABEL_LENGTH),
        address=words.passage(facts.address, field="address", most=ADDRESS_LENGTH),
        link=link(facts.link),
        access_notes=words.passage(facts.access_notes, field="access_notes", most=NOTES_LENGTH),
        cost_free=facts.cost_free,
        screen_sharing=facts.screen_sharing,
        reserved_until=facts.reserved_until,
    )
    if not kept.address and not kept.link:
        raise Refusal("room_or_link", field="address")
    if kept.reserved_until is not None and not 2000 <= kept.reserved_until.year <= 2999:
        raise Refusal("date_far_off", field="reserved_until")
    return kept


def link_shown_from(starts_at: datetime) -> datetime:
    return starts_at - LINK_OPENS


def link_shown(*, starts_at: datetime, ends_at: datetime, at: datetime) -> bool:
    """Whether the join link of a meeting is shown at `at`: the first moment counts, the last does not."""
    return link_shown_from(starts_at) <= at < ends_at + LINK_STAYS


def link_for(ticket: Member | None, *, link: str, starts_at: datetime, ends_at: datetime, at: datetime) -> str:
    """The join link for this visitor now; empty when it is not theirs to see, or not yet, or no more."""
    return link if ticket is not None and link_shown(starts_at=starts_at, ends_at=ends_at, at=at) else ""
