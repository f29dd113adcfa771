"""A catalogue that is handed in becomes a language people can choose; a broken one breaks no page."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.conf import LazySettings
from django.core import mail
from django.test import Client
from django.utils import translation
from django.utils.translation import gettext, ngettext

from leeward.domain.groups import actions as groups
from leeward.domain.groups.models import Group
from leeward.domain.people.models import Person
from leeward.lib import clock
from leeward.web import languages
from tests.cast import NOW, a_person, harbour
from tests.visitor import Visitor
from tests.web.signing import signed_in

ROOT = Path(__file__).resolve().parents[2]
GERMAN = """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "Sign in"
msgstr "Anmelden"

msgid "Send me a code"
msgstr "Schick mir einen Code"

msgid "My account"
msgstr "Mein Konto"

msgid "Language"
msgstr "Sprache"

msgid "Save"
msgstr "Sichern"

msgid "Your code"
msgstr "Dein Code"

msgid "News for you"
msgstr "Neues für dich"

msgid "That is too large"
msgstr "Das ist zu groß"

#, python-format
msgid "since %(day)s"
msgstr "seit %(day)s"

msgid "%(num)s minute"
msgid_plural "%(num)s minutes"
msgstr[0] "eine Minute"
msgstr[1] "%(num)s Minuten"
"""
BROKEN = """
msgid "Hello %(name)s"
msgstr "Hallo %(nmae)s"

msgid "Text: %(number)s"
msgstr "SMS"

msgid "Getting in"
msgstr "100 % offen"

msgid "Free of charge"
msgstr "<b>Kostenlos</b>"

#, fuzzy
msgid "Getting in:"
msgstr "Vielleicht: Hineinkommen"

