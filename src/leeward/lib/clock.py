"""The time, for doors only: everything below a door gets it as `at=`."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

_ahead = timedelta(seconds=float(os.environ.get("LEEWARD_CLOCK", "0")))


def now() -> datetime:
    """The present moment, aware, in UTC. `LEEWARD_CLOCK` (seconds ahead) moves it for tests and the demo."""
    return datetime.now(UTC) + _ahead


def move(*, ahead: timedelta) -> None:
    """Set how far this process's clock runs ahead. Tests and the demo only."""
    global _ahead
    _ahead = ahead
