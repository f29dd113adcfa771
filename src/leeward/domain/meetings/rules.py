"""When a group meets, what it does in the hour, who comes, and what is written down.

Time. A rhythm is a wall time in a zone: 18:00 stays 18:00 across a clock change. A wall time that the clock skips
happens when it would have been (it is read with the offset before the change and shown as it will happen); one that
the clock shows twice happens once, the first time (PEP 495, fold 0).

The record. A leaf is one line, its kind and its words: "theme:Sleep". Leaf hash = SHA-256(salt ‖ line in UTF-8),
record hash = SHA-256(previous ‖ leaf hashes in order). Taking a line away removes text and salt and keeps its hash,
so the chain still holds.
"""

from __future__ import annotations

import enum
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from leeward.lib import words
from leeward.lib.refusals import Refusal

EVERY_WEEKS, EVERY_WEEKS_MOST = 2, 8
MINUTES, MINUTES_LEAST, MINUTES_MOST = 60, 30, 120
PLANNED_WEEKS = 26
YEAR_LEAST, YEAR_MOST = 1990, 2100
OPENS_BEFORE = timedelta(minutes=10)
LINK_BEFORE = timedelta(minutes=15)
STAYS_OPEN = timedelta(hours=2)
CONFIRM_BEFORE = timedelta(days=3)
LOOK_AHEAD = timedelta(weeks=PLANNED_WEEKS)
THEME_LENGTH = 80
TITLE_LENGTH = 60
ITEM_LENGTH = 120
ITEMS_MOST = 12
BLOCKS_MOST = 12
BLOCK_MINUTES_MOST = 120
ADDENDUM_LENGTH = 500
PLEDGE_MINUTES = 15


# Time --------------------------------------------------------------------------------------------------------------


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def zone_named(text: str, *, field: str = "zone") -> str:
    """A zone of the IANA database. Raises Refusal("zone_unknown")."""
    if text not in _zones() or ("/" not in text and text != "UTC"):
        raise Refusal("zone_unknown", field=field)
    return text


_WALL_TIME = re.compile("([01][0-9]|2[0-3]):[0-5][0-9]")


def wall_time(text: str, *, field: str = "time"):  # type: ignore[no-untyped-def]  # datetime.time
    """HH:MM, 00:00…23:59. Raises Refusal("time_unreadable")."""
    if not _WALL_TIME.fullmatch(text):
        raise Refusal("time_unreadable", field=field)
    return datetime.strptime(text, "%H:%M").time()  # noqa: DTZ007 — a wall time has no zone


def meeting_minutes(number: int, *, field: str = "minutes") -> int:
    """30…120. Raises Refusal("out_of_bounds")."""
    if not MINUTES_LEAST <= number <= MINUTES_MOST:
        raise Refusal("out_of_bounds", field=field, least=MINUTES_LEAST, most=MINUTES_MOST)
    return number


def happens_at(local: datetime, zone: str) -> datetime:
    """The moment (UTC) of a naive wall time. Skipped times take the offset before; of doubled ones it is the first."""
    return local.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC)


def shown_at(moment: datetime, zone: str) -> datetime:
    """The naive wall time at which a moment happens, as a clock on the wall shows it."""
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)


class Way(enum.StrEnum):
    """How a group meets."""

    IN_PERSON = "in_person"
    ONLINE = "online"
    HYBRID = "hybrid"


@dataclass(frozen=True)
class Rhythm:
    """Every `every_weeks` weeks from a wall time on; `cycle` is the ways of meeting, in turn."""

    start_local: datetime
    zone: str
    every_weeks: int = EVERY_WEEKS
    minutes: int = MINUTES
    cycle: tuple[Way, ...] = (Way.ONLINE,)


@dataclass(frozen=True)
class Date:
    """One planned date: its number in the rhythm from 0, wall time, moment (UTC) and way."""

    number: int
    local: datetime
    at: datetime
    way: Way


def rhythm(start_local: datetime, zone: str, *, every_weeks: int, minutes: int, cycle: Sequence[Way]) -> Rhythm:
    """A checked rhythm. Raises Refusal beside the field."""
    if not 1 <= every_weeks <= EVERY_WEEKS_MOST:
        raise Refusal("out_of_bounds", field="every_weeks", least=1, most=EVERY_WEEKS_MOST)
    refuse_far_year(start_local, field="date")
    if not 1 <= len(cycle) <= 8:
        raise Refusal("out_of_bounds", field="cycle", least=1, most=8)
    return Rhythm(start_local, zone_named(zone), every_weeks, meeting_minutes(minutes), tuple(cycle))


