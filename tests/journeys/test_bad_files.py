"""Bad lists through both doors, the command and the page: plain words, nothing stored, two seconds, 200 MB.

What each row of a list means is tested in `tests/rules/test_portability_*`; here it is that both doors say it.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from html import unescape
from pathlib import Path
from secrets import token_hex
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener

import pytest
from django.apps import apps
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile

from leeward.domain.safety import actions as safety
from leeward.lib.refusals import Refusal
from leeward.lib.tickets import Operator
from leeward.web.words import FIELD_MESSAGES, row_reason, sentence
from tests.cast import NOW, a_person
from tests.journeys.test_command import environment, leeward
from tests.servers import ROOT, Site, start_site
from tests.visitor import Visitor
from tests.web.signing import signed_in

SECONDS, MEBIBYTES = 2.0, 200
SELDOM = pytest.mark.skipif("LEEWARD_TEST_DB" in os.environ, reason="homes of their own, on SQLite")

ATTENDANCE, MEMBERS, MEETINGS = "attendance.csv", "members.csv", "meetings.ics"
FIELDS = {ATTENDANCE: "attendance", MEMBERS: "members", MEETINGS: "calendar"}


def calendar(*events: str) -> bytes:
    return ("BEGIN:VCALENDAR\r\n" + "".join(events) + "END:VCALENDAR\r\n").encode()


def event(*lines: str) -> str:
    return "\r\n".join(["BEGIN:VEVENT", *lines, "END:VEVENT", ""])


def table(*rows: str, head: str = "date,member") -> bytes:
    return "\n".join([head, *rows, ""]).encode()


def valid_rows(number: int) -> list[str]:
    """A thousand people, one meeting after another."""
    return [f"{date.fromordinal(737_000 + row // 1_000)},p{row % 1_000}" for row in range(number)]


@dataclass(frozen=True)
class Bad:
    """A file that cannot be used, and why."""

    file: str
    what: str
    data: Callable[[], bytes]
    refusal: Refusal

    def __str__(self) -> str:
        return f"{self.file} {self.what}"

    @property
    def said(self) -> str:
        return sentence(self.refusal)


def bad(file: str, what: str, data: Callable[[], bytes], code: str, **facts: object) -> Bad:
    return Bad(file, what, data, Refusal(code, file=file, **facts))


def of_no_use(file: str, what: str, data: Callable[[], bytes], rows: int) -> Bad:
    """Every row of it is left out."""
    return Bad(file, what, data, Refusal("import_no_rows", refused=rows))


NEVER = event("DTSTART:19900102", "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30")
EXCEPTIONS = event("DTSTART:20260806", "EXDATE:" + ",".join(["20260806"] * 1_700))
BAD = [
    bad(ATTENDANCE, "with other columns", lambda: table("1,2", head="who,what"), "import_columns_missing",
        columns="date, member/name"),
    bad(ATTENDANCE, "with a column twice", lambda: table(head="date,day,member"), "import_columns_twice",
        columns="date"),
    bad(ATTENDANCE, "of quotes", lambda: b'"' * 60_000, "import_columns_missing", columns="date, member/name"),
    bad(ATTENDANCE, "of blank lines", lambda: b"\xef\xbb\xbf\r\n \r\n\t\r\n", "import_empty"),
    bad(ATTENDANCE, "in UTF-16", lambda: table("2026-08-06,Ana").decode().encode("utf-16"), "import_not_utf8", line=1),
    bad(ATTENDANCE, "in Latin-1", lambda: table("2026-08-06,Jos") + b"\xe9\n", "import_not_utf8", line=3),
    bad(ATTENDANCE, "of NULs", lambda: b"\x00" * 50_000, "import_not_utf8", line=1),
    bad(ATTENDANCE, "that is a picture", lambda: b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "import_not_utf8", line=1),
    bad(ATTENDANCE, "of one line", lambda: b"z" * 4_000_000, "import_line_too_long", line=1, kib=64),
    of_no_use(ATTENDANCE, "of formulas", lambda: table(*(f"2026-08-06,{sign}1+1" for sign in "=+-@")), 4),
    of_no_use(ATTENDANCE, "of years 1 and 9999", lambda: table("0001-01-01,Ana", "9999-12-31,Ana"), 2),
    bad(ATTENDANCE, "of half a million equal rows", lambda: table(*["2026-08-06,Ana"] * 500_000), "import_unusable",
        most=5_000, line=5_003),
    bad(ATTENDANCE, "of half a million rows", lambda: table(*valid_rows(500_000)), "import_too_many_lines",
        most=200_000),
    bad(ATTENDANCE, "of too many people", lambda: table(*(f"2026-08-06,p{n}" for n in range(1_001))),
        "import_too_many_people", most=1_000),
    bad(MEMBERS, "with other columns", lambda: table("1,2", head="date;role"), "import_columns_missing",
        columns="member/name"),
    bad(MEMBERS, "of one line", lambda: b"name," * 800_000, "import_line_too_long", line=1, kib=64),
    bad(MEMBERS, "in UTF-16", lambda: "name\nAna\n".encode("utf-16"), "import_not_utf8", line=1),
    bad(MEETINGS, "that is a list", lambda: table("2026-08-06,Ana"), "import_not_a_calendar"),
    bad(MEETINGS, "of blank lines", lambda: b"\r\n\r\n", "import_empty"),
    bad(MEETINGS, "of one line", lambda: b"BEGIN:VCALENDAR" + b"z" * 4_000_000, "import_line_too_long", line=1, kib=64),
    bad(MEETINGS, "of 3,000 events", lambda: calendar(*[event("DTSTART:20260806")] * 3_000), "import_too_many_events",
        most=2_000),
    bad(MEETINGS, "of 100,000 exceptions", lambda: calendar(*[EXCEPTIONS] * 59), "import_too_many_events", most=2_000),
    of_no_use(MEETINGS, "of 300 rules that give no date", lambda: calendar(*[NEVER] * 300), 300),
]  # fmt: skip

# What is left out of lists that are well otherwise, and why.
YEARS, DATES = ("date_out_of_range", {"first": 1990, "last": 2100}), ("too_many_dates", {"most": 5_000})


def numbers(most: int) -> str:
    return ",".join(map(str, range(most)))


BOMBS: dict[str, tuple[str, dict[str, object]]] = {
    event("DTSTART:20260101", "RRULE:FREQ=DAILY;COUNT=1000000000"): DATES,
    event("DTSTART:19900109", "RRULE:FREQ=DAILY;UNTIL=99991231T235959Z"): DATES,
    event("DTSTART:20260102T180000", "RRULE:FREQ=SECONDLY"): ("rule_unusual", {}),
    event("DTSTART:20260103T180000", "RRULE:FREQ=MINUTELY;COUNT=3"): ("rule_unusual", {}),
    event("DTSTART:20260104", f"RRULE:FREQ=DAILY;BYHOUR={numbers(24)}"): ("rule_unusual", {}),
    event("DTSTART:20260105", f"RRULE:FREQ=DAILY;BYMINUTE={numbers(60)}"): ("rule_unusual", {}),
    event("DTSTART:20260108", "RRULE:FREQ=DAILY;INTERVAL=0"): ("rule_unusual", {}),
    event("DTSTART:20260106", f"RRULE:FREQ=YEARLY;BYYEARDAY={numbers(366)}"): ("event_broken", {}),
    event("DTSTART:20260110", "RRULE:FREQ=WEEKLY", *["EXDATE:20260110"] * 50_000): ("event_broken", {}),
    event("DTSTART:2026\x000111"): ("event_broken", {}),
    event("DTSTART:20260107", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"): ("rule_no_dates", {}),
    event("DTSTART:00010101"): YEARS,
    event("DTSTART:99991231T235959Z"): YEARS,
}
ROWS: dict[str, tuple[str, dict[str, object]]] = {
    "0001-01-01,Ana,member": YEARS,
    "9999-12-31,Ana,member": YEARS,
    "2099-01-01,Ana,member": ("ahead", {}),
    "2026-08-06,=1+1,member": ("formula", {}),
    "2026-08-06,@sum(a1),member": ("formula", {}),
    "2026-08-06,A\x00na,member": ("not_text", {}),
    "2026-08-06,<script>alert(1)</script>,member": ("name_starts_oddly", {}),
    "2026-08-06,Ana,=boss": ("role_unknown", {}),
    '2026-08-06,"Ana,member': ("broken_quotes", {}),
}


def left_out() -> tuple[dict[str, bytes], list[str]]:
    """Files with one good row each, and what is said of all the others, in the order of the report."""
    said = [f"{ATTENDANCE}, line {line}: {row_reason(*why)}" for line, why in enumerate(ROWS.values(), 3)]
    line = 5  # after the calendar's first line and the good event
    for text, why in BOMBS.items():
        said.append(f"{MEETINGS}, line {line}: {row_reason(*why)}")
        line += text.count("\r\n")
    files = {
        MEETINGS: calendar(event("DTSTART:20260903"), *BOMBS),
        ATTENDANCE: table("2026-09-03,Zoe,member", *ROWS, head="date,member,role"),
    }
    return files, said


# The command -------------------------------------------------------------------------------------------------------


@dataclass
class Done:
    """What a command ended with; `seconds` of processor time, `mebibytes` at its peak."""

    status: int
    out: str
    err: str
    seconds: float
    mebibytes: float


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose database is ready."""
    made = tmp_path_factory.mktemp("command") / "home"
    assert leeward(made, "tick").returncode == 0
    return made


