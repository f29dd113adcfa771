"""A rhythm across clock changes, an agenda that adds up, a date at its edges, a chain that shows every change."""

from __future__ import annotations

import hashlib
import io
import itertools
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from leeward.domain.meetings import rules
from leeward.domain.meetings.rules import (
    Answer,
    Block,
    BlockKind,
    Leaf,
    LeafKind,
    Line,
    Link,
    Rhythm,
    Standing,
    StoredLeaf,
    Way,
)
from leeward.domain.portability.rules import MEETINGS, Refused, checked
from leeward.lib.refusals import Refusal
from tests.data import vectors

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)

# Time: the vectors -------------------------------------------------------------------------------------------------

ZONE_OF = {
    "biweekly_berlin_autumn": "Europe/Berlin",
    "biweekly_new_york_spring": "America/New_York",
    "gap_new_york": "America/New_York",
    "ambiguous_new_york": "America/New_York",
    "lord_howe_30min": "Australia/Lord_Howe",
    "lord_howe_gap": "Australia/Lord_Howe",
    "kathmandu_5h45": "Asia/Kathmandu",
    "dublin": "Europe/Dublin",
    "casablanca_ramadan_2026": "Africa/Casablanca",
    "cairo": "Africa/Cairo",
    "apia_skipped_day_2011_12_30": "Pacific/Apia",
    "sao_paulo_no_dst_since_2019": "America/Sao_Paulo",
    "asuncion_permanent_dst_since_2024": "America/Asuncion",
}
SEEN_FROM_AFAR = "london_18h_seen_from_new_york"


def items_of(name: str) -> list[dict[str, Any]]:
    found = vectors()["time"][name]
    return list(found["items"] if isinstance(found, dict) else found)


def moment_of(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC)


def test_every_vector_of_the_time_family_is_checked_here() -> None:
    assert set(vectors()["time"]) == {*ZONE_OF, SEEN_FROM_AFAR, "tzdata_version"}


@pytest.mark.parametrize("name", ZONE_OF)
def test_a_wall_time_happens_and_is_shown_as_the_vectors_say(name: str) -> None:
    zone = ZONE_OF[name]
    for item in items_of(name):
        local = datetime.fromisoformat(item["local"])

        moment = rules.happens_at(local, zone)

        assert moment == moment_of(item["utc_fold0"])
        assert local - moment.replace(tzinfo=None) == timedelta(minutes=item["offset_min"])
        assert rules.shown_at(moment, zone) == datetime.fromisoformat(item["rendered_local"])
        assert (rules.shown_at(moment, zone) != local) is (item["kind"] == "gap")
        if item["kind"] == "ambiguous":
            assert moment < moment_of(item["utc_fold1"])
            assert rules.shown_at(moment_of(item["utc_fold1"]), zone) == local


@pytest.mark.parametrize("name", ZONE_OF)
def test_a_rhythm_of_two_weeks_gives_the_dates_of_the_vectors(name: str) -> None:
    items = items_of(name)
    rhythm = Rhythm(datetime.fromisoformat(items[0]["local"]), ZONE_OF[name], every_weeks=2)

    found = rules.planned(rhythm, moment_of(items[0]["utc_fold0"]))[: len(items)]

    assert [(d.at, d.local) for d in found] == [
        (moment_of(item["utc_fold0"]), datetime.fromisoformat(item["rendered_local"])) for item in items
    ]


def test_a_meeting_in_london_is_seen_in_new_york_as_the_vectors_say() -> None:
    rows = [{name: datetime.fromisoformat(text) for name, text in row.items()} for row in items_of(SEEN_FROM_AFAR)]

    seen = [rules.shown_at(rules.happens_at(row["london"], "Europe/London"), "America/New_York") for row in rows]

    assert seen == [row["new_york"] for row in rows]


# Time: every rhythm ------------------------------------------------------------------------------------------------

ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kathmandu"]
MINUTES_OF_DAY = st.builds(time, hour=st.integers(0, 23), minute=st.integers(0, 59))
RHYTHMS = st.builds(
    Rhythm,
    start_local=st.builds(
        datetime.combine,
        st.dates(date(1990, 1, 8), date(2085, 12, 31)),
        st.one_of(MINUTES_OF_DAY, st.just(time(2, 30))),
    ),
    zone=st.sampled_from(ZONES),
    every_weeks=st.integers(1, 8),
    minutes=st.integers(30, 120),
    cycle=st.lists(st.sampled_from(list(Way)), min_size=1, max_size=8).map(tuple),
)


def wall(moment: datetime, zone: str) -> datetime:
    """What the clock on the wall shows: the direction UTC → wall, which is never in doubt."""
    return moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)


def offset(moment: datetime, zone: str) -> timedelta:
    return wall(moment, zone) - moment


def change_within(zone: str, since: datetime, until: datetime) -> datetime | None:
    """The first moment (naive UTC, whole seconds) with a new offset, by halving; None when nothing changes."""
    marks = [since]
    while marks[-1] < until:
        marks.append(min(marks[-1] + DAY, until))
    for before, after in itertools.pairwise(marks):
        old = offset(before, zone)
        if offset(after, zone) == old:
            continue
        seconds = range(int((after - before) / SECOND) + 1)
        changed = bisect_left(seconds, True, key=lambda passed: offset(before + passed * SECOND, zone) != old)
        return before + changed * SECOND
    return None


