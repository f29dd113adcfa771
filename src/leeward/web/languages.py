"""The languages people can choose: English, and every folder `<language>/LC_MESSAGES` that holds a catalogue.

A `django.po` is compiled when the program starts; a `django.mo` is taken as it is. A translated sentence that would
break its page (other placeholders than the English one, markup) is left out: the English one stands there.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from babel import Locale, UnknownLocaleError
from django.conf import settings
from django.utils import translation

ENGLISH = ("en", "English")
CATALOGUE = "django"
_PLACEHOLDER = re.compile(r"%\((\w+)\)")


def gathered(folders: Iterable[Path], *, into: Path) -> tuple[list[tuple[str, str]], list[Path]]:
    """(code, own name) of every language, English first; and where the framework finds the compiled catalogues.

    Of two folders the later one has the last word, sentence by sentence. `into` is written only for a `.po`.
    Raises ValueError in plain words for a folder that is no language and for a catalogue that cannot be read.
    """
    names: dict[str, str] = {}
    paths: list[Path] = []
    for folder in folders:
        sources = sorted(folder.glob(f"*/LC_MESSAGES/{CATALOGUE}.po"))
        found = [*sources, *folder.glob(f"*/LC_MESSAGES/{CATALOGUE}.mo")]
        for catalogue in found:
            code = catalogue.parts[-3]
            names[code.lower().replace("_", "-")] = _own_name(code)
        if found:
            paths[:0] = [*([_compiled(sources, into)] if sources else []), folder]
    names.pop(ENGLISH[0], None)
    return [ENGLISH, *sorted(names.items(), key=lambda named: named[1].casefold())], paths


def _own_name(code: str) -> str:
    try:
        name = Locale.parse(code).get_display_name()
    except (UnknownLocaleError, ValueError):
        raise ValueError(f"{code} is not a language. Name the folder like de or pt_BR.") from None
    return f"{name[:1].upper()}{name[1:]}" if name else code


def _compiled(sources: list[Path], into: Path) -> Path:
    """The folder of compiled catalogues for these sources: made once, named by their contents."""
    digest = hashlib.sha256()
    for source in sources:
        digest.update(f"{source.parts[-3]}\0".encode() + source.read_bytes() + b"\0")
    made = into / digest.hexdigest()[:16]
    if not made.exists():
        into.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=into))
        try:
            for source in sources:
                _compile(source, draft / source.parts[-3] / "LC_MESSAGES" / f"{CATALOGUE}.mo")
            draft.replace(made)
        except OSError:
            if not made.exists():  # else another process was quicker
                raise
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return made


def _compile(source: Path, target: Path) -> None:
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import PoFileError, read_po

    try:
        with source.open("rb") as lines:
            catalogue = read_po(lines, locale=source.parts[-3], abort_invalid=True)
    except (PoFileError, ValueError) as error:
        raise ValueError(f"{source} cannot be read: {error}") from error
    for message in catalogue:
        if message.id and not _fits(_forms(message.id), _forms(message.string)):
            print(f"{source}, line {message.lineno}: other placeholders, or markup. It stays English.", file=sys.stderr)
            message.string = ""
    target.parent.mkdir(parents=True)
    with target.open("wb") as out:
        write_mo(out, catalogue)


def _forms(text: str | Sequence[str] | None) -> list[str]:
    return [text] if isinstance(text, str) else list(text or ())


def _fits(english: list[str], translated: list[str]) -> bool:
    """Whether a page can fill the translation in. A plural form may leave the number out, a sentence nothing."""
    names = set(_PLACEHOLDER.findall(" ".join(english)))
    for text in filter(None, translated):
        try:
            text % dict.fromkeys(names, 0)
        except (KeyError, TypeError, ValueError):
            return False
        if "<" in text or (len(english) == 1 and set(_PLACEHOLDER.findall(text)) != names):
            return False
    return True


def spoken(code: str | None) -> str:
    """`code` when people can choose it here, else what the server speaks."""
    known = {name for name, _own in settings.LANGUAGES}
    return code if code in known else settings.LANGUAGE_CODE


def of_the_page() -> dict[str, str]:
    """What the page at hand is written in, for its `html` tag."""
    return {
        "lang": translation.get_language() or settings.LANGUAGE_CODE,
        "dir": "rtl" if translation.get_language_bidi() else "ltr",
    }