msgid "Costs something"
msgstr "Kostet etwas"
"""


def hand_in(folder: Path, *, code: str = "de", text: str = GERMAN) -> Path:
    target = folder / code / "LC_MESSAGES" / "django.po"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)
    return target


def gathered(*folders: Path, into: Path) -> tuple[list[str], list[Path]]:
    names, paths = languages.gathered(folders, into=into)
    return [f"{code}: {name}" for code, name in names], paths


@pytest.fixture
def german(settings: LazySettings, tmp_path: Path, clock_at: Callable[[datetime], None]) -> None:
    hand_in(tmp_path / "locale")
    settings.LANGUAGES, settings.LOCALE_PATHS = languages.gathered([tmp_path / "locale"], into=tmp_path / "made")
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    clock_at(NOW)


# Gathering ---------------------------------------------------------------------------------------------------------


def test_without_a_catalogue_there_is_english_and_nothing_is_written(tmp_path: Path) -> None:
    assert gathered(tmp_path / "nowhere", tmp_path, into=tmp_path / "made") == (["en: English"], [])
    assert list(tmp_path.iterdir()) == []


def test_every_catalogue_is_a_language_by_its_own_name(tmp_path: Path) -> None:
    hand_in(tmp_path / "a")
    hand_in(tmp_path / "a", code="pt_BR")
    hand_in(tmp_path / "b", code="he")
    hand_in(tmp_path / "b", code="en")
    names, _paths = gathered(tmp_path / "a", tmp_path / "b", into=tmp_path / "made")
    assert names == ["en: English", "de: Deutsch", "pt-br: Português (Brasil)", "he: עברית"]


def test_a_catalogue_is_compiled_once_and_again_when_it_changes(tmp_path: Path) -> None:
    source, made = hand_in(tmp_path / "locale"), tmp_path / "made"
    _names, first = gathered(tmp_path / "locale", into=made)
    compiled = first[0] / "de" / "LC_MESSAGES" / "django.mo"
    before = compiled.stat().st_mtime_ns
    assert gathered(tmp_path / "locale", into=made)[1] == first
    assert (compiled.stat().st_mtime_ns, first[1]) == (before, tmp_path / "locale")
    source.write_text(GERMAN.replace("Mein Konto", "Konto"))
    assert gathered(tmp_path / "locale", into=made)[1] != first
    assert {path.name for path in made.iterdir()} >= {first[0].name}


def test_a_compiled_catalogue_is_taken_as_it_is(tmp_path: Path, settings: LazySettings) -> None:
    source = hand_in(tmp_path / "locale")
    with source.open("rb") as lines, source.with_suffix(".mo").open("wb") as out:
        write_mo(out, read_po(lines))
    source.unlink()
    settings.LANGUAGES, settings.LOCALE_PATHS = languages.gathered([tmp_path / "locale"], into=tmp_path / "made")
    assert not (tmp_path / "made").exists()
    with translation.override("de"):
        assert gettext("My account") == "Mein Konto"


def test_of_two_catalogues_the_later_has_the_last_word(tmp_path: Path, settings: LazySettings) -> None:
    hand_in(tmp_path / "ours")
    hand_in(tmp_path / "theirs", text='msgid "Sign in"\nmsgstr "Einloggen"\n')
    settings.LANGUAGES, settings.LOCALE_PATHS = languages.gathered(
        [tmp_path / "ours", tmp_path / "theirs"], into=tmp_path / "made"
    )
    with translation.override("de"):
        assert (gettext("Sign in"), gettext("My account")) == ("Einloggen", "Mein Konto")


def test_a_translation_that_would_break_its_page_is_left_out(
    tmp_path: Path, settings: LazySettings, capsys: pytest.CaptureFixture[str]
) -> None:
    hand_in(tmp_path / "locale", text=BROKEN)
    settings.LANGUAGES, settings.LOCALE_PATHS = languages.gathered([tmp_path / "locale"], into=tmp_path / "made")
    told = [int(line) for line in re.findall(r"django\.po, line (\d+)", capsys.readouterr().err)]
    assert [BROKEN.split("\n")[line - 1] for line in told] == [
        'msgid "Hello %(name)s"', 'msgid "Text: %(number)s"', 'msgid "Getting in"', 'msgid "Free of charge"'
    ]  # fmt: skip
    with translation.override("de"):
        for text in ("Hello %(name)s", "Text: %(number)s", "Getting in", "Free of charge", "Getting in:"):
            assert gettext(text) == text
        assert gettext("Costs something") == "Kostet etwas"


def test_plural_forms_are_those_of_the_language_and_may_leave_the_number_out(german: None) -> None:
    with translation.override("de"):
        said = [ngettext("%(num)s minute", "%(num)s minutes", number) % {"num": number} for number in (1, 2)]
    assert said == ["eine Minute", "2 Minuten"]


@pytest.mark.parametrize(
    ("code", "text", "words"),
    [("klingon", GERMAN, "klingon is not a language"), ("de", "this is none", "django.po cannot be read")],
)
def test_what_is_no_catalogue_is_named_in_plain_words(tmp_path: Path, code: str, text: str, words: str) -> None:
    hand_in(tmp_path / "locale", code=code, text=text)
    with pytest.raises(ValueError, match=words):
        languages.gathered([tmp_path / "locale"], into=tmp_path / "made")
    assert list((tmp_path / "made").glob("*")) == []


def at_start(home: Path) -> subprocess.CompletedProcess[str]:
    """The settings, in a home of its own."""
    return subprocess.run(
        [sys.executable, "-c", "from leeward.config import settings as s; print(s.LANGUAGES, len(s.LOCALE_PATHS))"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src"), "LEEWARD_HOME": str(home)},
    )


def test_a_start_finds_the_catalogues_of_its_home_and_says_what_is_wrong(tmp_path: Path) -> None:
    shipped = {path.name for path in (ROOT / "src/leeward/web").glob("locale/*/")}
    hand_in(tmp_path / "locale")
    assert "('de', 'Deutsch')" in at_start(tmp_path).stdout
    hand_in(tmp_path / "locale", code="klingon")
    wrong = at_start(tmp_path)
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert wrong.stderr == "klingon is not a language. Name the folder like de or pt_BR.\n"
    assert all((ROOT / "src/leeward/web/locale" / code / "LC_MESSAGES").is_dir() for code in shipped)


# On the pages ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_newcomer_is_met_in_the_browsers_language_and_keeps_it(german: None) -> None:
    me = Visitor(Client(headers={"accept-language": "de-AT,de;q=0.9,en;q=0.5"})).open("/sign-in/")
    assert '<html lang="de" dir="ltr">' in me.html
    me.press("Schick mir einen Code", email="ana@example.org")
    assert mail.outbox[0].subject == "Dein Code"
    me.press("Anmelden", code=re.findall(r"code is (\S+)", str(mail.outbox[0].body))[0])
    form = next(form for form in me.page.forms if "language" in form.fields)
    assert (me.path, form.choices["language"], form.fields["language"]) == ("/welcome/", ["en", "de"], "de")
    me.press("Go on", name="Ana", adult="on")
    assert Person.objects.get().language == "de"


@pytest.mark.django_db
def test_a_chosen_language_holds_for_pages_dates_and_headers_whatever_the_browser_asks(german: None) -> None:
    me = Visitor(signed_in(a_person("Ana"))).open("/account/")
    assert "Language" in me.text
    me.press("Save", language="de")
    assert '<html lang="de" dir="ltr">' in me.html
    assert me.client.get("/account/").headers["Content-Language"] == "de"
    assert ("Mein Konto" in me.text, "seit 1. Okt. 2026" in me.text) == (True, True)


@pytest.mark.django_db
def test_with_one_language_nobody_is_asked(settings: LazySettings) -> None:
    settings.LANGUAGES, settings.LOCALE_PATHS = [languages.ENGLISH], []
    me = Visitor(signed_in(a_person("Ana", at=clock.now()))).open("/account/")
    assert ('<select name="language"' in me.html, "Language" in me.text) == (False, False)


@pytest.mark.django_db
def test_who_chose_a_language_that_is_gone_reads_english_and_can_save(settings: LazySettings) -> None:
    settings.LANGUAGES, settings.LOCALE_PATHS = [languages.ENGLISH], []
    ana = a_person("Ana", at=clock.now())
    Person.objects.update(language="de")
    me = Visitor(signed_in(ana)).open("/account/")
    assert '<html lang="en" dir="ltr">' in me.html
    me.press("Save", name="Anna")
    row = Person.objects.get()
    assert (row.name, row.language) == ("Anna", "en")


@pytest.mark.django_db
def test_the_language_of_one_visitor_does_not_linger_for_the_next(german: None) -> None:
    huge = {"content_type": "text/plain", "CONTENT_LENGTH": "999999999"}
    german_one, english_one = (Client(headers={"accept-language": code}) for code in ("de", "en"))
    for _round in range(2):
        assert "Das ist zu groß" in german_one.post("/sign-in/", "x", **huge).content.decode()
        assert "That is too large" in english_one.post("/sign-in/", "x", **huge).content.decode()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("german")
def test_a_letter_speaks_its_readers_language_and_not_that_of_whoever_made_it_due() -> None:
    here = harbour()
    Group.objects.filter(pk=here.group).update(capacity=5)
    for name, language in (("Ines", "de"), ("Jon", "en")):
        me = a_person(name)
        Person.objects.filter(pk=me.person).update(language=language)
        groups.join(me, token=groups.invite(here.ticket("Ana"), at=NOW).token, name=name, at=NOW)
    for name in ("Ben", "Chidi"):
        with translation.override("en" if name == "Ben" else "de"):
            groups.leave(here.ticket(name), at=NOW)
    assert [letter.subject for letter in mail.outbox] == ["Neues für dich", "News for you"]
