"""meetings.ics: dates of meetings, followed up to the day of the import, whatever the rule."""

from __future__ import annotations

import io
import re
from datetime import date, datetime, timedelta
from time import process_time
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from leeward.domain.portability.rules import EVENTS_MOST, MEETINGS, ImportPlan, Refused, checked
from leeward.lib.refusals import Refusal
from tests.data import path_of

BERLIN = ZoneInfo("Europe/Berlin")
TODAY = date(2026, 6, 1)
ANCHOR = "BEGIN:VEVENT\r\nDTSTART:19910101T180000\r\nEND:VEVENT\r\n"  # so that there is always one meeting


def calendar(*events: str) -> bytes:
    inner = "".join(f"BEGIN:VEVENT\r\n{event}\r\nEND:VEVENT\r\n" for event in events)
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{inner}END:VCALENDAR\r\n".encode()


def plan_of(data: bytes, zone: ZoneInfo = BERLIN) -> ImportPlan:
    return checked({MEETINGS: io.BytesIO(data)}, zone=zone, until=TODAY)


def days_of(*events: str) -> list[str]:
    plan = plan_of(calendar(*events))
    assert plan.refused == ()
    return [roster.date.isoformat() for roster in plan.history.rosters]


def reasons_of(*events: str) -> list[str]:
    return [row.reason for row in plan_of(calendar("DTSTART:19910101", *events)).refused]


@pytest.mark.parametrize(
    ("event", "days"),
    [
        ("DTSTART;VALUE=DATE:20260108", ["2026-01-08"]),
        ("DTSTART:20260108T180000", ["2026-01-08"]),
        ("DTSTART:20260108T233000Z", ["2026-01-09"]),
        ("DTSTART;TZID=America/New_York:20260108T203000", ["2026-01-09"]),
        ("DTSTART;TZID=Unheard/Of:20260108T203000", ["2026-01-08"]),
        ("DTSTART:20260108\r\nRRULE:FREQ=WEEKLY;COUNT=3", ["2026-01-08", "2026-01-15", "2026-01-22"]),
        ("DTSTART:20260501\r\nRRULE:FREQ=WEEKLY;INTERVAL=2", ["2026-05-01", "2026-05-15", "2026-05-29"]),
        ("DTSTART:20260501\r\nRRULE:FREQ=WEEKLY;UNTIL=20260508", ["2026-05-01", "2026-05-08"]),
        ("DTSTART:20260501\r\nRRULE:FREQ=WEEKLY;\r\n UNTIL=20260508", ["2026-05-01", "2026-05-08"]),
        ("DTSTART:20260501T180000Z\r\nRRULE:FREQ=WEEKLY;UNTIL=20260508T170000Z", ["2026-05-01"]),
        ("DTSTART:20260501\r\nRRULE:FREQ=WEEKLY;INTERVAL=4;UNTIL=99991231T235959Z", ["2026-05-01", "2026-05-29"]),
        ("DTSTART:20260108\r\nRRULE:FREQ=WEEKLY;COUNT=3\r\nEXDATE:20260115", ["2026-01-08", "2026-01-22"]),
        ("DTSTART:20260108\r\nRDATE:20260110,20260112", ["2026-01-08", "2026-01-10", "2026-01-12"]),
        ("DTSTART:20240229\r\nRRULE:FREQ=YEARLY", ["2024-02-29"]),
        (
            "DTSTART:20260108\r\nURL:http://127.0.0.1/x\r\nATTACH:file:///etc/passwd\r\nDESCRIPTION:DTSTART:19990101\r\n"
            "BEGIN:VALARM\r\nTRIGGER:-PT15M\r\nDTSTART:19990101\r\nEND:VALARM",
            ["2026-01-08"],
        ),
    ],
)  # fmt: skip
def test_an_event_happens_on_days_of_the_groups_zone(event: str, days: list[str]) -> None:
    assert days_of(event) == days


