"""The operator's file, read from where it lies."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings

from leeward.domain.safety import actions, queries
from leeward.lib.tickets import Operator
from tests.cast import NOW


@pytest.fixture
def file(tmp_path: Path, settings: LazySettings) -> Path:
    settings.LEEWARD_HELP_LINES = tmp_path / "help-lines.toml"
    return tmp_path / "help-lines.toml"


def test_without_a_file_no_country_is_ready_and_the_doctor_hears_why(file: Path) -> None:
    assert queries.ready_countries(at=NOW) == ()
    assert queries.problems(at=NOW) == (f"There is no file of help lines at {file}.",)


def test_the_demos_lines_make_three_countries_ready(file: Path) -> None:
    actions.write_example_lines(Operator(), at=NOW)
    assert queries.ready_countries(at=NOW) == ("DE", "GB", "US")
    assert queries.problems(at=NOW) == ()
    assert queries.ready_countries(at=NOW + timedelta(days=184)) == ()


def test_on_a_real_server_an_example_opens_no_group_and_the_doctor_hears_why(
    file: Path, settings: LazySettings
) -> None:
    settings.LEEWARD_EXAMPLE_LINES_COUNT = False
    actions.write_example_lines(Operator(), at=NOW)
    assert (queries.ready_countries(at=NOW), queries.country_ready("DE", at=NOW)) == ((), False)
    problems = queries.problems(at=NOW)
    assert 'DE: "Example: Carers\' line" is an example and opens no group. Put a real line there.' in problems
    assert "DE: no group can open, there is no emergency number." in problems
    assert len(queries.lines_for("DE", at=NOW)) == 3  # the page shows them, and says what they are
    file.write_text(file.read_text().replace("example = true", ""))
    assert (queries.ready_countries(at=NOW), queries.problems(at=NOW)) == (("DE", "GB", "US"), ())


def test_an_old_line_asks_to_check_the_number(file: Path) -> None:
    actions.write_example_lines(Operator(), at=NOW)
    later = NOW + timedelta(days=184)
    assert [seen.check for seen in queries.lines_for("DE", at=NOW)] == [False, False, False]
    assert [seen.check for seen in queries.lines_for("DE", at=later)] == [True, True, True]
    assert 'DE: nobody has checked "Example: Carers\' line" since 2026-10-01.' in queries.problems(at=later)
    assert "DE: no group can open, there is no line checked within six months." in queries.problems(at=later)


def test_a_changed_file_is_read_again(file: Path) -> None:
    actions.write_example_lines(Operator(), at=NOW)
    assert queries.countries() == ("DE", "GB", "US")
    file.write_text("")
    assert queries.countries() == ()


@pytest.mark.parametrize("bad", [b"\xff\xfe\x00", b"x" * (1024 * 1024 + 1)])
def test_a_file_that_is_no_text_or_too_large_is_a_problem_and_no_crash(file: Path, bad: bytes) -> None:
    file.write_bytes(bad)
    assert (queries.countries(), len(queries.problems(at=NOW))) == ((), 1)


def test_a_byte_order_mark_is_no_problem(file: Path) -> None:
    actions.write_example_lines(Operator(), at=NOW)
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert queries.ready_countries(at=NOW) == ("DE", "GB", "US")