def expected_moment(local: datetime, zone: str) -> datetime:
    """Try every offset of the days around and keep those that show this wall time: the first; none: the one before."""
    around = {offset(local + hours * timedelta(hours=1), zone) for hours in (-30, -15, 0, 15, 30)}
    shown = sorted(local - tried for tried in around if wall(local - tried, zone) == local)
    if shown:
        return shown[0].replace(tzinfo=UTC)
    change = change_within(zone, local - 2 * DAY, local + 2 * DAY)
    assert change is not None
    return (local - offset(change - SECOND, zone)).replace(tzinfo=UTC)


def check_rhythm_keeps_wall_time(rhythm: Rhythm, lag: timedelta) -> None:
    since = expected_moment(rhythm.start_local, rhythm.zone) + lag
    until = since + timedelta(weeks=26)

    found = rules.planned(rhythm, since)

    expected = []
    for number in range(26 * 20 // rhythm.every_weeks):
        at = expected_moment(rhythm.start_local + timedelta(weeks=number * rhythm.every_weeks), rhythm.zone)
        if at >= until:
            break
        if at >= since:
            expected.append((number, at, wall(at.replace(tzinfo=None), rhythm.zone)))
    assert [(d.number, d.at, d.local) for d in found] == expected
    assert [d.way for d in found] == [rhythm.cycle[number % len(rhythm.cycle)] for number, _, _ in expected]
    assert all(earlier.at < later.at and earlier.local < later.local for earlier, later in itertools.pairwise(found))
    assert {d.local.time() for d in found if not skipped(rhythm, d.number)} <= {rhythm.start_local.time()}


def skipped(rhythm: Rhythm, number: int) -> bool:
    local = rhythm.start_local + timedelta(weeks=number * rhythm.every_weeks)
    return wall(expected_moment(local, rhythm.zone).replace(tzinfo=None), rhythm.zone) != local


def check_doubtful_time(zone: str, near: datetime, minutes_after: int) -> None:
    """Within two hours of the next clock change after `near`: in the gap, shown twice, or beside both."""
    change = change_within(zone, near, near + timedelta(days=400))
    assert change is not None
    local = change + offset(change - SECOND, zone) + timedelta(minutes=minutes_after)
    jump = offset(change, zone) - offset(change - SECOND, zone)
    late = timedelta(minutes=minutes_after)
    in_gap = timedelta(0) <= late < jump

    moment = rules.happens_at(local, zone)

    expected = change + late if late < max(jump, timedelta(0)) else change + late - jump
    assert moment == expected.replace(tzinfo=UTC) == expected_moment(local, zone)
    assert rules.shown_at(moment, zone) == (local + jump if in_gap else local)


def naive(text: str) -> datetime:
    return datetime.fromisoformat(text)


CHANGING_ZONES = [zone for zone in ZONES if zone != "Asia/Kathmandu"]
LAGS = st.integers(-400 * 24 * 60, 400 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes))
AROUND_A_CHANGE = st.one_of(st.integers(-120, 120), st.sampled_from([-61, -60, -31, -30, -1, 0, 1, 29, 30, 59, 60]))
YEARS_WITH_CHANGES = st.datetimes(naive("2019-01-01"), naive("2036-12-31")).map(lambda m: m.replace(microsecond=0))


@settings(max_examples=120, deadline=None)
@given(RHYTHMS, LAGS)
def test_a_rhythm_keeps_its_wall_time_and_never_repeats_a_date(rhythm: Rhythm, lag: timedelta) -> None:
    check_rhythm_keeps_wall_time(rhythm, lag)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(CHANGING_ZONES), YEARS_WITH_CHANGES, AROUND_A_CHANGE)
def test_a_skipped_time_happens_later_and_a_doubled_one_once(zone: str, near: datetime, minutes_after: int) -> None:
    check_doubtful_time(zone, near, minutes_after)


@pytest.mark.parametrize(
    ("zone", "local", "utc", "shown"),
    [
        ("Europe/Berlin", "2027-03-28T01:59", "2027-03-28T00:59", "2027-03-28T01:59"),
        ("Europe/Berlin", "2027-03-28T02:00", "2027-03-28T01:00", "2027-03-28T03:00"),
        ("Europe/Berlin", "2027-03-28T02:59", "2027-03-28T01:59", "2027-03-28T03:59"),
        ("Europe/Berlin", "2027-03-28T03:00", "2027-03-28T01:00", "2027-03-28T03:00"),
        ("Europe/Berlin", "2026-10-25T01:59", "2026-10-24T23:59", "2026-10-25T01:59"),
        ("Europe/Berlin", "2026-10-25T02:00", "2026-10-25T00:00", "2026-10-25T02:00"),
        ("Europe/Berlin", "2026-10-25T02:59", "2026-10-25T00:59", "2026-10-25T02:59"),
        ("Europe/Berlin", "2026-10-25T03:00", "2026-10-25T02:00", "2026-10-25T03:00"),
        ("Australia/Lord_Howe", "2026-04-05T01:30", "2026-04-04T14:30", "2026-04-05T01:30"),
        ("Australia/Lord_Howe", "2026-10-04T02:29", "2026-10-03T15:59", "2026-10-04T02:59"),
        ("Australia/Lord_Howe", "2026-10-04T02:30", "2026-10-03T15:30", "2026-10-04T02:30"),
        ("Asia/Kathmandu", "2026-12-31T00:00", "2026-12-30T18:15", "2026-12-31T00:00"),
    ],
)
def test_the_minutes_beside_a_clock_change_are_read_as_people_read_them(
    zone: str, local: str, utc: str, shown: str
) -> None:
    moment = rules.happens_at(naive(local), zone)

    assert moment == naive(utc).replace(tzinfo=UTC)
    assert rules.shown_at(moment, zone) == naive(shown)


