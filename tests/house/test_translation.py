"""Nothing is said to people in one language only: a run over the pages in a pseudo language, and a look at the sources.

Whatever a page, a letter, a refusal or an exported record shows has to be pseudo text, or what people typed, or a
name. What `leeward` prints for operators, and the log, stay English: they are not for the people of a group.
"""

from __future__ import annotations

import ast
import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import pytest
from django.conf import LazySettings
from django.contrib.auth import get_user_model
from django.core import mail
from django.db import transaction
from django.http import HttpResponse
from django.template import engines
from django.test import Client
from django.utils import translation
from jinja2 import Environment, nodes

from leeward.domain.meetings.rules import LeafKind
from leeward.domain.people import actions as people
from leeward.domain.people.models import Person
from leeward.domain.safety.queries import countries, lines_for
from leeward.lib.refusals import Refusal
from leeward.notices import letters
from leeward.notices.letters import Letter
from leeward.web import languages, moments, words
from leeward.web.front import views as front
from leeward.web.safety.countries import country_name, language_name
from tests.cast import NOW, ZONE
from tests.house import said
from tests.house.access import ACCESS
from tests.house.crawl import addresses
from tests.lived import Lived, lived
from tests.visitor import FormSeen, Visitor

pytestmark = pytest.mark.django_db
VISITORS = ("nobody", "new", "Ana", "Ben", "Chidi", "Eli", "Gus", "Hana", "Wim")
WRITERS = ("nobody", "new", "Ana", "Ben", "Gus", "Wim")  # those whose forms are sent as well
LONG = "=zq" + "z" * 6000  # no name, no number, no choice, and too much of it

# What may stand on a page without being translated: the name of the thing, zones, languages by their own names,
# addresses, what people typed, the fingerprint of a record.
NAMES = ("Leeward", "UTC", "English", ZONE, "SHA-256")
TYPED = (r"\S+@\S+", r"https?://\S+", r"(?<![a-z])zq[a-z0-9]*", r"\b[0-9a-f]{64}\b", "Carers of")  # see tests/cast.py
ZONES = {name.replace("_", " ") for name in available_timezones()}


@dataclass
class Here:
    """The lived group, everybody reading the pseudo language. `of_lines`: what the operator wrote about help lines."""

    lived: Lived
    new: str
    of_lines: list[str] = field(default_factory=list)

    def client(self, name: str) -> Client:
        client = Client(headers={"accept-language": said.PSEUDO})
        if name != "nobody":
            person = self.new if name == "new" else self.lived.people[name].person
            client.force_login(get_user_model().objects.get(pk=person))
        return client

    def missed(self, text: str, tag: str = "") -> str:
        """What of `text` is neither pseudo nor allowed; empty when all is well."""
        if tag == "option" and text in ZONES:
            return ""
        for own in (*self.of_lines, *NAMES):
            text = re.sub(rf"(?<!\w){re.escape(own)}(?!\w)", "", text)
        for pattern in TYPED:
            text = re.sub(pattern, "", text)
        return text if re.search(r"[A-Za-z]", text) else ""


@pytest.fixture
def here(clock_at: Callable[[datetime], None], settings: LazySettings, tmp_path: Path) -> Here:
    speak(settings, tmp_path)
    settings.LEEWARD_HELP_LINES = tmp_path / "help-lines.toml"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    clock_at(NOW)
    made = Here(lived(), people.welcome(name="", at=NOW).pk)
    Person.objects.update(language=said.PSEUDO, quick_exit=True)
    for country in countries():
        for seen in lines_for(country, at=NOW):
            line = seen.line
            made.of_lines += filter(None, (line.name, line.audience, line.hours, line.source, line.phone, line.text))
    return made


def speak(settings: LazySettings, folder: Path, **options: Any) -> None:
    """Hand the pseudo catalogue in, as a translator would."""
    said.write_pseudo(folder / "locale", **options)
    settings.LANGUAGES, settings.LOCALE_PATHS = languages.gathered([folder / "locale"], into=folder / "made")


# The walk ----------------------------------------------------------------------------------------------------------


