"""Talk tokens on pages: what a group chooses, and what is one's own business."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from django.conf import LazySettings

from leeward.domain.groups import queries as groups
from leeward.domain.meetings import queries as meetings
from leeward.domain.meetings.rules import Talk
from leeward.domain.safety import actions as safety
from leeward.lib.tickets import Operator
from tests.cast import INSIDE, NOW, Harbour, harbour
from tests.meeting import agreed, held, planned
from tests.visitor import Visitor
from tests.web.signing import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def here(clock_at: Callable[[datetime], None], settings: LazySettings, tmp_path: Path) -> Harbour:
    settings.LEEWARD_HELP_LINES = tmp_path / "help-lines.toml"
    safety.write_example_lines(Operator(), at=NOW)
    clock_at(NOW)
    found = harbour()
    agreed(found)
    return found


def visits(here: Harbour, name: str) -> Visitor:
    return Visitor(signed_in(here.people[name]))


def test_founders_choose_until_the_first_meeting_is_over_and_nobody_else(here: Harbour) -> None:
    planned(here)
    ana = visits(here, "Ana").open(f"/g/{here.group}/meetings/").follow("Talk tokens")
    ana.press("Keep", each="4", follow_ups="on")
    assert meetings.talk(here.group) == Talk(each=4, follow_ups=True, refill=False)
    ana.open(f"/g/{here.group}/talk/").press("Keep", status=422, each="6")
    assert "Please choose at most 5." in ana.text
    visits(here, "Ben").open(f"/g/{here.group}/talk/", status=404)


def test_afterwards_a_poll_asks_for_it(here: Harbour, clock_at: Callable[[datetime], None]) -> None:
    row = held(here)
    clock_at(row.ends_at)
    ben = visits(here, "Ben").open(f"/g/{here.group}/polls/new/").follow("Talk tokens")
    assert "3 tokens each" in ben.text
    ben.press("Ask the group", each="2", refill="on")
    assert "2 tokens each" in ben.text
    assert "Every block starts with a full hand." in ben.text
    visits(here, "Ana").open(f"/g/{here.group}/talk/", status=404)


def test_speaking_without_counting_is_ones_own_business(here: Harbour) -> None:
    eli = visits(here, "Eli").open(f"/g/{here.group}/people/").press("Keep", free="on")
    assert "Kept. Only you see it." in eli.text
    assert groups.needs_no_tokens(here.membership("Eli"))
    assert 'id="free" checked' in eli.html
    for name in INSIDE:
        if name != "Eli":
            assert 'id="free" checked' not in visits(here, name).open(f"/g/{here.group}/people/").html
    eli.client.post(f"/g/{here.group}/membership/tokens/")
    assert not groups.needs_no_tokens(here.membership("Eli"))