# A child begins as large as what started it. A small process between the two measures the command alone.
BETWEEN = """
import json, resource, subprocess, sys
done = subprocess.run([sys.executable, "-m", "leeward", *sys.argv[2:]])
used = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(sys.argv[1], "w") as out:
    json.dump([done.returncode, used.ru_utime + used.ru_stime, used.ru_maxrss], out)
"""


def command(home: Path, *words: str | bytes | Path) -> Done:
    used = home.parent / "used.json"
    done = subprocess.run(
        [sys.executable, "-S", "-c", BETWEEN, used, *words], env=environment(home), cwd=ROOT, capture_output=True,
        timeout=60, check=True,
    )  # fmt: skip
    status, seconds, size = json.loads(used.read_text())
    size /= 1024 * (1024 if sys.platform == "darwin" else 1)
    return Done(status, done.stdout.decode(), done.stderr.decode(), seconds, size)


def kept(home: Path) -> str:
    """A digest over the whole database."""
    with sqlite3.connect(home / "leeward.sqlite3") as reading:
        return hashlib.sha256("\n".join(reading.iterdump()).encode()).hexdigest()


def refused(home: Path, before: str, *words: str | bytes | Path) -> str:
    """The last line a refused command says. It ended in time, stayed small, and stored nothing."""
    done = command(home, "import-group", *words, "--json")
    assert (done.status, done.out, "Traceback" in done.err) == (1, "", False), done.err
    assert (done.seconds <= SECONDS, done.mebibytes <= MEBIBYTES) == (True, True), done
    assert kept(home) == before
    return done.err.splitlines()[-1]