@dataclass
class Walk:
    """Every piece of text that somebody got to see, with where it was seen first."""

    seen: dict[tuple[str, str], str] = field(default_factory=dict)
    pages: int = 0
    tags: set[tuple[str, str]] = field(default_factory=set)

    def took(self, answer: Any, where: str) -> str:
        """The page of an answer; empty when it is none."""
        if "html" not in answer.headers.get("Content-Type", ""):
            return ""
        html = (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode()
        if html:
            self.pages += 1
            tag = said.tag_of(html)
            self.tags.add((tag.get("lang", ""), tag.get("dir", "")))
            for piece in said.shown_on(html):
                self.seen.setdefault(piece, where)
        return html


def well_filled(form: FormSeen) -> Iterator[dict[str, Any]]:
    """The form as it stands, and with something in it."""
    yield form.fields
    chosen = {name: options[-1] for name, options in form.choices.items() if not form.fields.get(name)}
    typed = {"email": "zqmail@example.org", "address": "zqmail@example.org", "text": "zqstep", "title": "zqtitle"}
    if chosen or set(typed) & set(form.fields):
        yield form.fields | chosen | {name: text for name, text in typed.items() if name in form.fields}


def badly_filled(form: FormSeen) -> Iterator[dict[str, Any]]:
    """The form with nothing, too much, and too large a number in every field."""
    hidden = {"csrfmiddlewaretoken", "key", "way", "whom", "thumb", "answer", "back", "pledge"}
    if set(form.fields) - hidden:
        for typed in ("", LONG, "999999"):
            yield {name: value if name in hidden else typed for name, value in form.fields.items()}


def reading(html: str) -> Any:
    visitor = Visitor()
    visitor.html = html
    return visitor.page


def walk(here: Here, visitors: tuple[str, ...] = VISITORS, only: tuple[str, ...] = ()) -> Walk:
    """All pages of all visitors; every form on them is sent, each time from the same state of things."""
    walked, wrong = Walk(), set()
    for name in visitors:
        client, sent = here.client(name), set()
        for address_name, address in addresses(here.lived):
            theirs = here.lived.ids["group"][name == "Gus"]
            if (only and address_name not in only) or (ACCESS[address_name] == "group" and theirs not in address):
                continue
            answer = client.get(address)
            html = walked.took(answer, f"{name} {address}")
            if answer.status_code != 200 or name not in WRITERS or not html:
                continue
            for form in reading(html).forms:
                action = form.action or address
                kind = (re.sub(r"[0-9a-z]{16}", "", action), *form.buttons, *form.fields)
                if kind not in sent:
                    _send(here, walked, name, action, well_filled(form))
                if kind not in wrong:
                    _send(here, walked, name, action, badly_filled(form))
                sent.add(kind)
                wrong.add(kind)
    return walked


def _send(here: Here, walked: Walk, name: str, action: str, filled: Iterator[dict[str, Any]]) -> None:
    for data in filled:
        with transaction.atomic():
            client = here.client(name)
            answer = client.post(action, data)
            walked.took(answer, f"{name} sends {action}")
            if answer.status_code == 302:
                walked.took(client.get(answer["Location"], follow=True), f"{name} sends {action}")
            transaction.set_rollback(True)


def test_every_word_on_every_page_is_translated(here: Here) -> None:
    walked = walk(here)
    missed = {text: where for (tag, text), where in walked.seen.items() if here.missed(text, tag)}
    assert missed == {}
    assert walked.pages > 600
    assert walked.tags == {(said.PSEUDO, "ltr")}
    glued = {text: where for (_tag, text), where in walked.seen.items() if pieces(text)}
    assert glued == {}, "a sentence is put together from pieces"
    assert share_seen(walked) > 0.6, "the walk does not get about much"


def share_seen(walked: Walk) -> float:
    """How many of the messages of pages the walk came across."""
    text = "\n".join(text for _tag, text in walked.seen)
    ours = [m for m in said.messages() if m.id and any("templates" in path for path, _line in m.locations)]
    found = 0
    for message in ours:
        forms = message.id if isinstance(message.id, tuple) else (message.id,)
        patterns = (re.sub(r"%\\\(\w+\\\)s", ".+?", re.escape(said.pseudo(form))) for form in forms)
        found += any(re.search(pattern, text) for pattern in patterns)
    return found / len(ours)


def pieces(text: str) -> bool:
    """Whether one piece of text is a sentence in parts: ⟦Reserved until⟧ 3 May, Ana ⟦leads⟧, ⟦I say⟧ ⟦yes⟧."""
    while (shorter := re.sub(r"(⟦[^⟦⟧]*)⟦[^⟦⟧]*⟧", r"\1_", text)) != text:  # what is filled into a message is its part
        text = shorter
    after = re.search(r"[^.:?…⟧]⟧\s*[^\s·,;:()⟧]", text)
    before = re.search(r"[^\s·,;:(.?…⟦⟧]\s*⟦|[,;:] ?⟦", text)
    return bool(after or before)


@pytest.mark.parametrize(
    "text",
    ["⟦Řéšéřṽéð ûñţîļ⟧ 3 ሜይ", "zqname ⟦ļéáðš⟧", "⟦Î šáý⟧ ⟦ýéš⟧", "5 ⟦ɱîñûţéš⟧", "zqname: ⟦Î çöɱé⟧"],
)  # fmt: skip
def test_a_glued_sentence_would_be_red(text: str) -> None:
    assert pieces(text)


def test_a_missed_word_would_be_red(here: Here, settings: LazySettings, tmp_path: Path) -> None:
    """Negative controls: a message that a catalogue lacks, on the page, in an attribute, in what a form says."""
    lacking = ("My account", "This group", "Please fill this in.", "Saved.")
    speak(settings, tmp_path / "lacking", without=lacking)
    walked = walk(here, ("Ana",), ("account", "group"))
    assert {text for tag, text in walked.seen if here.missed(text, tag)} == {*lacking, "My account · Leeward"}
    assert ("nav[aria-label]", "This group") in walked.seen


# Pages that say no, letters, files ---------------------------------------------------------------------------------


def broken(*_args: object, **_options: object) -> HttpResponse:
    raise RuntimeError("broken for the test")


@pytest.mark.parametrize(("language", "direction"), [(said.PSEUDO, "ltr"), ("he", "rtl")])
def test_pages_that_say_no_speak_the_readers_language(
    here: Here, settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str, direction: str
) -> None:
    speak(settings, tmp_path / "again", language=language)
    Person.objects.update(language=language)
    asking = {"headers": {"accept-language": language}}
    ana = here.client("Ana")
    ana.defaults["HTTP_ACCEPT_LANGUAGE"] = language
    group, over = here.lived.group, here.lived.ids["meeting"][0]
    answers = {
        404: Client(**asking).get("/nowhere/"),
        403: Client(enforce_csrf_checks=True, **asking).post("/sign-in/", {"email": "zqmail@example.org"}),
        400: Client(headers={"accept-language": language, "host": "nowhere.example"}).get("/"),
        409: ana.post(f"/g/{group}/meetings/{over}/rsvp/", {"answer": "cant"}),
    }
    Client(headers={"accept-language": "en"}).get("/")  # the language of another visitor does not linger
    answers[413] = Client(**asking).post("/sign-in/", "x", content_type="text/plain", CONTENT_LENGTH="999999999")
    monkeypatch.setattr(front, "page", broken)
    answers[500] = Client(raise_request_exception=False, **asking).get("/")
    assert {status: answer.status_code for status, answer in answers.items()} == {code: code for code in answers}
    walked = Walk()
    for status, answer in answers.items():
        walked.took(answer, str(status))
    assert walked.tags == {(language, direction)}
    assert {text: where for (tag, text), where in walked.seen.items() if here.missed(text, tag)} == {}


def test_the_way_in_is_translated(here: Here, django_capture_on_commit_callbacks: Any) -> None:
    """Code, wrong code, passkey: pages that only a fresh sign-in comes across."""
    walked, me = Walk(), Visitor(here.client("nobody"))

    def send(label: str, **typed: str) -> None:
        me.press(said.pseudo(label), status=422 if "zqcode" in typed.values() else 200, **typed)
        walked.seen |= dict.fromkeys(said.shown_on(me.html), me.path)

    me.open("/sign-in/")
    with django_capture_on_commit_callbacks(execute=True):
        send("Send me a code", email="zqmailana@example.org")
    send("Sign in", code="zqcode")
    send("Sign in", code=re.findall(r"\b[A-Z0-9]{3,}(?:-[A-Z0-9]{3,})*\b", str(mail.outbox[-1].body))[0])
    assert me.path == "/account/passkey/"
    assert {text: where for (tag, text), where in walked.seen.items() if here.missed(text, tag)} == {}


def test_every_refusal_label_and_reason_is_translated(here: Here) -> None:
    with translation.override(said.PSEUDO):
        told = [words.sentence(Refusal(code, **facts_of(text))) for code, text in words.REFUSALS.items()]
        told += [words.row_reason(reason, facts_of(text)) for reason, text in words.ROWS.items()]
        told += [words.label(value) for kind in words.LABELS for value in kind]
        told += map(str, (*words.EXPLAINED.values(), *words.FIELD_MESSAGES.values()))
        told += [str(text) % facts_of(text) for text in words.VALIDATOR_MESSAGES.values()]
    assert [text for text in told if here.missed(text) or not re.search("⟦.+⟧", text)] == []
    assert len(told) > 150


def facts_of(text: object) -> dict[str, Any]:
    """Something to fill in for every placeholder: figures, a day, a file's name."""
    with translation.override("en"):
        names = re.findall(r"%\((\w+)\)", str(text))
    return {name: NOW if name == "opens" else "zqfile" if name == "file" else 7 for name in names}


def test_letters_are_translated(here: Here, django_capture_on_commit_callbacks: Any) -> None:
    with translation.override(said.PSEUDO), django_capture_on_commit_callbacks(execute=True):
        for kind in Letter:
            letters.send("zqmail@example.org", kind, "https://zq.example.org/i/zqtoken/")
        letters.send_code("zqmail@example.org", code="")
    with django_capture_on_commit_callbacks(execute=True):
        here.client("nobody").post("/sign-in/", {"email": "zqmail@example.org"})
    asked = mail.outbox.pop()
    asked.body = re.sub(r"\b[A-Z0-9]{3,}(?:-[A-Z0-9]{3,})*\b", "", str(asked.body), count=1)  # the code itself
    told = [f"{letter.subject}\n{letter.body}" for letter in (*mail.outbox, asked)]
    assert len(told) == len(Letter) + 2
    assert [text for text in told if here.missed(text)] == []
    assert [text for text in told if text.count("⟦") < 2] == []


def test_an_exported_record_is_translated(here: Here) -> None:
    """Of the table only the text is: names of columns and kinds of lines are for programs, in every language alike."""
    ana = here.client("Ana")
    markdown = ana.get(f"/g/{here.lived.group}/record/record.md").content.decode()
    assert here.missed(markdown.replace("\\", "")) == ""
    assert markdown.count("⟦") > 4
    head, *rows = csv.reader(io.StringIO(ana.get(f"/g/{here.lived.group}/record/record.csv").content.decode()))
    assert head == ["number", "date", "addendum", "author", "added", "line", "text", "hash"]
    assert {row[5] for row in rows} <= set(LeafKind)
    assert [row[6] for row in rows if here.missed(row[6])] == []


def test_the_demos_own_pages_are_translated(here: Here, settings: LazySettings) -> None:
    settings.LEEWARD_DEMO = True
    walked = Walk()
    walked.took(here.client("nobody").get("/outbox/"), "outbox")
    assert {text: where for (tag, text), where in walked.seen.items() if here.missed(text, tag)} == {}
    assert any("Ţĥîš îš ţĥé ðéɱö" in text for _tag, text in walked.seen)


def test_dates_times_countries_and_languages_follow_the_reader(settings: LazySettings, tmp_path: Path) -> None:
    speak(settings, tmp_path)
    with translation.override(said.PSEUDO):
        told = [
            moments.day_of(NOW, ZONE), moments.short_day_of(NOW, ZONE), moments.day_and_time(NOW, ZONE),
            moments.wall_time(datetime(2026, 10, 15, 19, 0), ZONE), country_name("DE"), language_name("tr"),
        ]  # fmt: skip
    assert [text for text in told if re.search("[A-Za-z]", text)] == []
    with translation.override("en"):
        assert moments.day_and_time(NOW, ZONE) == "Thursday, 1 October 2026, 18:00 (Berlin)"
        assert moments.wall_time(datetime(2026, 10, 15, 9, 5), "UTC") == "Thursday, 15 October 2026, 09:05 (UTC)"
        assert (moments.short_day_of(NOW, ZONE), country_name("DE")) == ("1 Oct 2026", "Germany")


# The sources: what no walk comes across ----------------------------------------------------------------------------

GETTEXT = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy", "pgettext", "npgettext"}
# Two words, or one that ends like a sentence.
SPEECH = re.compile(r"[^\W\d_][,.;:]? +[^\W\d_]|^[A-Z].*[a-z][.?!…]$")
# For programs: header values, attributes, names that are the same in every language.
FOR_PROGRAMS = {
    "text/markdown; charset=utf-8", "text/csv; charset=utf-8", 'attachment; filename="', "noindex, nofollow",
    "camera=(), microphone=(), geolocation=(), payment=()", "username webauthn", "public, max-age=",
    "Samsung Internet", "Mac OS",
}  # fmt: skip
TO_OPERATORS = {"print", "warning", "error", "exception", "ValueError", "LookupError"}  # terminal, log, exceptions


def bare_speech(tree: ast.Module) -> list[str]:
    """Texts of a module that people could read and that go past gettext."""
    silent: set[int] = set()
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and ast.get_docstring(node) is not None
        ):
            silent.add(id(node.body[0].value))  # type: ignore[attr-defined]
        if isinstance(node, ast.Call) and said.name_of(node) in GETTEXT | TO_OPERATORS:
            silent |= {id(inner) for inner in ast.walk(node)}
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in silent
        and SPEECH.search(node.value) and node.value not in FOR_PROGRAMS
    ]  # fmt: skip


