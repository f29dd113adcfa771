"""Other people's lists: what is read, what is refused, and that no file costs more than it means."""

from __future__ import annotations

import io
import subprocess
import sys
from datetime import date
from pathlib import Path
from time import perf_counter, process_time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leeward.domain.portability.rules import (
    ATTENDANCE,
    FILE_MOST,
    LINE_MOST,
    LINES_MOST,
    MEETINGS,
    MEETINGS_MOST,
    MEMBERS,
    PEOPLE_MOST,
    PROGRESS_EVERY,
    SESSIONS,
    ImportPlan,
    Mismatch,
    Refused,
    Roster,
    Stint,
    checked,
    found_in,
)
from leeward.lib.refusals import Refusal

BERLIN = ZoneInfo("Europe/Berlin")
TODAY = date(2026, 6, 1)


def plan_of(**files: bytes | str) -> ImportPlan:
    """attendance=…, members=…, sessions=…, meetings=…"""
    names = {"attendance": ATTENDANCE, "members": MEMBERS, "sessions": SESSIONS, "meetings": MEETINGS}
    sources = {
        names[what]: io.BytesIO(text.encode() if isinstance(text, str) else text) for what, text in files.items()
    }
    return checked(sources, zone=BERLIN, until=TODAY)


def refusal_of(**files: bytes | str) -> Refusal:
    with pytest.raises(Refusal) as caught:
        plan_of(**files)
    return caught.value


def rosters_of(text: bytes | str) -> tuple[Roster, ...]:
    plan = plan_of(attendance=text)
    assert plan.refused == ()
    return plan.history.rosters


PLAIN = "date,member,role\n2026-01-08,Ana,voting\n2026-01-08,Gus,observer\n2026-01-22,Ana,\n"
MEANT = (Roster(date(2026, 1, 8), ("ana",), ("gus",)), Roster(date(2026, 1, 22), ("ana",), ()))


@pytest.mark.parametrize(
    "written",
    [
        PLAIN,
        "\ufeff" + PLAIN,
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", "\t"),
        PLAIN.replace(",", ", "),
        "\n\n" + PLAIN + "\n \n",
        PLAIN.rstrip("\n"),
        PLAIN.replace("date,member,role", '"Date","Participant","Type"'),
        PLAIN.replace("Ana", '"Ana"'),
        PLAIN.replace("Ana", " a\u200bna\u202e "),
        PLAIN.replace("\n", ",,\n").replace("role,,", "role"),
        PLAIN.replace("2026-01-22", "2026-01-21T23:30:00Z"),
        PLAIN.replace("2026-01-22", "2026-01-22T23:30"),
        "role,note,name,day\nvoting,x,Ana,2026-01-08\nguest,,Gus,2026-01-08\nLEAD,,ANA,2026-01-22\n",
    ],
)
def test_the_same_list_written_otherwise_means_the_same(written: str) -> None:
    assert rosters_of(written) == MEANT


def test_a_role_column_may_be_missing_and_everybody_is_then_a_member() -> None:
    assert rosters_of("date,member\n2026-01-08,Ana\n") == (Roster(date(2026, 1, 8), ("ana",)),)


@pytest.mark.parametrize(
    ("row", "reason", "facts"),
    [
        ("2026-13-01,Ana,member", "not_a_date", {}),
        ("08.01.2026,Ana,member", "not_a_date", {}),
        ("20260108,Ana,member", "not_a_date", {}),
        ("２０２６-01-08,Ana,member", "not_a_date", {}),
        (",Ana,member", "no_date", {}),
        ("0001-01-01,Ana,member", "date_out_of_range", {"first": 1990, "last": 2100}),
        ("9999-12-31T23:59:59-12:00,Ana,member", "date_out_of_range", {"first": 1990, "last": 2100}),
        ("2026-06-02,Ana,member", "ahead", {}),
        ("2026-01-08,Ana,boss", "role_unknown", {}),
        ("2026-01-08,,member", "nobody_named", {}),
        ("2026-01-08", "nobody_named", {}),
        ("2026-01-08,\u200b,member", "nobody_named", {}),
        ("2026-01-08,=1+1,member", "formula", {}),
        ("2026-01-08,@ana,member", "formula", {}),
        ("2026-01-08,-2,member", "formula", {}),
        ("2026-01-08, +cmd|x,member", "formula", {}),
        ("2026-01-08,A\x00na,member", "not_text", {}),
        ("2026-01-08,(Ana),member", "name_starts_oddly", {}),
        (f"2026-01-08,{'a' * 41},member", "too_long", {"most": 40}),
        ("2026-01-08,Ana,member,late", "too_many_cells", {"columns": 3}),
        ('2026-01-08,"Ana,member', "broken_quotes", {}),
        ('2026-01-08,"Ana"x,member', "broken_quotes", {}),
        ("2026-01-01,Ben,lead", "already_listed", {"first": 2}),
    ],
)
def test_a_row_that_cannot_be_used_is_named_and_the_others_go_on(row: str, reason: str, facts: object) -> None:
    plan = plan_of(attendance=f"date,member,role\n2026-01-01,Ben,member\n{row}\n2026-01-15,Ben,member\n")

    assert plan.refused == (Refused(ATTENDANCE, 3, reason, facts),)  # type: ignore[arg-type]
    assert plan.history.rosters == (Roster(date(2026, 1, 1), ("ben",)), Roster(date(2026, 1, 15), ("ben",)))