def test_a_weekly_rhythm_in_the_gap_is_moved_once_and_then_stands_where_it_stood() -> None:
    rhythm = Rhythm(naive("2027-03-21T02:30"), "Europe/Berlin", every_weeks=1)

    found = rules.planned(rhythm, datetime(2027, 3, 20, tzinfo=UTC), weeks=3)

    assert [d.local.isoformat() for d in found] == ["2027-03-21T02:30:00", "2027-03-28T03:30:00", "2027-04-04T02:30:00"]


def test_dates_are_planned_from_the_first_moment_up_to_but_without_the_last() -> None:
    rhythm = Rhythm(naive("2026-10-15T18:00"), "Europe/Berlin")
    first = datetime(2026, 10, 15, 16, tzinfo=UTC)

    assert next(rules.dates(rhythm, since=first, until=first + SECOND)).number == 0
    assert list(rules.dates(rhythm, since=first, until=first)) == []
    assert next(rules.dates(rhythm, since=first + SECOND, until=first + 20 * DAY)).number == 1
    assert next(rules.dates(rhythm, since=first - 60 * DAY, until=first + SECOND)).number == 0
    assert len(rules.planned(rhythm, first)) == 13
    assert rules.planned(rhythm, first)[-1].at == datetime(2027, 4, 1, 16, tzinfo=UTC)


def test_the_defaults_of_a_rhythm_are_an_hour_every_two_weeks_26_weeks_ahead() -> None:
    rhythm = Rhythm(naive("2026-10-15T18:00"), "Europe/Berlin")

    assert (rhythm.every_weeks, rhythm.minutes, rhythm.cycle) == (2, 60, (Way.ONLINE,))
    assert timedelta(weeks=26) == rules.LOOK_AHEAD
    assert timedelta(minutes=15) == rules.LINK_BEFORE


def rhythm_with(**changes: Any) -> Rhythm:
    values: dict[str, Any] = {
        "start_local": naive("2026-10-15T18:00"),
        "zone": "Europe/Berlin",
        "every_weeks": 2,
        "minutes": 60,
        "cycle": [Way.HYBRID, Way.ONLINE],
    }
    values.update(changes)
    return rules.rhythm(values.pop("start_local"), values.pop("zone"), **values)


@pytest.mark.parametrize(
    "changes",
    [
        {"every_weeks": 1}, {"every_weeks": 8}, {"minutes": 30}, {"minutes": 120}, {"cycle": [Way.ONLINE] * 8},
        {"start_local": naive("1990-01-01T00:00")}, {"start_local": naive("2099-12-31T23:59")},
    ],
)  # fmt: skip
def test_a_rhythm_within_bounds_is_kept_as_it_was_asked_for(changes: dict[str, Any]) -> None:
    asked = {
        "start_local": naive("2026-10-15T18:00"), "zone": "Europe/Berlin", "every_weeks": 2, "minutes": 60,
        "cycle": [Way.HYBRID, Way.ONLINE], **changes,
    }  # fmt: skip
    assert rhythm_with(**changes) == Rhythm(**{**asked, "cycle": tuple(asked["cycle"])})


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"every_weeks": 0}, Refusal("out_of_bounds", field="every_weeks", least=1, most=8)),
        ({"every_weeks": 9}, Refusal("out_of_bounds", field="every_weeks", least=1, most=8)),
        ({"minutes": 29}, Refusal("out_of_bounds", field="minutes", least=30, most=120)),
        ({"minutes": 121}, Refusal("out_of_bounds", field="minutes", least=30, most=120)),
        ({"cycle": []}, Refusal("out_of_bounds", field="cycle", least=1, most=8)),
        ({"cycle": [Way.ONLINE] * 9}, Refusal("out_of_bounds", field="cycle", least=1, most=8)),
        ({"zone": "Europe/Atlantis"}, Refusal("zone_unknown", field="zone")),
        ({"zone": ""}, Refusal("zone_unknown", field="zone")),
        ({"zone": "../../etc/passwd"}, Refusal("zone_unknown", field="zone")),
        ({"zone": "europe/berlin"}, Refusal("zone_unknown", field="zone")),
        ({"start_local": naive("1989-12-31T23:59")},
         Refusal("year_out_of_bounds", field="date", least=1990, most=2099)),
        ({"start_local": naive("2100-01-01T00:00")},
         Refusal("year_out_of_bounds", field="date", least=1990, most=2099)),
    ],
)  # fmt: skip
def test_a_rhythm_out_of_bounds_is_refused_beside_its_field(changes: dict[str, Any], refusal: Refusal) -> None:
    with pytest.raises(Refusal) as caught:
        rhythm_with(**changes)

    assert caught.value == refusal