def test_a_moved_date_replaces_its_place_in_the_series() -> None:
    series = "UID:a\r\nDTSTART;TZID=Europe/Berlin:20260108T180000\r\nRRULE:FREQ=WEEKLY;COUNT=3"
    moved = "UID:a\r\nRECURRENCE-ID:20260115T170000Z\r\nDTSTART;TZID=Europe/Berlin:20260116T180000"

    assert days_of(series, moved) == ["2026-01-08", "2026-01-16", "2026-01-22"]


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ("SUMMARY:x", "no_date"),
        ("DTSTART:99991399", "event_broken"),
        ("DTSTART:20260108\r\nDTSTART:20260109", "event_broken"),
        ("DTSTART:20260108\r\nRRULE:FREQ=FOO", "event_broken"),
        ("DTSTART;TZID=" + "x" * 5_000 + ":20260108T180000", "event_broken"),
        ("DTSTART:00010101", "date_out_of_range"),
        ("DTSTART:99991231T235959Z\r\nRRULE:FREQ=DAILY", "date_out_of_range"),
        ("DTSTART:20260602", "ahead"),
        ("DTSTART:20260602\r\nRRULE:FREQ=WEEKLY", "ahead"),
        ("DTSTART:20260108\r\nSTATUS:CANCELLED", "cancelled"),
        ("DTSTART:19910101", "already_listed"),
        ("DTSTART:20260108\r\nRRULE:FREQ=WEEKLY;COUNT=1000000000", "too_many_dates"),
        ("DTSTART:19900101\r\nRRULE:FREQ=DAILY", "too_many_dates"),
        ("DTSTART:20260108T180000\r\nRRULE:FREQ=SECONDLY", "rule_unusual"),
        ("DTSTART:20260108T180000\r\nRRULE:FREQ=MINUTELY;COUNT=5", "rule_unusual"),
        ("DTSTART:20260108\r\nRRULE:FREQ=DAILY;INTERVAL=0", "rule_unusual"),
        ("DTSTART:20260108\r\nRRULE:FREQ=DAILY;INTERVAL=99999999999999999999", "event_broken"),
        ("DTSTART:20260108\r\nRRULE:FREQ=DAILY;INTERVAL=1001", "rule_unusual"),
        ("DTSTART:20260108T180000\r\nRRULE:FREQ=DAILY;BYHOUR=1,2;BYMINUTE=1,2,3;BYSECOND=1,2", "rule_unusual"),
        ("DTSTART:20260108\r\nRRULE:FREQ=DAILY\r\nRRULE:FREQ=WEEKLY", "rule_unusual"),
        ("DTSTART:20260108\r\nRRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "rule_no_dates"),
        ("DTSTART:20260108\r\nRRULE:FREQ=DAILY;BYMONTHDAY=" + ",".join(["31"] * 4_000), "event_broken"),
    ],
)
def test_an_event_that_cannot_be_used_is_named(event: str, reason: str) -> None:
    assert reasons_of(event) == [reason]


def test_a_refused_event_is_named_by_the_line_it_begins_on() -> None:
    plan = plan_of(calendar("DTSTART:20260108", "DTSTART:x", "DTSTART:20260109"))

    assert plan.refused == (Refused(MEETINGS, 6, "event_broken"),)
    assert [roster.date for roster in plan.history.rosters] == [date(2026, 1, 8), date(2026, 1, 9)]


def test_an_event_that_never_ends_is_refused_alone() -> None:
    data = calendar("DTSTART:20260108") + b"BEGIN:VEVENT\r\nDTSTART:20260109\r\n"

    assert plan_of(data).refused == (Refused(MEETINGS, 7, "event_broken"),)