@pytest.mark.parametrize(
    ("text", "code", "facts"),
    [
        (b"", "import_empty", {}),
        (b"\xef\xbb\xbf\r\n\r\n", "import_empty", {}),
        (b"who,what\n1,2\n", "import_columns_missing", {"columns": "date, member/name"}),
        (b"2026-01-08,Ana,voting\n", "import_columns_missing", {"columns": "date, member/name"}),
        (b"date,role\n", "import_columns_missing", {"columns": "member/name"}),
        (b"date,day,member\n", "import_columns_twice", {"columns": "date"}),
        ("date,member\n2026-01-08,José\n".encode("latin-1"), "import_not_utf8", {"line": 2}),
        (PLAIN.encode("utf-16"), "import_not_utf8", {"line": 1}),
        (PLAIN.encode("utf-16-le"), "import_not_utf8", {"line": 1}),
        (b"date,member\n2026-01-08,\xed\xa0\x80\n", "import_not_utf8", {"line": 2}),
        (b"x" * (LINE_MOST + 1), "import_line_too_long", {"line": 1, "kib": 64}),
        (b"date,member\n" + b"x" * LINE_MOST + b"\n", "import_line_too_long", {"line": 2, "kib": 64}),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused_whole(text: bytes, code: str, facts: dict[str, object]) -> None:
    assert refusal_of(attendance=text) == Refusal(code, file=ATTENDANCE, **facts)


def test_a_line_as_long_as_allowed_is_read() -> None:
    row = b"2026-01-08,Ana," + b" " * (LINE_MOST - 16) + b"\n"

    assert (len(row), rosters_of(b"date,member,role\n" + row)) == (LINE_MOST, (Roster(date(2026, 1, 8), ("ana",)),))


def test_nothing_to_read_is_said() -> None:
    assert refusal_of() == Refusal("import_nothing")
    assert refusal_of(sessions="date,n\n2026-01-08,3\n") == Refusal("import_nothing")
    assert refusal_of(attendance="date,member\n2026-01-08,=x\n") == Refusal("import_no_rows", refused=1)


def test_the_files_of_a_folder_are_found_by_name(tmp_path: Path) -> None:
    (tmp_path / ATTENDANCE).write_text(PLAIN)
    (tmp_path / MEMBERS).mkdir()
    (tmp_path / "notes.txt").write_text("x")

    assert found_in(tmp_path) == {ATTENDANCE: tmp_path / ATTENDANCE}
    with pytest.raises(Refusal, match="import_no_folder"):
        found_in(tmp_path / "nowhere")
    with pytest.raises(Refusal, match="import_nothing"):
        found_in(tmp_path / MEMBERS)


def test_a_file_that_vanishes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as caught:
        checked({ATTENDANCE: tmp_path / ATTENDANCE}, zone=BERLIN, until=TODAY)

    assert caught.value == Refusal("import_unreadable", file=ATTENDANCE)


# ── members.csv ──────────────────────────────────────────────────────────────────────────────────────────────────────


def stints_in(members: str, attendance: str = "") -> dict[str, tuple[Stint, ...]]:
    files = {"members": members} | ({"attendance": attendance} if attendance else {})
    return {person.name: person.stints for person in plan_of(**files).history.people}


def test_what_members_csv_says_wins_over_the_appearances() -> None:
    attendance = "date,member\n2025-01-09,a\n2025-01-09,b\n2025-01-09,c\n2025-01-09,d\n2026-01-08,a\n"

    assert stints_in(
        "member,name,joined,left\na,Ana,2024-12-01,\nb,Ben,2024-12-02,2025-03-01\nc,Chidi,,2025-02-01\nd,Dara,,\n",
        attendance,
    ) == {
        "Ana": (Stint(date(2024, 12, 1), None),),
        "Ben": (Stint(date(2024, 12, 2), date(2025, 3, 1)),),
        "Chidi": (Stint(date(2025, 1, 9), date(2025, 2, 1)),),
        "Dara": (Stint(date(2025, 1, 9), date(2025, 1, 9)),),
    }


def test_without_a_column_for_leaving_silence_ends_a_stint() -> None:
    attendance = "date,member\n2025-01-09,a\n2025-01-09,b\n2026-01-08,a\n"

    assert stints_in("name,since\na,2024-12-01\nb,2024-12-01\nc,2024-12-01\n", attendance) == {
        "a": (Stint(date(2024, 12, 1), None),),
        "b": (Stint(date(2024, 12, 1), date(2025, 1, 9)),),
        "c": (Stint(date(2024, 12, 1), None),),
    }


def test_a_list_of_names_alone_is_a_group_of_today() -> None:
    assert stints_in("Name\nAna\nBen\n") == {"Ana": (Stint(None, None),), "Ben": (Stint(None, None),)}


def test_two_rows_of_one_person_are_two_stints_when_they_do_not_overlap() -> None:
    plan = plan_of(
        members="name,joined,left\nAna,2025-06-01,\nana,2024-01-01,2024-12-31\nAna,2024-12-31,2025-01-02\nAna,,\n"
        "Ben,2025-02-02,2025-02-01\nBen,2025-02-02,2027-01-01\n"
    )

    assert [person.stints for person in plan.history.people] == [
        (Stint(date(2024, 1, 1), date(2024, 12, 31)), Stint(date(2025, 6, 1), None))
    ]
    assert plan.refused == (
        Refused(MEMBERS, 4, "stints_overlap"),
        Refused(MEMBERS, 5, "stints_overlap"),
        Refused(MEMBERS, 6, "left_before_joined"),
        Refused(MEMBERS, 7, "ahead"),
    )


# ── sessions.csv ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_counts_that_disagree_are_listed_and_change_nothing() -> None:
    plan = plan_of(
        attendance=PLAIN, sessions="date,n_listed\n2026-01-08,3\n2026-02-05,4\n2026-01-08,2\n2026-01-09,=2\n"
    )

    assert plan.history.rosters == MEANT
    assert plan.mismatches == (
        Mismatch(date(2026, 1, 8), 3, 2),
        Mismatch(date(2026, 1, 22), None, 1),
        Mismatch(date(2026, 2, 5), 4, 0),
    )
    assert plan.refused == (
        Refused(SESSIONS, 4, "already_listed", {"first": 2}),
        Refused(SESSIONS, 5, "not_a_number"),
    )


# ── bounds ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class Endless(io.RawIOBase):
    """A file that never ends, and counts what was asked of it."""

    def __init__(self, piece: bytes) -> None:
        self.piece, self.given = piece, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        length = min(len(buffer), len(self.piece))
        buffer[:length] = self.piece[:length]
        self.given += length
        return length


@pytest.mark.parametrize("name", [ATTENDANCE, MEMBERS, MEETINGS])
def test_an_endless_line_is_refused_after_one_window(name: str) -> None:
    endless = Endless(b"x" * 8192)

    with pytest.raises(Refusal) as caught:
        checked({name: io.BufferedReader(endless)}, zone=BERLIN, until=TODAY)

    assert caught.value == Refusal("import_line_too_long", file=name, line=1, kib=64)
    assert endless.given <= LINE_MOST + 8192


@pytest.mark.parametrize(
    ("piece", "code"), [(b"\n", "import_too_many_lines"), (b" " * 4000 + b"\n", "import_file_too_large")]
)
def test_an_endless_file_is_refused_at_its_bound(piece: bytes, code: str) -> None:
    endless = Endless(piece)

    with pytest.raises(Refusal, match=code):
        checked({ATTENDANCE: io.BufferedReader(endless, len(piece))}, zone=BERLIN, until=TODAY)

    assert endless.given <= max(LINES_MOST * len(piece) if len(piece) == 1 else 0, FILE_MOST) + 2 * len(piece)


def test_a_gigabyte_in_one_line_costs_neither_time_nor_memory(tmp_path: Path) -> None:
    path = tmp_path / ATTENDANCE
    with path.open("wb") as out:
        out.truncate(1 << 30)
    program = (
        "import sys\n"
        "from datetime import date, timezone\n"
        "from pathlib import Path\n"
        "from leeward.domain.portability.rules import checked\n"
        "from leeward.lib.refusals import Refusal\n"
        "try:\n"
        "    checked({'attendance.csv': Path(sys.argv[1])}, zone=timezone.utc, until=date(2026, 6, 1))\n"
        "except Refusal as refusal:\n"
        "    peak = Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0]\n"
        "    print(refusal.code, peak, 'django' in sys.modules)\n"
    )
    begun = perf_counter()

    told = subprocess.run(
        [sys.executable, "-c", program, path], check=True, capture_output=True, text=True, env={"PYTHONPATH": "src"}
    )

    code, kib, django = told.stdout.split()
    assert (code, django) == ("import_line_too_long", "False")
    assert int(kib) <= 200 * 1024
    assert perf_counter() - begun <= 2


def test_a_long_list_of_refused_rows_is_cut_and_counted() -> None:
    plan = plan_of(attendance="date,member\n2026-01-08,Ana\n" + "x,y\n" * 1_500)

    assert (len(plan.refused), plan.refused_total) == (1_000, 1_500)


@pytest.mark.parametrize(
    ("row", "refusal"),
    [
        ("2026-01-08,({n}{e})", Refusal("import_unusable", file=ATTENDANCE, line=5_002, most=5_000)),
        ("2026-01-08,{long}", Refusal("import_unusable", file=ATTENDANCE, line=5_002, most=5_000)),
        ("2026-01-08,Ana,{n}", Refusal("import_too_many_people", file=ATTENDANCE, most=PEOPLE_MOST)),
    ],
)
def test_a_file_full_of_bad_rows_is_given_up_within_two_seconds(row: str, refusal: Refusal) -> None:
    rows = "".join(row.format(n=n, e="é" * 150, long="e\u0301" * 2_000) + "\n" for n in range(6_000))
    begun = process_time()

    assert refusal_of(attendance="date,member,name\n" + rows) == refusal
    assert process_time() - begun < 2


def test_too_many_people_or_meetings_are_refused() -> None:
    people = "".join(f"2026-01-08,p{n}\n" for n in range(PEOPLE_MOST + 1))
    days = "".join(f"{date.fromordinal(727_000 + n)},Ana\n" for n in range(MEETINGS_MOST + 1))

    assert refusal_of(attendance="date,member\n" + people) == Refusal(
        "import_too_many_people", file=ATTENDANCE, most=PEOPLE_MOST
    )
    assert refusal_of(attendance="date,member\n" + days) == Refusal(
        "import_too_many_meetings", file=ATTENDANCE, most=MEETINGS_MOST
    )


def test_progress_is_told_every_ten_thousand_lines_and_at_the_end() -> None:
    told: list[tuple[str, int]] = []
    text = "date,member\n" + "".join(
        f"{date.fromordinal(735_000 + n % 400)},p{n // 400}\n" for n in range(PROGRESS_EVERY * 2)
    )

    checked(
        {ATTENDANCE: io.BytesIO(text.encode())},
        zone=BERLIN,
        until=TODAY,
        progress=lambda name, lines: told.append((name, lines)),
    )

    assert told == [(ATTENDANCE, 10_000), (ATTENDANCE, 20_000), (ATTENDANCE, 20_001)]


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([ATTENDANCE, MEMBERS, SESSIONS, MEETINGS]),
    st.one_of(
        st.binary(max_size=400),
        st.lists(
            st.sampled_from(
                [b"date", b"member", b",", b";", b"\n", b'"', b"2026-01-08", b"Ana", b"\x00", b"\xff", b"=1"]
            ),
            max_size=40,
        ).map(b"".join),
        st.lists(
            st.sampled_from(
                b"BEGIN:VCALENDAR|BEGIN:VEVENT|END:VEVENT|BEGIN:VALARM|END:VALARM|END:VCALENDAR|"
                b"DTSTART;TZID=../../etc:20260108T180000|RRULE:FREQ=WEEKLY|EXDATE:x|UID:1|\x00|"
                b"DTSTART:20260108|RDATE:20260101,20260102|RECURRENCE-ID:20260108|STATUS:CANCELLED| x".split(b"|")
            ),
            max_size=30,
        ).map(lambda lines: b"BEGIN:VCALENDAR\r\n" + b"\r\n".join(lines)),
    ),
)
def test_whatever_the_bytes_there_is_a_plan_or_a_refusal(name: str, data: bytes) -> None:
    sources = {ATTENDANCE: io.BytesIO(PLAIN.encode()), name: io.BytesIO(data)}
    try:
        plan = checked(sources, zone=BERLIN, until=TODAY)
    except Refusal as refusal:
        assert refusal.code.startswith("import_")
    else:
        assert plan.refused_total >= len(plan.refused)