def test_a_wall_time_is_hours_and_minutes() -> None:
    assert [rules.wall_time(text) for text in ("00:00", "18:30", "23:59")] == [time(0, 0), time(18, 30), time(23, 59)]
    for text in ("", "24:00", "18:60", "18", "18.30", "6pm", "18:30:00", "-1:00", "18:30\n", " 18:30", "\x0018:30"):
        with pytest.raises(Refusal) as caught:
            rules.wall_time(text)
        assert caught.value == Refusal("time_unreadable", field="time")


def test_screen_minutes_count_online_whole_hybrid_half_and_a_room_not_at_all() -> None:
    assert rules.screen_minutes([]) == 0
    assert rules.screen_minutes([(Way.IN_PERSON, 120)]) == 0
    assert rules.screen_minutes([(Way.ONLINE, 60), (Way.HYBRID, 60), (Way.IN_PERSON, 60)]) == 90
    assert rules.screen_minutes([(Way.HYBRID, 45), (Way.HYBRID, 45)]) == 45


@pytest.mark.parametrize(
    ("way", "possible"),
    [
        (Way.IN_PERSON, {Answer.ROOM, Answer.CANT}),
        (Way.ONLINE, {Answer.ONLINE, Answer.CANT}),
        (Way.HYBRID, {Answer.ROOM, Answer.ONLINE, Answer.CANT}),
    ],
)
def test_an_answer_fits_the_way_of_meeting(way: Way, possible: set[Answer]) -> None:
    for answer in possible:
        rules.refuse_impossible_answer(answer, way)
    for answer in set(Answer) - possible:
        with pytest.raises(Refusal) as caught:
            rules.refuse_impossible_answer(answer, way)
        assert caught.value == Refusal("answer_impossible")


# Recurrence --------------------------------------------------------------------------------------------------------


def libical_cases() -> list[dict[str, Any]]:
    return list(vectors()["recurrence_libical"]["cases"])


def test_all_55_rules_of_libical_give_their_counts() -> None:
    found = []
    for case in libical_cases():
        moments = list(rrulestr(case["rrule"].replace("Z", ""), dtstart=naive(case["dtstart"].removesuffix("Z"))))
        found.append((len(moments), [moment.isoformat() for moment in moments[:4]]))

    assert len(found) == 55
    assert found == [(case["libical_expected_count"], case["first_local"]) for case in libical_cases()]


def test_an_import_gives_the_days_of_the_55_rules_and_names_those_within_a_day() -> None:
    outcome = []
    for case in libical_cases():
        events = ["DTSTART:19910101", f"DTSTART:{case['dtstart']}\r\nRRULE:{case['rrule']}"]
        inner = "".join(f"BEGIN:VEVENT\r\n{event}\r\nEND:VEVENT\r\n" for event in events)
        plan = checked(
            {MEETINGS: io.BytesIO(f"BEGIN:VCALENDAR\r\n{inner}END:VCALENDAR\r\n".encode())},
            zone=ZoneInfo("Europe/Berlin"),
            until=date(2099, 12, 31),
        )
        outcome.append((len(plan.history.rosters) - 1, plan.refused))

    within_a_day = [any(part in case["rrule"] for part in ("HOURLY", "MINUTELY", "BYHOUR")) for case in libical_cases()]
    assert within_a_day.count(True) == 5
    assert outcome == [
        (0, (Refused(MEETINGS, 5, "rule_unusual"),)) if within else (case["libical_expected_count"], ())
        for within, case in zip(within_a_day, libical_cases(), strict=True)
    ]


# Standing ----------------------------------------------------------------------------------------------------------

STARTS = datetime(2026, 10, 15, 16, 0, tzinfo=UTC)
ENDS = datetime(2026, 10, 15, 17, 0, tzinfo=UTC)
THREE_DAYS_AHEAD = datetime(2026, 10, 12, 16, 0, tzinfo=UTC)
TWO_HOURS_AFTER = datetime(2026, 10, 15, 19, 0, tzinfo=UTC)


def standing(at: datetime, *so: str) -> Standing:
    facts = {fact: fact in so for fact in ("confirmed", "cancelled", "opened", "closed")}
    return rules.standing_as_of(at, starts_at=STARTS, ends_at=ENDS, **facts)


@pytest.mark.parametrize(
    ("edge", "so", "before", "after"),
    [
        (THREE_DAYS_AHEAD, (), "planned", "unconfirmed"),
        (THREE_DAYS_AHEAD, ("confirmed",), "confirmed", "confirmed"),
        (STARTS, (), "unconfirmed", "unconfirmed"),
        (STARTS, ("confirmed",), "confirmed", "confirmed"),
        (ENDS, (), "unconfirmed", "unconfirmed"),
        (ENDS, ("confirmed",), "confirmed", "confirmed"),
        (TWO_HOURS_AFTER, (), "unconfirmed", "not_held"),
        (TWO_HOURS_AFTER, ("confirmed",), "confirmed", "not_held"),
        (TWO_HOURS_AFTER, ("opened",), "open", "open"),
        (TWO_HOURS_AFTER, ("opened", "confirmed"), "open", "open"),
        (TWO_HOURS_AFTER, ("opened", "closed"), "held", "held"),
        (TWO_HOURS_AFTER, ("closed",), "held", "held"),
        (TWO_HOURS_AFTER, ("cancelled",), "cancelled", "cancelled"),
        (TWO_HOURS_AFTER, ("cancelled", "confirmed"), "cancelled", "cancelled"),
    ],
)
def test_a_date_changes_its_standing_at_the_second_and_not_around_it(
    edge: datetime, so: tuple[str, ...], before: str, after: str
) -> None:
    found = [standing(edge + step, *so) for step in (-SECOND, 0 * SECOND, SECOND)]

    assert [value.value for value in found] == [before, after, after]


