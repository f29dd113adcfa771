"""What people type, made safe to keep and to show: one normal form, no hidden characters, counted as people count."""

from __future__ import annotations

import re
import unicodedata

from leeward.lib.refusals import Refusal

# Zero-width, bidirectional controls, soft hyphen, tags: they change how other text looks and show nothing themselves.
# U+200D (joiner) and U+200C (non-joiner) stay between letters and emoji, where languages need them.
_HIDDEN = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_STRAY_JOINERS = re.compile("(?:^|(?<=\\s))[\u200c\u200d]+|[\u200c\u200d]+(?=\\s|$)|(?<=[\u200c\u200d])[\u200c\u200d]+")
_SPACES = re.compile(r"[^\S\n]+")
MARKS_A_LETTER = 4


def _tame(text: str) -> str:
    """At most four combining marks a letter: no towers of accents over the lines above."""
    kept, marks = [], 0
    for character in text:
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks <= MARKS_A_LETTER:
            kept.append(character)
    return "".join(kept)


def clean(text: str) -> str:
    """`text` in normal form C on lines without hidden characters; refuses what is not text at all.

    Raises Refusal("not_text") for NUL and lone surrogates: they come from broken programs, not from people.
    """
    if "\x00" in text or any("\ud800" <= c <= "\udfff" for c in text):
        raise Refusal("not_text")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _HIDDEN.sub("", _CONTROL.sub("", unicodedata.normalize("NFC", text)))
    text = _STRAY_JOINERS.sub("", text)
    text = "\n".join(_SPACES.sub(" ", line).strip() for line in text.split("\n"))
    return _tame(re.sub(r"\n{3,}", "\n\n", text)).strip()


def length(text: str) -> int:
    """Characters as people count them: a letter with its marks, or an emoji with its joiners, is one."""
    count, joined = 0, False
    for character in text:
        mark = (
            unicodedata.combining(character)
            or unicodedata.category(character) in ("Mn", "Me")
            or ("\ufe00" <= character <= "\ufe0f" or "\U0001f3fb" <= character <= "\U0001f3ff")
        )
        if character == "\u200d":
            joined = True
            continue
        if not (mark or joined):
            count += 1
        joined = False
    return count


def line(text: str, *, field: str, most: int, least: int = 1) -> str:
    """One clean line of `least`…`most` characters. Raises Refusal("too_long" | "missing", field=…)."""
    return _bounded(clean(text).replace("\n", " "), field=field, most=most, least=least)


def passage(text: str, *, field: str, most: int, least: int = 0) -> str:
    """Clean text of several lines, `least`…`most` characters. Raises as `line`."""
    return _bounded(clean(text), field=field, most=most, least=least)


def _bounded(text: str, *, field: str, most: int, least: int) -> str:
    count = length(text)
    if count < least:
        raise Refusal("missing" if count == 0 else "too_short", field=field, least=least)
    if count > most or len(text) > most * 8:
        raise Refusal("too_long", field=field, most=most, over=max(count - most, 1))
    return text


def skeleton(name: str) -> str:
    """What a name looks like: no reader tells names with one skeleton apart (case, width, accents, look-alikes)."""
    wide = unicodedata.normalize("NFKD", name).casefold()
    plain = "".join(c for c in wide if not unicodedata.combining(c) and c not in "\u200c\u200d")
    return "".join(_LOOKALIKE.get(c, c) for c in plain if not c.isspace())


_LOOKALIKE = {
    **dict(zip("аеорсухіјѕԁһӏ", "aeopcyxijsdhl", strict=True)),  # Cyrillic
    **dict(zip("οαενρτυχκ", "oaevptuxk", strict=True)),  # Greek
    **dict(zip("01|ıɑɡ", "olliag", strict=True)),
}
