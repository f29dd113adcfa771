"""The operator's help lines: read or named, checked or marked, and what a country needs."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from leeward.domain.safety import rules
from leeward.domain.safety.rules import HelpLine, Register

TODAY = date(2026, 10, 1)
EMERGENCY = HelpLine(country="DE", name="Emergency", phone="112", emergency=True, verified_on=date(2020, 1, 1))
LISTENING = HelpLine(country="DE", name="Listening", phone="030 23125 014", verified_on=TODAY)
GOOD = """
[[line]]
country = "DE"
audience = "carers"
name = "Listening"
phone = "030 23125 014"
text = ""
url = "https://help-line.example/de"
hours = "day and night"
languages = ["de", "pt-BR"]
source = "their own page"
verified_on = 2026-10-01
emergency = false
"""


def test_a_line_is_read_with_all_it_says() -> None:
    line = HelpLine(
        country="DE", audience="carers", name="Listening", phone="030 23125 014", text="",
        url="https://help-line.example/de", hours="day and night", languages=("de", "pt-BR"),
        source="their own page", verified_on=TODAY, emergency=False,
    )  # fmt: skip
    assert rules.read(GOOD) == Register((line,), ())
    assert line.dial == "03023125014"


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ('country = "DE"', 'country = "Germany"', "country must be two capital letters, like DE"),
        ('name = "Listening"', "", "name is missing"),
        ("verified_on = 2026-10-01", 'verified_on = "soon"',
         "verified_on must be a date without quotes, like 2026-03-31"),
        ("verified_on = 2026-10-01", "", "verified_on must be a date without quotes, like 2026-03-31"),
        ("verified_on = 2026-10-01", "verified_on = 2026-10-01T10:00:00Z",
         "verified_on must be a date without quotes, like 2026-03-31"),
        ("https://", "javascript://", "url must start with https:// or http://"),
        ('phone = "030 23125 014"', 'phone = "call me"', "phone may hold digits, spaces, +, -, /, dots and brackets"),
        ('phone = "030 23125 014"', "phone = 112", "phone must be text in quotes"),
        ('["de", "pt-BR"]', '"de"', 'languages must be a list, like ["de", "en"]'),
        ("emergency = false", 'emergency = "no"', "emergency and example must be true or false"),
        ("emergency = false", "emergncy = true", "'emergncy' is not known"),
        ('hours = "day and night"', f'hours = "{"x" * 81}"', "hours is longer than 80 characters"),
    ],
)  # fmt: skip
def test_a_line_that_cannot_be_used_is_left_out_and_named(before: str, after: str, problem: str) -> None:
    read = rules.read(GOOD.replace(before, after) + GOOD.replace("Listening", "Other"))
    name = "Line 1 (Listening)" if "missing" not in problem or "name" not in problem else "Line 1"
    assert read.problems == (f"{name}: {problem}.",)
    assert [line.name for line in read.lines] == ["Other"]


def test_an_emergency_line_needs_a_phone() -> None:
    text = GOOD.replace('phone = "030 23125 014"', "").replace("emergency = false", "emergency = true")
    assert rules.read(text).problems == ("Line 1 (Listening): an emergency line needs a phone number.",)


def test_the_same_line_twice_is_named() -> None:
    assert rules.read(GOOD + GOOD).problems == ("Line 2 (Listening): stands in the file twice.",)


@pytest.mark.parametrize("text", ["[[line", "line = 3", "\x00", "[" * 5000, "a = " + "[" * 5000])
def test_a_file_that_is_not_ours_never_breaks_anything(text: str) -> None:
    read = rules.read(text)
    assert (read.lines, len(read.problems)) == ((), 1)


def test_a_line_counts_as_checked_for_183_days() -> None:
    days = [-2, -1, 0, 183, 184]
    lines = [HelpLine(country="DE", name="x", phone="1", verified_on=TODAY - timedelta(days=d)) for d in days]
    assert [rules.fresh(line, TODAY) for line in lines] == [False, True, True, True, False]


def test_a_country_needs_an_emergency_number_and_one_checked_line() -> None:
    old = HelpLine(country="DE", name="Old", phone="1", verified_on=TODAY - timedelta(days=184))
    elsewhere = HelpLine(country="GB", name="Listening", phone="1", verified_on=TODAY)
    assert rules.lacks([], "DE", TODAY) == "emergency"
    assert rules.lacks([LISTENING], "DE", TODAY) == "emergency"
    assert rules.lacks([EMERGENCY, old, elsewhere], "DE", TODAY) == "checked_line"
    assert rules.lacks([EMERGENCY, old, LISTENING], "DE", TODAY) is None


def test_emergency_comes_first_and_unchecked_lines_last() -> None:
    old = HelpLine(country="DE", name="Old", phone="1", verified_on=TODAY - timedelta(days=184))
    assert rules.lines_for([old, LISTENING, EMERGENCY], "DE", TODAY) == (EMERGENCY, LISTENING, old)


def test_the_example_lines_are_readable_marked_and_never_count_as_checked_where_they_lie() -> None:
    path = Path(rules.__file__).with_name("example_lines.toml")
    read = rules.read(path.read_text())
    assert read.problems == ()
    assert {line.example for line in read.lines} == {True}
    assert {line.name.startswith("Example: ") for line in read.lines if not line.emergency} == {True}
    assert [rules.lacks(read.lines, country, TODAY) for country in ("DE", "GB", "US")] == ["checked_line"] * 3
    today = rules.read(path.read_text().replace("1970-01-01", TODAY.isoformat()))
    assert [rules.lacks(today.lines, country, TODAY) for country in ("DE", "GB", "US")] == [None] * 3