def test_a_room_opens_ten_minutes_before_and_until_two_hours_after_the_end() -> None:
    opens = datetime(2026, 10, 15, 15, 50, tzinfo=UTC)
    edges = [opens, STARTS, ENDS, TWO_HOURS_AFTER]

    found = [
        [rules.may_open(edge + step, starts_at=STARTS, ends_at=ENDS) for step in (-SECOND, 0 * SECOND, SECOND)]
        for edge in edges
    ]

    assert found == [[False, True, True], [True, True, True], [True, True, True], [True, False, False]]


# Agenda ------------------------------------------------------------------------------------------------------------

M, S, B, P, E, C = (
    BlockKind.MOOD, BlockKind.SPOTLIGHT, BlockKind.BRAINSTORM, BlockKind.PRACTICE, BlockKind.EXPERIENCE,
    BlockKind.COMMITMENT,
)  # fmt: skip


@pytest.mark.parametrize(
    ("format", "minutes", "expected", "spare"),
    [
        ("topic_circle", 45, [(M, 3), (S, 15), (B, 18), (C, 3)], 6),
        ("topic_circle", 60, [(M, 5), (S, 20), (B, 25), (C, 5)], 5),
        ("topic_circle", 90, [(M, 7), (S, 30), (B, 37), (C, 7)], 9),
        ("skill_pod", 45, [(M, 3), (P, 22), (B, 11), (C, 3)], 6),
        ("skill_pod", 60, [(M, 5), (P, 30), (B, 15), (C, 5)], 5),
        ("skill_pod", 90, [(M, 7), (P, 45), (B, 22), (C, 7)], 9),
        ("life_stage_cohort", 45, [(M, 3), (E, 22), (B, 11), (C, 3)], 6),
        ("life_stage_cohort", 60, [(M, 5), (E, 30), (B, 15), (C, 5)], 5),
        ("life_stage_cohort", 90, [(M, 7), (E, 45), (B, 22), (C, 7)], 9),
        ("hybrid_community", 45, [(M, 3), (S, 15), (B, 18), (C, 3)], 6),
        ("hybrid_community", 60, [(M, 5), (S, 20), (B, 25), (C, 5)], 5),
        ("hybrid_community", 90, [(M, 7), (S, 30), (B, 37), (C, 7)], 9),
    ],
)
def test_the_agenda_of_a_format_fits_its_meeting_and_leaves_a_buffer(
    format: str, minutes: int, expected: list[tuple[BlockKind, int]], spare: int
) -> None:
    blocks = rules.agenda_for(format, minutes)

    assert [(block.kind, block.minutes) for block in blocks] == expected
    assert rules.total(blocks) + rules.spare(blocks, minutes) == minutes
    assert rules.spare(blocks, minutes) == spare
    assert rules.checked_agenda(blocks, minutes) == blocks


@pytest.mark.parametrize("format", ["topic_circle", "skill_pod", "life_stage_cohort", "hybrid_community"])
def test_the_agenda_of_a_format_fits_every_length_and_spares_a_twelfth(format: str) -> None:
    for minutes in range(30, 121):
        blocks = rules.agenda_for(format, minutes)

        shares = [
            (block.minutes, whole * minutes / 60)
            for block, whole in zip(blocks, (b.minutes for b in rules.TEMPLATES[format]), strict=True)
        ]
        assert all(0 <= share - given < 1 for given, share in shares)
        assert minutes / 12 <= rules.spare(blocks, minutes) < minutes / 12 + 4


def block(minutes: int, kind: BlockKind = BlockKind.OPEN) -> Block:
    return Block(kind, "", minutes)


@pytest.mark.parametrize(
    ("lengths", "minutes"), [([60], 60), ([1], 30), ([5] * 12, 60), ([120], 120), ([20, 25, 5, 5], 60)]
)
def test_an_agenda_within_its_meeting_is_kept_as_it_is(lengths: list[int], minutes: int) -> None:
    blocks = [block(length) for length in lengths]

    assert rules.checked_agenda(blocks, minutes) == tuple(blocks)
    assert rules.spare(blocks, minutes) == minutes - sum(lengths)


@pytest.mark.parametrize(
    ("lengths", "minutes", "refusal"),
    [
        ([], 60, Refusal("agenda_empty", field="agenda")),
        ([1] * 13, 60, Refusal("too_many_blocks", field="agenda", most=12)),
        ([0, 60], 60, Refusal("block_minutes", field="agenda", most=120)),
        ([-5, 60], 60, Refusal("block_minutes", field="agenda", most=120)),
        ([121], 120, Refusal("block_minutes", field="agenda", most=120)),
        ([30, 31], 60, Refusal("agenda_too_long", field="agenda", total=61, minutes=60)),
        ([5] * 12, 59, Refusal("agenda_too_long", field="agenda", total=60, minutes=59)),
    ],
)
def test_an_agenda_that_does_not_fit_is_refused(lengths: list[int], minutes: int, refusal: Refusal) -> None:
    with pytest.raises(Refusal) as caught:
        rules.checked_agenda([block(length) for length in lengths], minutes)

    assert caught.value == refusal