@SELDOM
@pytest.mark.parametrize("bad", BAD, ids=str)
def test_the_command_says_what_is_wrong_in_one_sentence_and_stores_nothing(
    home: Path, tmp_path: Path, bad: Bad
) -> None:
    (tmp_path / bad.file).write_bytes(bad.data())
    assert refused(home, kept(home), tmp_path) == bad.said


@SELDOM
@pytest.mark.parametrize("file", FIELDS)
def test_the_command_does_not_read_a_gigabyte_to_see_that_it_is_no_list(home: Path, tmp_path: Path, file: str) -> None:
    begins = {ATTENDANCE: b"date,member\n", MEMBERS: b"name\n", MEETINGS: b"BEGIN:VCALENDAR\r\n"}[file]
    with (tmp_path / file).open("wb") as out:
        out.write(begins + b"z")
        out.truncate(1 << 30)
    assert refused(home, kept(home), tmp_path) == sentence(Refusal("import_line_too_long", file=file, line=2, kib=64))


@SELDOM
@pytest.mark.drill
def test_the_command_refuses_what_is_no_file_and_follows_links(home: Path, tmp_path: Path) -> None:
    before, nothing = kept(home), sentence(Refusal("import_nothing"))
    folders = {name: tmp_path / name for name in ("empty", "folder", "device", "pipe", "loop", "dangling", "link")}
    for folder in folders.values():
        folder.mkdir()
    (folders["folder"] / MEMBERS).mkdir()
    (folders["device"] / ATTENDANCE).symlink_to("/dev/zero")
    os.mkfifo(folders["pipe"] / MEETINGS)
    (folders["loop"] / ATTENDANCE).symlink_to(folders["loop"] / ATTENDANCE)
    (folders["dangling"] / MEMBERS).symlink_to(tmp_path / "nowhere")
    said = {name: refused(home, before, folder) for name, folder in folders.items() if name != "link"}
    assert said == dict.fromkeys(said, nothing)
    for path in ("/dev/zero", tmp_path / "nowhere", folders["pipe"] / MEETINGS, b"\xff\xfe"):
        assert refused(home, before, path) == sentence(Refusal("import_no_folder"))
    (tmp_path / "elsewhere").write_bytes(table("2026-08-06,Ana"))
    (folders["link"] / ATTENDANCE).symlink_to(tmp_path / "elsewhere")
    (folders["link"] / MEMBERS).mkdir()  # a folder of that name is no list
    done = command(home, "import-group", folders["link"], "--check", "--json")
    assert (done.status, json.loads(done.out)["attendances"], kept(home)) == (0, 1, before)