def test_no_module_speaks_past_gettext() -> None:
    found = {path: bare_speech(tree) for path, tree in said.trees("web", "notices", "live", "api")}
    assert {path: texts for path, texts in found.items() if texts} == {}


def test_what_is_said_after_a_form_is_a_message_of_its_own() -> None:
    """No text is handed to `messages` or beside a field that is not a call of gettext or a name for one."""
    plain = [
        ast.unparse(node)
        for _path, tree in said.trees("web")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and said.name_of(node) in {"success", "info", "add_error", "ValidationError"}
        and any(isinstance(given, ast.Constant | ast.JoinedStr) for given in node.args[1:])
        and said.name_of(node) != "add_error"
    ]
    assert plain == []


def unspoken(source: str) -> list[str]:
    """Texts of a template that go past gettext: between tags, in attributes, inside {{ … }}."""
    environment = Environment(extensions=["jinja2.ext.i18n"], trim_blocks=True, lstrip_blocks=True)
    without = re.sub(r"{%-?\s*trans\b.*?endtrans\s*-?%}", "\ufffc", source, flags=re.S)
    told = {"data": lambda text: text, "variable_begin": lambda _text: "\ufffc"}
    html = "".join(told[kind](text) for _line, kind, text in environment.lex(without) if kind in told)
    found = [text for _tag, text in said.shown_on(html) if re.search(r"[^\W\d_]", text.replace("Leeward", ""))]
    tree = environment.parse(source)
    spoken = {
        id(text)
        for call in tree.find_all(nodes.Call)
        if isinstance(call.node, nodes.Name) and call.node.name in GETTEXT
        for text in call.find_all(nodes.Const)
    }
    texts = [text for text in tree.find_all(nodes.Const) if isinstance(text.value, str) and id(text) not in spoken]
    shown = {id(text) for output in tree.find_all(nodes.Output) for node in output.nodes for text in printed(node)}
    found += [text.value for text in texts if SPEECH.search(text.value)]
    return found + [text.value for text in texts if id(text) in shown and re.search(r"[^\W\d_]", text.value)]


