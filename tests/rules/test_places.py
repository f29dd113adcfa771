"""A join link is shown as late as is useful, to members only."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from leeward.domain.groups.rules import Member, Stage
from leeward.domain.places import rules
from leeward.domain.places.rules import Facts
from leeward.lib.refusals import Refusal

START = datetime(2026, 10, 15, 17, 0, tzinfo=UTC)
END = START + timedelta(hours=1)
LINK = "https://meet.example/harbour"
ANA = Member(
    group="g", membership="m", person="p", name="Ana", stage=Stage.MEMBER, number=1, founder=False, in_core=True,
    group_zone="Europe/Berlin", first_closed_at=None, since=START, imported=False,
)  # fmt: skip


def shown(at: datetime, ticket: Member | None = ANA) -> str:
    return rules.link_for(ticket, link=LINK, starts_at=START, ends_at=END, at=at)


def facts(**changes: object) -> Facts:
    said: dict[str, object] = {
        "label": "Library", "address": "Quay 3", "link": "", "access_notes": "", "cost_free": True,
        "screen_sharing": False, "reserved_until": None,
    }  # fmt: skip
    return Facts(**(said | changes))  # type: ignore[arg-type]


def test_the_link_appears_15_minutes_before_and_goes_two_hours_after() -> None:
    second = timedelta(seconds=1)
    moments = [
        START - timedelta(minutes=15) - second,
        START - timedelta(minutes=15),
        END,
        END + timedelta(hours=2) - second,
        END + timedelta(hours=2),
    ]
    assert [shown(at) for at in moments] == ["", LINK, LINK, LINK, ""]


def test_somebody_without_a_ticket_is_never_shown_a_link() -> None:
    assert shown(START, ticket=None) == ""


@pytest.mark.parametrize("text", ["https://meet.example/a?b=1#c", "HTTP://meet.example", "https://[::1]:8443/x", ""])
def test_links_of_the_web_are_kept_as_text(text: str) -> None:
    assert rules.link(f"  {text} ") == text


@pytest.mark.parametrize(
    "text",
    [
        "javascript:alert(1)", "data:text/html,x", "ftp://meet.example", "//meet.example", "meet.example",
        "https://", "https://a b.example", 'https://meet.example/"onclick', "https://me:secret@meet.example",
        "https://meet.example:99999/", "https://[::1", "http:meet.example", "\\\\meet\\x", "https://meet.example/<b>",
    ],
)  # fmt: skip
def test_anything_else_is_no_link(text: str) -> None:
    with pytest.raises(Refusal) as no:
        rules.link(text)
    assert no.value == Refusal("link_not_web", field="link")


def test_a_link_may_hold_500_characters() -> None:
    longest = "https://meet.example/".ljust(500, "x")
    assert rules.link(longest) == longest
    with pytest.raises(Refusal) as no:
        rules.link(longest + "x")
    assert (no.value.code, no.value.field) == ("too_long", "link")


def test_a_place_is_a_room_or_a_link_or_both() -> None:
    assert rules.checked(facts()).address == "Quay 3"
    assert rules.checked(facts(address="", link=LINK)).link == LINK
    with pytest.raises(Refusal) as no:
        rules.checked(facts(address=" "))
    assert no.value == Refusal("room_or_link", field="address")


def test_a_place_reserved_until_the_year_9999_is_asked_about() -> None:
    with pytest.raises(Refusal) as no:
        rules.checked(facts(reserved_until=date(9999, 1, 1)))
    assert no.value == Refusal("date_far_off", field="reserved_until")