@SELDOM
def test_the_command_takes_a_list_for_no_exported_group(home: Path, tmp_path: Path) -> None:
    before, phrase, list_, large = kept(home), tmp_path / "phrase", tmp_path / ATTENDANCE, tmp_path / "large"
    phrase.write_text("four words do well")
    list_.write_bytes(table("2026-08-06,Ana"))
    with large.open("wb") as out:
        out.write(b"LEEWARD-GROUP 1\n")
        out.truncate(1 << 30)
    assert refused(home, before, list_) == sentence(Refusal("passphrase_missing"))
    missing = sentence(Refusal("passphrase_no_file"))
    for odd in (tmp_path, tmp_path / "nowhere", "/dev/zero"):
        assert refused(home, before, list_, "--passphrase-file", odd) == missing
    said = [refused(home, before, file, "--passphrase-file", phrase) for file in (list_, large)]
    assert said == [sentence(Refusal("portable_not_a_group")), sentence(Refusal("portable_too_large", mib=32))]


@SELDOM
def test_the_command_refuses_odd_words_beside_good_files(home: Path, tmp_path: Path) -> None:
    (tmp_path / ATTENDANCE).write_bytes(table("2026-08-06,Ana"))
    before = kept(home)
    odd: dict[tuple[str | bytes, ...], Refusal] = {
        ("--name", b"Har\xffbour"): Refusal("not_text"),
        ("--name", "x" * 61): Refusal("too_long", most=60, over=1),
        ("--purpose", "\u200b"): Refusal("missing"),
        ("--zone", "../../etc/passwd"): Refusal("zone_unknown"),
        ("--time", "24:00"): Refusal("time_unreadable"),
        ("--minutes", "121"): Refusal("out_of_bounds", least=30, most=120),
    }
    said = {words: refused(home, before, tmp_path, *words) for words in odd}
    assert said == {words: sentence(refusal) for words, refusal in odd.items()}