def printed(node: nodes.Node) -> Iterator[nodes.Const]:
    """The texts that an expression may come to."""
    match node:
        case nodes.Const():
            yield node
        case nodes.CondExpr():
            yield from printed(node.expr1)
            if node.expr2 is not None:
                yield from printed(node.expr2)
        case nodes.Or() | nodes.And() | nodes.Add():
            yield from printed(node.left)
            yield from printed(node.right)
        case nodes.Concat():
            for part in node.nodes:
                yield from printed(part)
        case nodes.Filter() if node.node is not None:
            yield from printed(node.node)


def test_no_template_speaks_past_gettext() -> None:
    found = {path.name: unspoken(path.read_text()) for path in sorted(said.TEMPLATES.rglob("*.html"))}
    assert len(found) > 40
    assert {name: texts for name, texts in found.items() if texts} == {}


def test_no_script_speaks_at_all() -> None:
    for path in sorted((said.SOURCE / "web/static/js").glob("*.js")):
        code = re.sub(r"^\s*//.*$", "", path.read_text(), flags=re.M)
        texts = [text for _mark, text in re.findall(r"([\"'`])(.*?)\1", code)]
        assert [text for text in texts if SPEECH.search(re.sub(r"\${.*?}", "", text))] == [], path.name


@pytest.mark.parametrize(
    "source",
    [
        "<p>Hello</p>", '<a title="Hello" href="/">{{ _("Hello") }}</a>', "{{ name or 'someone' }}",
        "{{ _('one') if one else 'many' }}", "{{ button('/x/', 'Take it') }}", "<p>{{ _('from') }} until {{ day }}</p>",
    ],
)  # fmt: skip
def test_a_template_that_speaks_past_gettext_would_be_red(source: str) -> None:
    assert unspoken(source) != []


@pytest.mark.parametrize(
    "source", ['messages.success(request, "It is done.")', 'x = f"{n} minutes left"', 'label = "Your name"']
)
def test_a_module_that_speaks_past_gettext_would_be_red(source: str) -> None:
    assert bare_speech(ast.parse(source)) != []


def test_every_template_is_one_that_the_pages_use() -> None:
    """Else the walk would say nothing about it."""
    for path in sorted(said.TEMPLATES.rglob("*.html")):
        engines["jinja2"].get_template(str(path.relative_to(said.TEMPLATES)))
