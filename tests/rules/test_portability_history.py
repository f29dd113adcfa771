"""What rosters mean: people, stints, who is still here; and the real rosters of ten years."""

from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from leeward.domain.portability.rules import ATTENDANCE, ImportPlan, Mismatch, Stint, checked, found_in, stints_of
from tests.data import path_of

UTC = ZoneInfo("UTC")
TODAY = date(2026, 6, 1)
FIRST = date(2020, 1, 1)


def plan_of(rows: list[tuple[date, str, str]]) -> ImportPlan:
    text = "date,member,role\n" + "".join(f"{day},{member},{role}\n" for day, member, role in rows)
    return checked({ATTENDANCE: io.BytesIO(text.encode())}, zone=UTC, until=TODAY)


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def test_a_silence_of_120_days_is_borne_and_one_more_ends_the_stint() -> None:
    assert stints_of([day(0), day(120)], day(240)) == (Stint(day(0), None),)
    assert stints_of([day(0), day(121)], day(242)) == (Stint(day(0), day(0)), Stint(day(121), day(121)))


def test_only_appearances_as_a_member_make_a_stint() -> None:
    plan = plan_of(
        [(day(0), "Ana", "voting"), (day(0), "Gus", "observer"), (day(200), "Ana", "guest"), (day(200), "Ben", "lead")]
    )

    assert {person.name: person.stints for person in plan.history.people} == {
        "Ana": (Stint(day(0), day(0)),),
        "Ben": (Stint(day(200), None),),
        "Gus": (),
    }
    assert [person.name for person in plan.history.members] == ["Ana", "Ben"]
    assert [person.name for person in plan.history.active] == ["Ben"]
    assert (plan.history.attendances, plan.history.guest_visits) == (2, 2)


def brute_force(days: set[int], last: int) -> list[tuple[int, int | None]]:
    """A person is in on every day that lies between two appearances at most 120 days apart, or on one of them."""
    inside = set(days)
    for start in days:
        for end in days:
            if start < end <= start + 120:
                inside |= set(range(start, end + 1))
    found = []
    for number in sorted(inside):
        if number - 1 not in inside:
            end = number
            while end + 1 in inside:
                end += 1
            found.append((number, None if last - end <= 120 else end))
    return found


@given(st.sets(st.integers(0, 1_500), max_size=14), st.integers(0, 300))
def test_stints_are_what_counting_days_one_by_one_gives(days: set[int], later: int) -> None:
    last = max(days, default=0) + later

    stints = stints_of([day(number) for number in sorted(days)], day(last))

    assert [
        ((s.joined - FIRST).days if s.joined else None, (s.left - FIRST).days if s.left else None) for s in stints
    ] == (brute_force(days, last))


ROWS = st.lists(
    st.tuples(
        st.integers(0, 900).map(day),
        st.sampled_from(["Ana", "Ben", "Chidi", "Dara"]),
        st.sampled_from(["voting", "observer", "regular", "guest", ""]),
    ),
    min_size=1,
    max_size=30,
    unique_by=lambda row: (row[0], row[1]),
)


@given(ROWS, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(rows: list[tuple[date, str, str]], chance: object) -> None:
    shuffled = list(rows)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]

    assert plan_of(shuffled).digest == plan_of(rows).digest


@given(ROWS, st.data())
def test_leaving_out_one_row_is_another_history(rows: list[tuple[date, str, str]], data: st.DataObject) -> None:
    without = data.draw(st.integers(0, len(rows) - 1))
    rest = rows[:without] + rows[without + 1 :]

    if rest:
        assert plan_of(rest).digest != plan_of(rows).digest


def test_another_name_is_another_history() -> None:
    assert plan_of([(day(0), "Ana", "")]).digest != plan_of([(day(0), "ANA", "")]).digest


# ── the real rosters ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_rosters_of_ten_years_mean_what_a_few_plain_lines_count() -> None:
    folder = path_of("nodejs_tsc_attendance")
    with (folder / "attendance.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    roles = Counter(row["role"] for row in rows)
    seen: dict[str, list[date]] = {}
    for row in rows:
        if row["role"] != "observer":
            seen.setdefault(row["member"], []).append(date.fromisoformat(row["date"]))
    last = date.fromisoformat(max(row["date"] for row in rows))
    gaps = sum(
        (b - a).days > 120 for days in seen.values() for a, b in zip(sorted(days), sorted(days)[1:], strict=False)
    )
    active = sum((last - max(days)).days <= 120 for days in seen.values())

    plan = checked(found_in(folder), zone=UTC, until=TODAY)

    history = plan.history
    assert roles == {"voting": 3_092, "observer": 174, "unspecified": 44, "regular": 16}
    assert len(history.rosters) == len({row["date"] for row in rows}) == 319
    assert (
        (history.rosters[0].date, history.rosters[-1].date)
        == (date(2016, 8, 4), last)
        == (date(2016, 8, 4), date(2026, 5, 6))
    )
    assert len(history.people) == len({row["member"] for row in rows}) == 86
    assert len(history.members) == len(seen) == 60
    assert history.attendances == len(rows) - roles["observer"] == 3_152
    assert history.guest_visits == roles["observer"] == 174
    assert sum(len(person.stints) for person in history.people) == len(seen) + gaps == 104
    assert len(history.active) == active == 26
    assert (plan.refused, plan.refused_total) == ((), 0)
    assert plan.mismatches == (Mismatch(date(2018, 2, 21), 13, 12), Mismatch(date(2020, 3, 11), 16, 15))
    assert checked(found_in(folder), zone=UTC, until=TODAY + timedelta(days=1)).digest == plan.digest


def test_the_answer_for_programs_holds_the_counts() -> None:
    plan = plan_of([(day(0), "Ana", ""), (day(0), "Gus", "guest"), (day(0), "Gus", "boss")])

    assert plan.as_json("g1") == {
        "group": "g1",
        "people": 2,
        "members": 1,
        "active": 1,
        "meetings": 1,
        "attendances": 1,
        "guest_visits": 1,
        "refused": [{"file": "attendance.csv", "line": 4, "reason": "role_unknown"}],
        "refused_total": 1,
        "mismatches": [],
    }