@pytest.mark.parametrize("format", ["skill_pod", "life_stage_cohort"])
def test_a_first_hour_opens_with_15_minutes_of_pledge_from_the_buffer_and_the_long_block(format: str) -> None:
    blocks = rules.agenda_for(format, 60)

    first = rules.with_pledge(blocks, 60)

    assert [block.minutes for block in first] == [15, 5, 20, 15, 5]
    assert [block.kind for block in first] == [BlockKind.PLEDGE, *(block.kind for block in blocks)]
    assert rules.spare(first, 60) == 0


def test_a_pledge_leaves_a_short_block_its_last_minute() -> None:
    first = rules.with_pledge([block(5)] * 11, 56)

    assert [block.minutes for block in first] == [5, 1, *[5] * 10]


@given(
    st.one_of(st.lists(st.integers(1, 9), max_size=11), st.lists(st.integers(1, 60), max_size=4)), st.integers(30, 120)
)
def test_a_pledge_takes_15_minutes_at_most_and_no_block_away(lengths: list[int], minutes: int) -> None:
    assume(sum(lengths) <= minutes)
    blocks = tuple(block(length) for length in lengths)

    first = rules.with_pledge(blocks, minutes)

    assert rules.total(first) <= minutes
    assert rules.with_pledge(first, minutes) == first
    if blocks:
        assert len(first) == len(blocks) + 1
        assert first[0].kind is BlockKind.PLEDGE
        assert 1 <= first[0].minutes <= 15
        assert all(block.minutes >= 1 for block in first)
    else:
        assert first == ()


# The record --------------------------------------------------------------------------------------------------------


def test_a_record_says_what_happened_in_order_and_leaves_out_what_is_empty() -> None:
    full = rules.record_lines(
        starts_local="2026-10-15T18:00", zone="Europe/Berlin", way=Way.HYBRID, place="Library", theme="Sleep",
        topics=["Naps", "Light"], steps=["Walk"], next_local="2026-10-29T18:00", imported=True,
    )  # fmt: skip
    bare = rules.record_lines(
        starts_local="2026-10-15T18:00", zone="Europe/Berlin", way=None, place="", theme="", topics=[], steps=[],
        next_local="", imported=False,
    )  # fmt: skip

    assert full == [
        Line(LeafKind.ORIGIN, "imported"),
        Line(LeafKind.DATE, "2026-10-15T18:00 Europe/Berlin"),
        Line(LeafKind.WAY, "hybrid"),
        Line(LeafKind.PLACE, "Library"),
        Line(LeafKind.THEME, "Sleep"),
        Line(LeafKind.TOPIC, "Naps"),
        Line(LeafKind.TOPIC, "Light"),
        Line(LeafKind.STEP, "Walk"),
        Line(LeafKind.NEXT, "2026-10-29T18:00 Europe/Berlin"),
    ]
    assert bare == [Line(LeafKind.DATE, "2026-10-15T18:00 Europe/Berlin")]


def sealed(records: Sequence[Sequence[tuple[LeafKind, str, bytes]]]) -> list[Link]:
    """A chain made by hand from RULES 15: leaf = SHA-256(salt ‖ text), record = SHA-256(previous ‖ leaves)."""
    links: list[Link] = []
    previous = bytes(32)
    for number, lines in enumerate(records, 1):
        leaves, whole = [], previous
        for place, (kind, text, salt) in enumerate(lines, 1):
            digest = hashlib.sha256(salt + kind.value.encode() + b":" + text.encode()).digest()
            leaves.append(StoredLeaf(place, kind.value, text, salt.hex(), digest.hex()))
            whole += digest
        record = hashlib.sha256(whole).digest()
        links.append(Link(number, previous.hex(), record.hex(), tuple(leaves)))
        previous = record
    return links


LINES = st.tuples(st.sampled_from(list(LeafKind)), st.text(max_size=12), st.binary(min_size=16, max_size=16))
CHAINS = st.lists(st.lists(LINES, max_size=5), max_size=6).map(sealed)


@st.composite
def chains_with_a_leaf(draw: st.DrawFn) -> tuple[list[Link], int, int]:
    """A chain and the places (from 0) of a record and of a leaf in it; salts differ, so no two leaves are the same."""
    records = draw(
        st.lists(st.lists(LINES, max_size=5), min_size=1, max_size=6).filter(lambda lists: any(map(bool, lists)))
    )
    count = itertools.count()
    salted = [[(kind, text, salt[:12] + next(count).to_bytes(4)) for kind, text, salt in lines] for lines in records]
    record = draw(st.sampled_from([place for place, lines in enumerate(salted) if lines]))
    return sealed(salted), record, draw(st.integers(0, len(salted[record]) - 1))


def with_link(chain: list[Link], record: int, **changes: Any) -> list[Link]:
    return [replace(link, **changes) if place == record else link for place, link in enumerate(chain)]


def with_leaf(chain: list[Link], record: int, leaf: int, **changes: Any) -> list[Link]:
    leaves = [replace(old, **changes) if place == leaf else old for place, old in enumerate(chain[record].leaves)]
    return with_link(chain, record, leaves=tuple(leaves))