@SELDOM
def test_the_command_names_every_row_it_leaves_out_and_takes_in_the_rest(home: Path, tmp_path: Path) -> None:
    files, said = left_out()
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    before = kept(home)
    done = command(home, "import-group", tmp_path, "--check")
    assert (done.status, done.seconds <= SECONDS, done.mebibytes <= MEBIBYTES, kept(home)) == (0, True, True, before)
    lines = re.findall(r"^(.*): left out: (.*)$", done.err, re.M)
    assert [f"{where}: {reason}" for where, reason in lines] == said[:20]
    assert f"… and {len(said) - 20} more rows left out; --json lists them." in done.err
    told = json.loads(command(home, "import-group", tmp_path, "--check", "--json").out)
    assert (told["meetings"], told["people"], told["attendances"], told["refused_total"]) == (1, 1, 1, len(said))
    assert ("@sum" in done.err, "script" in done.err) == (False, False)


WRITTEN = {
    MEMBERS: b"\xef\xbb\xbfName;Joined;Left\r\nAna;2026-08-01;\r\nBen;2026-08-01;\r\n",
    ATTENDANCE: b"day\tparticipant\tas\n2026-08-06\tAna\tlead\n2026-08-06\tBen\t\n2026-08-20\tana\t\n",
    MEETINGS: b"\xef\xbb\xbf" + calendar(event("DTSTART:20260903")),
}


@SELDOM
def test_the_command_reads_marks_semicolons_and_tabs(home: Path, tmp_path: Path) -> None:
    for name, data in WRITTEN.items():
        (tmp_path / name).write_bytes(data)
    before = kept(home)
    told = json.loads(command(home, "import-group", tmp_path, "--json").out)
    assert {name: told[name] for name in ("people", "active", "meetings", "attendances", "refused")} == {
        "people": 2, "active": 2, "meetings": 3, "attendances": 3, "refused": [],
    }  # fmt: skip
    assert kept(home) != before  # the digest tells when something is stored


@SELDOM
@pytest.mark.drill
@pytest.mark.parametrize(
    ("rows", "refusal"),
    [
        (lambda: ["2026-08-06,Ana"] * 1_000_000, Refusal("import_unusable", file=ATTENDANCE, most=5_000, line=5_003)),
        (lambda: valid_rows(1_000_000), Refusal("import_too_many_lines", file=ATTENDANCE, most=200_000)),
    ],
    ids=["equal", "valid"],
)
def test_the_command_gives_up_a_million_rows_in_time(
    home: Path, tmp_path: Path, rows: Callable[[], list[str]], refusal: Refusal
) -> None:
    (tmp_path / ATTENDANCE).write_bytes(table(*rows()))
    assert refused(home, kept(home), tmp_path) == sentence(refusal)


# The page ----------------------------------------------------------------------------------------------------------

SAID = {
    "name": "Harbour", "purpose": "We make room.", "cohort": "", "format": "topic_circle", "country": "DE",
    "zone": "Europe/Berlin", "time": "18:00", "minutes": "60",
}  # fmt: skip


@pytest.fixture
def ana(clock_at: Callable[[datetime], None], settings: LazySettings, tmp_path: Path) -> Visitor:
    clock_at(NOW)
    settings.LEEWARD_HELP_LINES = tmp_path / "help-lines.toml"
    safety.write_example_lines(Operator(), at=NOW)
    return Visitor(signed_in(a_person("Ana"))).open("/bring/")


def sends(ana: Visitor, files: dict[str, bytes], *, status: int = 200) -> float:
    """Seconds of processor time."""
    typed = {FIELDS[name]: SimpleUploadedFile(name, data) for name, data in files.items()}
    began = time.process_time()
    ana.press("Check the files", status=status, **SAID, **typed)
    return time.process_time() - began


def rows() -> dict[str, int]:
    return {model._meta.label: model._default_manager.count() for model in apps.get_models()}