def refuse_far_year(local: datetime, *, field: str) -> None:
    """Raises Refusal("year_out_of_bounds")."""
    if not YEAR_LEAST <= local.year < YEAR_MOST:
        raise Refusal("year_out_of_bounds", field=field, least=YEAR_LEAST, most=YEAR_MOST - 1)


def dates(rhythm: Rhythm, *, since: datetime, until: datetime) -> Iterator[Date]:
    """The rhythm's dates with since ≤ moment < until, in order."""
    step = timedelta(weeks=rhythm.every_weeks)
    number = max((since - happens_at(rhythm.start_local, rhythm.zone)) // step - 1, 0)
    while True:
        local = rhythm.start_local + number * step
        moment = happens_at(local, rhythm.zone)
        if moment >= until:
            return
        if moment >= since:
            yield Date(number, shown_at(moment, rhythm.zone), moment, rhythm.cycle[number % len(rhythm.cycle)])
        number += 1


def planned(rhythm: Rhythm, since: datetime, *, weeks: int = PLANNED_WEEKS) -> list[Date]:
    """The dates of the next `weeks` weeks from `since` on."""
    return list(dates(rhythm, since=since, until=since + timedelta(weeks=weeks)))


def screen_minutes(ways: Sequence[tuple[Way, int]]) -> int:
    """Minutes before a screen: online meetings whole, hybrid ones half, in person none. `ways` are (way, minutes)."""
    share = {Way.ONLINE: 2, Way.HYBRID: 1, Way.IN_PERSON: 0}
    return sum(share[way] * minutes for way, minutes in ways) // 2


class Standing(enum.StrEnum):
    """What a date is at a moment."""

    PLANNED = "planned"
    CONFIRMED = "confirmed"
    UNCONFIRMED = "unconfirmed"
    OPEN = "open"
    HELD = "held"
    CANCELLED = "cancelled"
    NOT_HELD = "not_held"


def standing_as_of(
    at: datetime,
    *,
    starts_at: datetime,
    ends_at: datetime,
    confirmed: bool,
    cancelled: bool,
    opened: bool,
    closed: bool,
) -> Standing:
    """From three days before on, a date that its lead has not confirmed is unconfirmed."""
    if cancelled:
        return Standing.CANCELLED
    if closed:
        return Standing.HELD
    if opened:
        return Standing.OPEN
    if at >= ends_at + STAYS_OPEN:
        return Standing.NOT_HELD
    if confirmed:
        return Standing.CONFIRMED
    return Standing.UNCONFIRMED if at >= starts_at - CONFIRM_BEFORE else Standing.PLANNED


def may_open(at: datetime, *, starts_at: datetime, ends_at: datetime) -> bool:
    """From ten minutes before the start until two hours after the planned end."""
    return starts_at - OPENS_BEFORE <= at < ends_at + STAYS_OPEN


# Agenda ------------------------------------------------------------------------------------------------------------


class BlockKind(enum.StrEnum):
    """What a block of the agenda is for."""

    PLEDGE = "pledge"
    MOOD = "mood"
    SPOTLIGHT = "spotlight"
    BRAINSTORM = "brainstorm"
    PRACTICE = "practice"
    EXPERIENCE = "experience"
    OPEN = "open"
    COMMITMENT = "commitment"


@dataclass(frozen=True)
class Block:
    """`title` is empty where the kind says enough. `minutes` 1…120."""

    kind: BlockKind
    title: str
    minutes: int


def _blocks(*pairs: tuple[BlockKind, int]) -> tuple[Block, ...]:
    return tuple(Block(kind, "", minutes) for kind, minutes in pairs)


TEMPLATES: dict[str, tuple[Block, ...]] = {
    "topic_circle": _blocks(
        (BlockKind.MOOD, 5), (BlockKind.SPOTLIGHT, 20), (BlockKind.BRAINSTORM, 25), (BlockKind.COMMITMENT, 5)
    ),
    "skill_pod": _blocks(
        (BlockKind.MOOD, 5), (BlockKind.PRACTICE, 30), (BlockKind.BRAINSTORM, 15), (BlockKind.COMMITMENT, 5)
    ),
    "life_stage_cohort": _blocks(
        (BlockKind.MOOD, 5), (BlockKind.EXPERIENCE, 30), (BlockKind.BRAINSTORM, 15), (BlockKind.COMMITMENT, 5)
    ),
    "hybrid_community": _blocks(
        (BlockKind.MOOD, 5), (BlockKind.SPOTLIGHT, 20), (BlockKind.BRAINSTORM, 25), (BlockKind.COMMITMENT, 5)
    ),
}


def total(blocks: Sequence[Block]) -> int:
    return sum(block.minutes for block in blocks)


def spare(blocks: Sequence[Block], minutes: int) -> int:
    """Minutes of the meeting that no block uses: the buffer."""
    return minutes - total(blocks)


def agenda_for(format: str, minutes: int) -> tuple[Block, ...]:
    """The format's agenda, scaled to a meeting of `minutes`; of 60 minutes 5 stay spare."""
    return _scaled(TEMPLATES[format], minutes)


def with_pledge(blocks: Sequence[Block], minutes: int) -> tuple[Block, ...]:
    """The first meeting opens with the pledge: what is spare and up to ten minutes of the spotlight, 15 in all.

    Without a spotlight the longest block gives. An agenda that is full, or holds a pledge block, stays as it is.
    """
    if not 1 <= len(blocks) < BLOCKS_MOST or any(block.kind is BlockKind.PLEDGE for block in blocks):
        return tuple(blocks)
    free = max(spare(blocks, minutes), 0)
    gives = max(
        range(len(blocks)), key=lambda place: (blocks[place].kind is BlockKind.SPOTLIGHT, blocks[place].minutes)
    )
    taken = min(max(PLEDGE_MINUTES - free, 0), blocks[gives].minutes - 1)
    opening = min(free, PLEDGE_MINUTES) + taken
    if opening < 1:
        return tuple(blocks)
    shorter = Block(blocks[gives].kind, blocks[gives].title, blocks[gives].minutes - taken)
    return (Block(BlockKind.PLEDGE, "", opening), *blocks[:gives], shorter, *blocks[gives + 1 :])


def _scaled(blocks: Sequence[Block], minutes: int) -> tuple[Block, ...]:
    return tuple(Block(block.kind, block.title, max(block.minutes * minutes // MINUTES, 1)) for block in blocks)


def checked_agenda(blocks: Sequence[Block], minutes: int) -> tuple[Block, ...]:
    """Blocks with clean titles. Raises Refusal("agenda_empty" | "too_many_blocks" | "block_minutes" | …)."""
    if not blocks:
        raise Refusal("agenda_empty", field="agenda")
    if len(blocks) > BLOCKS_MOST:
        raise Refusal("too_many_blocks", field="agenda", most=BLOCKS_MOST)
    if any(not 1 <= block.minutes <= BLOCK_MINUTES_MOST for block in blocks):
        raise Refusal("block_minutes", field="agenda", most=BLOCK_MINUTES_MOST)
    if total(blocks) > minutes:
        raise Refusal("agenda_too_long", field="agenda", total=total(blocks), minutes=minutes)
    titles = [words.line(block.title, field="agenda", most=TITLE_LENGTH, least=0) for block in blocks]
    return tuple(Block(block.kind, title, block.minutes) for block, title in zip(blocks, titles, strict=True))


# Talking -----------------------------------------------------------------------------------------------------------

TOKENS_EACH, TOKENS_LEAST, TOKENS_MOST = 3, 1, 5


@dataclass(frozen=True)
class Talk:
    """Talk tokens as a group chose them: `each` 1…5 a person and meeting; `follow_ups`: a short question to whoever
    speaks costs nothing; `refill`: every block that costs tokens starts with a full hand."""

    each: int = TOKENS_EACH
    follow_ups: bool = False
    refill: bool = False


def talk(*, each: int, follow_ups: bool, refill: bool) -> Talk:
    """Raises Refusal("out_of_bounds", field="each")."""
    if not TOKENS_LEAST <= each <= TOKENS_MOST:
        raise Refusal("out_of_bounds", field="each", least=TOKENS_LEAST, most=TOKENS_MOST)
    return Talk(each, follow_ups, refill)


# Who comes ---------------------------------------------------------------------------------------------------------


class Answer(enum.StrEnum):
    """What somebody tells the group about a date. No answer is fine."""

    ROOM = "room"
    ONLINE = "online"
    CANT = "cant"


ANSWERS: dict[Way, tuple[Answer, ...]] = {
    Way.IN_PERSON: (Answer.ROOM, Answer.CANT),
    Way.ONLINE: (Answer.ONLINE, Answer.CANT),
    Way.HYBRID: (Answer.ROOM, Answer.ONLINE, Answer.CANT),
}


def refuse_impossible_answer(answer: Answer, way: Way) -> None:
    """Raises Refusal("answer_impossible")."""
    if answer not in ANSWERS[way]:
        raise Refusal("answer_impossible")


# The record --------------------------------------------------------------------------------------------------------

NO_PREVIOUS = "0" * 64


class LeafKind(enum.StrEnum):
    """What a line of the record says."""

    ORIGIN = "origin"
    DATE = "date"
    WAY = "way"
    PLACE = "place"
    THEME = "theme"
    TOPIC = "topic"
    STEP = "step"
    NEXT = "next"
    ADDENDUM = "addendum"


@dataclass(frozen=True)
class Line:
    """A line before it is sealed. Texts of dates and ways are codes (ISO, vocabulary), the same in every language."""

    kind: LeafKind
    text: str


@dataclass(frozen=True)
class Leaf:
    """`salt` is 16 random bytes as 32 hex digits."""

    kind: LeafKind
    text: str
    salt: str


def record_lines(
    *,
    starts_local: str,
    zone: str,
    way: Way | None,
    place: str,
    theme: str,
    topics: Sequence[str],
    steps: Sequence[str],
    next_local: str,
    imported: bool,
) -> list[Line]:
    """What a record holds, in order: procedural, never who said what. Steps are those their owners chose to show."""
    lines = [Line(LeafKind.ORIGIN, "imported")] if imported else []
    lines.append(Line(LeafKind.DATE, f"{starts_local} {zone}"))
    if way is not None:
        lines.append(Line(LeafKind.WAY, way.value))
    for kind, text in ((LeafKind.PLACE, place), (LeafKind.THEME, theme)):
        if text:
            lines.append(Line(kind, text))
    lines += [Line(LeafKind.TOPIC, topic) for topic in topics]
    lines += [Line(LeafKind.STEP, step) for step in steps]
    if next_local:
        lines.append(Line(LeafKind.NEXT, f"{next_local} {zone}"))
    return lines


def leaf_hash(leaf: Leaf) -> str:
    """SHA-256(salt ‖ "kind:text"), lower-case hex."""
    return hashlib.sha256(bytes.fromhex(leaf.salt) + f"{leaf.kind}:{leaf.text}".encode()).hexdigest()


def record_hash(previous: str, leaf_hashes: Sequence[str]) -> str:
    """SHA-256(previous ‖ leaf hashes in order), lower-case hex; `previous` of the first is 64 zeros."""
    whole = bytes.fromhex(previous) + b"".join(bytes.fromhex(digest) for digest in leaf_hashes)
    return hashlib.sha256(whole).hexdigest()


@dataclass(frozen=True)
class StoredLeaf:
    """A leaf as stored: without text and salt when its author removed it."""

    number: int
    kind: str
    text: str | None
    salt: str | None
    hash: str


@dataclass(frozen=True)
class Link:
    """A record as stored."""

    number: int
    previous: str
    hash: str
    leaves: tuple[StoredLeaf, ...]


def broken_links(links: Sequence[Link]) -> list[int]:
    """Numbers of the records at which a chain (in order of number) does not hold. Empty: it holds."""
    broken = []
    previous = NO_PREVIOUS
    for place, link in enumerate(links, 1):
        if not (
            link.number == place
            and link.previous == previous
            and [leaf.number for leaf in link.leaves] == list(range(1, len(link.leaves) + 1))
            and all(_leaf_holds(leaf) for leaf in link.leaves)
            and _hash_holds(link)
        ):
            broken.append(link.number)
        previous = link.hash
    return broken


_DIGEST = re.compile("[0-9a-f]{64}")  # one way to write each: bytes.fromhex takes several
_SALT = re.compile("[0-9a-f]{32}")


def _leaf_holds(leaf: StoredLeaf) -> bool:
    if not _DIGEST.fullmatch(leaf.hash):
        return False
    if leaf.text is None or leaf.salt is None:
        return leaf.text is None and leaf.salt is None
    if not _SALT.fullmatch(leaf.salt):
        return False
    try:
        return leaf_hash(Leaf(LeafKind(leaf.kind), leaf.text, leaf.salt)) == leaf.hash
    except ValueError:
        return False


def _hash_holds(link: Link) -> bool:
    try:
        return record_hash(link.previous, [leaf.hash for leaf in link.leaves]) == link.hash
    except ValueError:
        return False
