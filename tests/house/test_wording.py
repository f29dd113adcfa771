"""Every word that people read: short sentences, no jargon, no promises, one word for each thing.

Read here: all messages of pages, letters and refusals (nothing is said without one: see `test_translation.py`), what
the command line and the demo say, and the example help lines.
"""

from __future__ import annotations

import ast
import enum
import importlib
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from leeward.domain.founding.rules import Step
from leeward.domain.groups.rules import Format
from leeward.web import words
from tests.house import said

# What is said ------------------------------------------------------------------------------------------------------


@cache
def on_pages() -> tuple[tuple[str, str], ...]:
    """(where, text) of all that pages, letters and refusals say."""
    return tuple(said.sentences_of(said.messages()))


@cache
def elsewhere() -> tuple[tuple[str, str], ...]:
    """What the command line, its doctor and the demo say, and the example help lines."""
    found = []
    for path, tree in said.trees("config", "jobs"):
        docs = {
            id(node.body[0].value)  # type: ignore[attr-defined]
            for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
                found.append((f"{path}:{node.lineno}", node.value))
    lines = tomllib.loads((said.SOURCE / "domain/safety/example_lines.toml").read_text())["line"]
    return (*found, *(("example_lines.toml", str(value)) for line in lines for value in line.values()))


def test_enough_is_read() -> None:
    assert len(on_pages()) > 600
    assert {"Help now", "An invitation", "Please fill this in.", "%(num)s minutes"} <= {text for _, text in on_pages()}
    assert "Ten minutes round the block" in {text for _, text in elsewhere()}


# Words never used --------------------------------------------------------------------------------------------------

# Leeward is no treatment, promises no effect, counts no days, and nobody fails (rules, §10).
NEVER = re.compile(
    r"\b(therap\w*|treat(?:ed|ing|ments?|s)?|clinic\w*|patients?|complian\w*|compliant|fail(?:ed|s|ure|ures|ing)?|"
    r"evidence[- ]based|effective\w*|reduces? stress|cortisol|streaks?|leader ?-?boards?|badges?)\b"
    r"|(?<!\d)(?:70|25)\s?(?:%(?!\()|per ?cent)",
    re.I,
)
# One word for each thing (docs/words.md): meeting, commitment or step, record, steward or operator.
OTHERWISE = re.compile(
    r"\b(sessions?|events?|tasks?|to-?dos?|admins?|administrators?|moderators?)\b"
    r"|\b(?:the|our|your|their|take|keep|write|read)\s+minutes\b|\bminutes of (?:the|a|this|last)\b",
    re.I,
)


def never(text: str) -> list[str]:
    return [found[0] for found in NEVER.finditer(text)] + ["!"] * text.count("!")


def otherwise(text: str) -> list[str]:
    return [found[0] for found in OTHERWISE.finditer(text)]


def test_words_never_used_are_not_used_and_nobody_shouts() -> None:
    assert {f"{where}: {text}": never(text) for where, text in on_pages() if never(text)} == {}
    code = re.compile(r"[\w./:-]+=|^[!-/:-@\[-`{-~]+$|^[a-z]+(\.[a-z]+)+$")  # settings, marks, terms of a protocol
    assert {
        f"{where}: {text}": never(text) for where, text in elsewhere() if never(text) and not code.match(text)
    } == {}


def test_things_are_called_by_their_own_words() -> None:
    assert {f"{where}: {text}": otherwise(text) for where, text in on_pages() if otherwise(text)} == {}


@pytest.mark.parametrize(
    "text",
    [
        "This is therapy", "A treatment", "be patient", "It failed", "evidence-based", "Reduces stress by 25 %",
        "70% of groups", "Your streak", "the leaderboard", "A badge", "Effective at once", "Well done!", "Cortisol",
        "patients", "clinical", "for compliance",
    ],
)  # fmt: skip
def test_a_word_never_used_would_be_red(text: str) -> None:
    assert never(text) != []


@pytest.mark.parametrize("text", ["70 %(unit)s", "Treasurer", "a retreat", "It takes 25 minutes", "A fair share"])
def test_other_words_are_not_taken_for_them(text: str) -> None:
    assert never(text) == []


@pytest.mark.parametrize(
    "text", ["The next session", "an event", "Your task", "Ask an admin", "Read the minutes", "minutes of the meeting"]
)
def test_another_word_for_a_thing_would_be_red(text: str) -> None:
    assert otherwise(text) != []


@pytest.mark.parametrize("text", ["%(num)s minutes", "5 more minutes", "Minutes", "It takes a few minutes.", "possess"])
def test_a_time_is_not_taken_for_a_record(text: str) -> None:
    assert otherwise(text) == []


# Short sentences ---------------------------------------------------------------------------------------------------

WORDS_MOST = 20


def too_long(text: str) -> list[str]:
    """Sentences of more than 20 words. What is filled in counts as one word."""
    sentences = re.split(r"(?<=[.?])[”\"]?\s+|\n+", text)
    return [one for one in sentences if len([word for word in one.split() if re.search(r"\w", word)]) > WORDS_MOST]


def test_sentences_are_short() -> None:
    assert {where: too_long(text) for where, text in on_pages() if too_long(text)} == {}


def test_a_long_sentence_would_be_red() -> None:
    assert too_long(" ".join(["word"] * 20) + ".") == []
    assert too_long(" ".join(["word"] * 21) + ".") != []
    assert too_long("Short. " + "word, " * 21) != []


# Refusals: a sentence for every code, a code for every sentence ---------------------------------------------------


def codes_of(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(code)):
            yield code
        case ast.IfExp():
            yield from codes_of(node.body)
            yield from codes_of(node.orelse)


def returned_codes(tree: ast.Module) -> Iterator[str]:
    """Codes that functions answer instead of raising: `-> str | None`, "why not"."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef) and function.returns and ast.unparse(function.returns) == "str | None":
            for node in ast.walk(function):
                if isinstance(node, ast.Return) and node.value is not None:
                    yield from codes_of(node.value)


def raised(tree: ast.Module, kind: str) -> list[tuple[str, set[str]]]:
    """(code, names of its facts) of every `kind(code, **facts)` that a module makes."""
    found: list[tuple[str, set[str]]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and said.name_of(node) == kind and node.args:
            facts = {given.arg or "**" for given in node.keywords} - {"field"}
            codes = list(codes_of(node.args[0]))
            if not codes and isinstance(node.args[0], ast.Name):
                codes = list(returned_codes(tree))
                assert codes, f"{ast.unparse(node)}: which codes are these?"
            found += [(code, facts) for code in codes]
    return found


def all_raised(kind: str) -> dict[str, list[set[str]]]:
    found: dict[str, list[set[str]]] = {}
    for _path, tree in said.trees("."):
        for code, facts in raised(tree, kind):
            found.setdefault(code, []).append(facts)
    return found


def test_every_refusal_has_a_sentence_and_every_sentence_a_refusal() -> None:
    assert set(all_raised("Refusal")) == set(words.REFUSALS)


def test_every_refusal_brings_what_its_sentence_tells() -> None:
    for code, places in all_raised("Refusal").items():
        names = set(re.findall(r"%\((\w+)\)", str(words.REFUSALS[code])))
        assert [facts for facts in places if not names <= facts] == [], f"{code} tells of {names}"


def test_a_refusal_without_a_sentence_and_a_sentence_without_a_refusal_would_be_red(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as lacking, pytest.raises(AssertionError):
        lacking.delitem(words.REFUSALS, "room_who")
        test_every_refusal_has_a_sentence_and_every_sentence_a_refusal()
    with monkeypatch.context() as spare, pytest.raises(AssertionError):
        spare.setitem(words.REFUSALS, "nobody_says_so", "Nobody says so.")
        test_every_refusal_has_a_sentence_and_every_sentence_a_refusal()
    with monkeypatch.context() as curious, pytest.raises(AssertionError):
        curious.setitem(words.REFUSALS, "room_who", "Please choose who of %(number)s.")
        test_every_refusal_brings_what_its_sentence_tells()


def test_every_reason_for_leaving_a_row_out_has_words() -> None:
    """Two codes come from the rules of names, which refuse by themselves."""
    given = all_raised("_Unusable")
    assert set(given) | {"not_text", "name_starts_oddly"} == set(words.ROWS)
    for reason, places in given.items():
        names = set(re.findall(r"%\((\w+)\)", str(words.ROWS[reason])))
        assert all(names <= facts for facts in places), reason


@pytest.mark.parametrize(
    ("source", "codes"),
    [
        ('raise Refusal("odd")', {"odd"}),
        ('raise Refusal("one" if n else "other", most=3)', {"one", "other"}),
        ('def why() -> str | None:\n    return "no"\nraise Refusal(code)', {"no"}),
    ],
)
def test_codes_are_read_from_the_source(source: str, codes: set[str]) -> None:
    assert {code for code, _facts in raised(ast.parse(source), "Refusal")} == codes


# Vocabularies ------------------------------------------------------------------------------------------------------

# Never shown by themselves: pages turn them into sentences of their own.
UNSHOWN = {"Phase", "Move", "Who", "Yes", "SeenBy", "Kind", "Thumb", "Kept", "Hand"}


def vocabularies() -> dict[str, type[enum.Enum]]:
    """Every enum of the rules."""
    found: dict[str, type[enum.Enum]] = {}
    for path in [*(said.SOURCE / "domain").glob("*/rules.py"), *(said.SOURCE / "lib").glob("*.py")]:
        name = ".".join(path.relative_to(said.SOURCE.parent).with_suffix("").parts)
        module: Any = importlib.import_module(name)
        for kind in vars(module).values():
            if isinstance(kind, type) and issubclass(kind, enum.Enum) and kind.__module__ == name:
                assert found.setdefault(kind.__name__, kind) is kind, f"two vocabularies are called {kind.__name__}"
    return found


def test_every_vocabulary_has_labels_or_is_never_shown() -> None:
    labelled = {kind.__name__ for kind in words.LABELS}
    assert labelled & UNSHOWN == set()
    assert labelled | UNSHOWN == set(vocabularies())


def test_every_value_of_a_shown_vocabulary_has_a_label_of_its_own() -> None:
    for kind, labels in words.LABELS.items():
        assert set(labels) == set(kind), kind.__name__
        assert len({str(label) for label in labels.values()}) == len(kind), kind.__name__
    assert set(words.EXPLAINED) == {*Step, *Format}


def test_only_labelled_vocabularies_are_put_into_words() -> None:
    """`words.label(Kind.X)`, `words.label(Kind(x))`, `words.choices(Kind)` in the pages' code."""
    asked = set()
    for _path, tree in said.trees("web"):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and said.name_of(node) in ("label", "choices") and node.args:
                given = node.args[0].func if isinstance(node.args[0], ast.Call) else node.args[0]
                name = ast.unparse(given).split(".")
                asked |= {part for part in name if part in vocabularies()}
    assert asked >= {"Format", "BlockKind", "LeafKind", "Way"}
    assert asked & UNSHOWN == set()