def another_byte(digits: str, place: int, mask: int) -> str:
    """One byte of a text in hex digits, another value: `mask` is 1…255."""
    whole = bytearray.fromhex(digits)
    whole[place % len(whole)] ^= mask
    return whole.hex()


def another_letter(text: str, place: int, letter: str) -> str:
    """One letter of a text put in place of another, or added to an empty one."""
    if not text:
        return letter
    place %= len(text)
    return text[:place] + (letter if text[place] != letter else letter + letter) + text[place + 1 :]


def broken(chain: list[Link]) -> list[int]:
    return rules.broken_links(chain)


CHANGES = st.tuples(st.integers(0, 31), st.integers(1, 255), st.characters(exclude_categories=["Cs"]))


def check_chain_shows_each_change(
    made: tuple[list[Link], int, int], change: tuple[int, int, str], numbers: tuple[int, int]
) -> None:
    chain, record, leaf = made
    place, mask, letter = change
    old = chain[record].leaves[leaf]
    assert old.text is not None
    assert old.salt is not None
    named = [record + 1]
    bare = with_leaf(chain, record, leaf, text=None, salt=None)

    assert broken(chain) == []
    assert broken(with_leaf(chain, record, leaf, text=another_letter(old.text, place, letter))) == named
    assert broken(with_leaf(chain, record, leaf, text=old.text + letter)) == named
    assert broken(with_leaf(chain, record, leaf, salt=another_byte(old.salt, place, mask))) == named
    assert broken(with_leaf(chain, record, leaf, hash=another_byte(old.hash, place, mask))) == named
    assert broken(with_leaf(chain, record, leaf, number=leaf + 1 + numbers[0])) == named
    for kind in LeafKind:
        assert broken(with_leaf(chain, record, leaf, kind=kind.value)) == ([] if kind == old.kind else named)
    assert broken(with_leaf(chain, record, leaf, text=None)) == named
    assert broken(with_leaf(chain, record, leaf, salt=None)) == named

    assert broken(with_link(chain, record, previous=another_byte(chain[record].previous, place, mask))) == named
    assert broken(with_link(chain, record, number=record + 1 + numbers[1])) == [record + 1 + numbers[1]]
    assert broken(with_link(chain, record, hash=another_byte(chain[record].hash, place, mask))) == [
        number for number in (record + 1, record + 2) if number <= len(chain)
    ]

    assert broken(bare) == []
    assert broken(with_leaf(bare, record, leaf, hash=another_byte(old.hash, place, mask))) == named


def check_order_is_part_of_the_chain(made: tuple[list[Link], int, int]) -> None:
    chain, record, _ = made
    leaves = chain[record].leaves
    named = [record + 1]
    for left, right in itertools.pairwise(range(len(leaves))):
        swapped = list(leaves)
        swapped[left], swapped[right] = leaves[right], leaves[left]
        numbered = tuple(replace(leaf, number=place) for place, leaf in enumerate(swapped, 1))
        bare = tuple(replace(leaf, text=None, salt=None) for leaf in numbered)

        assert broken(with_link(chain, record, leaves=tuple(swapped))) == named
        assert broken(with_link(chain, record, leaves=numbered)) == named
        assert broken(with_link(chain, record, leaves=bare)) == named
    for gone in range(len(leaves)):
        left_over = tuple(leaf for place, leaf in enumerate(leaves) if place != gone)
        closed_up = tuple(replace(leaf, number=place) for place, leaf in enumerate(left_over, 1))

        assert broken(with_link(chain, record, leaves=closed_up)) == named
    twice = (*leaves, replace(leaves[-1], number=len(leaves) + 1))
    assert broken(with_link(chain, record, leaves=twice)) == named


NUMBERS = st.tuples(*[st.integers(-3, 3).filter(bool)] * 2)


@settings(max_examples=150, deadline=None)
@given(CHAINS)
def test_a_chain_made_as_the_rules_say_holds_link_by_link(chain: list[Link]) -> None:
    previous = "0" * 64
    for link in chain:
        for leaf in link.leaves:
            assert rules.leaf_hash(Leaf(LeafKind(leaf.kind), leaf.text or "", leaf.salt or "")) == leaf.hash
        assert rules.record_hash(previous, [leaf.hash for leaf in link.leaves]) == link.hash
        previous = link.hash

    assert broken(chain) == []
    assert broken(chain[:-1]) == []


@settings(max_examples=150, deadline=None)
@given(chains_with_a_leaf(), CHANGES, NUMBERS)
def test_one_changed_byte_names_the_record_that_holds_it(
    made: tuple[list[Link], int, int], change: tuple[int, int, str], numbers: tuple[int, int]
) -> None:
    check_chain_shows_each_change(made, change, numbers)


@settings(max_examples=100, deadline=None)
@given(chains_with_a_leaf())
def test_leaves_that_change_places_or_vanish_name_their_record(made: tuple[list[Link], int, int]) -> None:
    check_order_is_part_of_the_chain(made)


@settings(max_examples=100, deadline=None)
@given(CHAINS, st.data())
def test_a_chain_holds_whichever_leaves_their_authors_took_out(chain: list[Link], data: st.DataObject) -> None:
    taken = [
        replace(
            link,
            leaves=tuple(
                replace(leaf, text=None, salt=None) if data.draw(st.booleans()) else leaf for leaf in link.leaves
            ),
        )
        for link in chain
    ]

    assert broken(taken) == []