@pytest.mark.django_db
@pytest.mark.parametrize("bad", BAD, ids=str)
def test_the_page_says_the_same_beside_the_file_and_stores_nothing(ana: Visitor, bad: Bad) -> None:
    before, data = rows(), bad.data()
    seconds = sends(ana, {bad.file: data}, status=422)
    beside = re.search(rf'id="{FIELDS[bad.file]}-wrong">(.*?)</p>', ana.html)
    of_all = re.search(r'role="alert">.*?</div>', ana.html, re.S)
    assert of_all
    assert unescape(beside[1]).strip() == bad.said if beside else bad.said in unescape(of_all[0])
    assert (beside is None) == ("file" not in bad.refusal.facts)
    assert seconds <= SECONDS
    assert rows() == before
    assert {name: ana.page.forms[0].fields[name].strip() for name in SAID} == SAID


@pytest.mark.django_db
@pytest.mark.parametrize("file", FIELDS)
def test_an_empty_file_is_said_to_be_empty(ana: Visitor, file: str) -> None:
    before = rows()
    sends(ana, {file: b""}, status=422)
    assert re.findall(r'class="error" id="(.*?)">(.*?)</p>', ana.html) == [
        (f"{FIELDS[file]}-wrong", f"{FIELD_MESSAGES['empty']} ")
    ]
    assert rows() == before


@pytest.mark.django_db
def test_the_page_names_every_row_it_leaves_out_and_runs_none(ana: Visitor) -> None:
    files, said = left_out()
    assert sends(ana, files) <= SECONDS
    shown = [unescape(line) for line in re.findall(r"<li>(\S+, line \d+: .*?)</li>", ana.html)]
    assert shown == said
    assert f"{len(said)} rows are left out" in ana.text
    assert ("<script>alert" in ana.html, "@sum" in ana.html) == (False, False)


@pytest.mark.django_db
def test_the_page_reads_marks_semicolons_and_tabs(ana: Visitor) -> None:
    sends(ana, WRITTEN)
    assert re.findall("<dd>(.*?)</dd>", ana.html) == ["3", "2, of them 2 members, 2 active now", "3", "0"]
    assert "Every row could be used." in ana.text


@pytest.mark.django_db
def test_a_file_is_what_it_holds_and_not_what_it_is_called(ana: Visitor) -> None:
    before = rows()
    for name in ("../../members.csv", "members.csv\x00.exe", "a" * 5_000 + ".csv", 'x"; filename="y', "\u202evsc.exe"):
        ana.open("/bring/").press(
            "Check the files", **SAID, members=SimpleUploadedFile(name, b"name\nAna\n", content_type="text/html")
        )
        assert "1, of them 1 members, 1 active now" in ana.html
    assert {name: number for name, number in rows().items() if number != before[name]} == {"portability.Upload": 1}


@pytest.mark.django_db
@pytest.mark.parametrize("length", [9 * 1024 * 1024 + 1, 1 << 30, 1 << 62, 10**19])
def test_what_is_too_large_is_refused_before_it_is_read(ana: Visitor, length: int) -> None:
    class Unread(io.RawIOBase):
        def read(self, *_size: int) -> bytes:
            raise AssertionError("the body was read")

    before = rows()
    answer = ana.client.generic(
        "POST",
        "/bring/",
        b"",
        "multipart/form-data; boundary=x",
        CONTENT_LENGTH=str(length),
        **{"wsgi.input": Unread()},
    )
    assert (answer.status_code, b"That is too large" in answer.content, rows()) == (413, True, before)


# The server itself ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = start_site(tmp_path_factory.mktemp("site") / "home")
    yield made
    made.stop()


def heard(site: Site, head: str, body: bytes = b"") -> bytes:
    """The first line of the answer to a request sent byte by byte."""
    with socket.create_connection(("localhost", int(site.url.rsplit(":", 1)[1])), timeout=5) as line:
        line.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body)
        return line.recv(65_536).split(b"\r\n")[0]


