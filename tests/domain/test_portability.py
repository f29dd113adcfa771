"""A real group comes in from files, goes on, travels as one file, and is the same group elsewhere."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import LazySettings
from django.db import transaction

from leeward.config import moving
from leeward.domain.groups import actions as groups
from leeward.domain.groups import queries as group_queries
from leeward.domain.groups.models import Group, Membership, Stint
from leeward.domain.meetings import actions as meetings
from leeward.domain.meetings import queries as meeting_queries
from leeward.domain.meetings.models import Attendance, GuestPresence, Leaf, Meeting, Record
from leeward.domain.meetings.rules import Rhythm, Way, broken_links, shown_at
from leeward.domain.portability import actions, queries, rules
from leeward.domain.room import actions as room
from leeward.domain.room.rules import Move
from leeward.lib.crypto import CannotOpen
from leeward.lib.refusals import Refusal
from leeward.lib.tickets import Operator
from tests.cast import a_person
from tests.data import path_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("lines")]
TODAY = datetime(2026, 10, 1, 12, 0, tzinfo=UTC)
ZONE = "America/New_York"


def a_plan(folder: Path) -> rules.ImportPlan:
    return rules.checked(rules.found_in(folder), zone=ZoneInfo(ZONE), until=TODAY.date())


def naming(**changes: Any) -> actions.Naming:
    facts: dict[str, Any] = {
        "name": "Committee", "purpose": "We look after what we share.", "zone": ZONE, "time": time(13, 0),
        "minutes": 60, "country": "US",
    }  # fmt: skip
    return actions.Naming(**(facts | changes))


@pytest.fixture
def real() -> rules.ImportPlan:
    return a_plan(path_of("nodejs_tsc_attendance"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "attendance.csv").write_text(
        "date,member,role\n2026-08-06,ana,regular\n2026-08-06,ben,regular\n2026-08-20,ana,regular\n"
        "2026-08-20,gia,observer\n2026-08-33,ana,regular\n"
    )
    return tmp_path


def test_ten_years_of_rosters_come_in(real: rules.ImportPlan) -> None:
    taken = actions.take_in(Operator(), real, naming(), at=TODAY)
    found = {
        "people": len(real.history.people),
        "meetings": Meeting.objects.filter(group=taken.group).count(),
        "members": Membership.objects.filter(group=taken.group).count(),
        "attendances": Attendance.objects.filter(meeting__group=taken.group).count(),
        "guest visits": GuestPresence.objects.filter(meeting__group=taken.group).count(),
        "stints": Stint.objects.filter(group=taken.group).count(),
        "active": Stint.objects.filter(group=taken.group, ended_at=None).count(),
        "records": Record.objects.filter(group=taken.group).count(),
    }
    assert found == {
        "people": 86, "meetings": 319, "members": 60, "attendances": 3152, "guest visits": 174, "stints": 104,
        "active": 26, "records": 319,
    }  # fmt: skip
    assert broken_links(meeting_queries.links(Operator(), group=taken.group)) == []
    assert {odd.date.isoformat() for odd in real.mismatches} == {"2018-02-21", "2020-03-11"}


def test_over_capacity_nobody_is_put_out_and_nobody_is_let_in(real: rules.ImportPlan) -> None:
    taken = actions.take_in(Operator(), real, naming(), at=TODAY)
    seats = group_queries.seats(taken.group, at=TODAY)
    assert (seats.taken, seats.taken > seats.capacity) == (26, True)
    claims = actions.make_claims(Operator(), group=taken.group, at=TODAY)
    assert len(claims) == 26
    me = groups.join(a_person("Somebody"), token=claims[0][1], name="Somebody", at=TODAY)
    assert group_queries.seats(taken.group, at=TODAY).taken == 26
    link = groups.invite(me, at=TODAY).token  # type: ignore[arg-type]
    groups.join(a_person("Another"), token=link, name="Another", at=TODAY)
    assert group_queries.seats(taken.group, at=TODAY).taken == 26


def test_the_group_goes_on_and_the_chain_continues(real: rules.ImportPlan) -> None:
    taken = actions.take_in(Operator(), real, naming(), at=TODAY)
    (_name, token), *_others = actions.make_claims(Operator(), group=taken.group, at=TODAY)
    person = a_person("Somebody")
    ticket = groups.join(person, token=token, name="Somebody", at=TODAY)
    start = TODAY + timedelta(days=7)
    meetings.set_rhythm(ticket, Rhythm(shown_at(start, ZONE), ZONE, cycle=(Way.ONLINE,)), place=None, at=TODAY)  # type: ignore[arg-type]
    row = meeting_queries.next_meeting(ticket, at=TODAY)  # type: ignore[arg-type]
    assert row is not None
    room.open_room(ticket, meeting=row.pk, way="online", at=start)  # type: ignore[arg-type]
    on_paper = next(line.membership for line in group_queries.people(ticket, at=start) if line.unclaimed)  # type: ignore[arg-type]
    room.move(ticket, meeting=row.pk, move=Move.MARK_HERE, whom=on_paper, at=start)  # type: ignore[arg-type]
    room.move(ticket, meeting=row.pk, move=Move.CLOSE, at=start + timedelta(minutes=40))  # type: ignore[arg-type]
    links = meeting_queries.links(Operator(), group=taken.group)
    assert (len(links), broken_links(links)) == (320, [])
    assert Record.objects.get(group=taken.group, number=320).previous == links[318].hash


def test_twice_is_once(folder: Path) -> None:
    first, second = (actions.take_in(Operator(), a_plan(folder), naming(), at=TODAY) for _ in range(2))
    assert (second.group, second.already, Group.objects.count()) == (first.group, True, 1)


def test_a_failure_in_the_middle_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = a_plan(folder)

    def full(*_args: object, **_options: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(actions, "announce", full)  # the last thing the transaction does
    with pytest.raises(OSError, match="disk full"):
        actions.take_in(Operator(), plan, naming(), at=TODAY)
    monkeypatch.undo()
    assert {model.objects.count() for model in (Group, Membership, Meeting, Attendance, Record, Leaf)} == {0}
    assert actions.take_in(Operator(), plan, naming(), at=TODAY).already is False


def test_rows_that_cannot_be_used_are_named_with_line_and_reason(folder: Path) -> None:
    plan = a_plan(folder)
    assert [(row.file, row.line, row.reason) for row in plan.refused] == [("attendance.csv", 6, "not_a_date")]


def tables(group: str) -> dict[str, Any]:
    return dict(queries.payload(Operator(), group=group))


def test_a_group_travels_as_one_sealed_file_and_arrives_equal(real: rules.ImportPlan) -> None:
    taken = actions.take_in(Operator(), real, naming(), at=TODAY)
    before = tables(taken.group)
    data = rules.packed(before, "four words do well")
    assert b"Committee" not in data
    for model in (Leaf, Record, Group):
        model.objects.all().delete()
    assert Meeting.objects.count() == 0
    back = actions.read_back(Operator(), rules.unpacked(data, "four words do well"), at=TODAY)
    assert (back.group, back.already) == (taken.group, False)
    assert json.dumps(tables(back.group), sort_keys=True) == json.dumps(before, sort_keys=True)
    assert broken_links(meeting_queries.links(Operator(), group=back.group)) == []
    again = actions.read_back(Operator(), rules.unpacked(data, "four words do well"), at=TODAY)
    assert again.already is True


def test_another_passphrase_or_one_changed_byte_opens_nothing(folder: Path) -> None:
    taken = actions.take_in(Operator(), a_plan(folder), naming(), at=TODAY)
    data = bytearray(rules.packed(tables(taken.group), "four words do well"))
    with pytest.raises((Refusal, CannotOpen)):
        rules.unpacked(bytes(data), "three words do not")
    data[len(data) // 2] ^= 1
    with pytest.raises((Refusal, CannotOpen)):
        rules.unpacked(bytes(data), "four words do well")


def _forged(said: dict[str, Any]) -> None:
    said["meetings.Leaf"][0]["text"] += "."


def _hash_of_another(said: dict[str, Any]) -> None:
    said["meetings.Record"][0]["hash"] = said["meetings.Record"][1]["hash"]


def _line_taken_out(said: dict[str, Any]) -> None:
    del said["meetings.Leaf"][0]


def _record_taken_out(said: dict[str, Any]) -> None:
    first = next(row["id"] for row in said["meetings.Record"] if row["number"] == 1)
    said["meetings.Record"] = [row for row in said["meetings.Record"] if row["id"] != first]
    said["meetings.Leaf"] = [row for row in said["meetings.Leaf"] if row["record"] != first]


@pytest.mark.parametrize("change", [_forged, _hash_of_another, _line_taken_out, _record_taken_out])
def test_a_file_whose_records_were_changed_is_refused_and_leaves_nothing(
    folder: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    taken = actions.take_in(Operator(), a_plan(folder), naming(), at=TODAY)
    said = tables(taken.group)
    for model in (Leaf, Record, Group):
        model.objects.all().delete()
    changed = json.loads(json.dumps(said))
    change(changed["tables"])
    with pytest.raises(Refusal, match="portable_record_changed"):
        actions.read_back(Operator(), changed, at=TODAY)
    assert (Group.objects.count(), Record.objects.count()) == (0, 0)
    assert actions.read_back(Operator(), said, at=TODAY).already is False


def moved(folder: Path, tmp_path: Path, **changes: Any) -> dict[str, Any]:
    """What the command answers about a group with a date ahead that came as a file."""
    taken = actions.take_in(Operator(), a_plan(folder), naming(), at=TODAY)
    (_name, token), *_others = actions.make_claims(Operator(), group=taken.group, at=TODAY)
    ticket = groups.join(a_person("Ana"), token=token, name="Ana", at=TODAY)
    start = datetime.now(UTC) + timedelta(days=7)
    meetings.set_rhythm(ticket, Rhythm(shown_at(start, ZONE), ZONE, cycle=(Way.ONLINE,)), place=None, at=TODAY)  # type: ignore[arg-type]
    file, phrase = tmp_path / "group.leeward", tmp_path / "phrase"
    phrase.write_text("four words do well\n")
    file.write_bytes(rules.packed(tables(taken.group), "four words do well"))
    for model in (Leaf, Record, Group):
        model.objects.all().delete()
    return answered(file, passphrase_file=phrase, **changes)


def test_the_members_of_a_group_that_moved_can_take_their_places(folder: Path, tmp_path: Path) -> None:
    result = moved(folder, tmp_path, claims=True)
    links = {claim["name"]: claim["link"] for claim in result["claims"]}
    assert set(links) == {"ana", "ben"}
    token = links["ben"].rstrip("/").rsplit("/", 1)[1]
    seat = groups.join(a_person("Ben"), token=token, name="Ben", at=datetime.now(UTC))
    assert (getattr(seat, "group", ""), getattr(seat, "name", "")) == (result["group"], "ben")


def test_dates_without_a_checked_help_line_are_kept_and_said(
    folder: Path, tmp_path: Path, settings: LazySettings
) -> None:
    assert moved(folder, tmp_path)["warnings"] == []
    ahead = Meeting.objects.filter(closed_at=None).count()
    for model in (Leaf, Record, Group):
        model.objects.all().delete()
    settings.LEEWARD_HELP_LINES = tmp_path / "none.toml"
    again = answered(tmp_path / "group.leeward", passphrase_file=tmp_path / "phrase")
    [warning] = again["warnings"]
    assert "no help line of its country (US) has been checked" in warning
    assert Meeting.objects.filter(group=again["group"], closed_at=None).count() == ahead > 0


def options(source: Path, **changes: Any) -> argparse.Namespace:
    plain = {
        "source": source, "name": "", "purpose": "", "zone": ZONE, "time": "13:00", "minutes": 60, "claims": False,
        "check": False, "passphrase_file": None, "json": True,
    }  # fmt: skip
    return argparse.Namespace(**(plain | changes))


def answered(source: Path, **changes: Any) -> dict[str, Any]:
    said: list[dict[str, Any]] = []
    moving.take_in(options(source, **changes), say=lambda _t: None, answer=lambda _a, result, _t: said.append(result))
    return said[0]


def test_the_command_answers_in_json(folder: Path) -> None:
    checked = answered(folder, check=True)
    assert (checked["group"], Group.objects.count()) == (None, 0)
    result = answered(folder, claims=True)
    assert result["group"] == Group.objects.get().pk
    assert {name: result[name] for name in ("people", "meetings", "attendances")} == {
        "people": 3, "meetings": 2, "attendances": 3,
    }  # fmt: skip
    assert result["refused"] == [{"file": "attendance.csv", "line": 6, "reason": "not_a_date"}]
    assert {claim["name"] for claim in result["claims"]} == {"ana", "ben"}


@pytest.mark.parametrize("changes", [{"zone": "Mars/Olympus"}, {"time": "noon"}, {"minutes": 5}, {"name": "x" * 200}])
def test_odd_options_are_refused_before_anything_is_written(folder: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(Refusal):
        answered(folder, **changes)
    assert Group.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_two_imports_at_once_make_one_group(folder: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    from django.db import connections

    plan = a_plan(folder)

    def take() -> str:
        try:
            return actions.take_in(Operator(), plan, naming(), at=TODAY).group
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        got = {future.result(timeout=60) for future in [pool.submit(take) for _ in range(4)]}
    with transaction.atomic():
        assert (len(got), Group.objects.count()) == (1, 1)
