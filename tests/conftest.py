"""Where tests live: a home of their own for each worker, SQLite or a real PostgreSQL, a moved clock, a real server."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import servers

_home = Path(os.environ.get("LEEWARD_TEST_HOME") or tempfile.mkdtemp(prefix="leeward-test-"))
os.environ["LEEWARD_HOME"] = str(_home / os.environ.get("PYTEST_XDIST_WORKER", "main"))
os.environ["LEEWARD_PLAIN_STATIC"] = "1"
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
Path(os.environ["LEEWARD_HOME"]).mkdir(parents=True, exist_ok=True)
os.environ["LEEWARD_TEST_SQLITE"] = str(Path(os.environ["LEEWARD_HOME"]) / "test.sqlite3")

if os.environ.get("LEEWARD_TEST_DB") == "postgres":
    os.environ["DATABASE_URL"] = servers.postgres_url()  # a failure to start fails the run


@pytest.fixture(autouse=True)
def _still_clock() -> Iterator[None]:
    """Whoever moves the clock finds it set back."""
    from datetime import timedelta

    from leeward.lib import clock

    yield
    clock.move(ahead=timedelta(0))


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    """Rate limits of one test do not reach the next."""
    from django.core.cache import cache

    cache.clear()


@pytest.fixture
def clock_at():  # type: ignore[no-untyped-def]
    """Set the door's clock to a moment: `clock_at(NOW)`."""
    from datetime import UTC, datetime

    from leeward.lib import clock

    def set_to(moment: datetime) -> None:
        clock.move(ahead=moment - datetime.now(UTC))

    return set_to
