"""A real server with real sockets: uvicorn in a thread of this process, as `leeward serve` sets it up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from django.conf import LazySettings

from leeward.domain.safety import actions as safety
from leeward.lib.tickets import Operator
from tests.cast import NOW
from tests.live.watching import Watchers
from tests.meeting import START
from tests.servers import Here, start_here


@pytest.fixture
def lines(settings: LazySettings, tmp_path: Path) -> None:
    """Help lines that are checked: the cast may plan dates."""
    settings.LEEWARD_HELP_LINES = tmp_path / "help-lines.toml"
    safety.write_example_lines(Operator(), at=NOW)


@pytest.fixture
def watchers() -> Iterator[Watchers]:
    made = Watchers()
    yield made
    made.stop()


@pytest.fixture
def server(
    transactional_db: None, lines: None, clock_at: Callable[[datetime], None], watchers: Watchers
) -> Iterator[Here]:
    """Leeward on the test's database; the clock stands at the start of the meeting."""
    clock_at(START)
    running = start_here()
    yield running
    watchers.stop_all()
    running.stop()
