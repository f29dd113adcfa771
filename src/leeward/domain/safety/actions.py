"""The one write about help lines: examples for the demo. On a real server the operator writes the file by hand."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from django.conf import settings

from leeward.lib.tickets import Operator

EXAMPLES = Path(__file__).with_name("example_lines.toml")
NEVER_CHECKED = "1970-01-01"


def write_example_lines(_by: Operator, *, at: datetime) -> Path:
    """Put the example lines where the operator's file would be, as if checked today. Returns where."""
    path = Path(settings.LEEWARD_HELP_LINES)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(EXAMPLES.read_text().replace(NEVER_CHECKED, at.date().isoformat()))
    return path
