"""What every test has: a clock that is set back, an empty cache."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import override_settings


@pytest.fixture(scope="session", autouse=True)
def _static_files() -> None:
    """Gathered before any server of this process looks for them."""
    from leeward.web.assets import gather

    gather()


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


@pytest.fixture(autouse=True, scope="session")
def _letters_and_lines() -> Iterator[None]:
    """As on a server that sends letters; and the example help lines open groups, as in the demo."""
    with override_settings(LEEWARD_SENDS_MAIL=True, LEEWARD_EXAMPLE_LINES_COUNT=True):
        yield


@pytest.fixture
def clock_at():  # type: ignore[no-untyped-def]
    """Set the door's clock to a moment: `clock_at(NOW)`."""
    from datetime import UTC, datetime

    from leeward.lib import clock

    def set_to(moment: datetime) -> None:
        clock.move(ahead=moment - datetime.now(UTC))

    return set_to
