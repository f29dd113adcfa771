"""Help lines that are checked: groups of the cast may plan dates."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import LazySettings

from leeward.domain.safety import actions as safety
from leeward.lib.tickets import Operator
from tests.cast import NOW


@pytest.fixture
def lines(settings: LazySettings, tmp_path: Path) -> None:
    settings.LEEWARD_HELP_LINES = tmp_path / "help-lines.toml"
    safety.write_example_lines(Operator(), at=NOW)
