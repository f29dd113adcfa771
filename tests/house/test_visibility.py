"""The canary matrix: a marker in every text that people write, a crawl of every output as everybody, against
`visibility.toml`. Who is declared must really see it, and nobody else may."""

from __future__ import annotations

import base64
import json
import logging
import re
import tomllib
import zlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import LazySettings
from django.core import mail
from django.db import connection, transaction
from django.test import Client

from leeward.domain.portability import queries as portability
from leeward.lib.fields import SealedText
from leeward.lib.tickets import Operator
from tests.cast import NOW
from tests.house.crawl import addresses
from tests.lived import Lived, lived
from tests.web.signing import signed_in

pytestmark = pytest.mark.django_db(transaction=True)

DECLARED = tomllib.loads(Path(__file__).with_name("visibility.toml").read_text())
CANARIES = {row["text"]: row for row in DECLARED["canary"]}
VISITORS = ("nobody", "Ana", "Ben", "Chidi", "Dara", "Eli", "Farah", "Gus", "Hana", "Wim")
MARK = re.compile(rb"(?<![0-9a-z])zq[a-z]{4,}(?![0-9a-z])")  # ids are 16 letters and digits: no marker is


@pytest.fixture
def here(clock_at: Callable[[datetime], None], settings: LazySettings, tmp_path: Path) -> Lived:
    settings.LEEWARD_HELP_LINES = tmp_path / "help-lines.toml"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    clock_at(NOW)
    return lived()


def marks(data: bytes) -> set[str]:
    return {found.decode() for found in MARK.findall(data)}


def seen_by(here: Lived, name: str) -> set[str]:
    """Every marker on any page that this visitor can open, and on the pages that wrong input brings."""
    client = Client() if name == "nobody" else signed_in(here.people[name])
    found: set[str] = set()
    for _address_name, address in addresses(here):
        answer = client.get(address)
        assert answer.status_code < 500, f"{address} answered {answer.status_code} to {name}"
        found |= marks(answer.content) | marks(repr(dict(answer.headers)).encode())
        if answer.status_code == 404:  # a page that is not theirs answers nothing to a form either
            found |= marks(client.post(address, {"text": "x" * 5000}).content)
    return found


def test_every_marker_reaches_exactly_whom_the_file_declares(here: Lived) -> None:
    seen = {name: seen_by(here, name) for name in VISITORS}
    everything = set().union(*seen.values())
    assert everything <= set(CANARIES), "markers that the file does not know"
    wrong = {}
    for text, row in CANARIES.items():
        really = {name for name in VISITORS if text in seen[name]}
        if really != set(row["seen_by"]):
            wrong[text] = {"too many": really - set(row["seen_by"]), "missing": set(row["seen_by"]) - really}
    assert wrong == {}


def test_every_sealed_column_of_ours_has_a_marker_or_a_reason() -> None:
    sealed = {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.local_fields
        if isinstance(field, SealedText)
    }
    marked = {field for row in DECLARED["canary"] for field in row["fields"]}
    assert marked & set(DECLARED["without"]) == set()
    assert marked | set(DECLARED["without"]) == sealed | {"account.EmailAddress.email"}


def test_letters_carry_no_marker_but_the_address_they_go_to(here: Lived) -> None:
    Client().post("/sign-in/", {"email": "zqmailana@example.org"})
    signed_in(here.people["Ben"]).post(f"/g/{here.group}/invitations/", {"address": "zqnew@example.org", "uses": "1"})
    assert [letter.subject for letter in mail.outbox] == ["Your code", "An invitation"]
    for letter in mail.outbox:
        assert marks(f"{letter.subject} {letter.body} {letter.extra_headers}".encode()) == set()


def test_an_export_holds_no_step_for_ones_own_eyes_and_no_person(here: Lived) -> None:
    given = marks(json.dumps(portability.payload(Operator(), group=here.group), default=str).encode())
    own = {
        text
        for text in CANARIES
        if text.startswith(("zqself", "zqmail", "zqstepme", "zqlagoon", "zqinvited", "zqupload"))
    }
    assert given & own == set()
    assert {"zqgroupname", "zqplacelabel", "zqstepgroupana", "zqnamezoe"} <= given


def test_logs_carry_no_marker(here: Lived, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("django.db.backends").setLevel(logging.WARNING)  # statements hold ciphertext and ids
    seen_by(here, "Ana")
    seen_by(here, "nobody")
    assert marks(caplog.text.encode()) == set()


@pytest.mark.skipif("LEEWARD_TEST_DB" in __import__("os").environ, reason="reads the file of SQLite")
def test_the_database_file_holds_no_marker_but_addresses(here: Lived) -> None:
    signed_in(here.people["Ana"]).get("/home/")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    file = Path(connection.settings_dict["NAME"])
    raw = file.read_bytes() + b"".join(path.read_bytes() for path in file.parent.glob(f"{file.name}-*"))
    assert {text for text in CANARIES if text.encode() in raw} == {f"zqmail{name.lower()}" for name in here.people}
    for run in re.findall(rb"[A-Za-z0-9+/_-]{24,}", raw):
        plain = base64.b64decode(run.translate(bytes.maketrans(b"-_", b"+/"))[: len(run) // 4 * 4])
        assert not any(text.encode() in plain for text in CANARIES)
    for start in (found.start() for found in re.finditer(rb"\x78[\x01\x5e\x9c\xda]", raw)):
        try:
            plain = zlib.decompressobj().decompress(raw[start:], 100_000)
        except zlib.error:
            continue
        assert not any(text.encode() in plain for text in CANARIES)


def test_the_matrix_would_see_a_leak(here: Lived) -> None:
    """Negative control: a step for one's own eyes, turned over to the group, is seen by others at once."""
    from leeward.domain.commitments.models import Commitment
    from leeward.domain.meetings.models import Meeting

    with transaction.atomic():
        row = Commitment.objects.get(seen="me", meeting=here.ids["meeting"][0])
        meeting = Meeting.objects.get(pk=here.ids["meeting"][2])
        meeting.theme = row.text
        meeting.save()
    assert "zqstepmeben" in seen_by(here, "Ana")