def peak(site: Site) -> float:
    status = Path(f"/proc/{site.process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


@SELDOM
@pytest.mark.drill
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the kernel says how large a process is")
def test_a_server_refuses_what_is_too_large_at_once_and_stays_small(site: Site, tmp_path: Path) -> None:
    host = site.url.removeprefix("http://")
    began = time.monotonic()
    for head in (
        f"POST /bring/ HTTP/1.1\nHost: {host}\nContent-Type: multipart/form-data\nContent-Length: {1 << 30}",
        f"POST /bring/ HTTP/1.1\nHost: {host}\nExpect: 100-continue\nContent-Length: {1 << 30}",
    ):
        assert heard(site, head, b"--x\r\n") == b"HTTP/1.1 413 Request Entity Too Large"
    for odd in ("Content-Length: -1", "Content-Length: 5\nContent-Length: 6", "Content-Length: x"):
        assert heard(site, f"POST /bring/ HTTP/1.1\nHost: {host}\n{odd}", b"hello") == b"HTTP/1.1 400 Bad Request"
    assert time.monotonic() - began <= SECONDS
    me = enter(site, tmp_path)
    before = kept(site.home)
    for file, data in {
        ATTENDANCE: table(*valid_rows(500_000)), MEMBERS: b"name," * 1_700_000, MEETINGS: left_out()[0][MEETINGS],
    }.items():  # fmt: skip
        began = time.monotonic()
        status, _page = me("/bring/", {FIELDS[file]: data})
        assert (status, time.monotonic() - began <= SECONDS) == (422, True), file
    assert kept(site.home) == before
    assert peak(site) <= MEBIBYTES


@SELDOM
@pytest.mark.drill
def test_a_form_that_was_cut_off_on_its_way_is_not_stored_as_far_as_it_came(site: Site, tmp_path: Path) -> None:
    me = enter(site, tmp_path)
    body = urlencode({"csrfmiddlewaretoken": me.token, "language": "en", "zone": "UTC", "name": "Anna of the north"})
    head = (
        f"POST /account/ HTTP/1.1\nHost: {site.url.removeprefix('http://')}\nOrigin: {site.url}\nCookie: {me.cookies}\n"
        f"Content-Type: application/x-www-form-urlencoded\nContent-Length: {len(body)}"
    )
    with socket.create_connection(("localhost", int(site.url.rsplit(":", 1)[1])), timeout=5) as line:
        line.sendall(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body[:-13].encode())
    time.sleep(0.5)
    assert 'name="name" value="Ana"' in me("/account/")[1]


class enter:
    """Somebody signed in at a real server by a link, in whose name forms are sent."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.site, jar = site, HTTPCookieProcessor()
        self.opener = build_opener(jar)
        (site.home / "help-lines.toml").write_text(example_lines(folder))
        told = leeward(site.home, "invite", f"{token_hex(4)}@example.org", "--json", PUBLIC_URL=site.url)
        link = json.loads(told.stdout)["invited"][0]["link"]
        self("", {}, link=link)
        self("/welcome/", {"name": "Ana", "language": "en", "zone": "UTC", "adult": "on"})
        self.cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar.cookiejar)

    def __call__(self, path: str, said: dict[str, str | bytes] | None = None, *, link: str = "") -> tuple[int, str]:
        where = link or self.site.url + path
        page = self.opener.open(where).read().decode()
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert found
        self.token = found[1]
        if said is None:
            return 200, page
        whole = SAID | {"csrfmiddlewaretoken": self.token} | said
        parts = [
            f'--x\r\nContent-Disposition: form-data; name="{name}"'.encode()
            + (b'; filename="f"' if isinstance(value, bytes) else b"")
            + b"\r\n\r\n"
            + (value if isinstance(value, bytes) else value.encode())
            + b"\r\n"
            for name, value in whole.items()
        ]
        kind = {"Content-Type": "multipart/form-data; boundary=x", "Origin": self.site.url}
        asked = Request(where, b"".join([*parts, b"--x--\r\n"]), kind)
        try:
            answer = self.opener.open(asked)
        except HTTPError as error:
            answer = error
        return answer.status, answer.read().decode()


def example_lines(folder: Path) -> str:
    from django.test import override_settings

    with override_settings(LEEWARD_HELP_LINES=folder / "lines.toml"):
        safety.write_example_lines(Operator(), at=datetime.now().astimezone())
    return (folder / "lines.toml").read_text().replace("example = true", "")  # an operator's own