WEEKS = sealed(
    [
        [(LeafKind.DATE, f"2026-0{n}-01T18:00 UTC", bytes([n] * 16)), (LeafKind.THEME, "Sleep", bytes(16))]
        for n in (1, 2, 3, 4)
    ]
)


def test_the_hashes_of_a_known_record_never_change() -> None:
    leaf = hashlib.sha256(bytes.fromhex("00112233445566778899aabbccddeeff") + "theme:Schlaf für alle".encode())
    record = hashlib.sha256(bytes(32) + leaf.digest())

    assert rules.leaf_hash(Leaf(LeafKind.THEME, "Schlaf für alle", "00112233445566778899aabbccddeeff")) == (
        leaf.hexdigest()
    )
    assert rules.record_hash(rules.NO_PREVIOUS, [leaf.hexdigest()]) == record.hexdigest()
    assert rules.record_hash(rules.NO_PREVIOUS, []) == hashlib.sha256(bytes(32)).hexdigest()


@pytest.mark.parametrize(
    ("chain", "named"),
    [
        ([], []),
        (WEEKS, []),
        (WEEKS[1:], [2, 3, 4]),
        ([WEEKS[0], *WEEKS[2:]], [3, 4]),
        ([WEEKS[0], WEEKS[2], WEEKS[1], WEEKS[3]], [3, 2, 4]),
        ([*WEEKS, WEEKS[3]], [4]),
    ],
)
def test_a_record_that_is_gone_moved_or_twice_is_named(chain: list[Link], named: list[int]) -> None:
    assert broken(chain) == named


@pytest.mark.parametrize(
    "changes",
    [
        {"salt": ""}, {"salt": "zz" * 16}, {"salt": "0"}, {"hash": ""}, {"hash": "zz" * 32}, {"hash": "0"},
        {"kind": "therefore"}, {"kind": ""}, {"text": ""}, {"text": "\ud800"},
    ],
)  # fmt: skip
def test_a_leaf_that_makes_no_sense_names_its_record_and_stops_nothing(changes: dict[str, str]) -> None:
    assert broken(with_leaf(WEEKS, 2, 1, **changes)) == [3]


@pytest.mark.parametrize("changes", [{"previous": ""}, {"previous": "zz" * 32}, {"previous": "0"}])
def test_a_previous_hash_that_makes_no_sense_names_its_record(changes: dict[str, str]) -> None:
    assert broken(with_link(WEEKS, 2, **changes)) == [3]


# The long series ---------------------------------------------------------------------------------------------------


@pytest.mark.drill
@settings(max_examples=2000, deadline=None)
@given(
    rhythm=RHYTHMS, lag=LAGS, zone=st.sampled_from(CHANGING_ZONES), near=YEARS_WITH_CHANGES, after=AROUND_A_CHANGE,
    made=chains_with_a_leaf(), change=CHANGES, numbers=NUMBERS,
)  # fmt: skip
def test_2000_rhythms_doubtful_times_and_chains_hold(
    rhythm: Rhythm,
    lag: timedelta,
    zone: str,
    near: datetime,
    after: int,
    made: tuple[list[Link], int, int],
    change: tuple[int, int, str],
    numbers: tuple[int, int],
) -> None:
    check_rhythm_keeps_wall_time(rhythm, lag)
    check_doubtful_time(zone, near, after)
    check_chain_shows_each_change(made, change, numbers)
    check_order_is_part_of_the_chain(made)


# One way to write a digest -------------------------------------------------------------------------------------------


def without_words() -> list[Link]:
    """`WEEKS` with both lines of its third record taken out."""
    chain = with_leaf(WEEKS, 2, 0, text=None, salt=None)
    return with_leaf(chain, 2, 1, text=None, salt=None)


def test_a_removed_line_still_holds_its_place() -> None:
    chain = without_words()
    first, second = chain[2].leaves[:2]
    assert broken(chain) == []
    assert broken(with_leaf(chain, 2, 0, hash=first.hash.upper())) == [3]
    made_up = StoredLeaf(len(WEEKS[2].leaves) + 1, "step", None, None, "")
    assert broken(with_link(WEEKS, 2, leaves=(*WEEKS[2].leaves, made_up))) == [3]
    assert broken(with_link(chain, 2, leaves=(replace(first, hash=first.hash + second.hash),))) == [3]


def test_a_salt_is_written_in_one_way() -> None:
    salt = WEEKS[2].leaves[0].salt
    assert salt is not None
    assert broken(with_leaf(WEEKS, 2, 0, salt=f" {salt}")) == [3]


def test_the_pledge_takes_its_minutes_from_the_spotlight() -> None:
    blocks = rules.with_pledge(rules.agenda_for("topic_circle", 60), 60)
    assert [block.minutes for block in blocks] == [15, 5, 10, 25, 5]


@pytest.mark.parametrize("zone", ["localtime", "Factory", "Europe/Nowhere", ""])
def test_a_zone_is_a_place_of_the_database(zone: str) -> None:
    with pytest.raises(Refusal):
        rules.zone_named(zone)


@pytest.mark.parametrize("text", ["7:5", "٧:30", "24:00", "12:60", "noon"])
def test_a_wall_time_has_four_digits(text: str) -> None:
    with pytest.raises(Refusal):
        rules.wall_time(text)