def test_folding_cannot_grow_an_event_without_bound() -> None:
    bomb = "EXDATE:20260101" + "\r\n ,20260101" * 20_000

    assert reasons_of(f"DTSTART:20260108\r\n{bomb}") == ["event_broken"]


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        (b"", Refusal("import_empty", file=MEETINGS)),
        (b"date,member\n", Refusal("import_not_a_calendar", file=MEETINGS)),
        (b"<html>", Refusal("import_not_a_calendar", file=MEETINGS)),
        (
            calendar(*["DTSTART:20260108"] * (EVENTS_MOST + 1)),
            Refusal("import_too_many_events", file=MEETINGS, most=EVENTS_MOST),
        ),
        (
            calendar(*["DTSTART:20260108\r\nEXDATE:" + ",".join(["20260101"] * 1_700)] * 30),
            Refusal("import_too_many_events", file=MEETINGS, most=EVENTS_MOST),
        ),
        (b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", Refusal("import_no_rows", refused=0)),
        (b"BEGIN:VCALENDAR\r\n" * 50_000, Refusal("import_no_rows", refused=0)),
    ],
)
def test_a_calendar_as_a_whole_is_refused(data: bytes, refusal: Refusal) -> None:
    with pytest.raises(Refusal) as caught:
        plan_of(data)

    assert caught.value == refusal


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;INTERVAL=7;BYDAY=MO",
        "FREQ=WEEKLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=300",
        "FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYSETPOS=-366",
        "FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO;BYMONTH=6",
        "FREQ=DAILY;COUNT=5000",
        "FREQ=DAILY;BYMONTH=" + ",".join(["12"] * 40) + ";BYYEARDAY=1",
    ],
)
def test_a_calendar_full_of_bombs_is_done_within_two_seconds(rule: str) -> None:
    begun = process_time()

    reasons = reasons_of(*[f"DTSTART:19900102\r\nRRULE:{rule}"] * 300)

    assert process_time() - begun < 2
    assert set(reasons) <= {"rule_no_dates", "rules_too_heavy", "already_listed"}
    assert len(reasons) >= 299


def test_the_counted_rules_of_libical_give_their_counts() -> None:
    counts = []
    text = path_of("libical_recur/recur.txt").read_text()
    for block in re.findall(r"BEGIN:VEVENT\n(.*?)END:VEVENT", text, re.DOTALL):
        unfolded = re.sub(r"\n[ \t]", "", block)
        rule = re.search(r"^RRULE:(.*)$", unfolded, re.MULTILINE)
        start = re.search(r"^DTSTART(?:;[^:]*)?:(.*)$", unfolded, re.MULTILINE)
        expected = re.search(r"X-EXPECT-NUMEVENTS:\s*(\d+)", unfolded)
        if not (rule and start and expected) or re.search("^(EXDATE|RDATE|EXRULE)", unfolded, re.MULTILINE):
            continue
        if not re.search("FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY)", rule[1]) or re.search("BY(HOUR|MINUTE|SECOND)", rule[1]):
            continue
        if not ("COUNT=" in rule[1] or "UNTIL=" in rule[1]) or unfolded.count("RRULE") > 1:
            continue
        plan = checked(
            {MEETINGS: io.BytesIO(calendar(f"DTSTART:{start[1]}\r\nRRULE:{rule[1]}"))},
            zone=BERLIN,
            until=date(2099, 1, 1),
        )
        counts.append((rule[1], len(plan.history.rosters), int(expected[1])))

    assert len(counts) >= 40
    assert [row for row in counts if row[1] != row[2]] == []


RULES = st.builds(
    lambda freq, interval, ends, by: ";".join([f"FREQ={freq}", f"INTERVAL={interval}", *ends, *by]),
    st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
    st.integers(1, 5),
    st.sampled_from([[], ["COUNT=1"], ["COUNT=7"], ["UNTIL=20260301"], ["UNTIL=20250914"]]),
    st.lists(
        st.sampled_from(["BYDAY=MO,TH", "BYMONTH=2,6", "BYMONTHDAY=1,15,-1", "BYSETPOS=1,-1"]), max_size=2, unique=True
    ),
)


@settings(max_examples=150, deadline=None)
@given(RULES, st.dates(date(2022, 1, 1), date(2026, 5, 1)))
def test_followed_four_hundred_years_later_a_rule_gives_what_it_gives_now(rule: str, start: date) -> None:
    if "BYSETPOS" in rule and "BYDAY" not in rule and "BYMONTH" not in rule:
        return
    beginning = datetime(start.year, start.month, start.day)
    end = datetime(TODAY.year, TODAY.month, TODAY.day)
    expected = {start.replace(year=1991, month=1, day=1)}
    expected |= {
        moment.date() for moment in rrulestr(rule, dtstart=beginning).between(beginning, end + timedelta(0), inc=True)
    }

    plan = plan_of(calendar("DTSTART:19910101", f"DTSTART:{start:%Y%m%d}\r\nRRULE:{rule}"))

    assert {roster.date for roster in plan.history.rosters} == expected
