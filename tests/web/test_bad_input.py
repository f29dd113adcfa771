"""Bad input at every door: never a 5xx, within two seconds, plain words beside the field, what was typed still there,
nothing stored, nothing logged.

`DOORS` says of each address what it reads and one filling that it takes. An address that takes a POST and has no door
here is red, and so is a field that a page reads and its door does not name.
"""

from __future__ import annotations

import hashlib
import html
import logging
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote_plus

import pytest
from django.apps import apps
from django.core import mail
from django.core.cache import cache
from django.db import connection, models, transaction
from django.http import HttpResponse, QueryDict
from django.test import Client, RequestFactory, override_settings
from django.test.testcases import TestCase
from django.urls import URLPattern, get_resolver, path, reverse

from leeward.domain.commitments.models import Commitment
from leeward.domain.groups import actions as groups
from leeward.domain.groups.models import Group, Invitation, Membership
from leeward.domain.meetings import actions as meetings
from leeward.domain.meetings.models import AgendaItem, Leaf, Meeting
from leeward.domain.meetings.rules import Rhythm, Way, shown_at
from leeward.domain.people import actions as people
from leeward.domain.people import queries as person_queries
from leeward.domain.people.rules import Self
from leeward.domain.places import actions as places
from leeward.domain.places.rules import Facts
from leeward.domain.pledges import actions as pledges
from leeward.domain.pledges import queries as pledge_queries
from leeward.domain.polls import actions as polls
from leeward.domain.portability import actions as portability
from leeward.domain.room import actions as room
from leeward.domain.room.rules import Move
from leeward.lib import clock
from leeward.lib.ids import is_id
from leeward.lib.tickets import Operator
from leeward.web.people.entry import entry_link
from tests.cast import NOW, ZONE, Harbour, a_group, a_person, an_unclaimed, harbour
from tests.house.crawl import patterns
from tests.lived import lived
from tests.web.signing import signed_in

pytestmark = pytest.mark.django_db  # within the transaction of `scene`

SECONDS = 2.0
MARK = "zqtyped"
TOKEN = "s" * 32  # of forms, and its cookie
FAMILY = "👩‍👩‍👧‍👦"  # one emoji of seven characters


# Fields: what each refuses -----------------------------------------------------------------------------------------

Bad = list[tuple[str, Any]]
NOT_TEXT: Bad = [
    ("NUL", f"{MARK}\x00"),
    ("a lone surrogate", f"{MARK}\ud800"),
    ("a pair as two surrogates", MARK.encode() + b"\xed\xa0\xbd\xed\xb8\x80"),
    ("a broken byte", MARK.encode() + b"\xff"),
    ("half a letter", MARK.encode() + b"\xe2\x82"),
]


def named(*odd: str) -> Bad:
    return [(repr(text[:24]), text) for text in odd]


@dataclass(frozen=True)
class Field:
    """`needed`: nothing at all is refused too."""

    needed: bool = True

    def bad(self, scene: Scene) -> Bad:
        return [("nothing", "")] if self.needed else []


@dataclass(frozen=True)
class Aside(Field):
    """Read, and never refused: where to go next, which row of many."""

    needed: bool = False


@dataclass(frozen=True)
class Hidden(Field):
    """Nobody types here: refused without words of its own."""

    def bad(self, scene: Scene) -> Bad:
        return named("../../etc/passwd", "xx", "")


@dataclass(frozen=True)
class Tick(Field):
    """On or off: whatever is sent is one of both."""

    needed: bool = False

    def bad(self, scene: Scene) -> Bad:
        return [("off", None)] if self.needed else []


@dataclass(frozen=True)
class Text(Field):
    """`most` letters as people count them; `a_name` begins with a letter or a number."""

    most: int = 0
    a_name: bool = False

    def bad(self, scene: Scene) -> Bad:
        wrong = [
            *NOT_TEXT,
            ("one letter too many", "zq" + "z" * (self.most - 1)),
            ("300 emoji, or one too many", FAMILY * max(300, self.most + 1)),
            ("very long", f"{MARK} " * 5_000),
            (
                "a tower of marks",
                MARK + "\u0345\u035c\u0315\u0301\u0323\u0327\u0334" * 5_500,
            ),  # slow to bring into order
        ]
        if self.needed:
            wrong += [("nothing", ""), ("spaces", " \t "), ("nothing to see", "\u200b\u202e\u2066\ufeff\u00ad")]
        if self.a_name:
            wrong += [(f"begins with {sign}", f"{sign}{MARK}") for sign in "=+-@<👻"]
        return wrong

    @property
    def fine(self) -> dict[str, str]:
        """typed → kept."""
        return {
            f"{MARK}\u202eon\u2066\u200b\u00ad\U000e0041": f"{MARK}on",
            "zqz" + "\u0323" * 30: "zqẓ\u0323\u0323\u0323\u0323",
            f"zq{FAMILY * 5}": f"zq{FAMILY * 5}",
            "zq<script>alert(1)</script>": "zq<script>alert(1)</script>",
            "zq\"'><zq onload=a>&amp;": "zq\"'><zq onload=a>&amp;",
            "zq{{7*7}}{%if 1%}${7*7}%s{0}": "zq{{7*7}}{%if 1%}${7*7}%s{0}",
            "zq\r\nBcc: a@example.org": "zq Bcc: a@example.org",
        }


@dataclass(frozen=True)
class TwoWords(Field):
    """Two words of together forty letters, or none."""

    needed: bool = False

    def bad(self, scene: Scene) -> Bad:
        return [
            *NOT_TEXT,
            ("three words", "zq a b"),
            ("one letter too many", "z" * 41),
            ("very long", f"{MARK} " * 5_000),
        ]


@dataclass(frozen=True)
class Number(Field):
    least: int = 0
    most: int = 0

    def bad(self, scene: Scene) -> Bad:
        odd = ["3.5", "６", "٧", "true", "[5]", "1e1", "0x6", "NaN", "1_0", "6.0", "=6", "6\x00", MARK, "9" * 5_000]
        outside = [str(number) for number in (0, 6, self.least - 1, self.most + 1) if not self.holds(number)]
        return super().bad(scene) + named(*odd, *outside)

    def holds(self, number: int) -> bool:
        return self.least <= number <= self.most


@dataclass(frozen=True)
class Choice(Field):
    def bad(self, scene: Scene) -> Bad:
        return super().bad(scene) + named("zz", MARK, "\x00", "../../etc/passwd", "None", scene.ids["gus"])


class Pick(Choice):
    """Of ids: those of other groups, other kinds, and of what is over are no choice."""

    def bad(self, scene: Scene) -> Bad:
        names = ("farah", "lagoon place", "retired", "old", "young", "young Farah", "third", "poll", "0" * 16)
        return super().bad(scene) + [(name, scene.at(name)) for name in names]


class Zone(Choice):
    def bad(self, scene: Scene) -> Bad:
        return super().bad(scene) + named("europe/berlin", "Mars/Olympus", "../../../etc/localtime", "posixrules")


@dataclass(frozen=True)
class Day(Field):
    def bad(self, scene: Scene) -> Bad:
        odd = (
            "0001-01-01",
            "9999-12-31",
            "99999-01-01",
            "2026-02-30",
            "20261001",
            "01.10.2026",
            "2026-10-01\x00",
            MARK,
        )
        return super().bad(scene) + named(*odd)


class Hour(Field):
    def bad(self, scene: Scene) -> Bad:
        odd = ("24:00", "12:60", "noon", "18", "18:00:00", "18:00+02:00", "-1:00", "18:00\x00", MARK)
        return super().bad(scene) + named(*odd)


class Mail(Field):
    def bad(self, scene: Scene) -> Bad:
        odd = ["zqtyped", "zqtyped@", "a@b", "@example.org", "zqtyped@exa mple.org", "z" * 250 + "@example.org"]
        odd += [f"zqtyped@example.org{more}" for more in ("\r\nBcc: b@example.org", ", b@example.org", "\nSubject: x")]
        return super().bad(scene) + NOT_TEXT + named(*odd)


@dataclass(frozen=True)
class Link(Field):
    needed: bool = False

    def bad(self, scene: Scene) -> Bad:
        odd = [
            "javascript:alert(1)",
            "data:text/html,zqtyped",
            "//zqtyped.example",
            "ftp://zqtyped.example",
            "https://",
        ]
        odd += [
            f"https://{rest}" for rest in ("me:zqtyped@a.org", 'a.org/"><script>', "exa mple.org", "[::1", "a.org:zq/")
        ]
        return NOT_TEXT + named(*odd, "https://a.org/" + "z" * 500)


class Secret(Field):
    """A code or a passkey: nothing but the right one is taken."""

    def bad(self, scene: Scene) -> Bad:
        odd = (MARK, "{}", "[]", "null", '{"id": 1}', '"\\ud800"', "[" * 50_000, '{"a":' * 10_000, "NaN", "1" * 5_000)
        return super().bad(scene) + NOT_TEXT + named(*odd)


@dataclass(frozen=True)
class File(Field):
    """A list of former meetings."""

    needed: bool = False

    def bad(self, scene: Scene) -> Bad:
        odd = {"empty": b"", "another": b"zqtyped", "NUL": b"\x00" * 99, "UTF-16": "date,member".encode("utf-16")}
        odd |= {"a picture": b"\x89PNG\r\n\x1a\nzqtyped", "one long line": b"z" * 100_000}
        return [(why, ("../../zqtyped.csv", data)) for why, data in odd.items()]


# The scene ---------------------------------------------------------------------------------------------------------


@contextmanager
def undone() -> Iterator[None]:
    """Whatever is stored inside is taken back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@dataclass
class Scene:
    """*old* has met and is in its room (`tests.lived`), *young* has not met yet (`tests.cast`), *calm* has met and asks
    nothing just now. Each is foreign to the others."""

    ids: dict[str, str]
    cookies: dict[str, dict[str, str]]

    def at(self, word: str) -> str:
        return self.ids.get(word, word)


def made() -> Scene:
    old, young = lived(), harbour()
    held, second, third = old.ids["meeting"]
    people_of_old = {name.lower(): old.ticket(name).membership for name in ("Ana", "Ben", "Dara")}
    ids = {
        "old": old.group, "held": held, "second": second, "third": third, "poll": old.ids["poll"][0],
        "item": old.ids["item"][0],
        "idea": old.ids["idea"][0], "waiting": old.ids["waiting"][0], "zoe": old.ids["whom"][0], **people_of_old,
        "lagoon": old.ids["group"][1], "lagoon place": old.ids["place"][1],
        "farah": Membership.objects.get(group=old.group, person=old.people["Farah"].person).pk,
        "gus": Membership.objects.get(group=old.ids["group"][1]).pk,
        "text": getattr(pledge_queries.current(old.group), "pk", ""),
        "addendum": Leaf.objects.get(kind="addendum", author=people_of_old["ben"]).pk,
        "another's leaf": Leaf.objects.get(kind="step", author=people_of_old["ana"]).pk,
        "step": Commitment.objects.get(meeting=held, membership=people_of_old["ana"]).pk,
        "another's step": Commitment.objects.get(meeting=held, membership=people_of_old["ben"]).pk,
        "invitation": groups.invite(old.ticket("Ana"), at=NOW).id,
        "another's upload": old.ids["upload"][0],
    }  # fmt: skip
    for move, whom, who in ((Move.MARK_HERE, ids["zoe"], "Ben"), (Move.ARRIVE, "", "Ana")):
        room.move(old.ticket(who), meeting=second, move=move, whom=whom, at=NOW)
    room.move(old.ticket("Ben"), meeting=second, move=Move.END_QUESTION, at=NOW)
    ids |= before_its_first_meeting(young) | between_meetings()
    nia, hana, wim = person_queries.ticket_of(people.welcome(name="", at=NOW)), old.people["Hana"], old.people["Wim"]
    ids["link"] = entry_link(Operator(), person=hana.person, lasts=timedelta(days=1), at=NOW).split("/")[-2]
    ids["upload"] = portability.keep_upload(
        hana, files={"members.csv": b"name\nzqone\nzqtwo\n"},
        facts={"name": "Haven", "purpose": "x", "cohort": "", "format": "topic_circle", "country": "DE", "zone": ZONE,
               "time": "18:00", "minutes": 60}, at=NOW,
    )  # fmt: skip
    cast = {"Ana": old.people["Ana"], "Ben": old.people["Ben"], "Hana": hana, "Wim": wim, "Nia": nia}
    cast |= {f"young {name}": young.people[name] for name in ("Ana", "Ben")}
    cookies = {name: kept_by(me) for name, me in cast.items()} | {"nobody": {}}
    cookies["asked"], ids["code"] = asked()
    cookies["Kim"] = kept_by(person_queries.ticket_of(Membership.objects.get(pk=ids["kim"]).person))
    return Scene(ids, cookies)


def before_its_first_meeting(young: Harbour) -> dict[str, str]:
    ana = young.ticket("Ana")
    facts = [
        Facts(label, "Quay 1", "https://zqquay.example.org/", "", True, False, None) for label in ("Hall", "Attic")
    ]
    kept, retired = (places.add_place(ana, fact, at=NOW) for fact in facts)
    places.retire_place(ana, place=retired, at=NOW)
    start = shown_at(NOW + timedelta(days=7), ZONE)
    meetings.set_rhythm(ana, Rhythm(start, ZONE, cycle=(Way.HYBRID,)), place=kept, at=NOW)
    meeting = Meeting.objects.filter(group=young.group).order_by("starts_at")[0].pk
    polls.propose_item(ana, meeting=meeting, title="Naps", at=NOW)
    pledges.draft(ana, lines=["What is said here stays here."], at=NOW)
    made = groups.invite(ana, at=NOW)
    return {
        "young": young.group, "place": kept, "retired": retired, "young meeting": meeting, "seat": made.token,
        "young invitation": made.id, "young item": AgendaItem.objects.get(meeting=meeting).pk,
        "tom": an_unclaimed(young.group, "Tom"),
        **{f"young {name}": young.membership(name) for name in ("Ana", "Ben", "Farah")},
    }  # fmt: skip


def between_meetings() -> dict[str, str]:
    calm = a_group(a_person("Kim"), name="Calm")
    Group.objects.filter(pk=calm.group).update(first_closed_at=NOW, imported_at=NOW)  # it needs no core
    return {"calm": calm.group, "kim": calm.membership}


def kept_by(me: Self) -> dict[str, str]:
    """The cookies of somebody who signed in a moment ago."""
    client = signed_in(me)
    session = client.session
    session["account_authentication_methods"] = [{"method": "link", "at": time.time()}]
    session["account_authentication_methods_user"] = me.person
    session.save()
    return {name: morsel.value for name, morsel in client.cookies.items()}


def asked() -> tuple[dict[str, str], str]:
    """The cookies of somebody who asked for a code, and the code."""
    client = Client()
    with TestCase.captureOnCommitCallbacks(execute=True):
        assert client.post("/sign-in/", {"email": "zqasked@example.org"}).status_code == 302
    code = re.search(r"code is (\S+)", str(mail.outbox.pop().body))
    assert code
    return {name: morsel.value for name, morsel in client.cookies.items()}, code[1]


@pytest.fixture(scope="module")
def scene(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: Any) -> Iterator[Scene]:
    """Made once: whatever a test stores, it takes back."""
    own = {
        "LEEWARD_HELP_LINES": tmp_path_factory.mktemp("home") / "help-lines.toml",
        "EMAIL_BACKEND": "django.core.mail.backends.locmem.EmailBackend",
        "LEEWARD_EXAMPLE_LINES_COUNT": True,
    }
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch, override_settings(**own), undone():
        patch.setattr(clock, "now", lambda: NOW)
        yield made()


# The doors ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Door:
    """An address that takes a POST. Words in `at` and `well` that name something of the scene stand for its id.

    `refuses` is how a bad value is answered. What was kept is `shown` on that page. `element` is the form's pattern of
    element ids.
    """

    name: str
    at: tuple[str, ...] = ()
    who: str = "Ana"
    fields: Mapping[str, Field] = field(default_factory=dict)
    well: Mapping[str, Any] = field(default_factory=dict)
    refuses: tuple[int, ...] = (422,)
    shown: str = ""
    element: str = "{}"
    upload: bool = False

    def path(self, scene: Scene) -> str:
        return reverse(self.name, args=[scene.at(word) for word in self.at])

    def filled(self, scene: Scene) -> dict[str, Any]:
        return {name: scene.at(value) if isinstance(value, str) else value for name, value in self.well.items()}

    def __str__(self) -> str:
        return "-".join([self.name, *self.at])


NAME = Text(most=40, a_name=True)
TALK = {"each": Number(least=1, most=5), "follow_ups": Tick(), "refill": Tick()}
GROUP = {
    "name": Text(most=60),
    "purpose": Text(most=200),
    "cohort": Text(most=120),
    "format": Choice(),
    "country": Choice(),
}
GROUP_WELL = {"name": "Haven", "purpose": "We row.", "cohort": "Rowers", "format": "skill_pod", "country": "GB"}
TIMED = {"date": Day(), "time": Hour(), "place": Pick(needed=False)}
TIMED_WELL = {"date": "2026-11-05", "time": "18:30", "place": ""}
RHYTHM = {**TIMED, "every_weeks": Number(least=1, most=8), "minutes": Number(least=30, most=120), "cycle": Choice()}
RHYTHM_WELL = {**TIMED_WELL, "every_weeks": "2", "minutes": "60", "cycle": "hybrid"}
PLACE = {
    "label": Text(most=60), "address": Text(False, 200), "link": Link(), "access_notes": Text(False, 500),
    "cost_free": Tick(), "screen_sharing": Tick(), "reserved_until": Day(needed=False),
}  # fmt: skip
PLACE_WELL = {"label": "Library", "address": "Am Markt 3", "access_notes": "Ring twice", "cost_free": "on"}
BLOCK = {
    "order": Number(False, 1, 99), "kind": Choice(False), "title": Text(False, 60), "minutes": Number(False, 0, 120)
}  # fmt: skip
AGENDA = {
    f"{name}_{row}": kind if row in (0, 3) else Aside()  # rows are alike; row 3 is empty at first
    for row in range(6)
    for name, kind in BLOCK.items()
}
AGENDA_WELL = {"order_0": "1", "kind_0": "open", "title_0": "Talk", "minutes_0": "30", "title_3": "", "kind_3": "mood",
               "minutes_3": "5"}  # fmt: skip
BRING = {
    "attendance": File(), "members": File(), "calendar": File(), "counts": File(),
    "name": Text(most=60), "purpose": Text(most=200), "cohort": Text(False, 120),
    "format": Choice(), "country": Choice(), "zone": Zone(), "time": Hour(),
    "minutes": Number(least=30, most=120),
}  # fmt: skip
BRING_WELL = {
    "attendance": ("attendance.csv", b"date,member\n2026-09-01,zqone\n"), "name": "Haven", "purpose": "We row.",
    "format": "topic_circle", "country": "DE", "zone": ZONE, "time": "18:00", "minutes": "60",
}  # fmt: skip


def tap(name: str, *at: str, who: str = "Ana") -> Door:
    """A button: it reads nothing."""
    return Door(name, at, who)


def asking(what: str, kind: Field, to: str) -> Door:
    return Door("propose", ("calm", what), "Kim", {"to": kind}, {"to": to}, shown="{location}")


DOORS = [
    Door("sign_in", (), "nobody", {"email": Mail()}, {"email": "zqnew@example.org"}),
    Door("sign_in_code", (), "asked", {"code": Secret(), "next": Aside()}, {"code": "code"}),
    Door("passkey_sign_in", (), "nobody", {"credential": Secret()}, refuses=(302,)),
    Door("enter", ("link",), "nobody", {"next": Aside()}),
    *(tap(name, who="nobody") for name in ("front", "passkey_challenge")),
    *(tap(name) for name in ("arrived", "sign_out", "sign_in_again", "end_visits")),
    Door("introduce", (), "Nia", {"name": NAME, "language": Hidden(), "zone": Zone(), "adult": Tick(needed=True)},
         {"name": "Nia", "language": "en", "zone": ZONE, "adult": "on"}, shown="/account/"),
    Door("account", (), "Ana", {"name": NAME, "language": Hidden(), "zone": Zone(), "quick_exit": Tick()},
         {"name": "Anna", "language": "en", "zone": "UTC"}, shown="/account/"),
    Door("add_passkey", (), "Ana", {"credential": Secret()}, refuses=(200,)),
    tap("remove_passkey", "1"), tap("end_visit", "old"),

    Door("found", (), "Hana", {**GROUP, "zone": Zone(), "my_name": NAME},
         {**GROUP_WELL, "zone": ZONE, "my_name": "Hana"}, shown="{group}"),
    Door("invitation", ("seat",), "Hana", {"name": NAME}, {"name": "Hana"}, shown="{group}"),
    tap("take_seat", "waiting", who="Wim"), tap("leave_line", "waiting", who="Wim"),
    Door("bring", (), "Hana", BRING, BRING_WELL, upload=True),
    Door("bring_checked", ("upload",), "Hana", {"me": Pick()}, {"me": "zqone"}),

    Door("group_settings", ("young",), "young Ana", {**GROUP, "capacity": Number(least=5, most=16)},
         {**GROUP_WELL, "capacity": "9"}, shown="{location}"),
    Door("group_people", ("old",), "Ana", {"name": NAME}, {"name": "Anna"}, shown="{location}"),
    *(tap(name, "old") for name in ("pause", "come_back", "leave")),
    *(tap(name, "young", who="young Ben") for name in ("say_im_in", "take_back_im_in")),
    Door("invitations", ("old",), "Ana", {"address": Mail(needed=False), "uses": Number(least=1, most=12)},
         {"address": "zqguest@example.org", "uses": "2"}),
    Door("claim_invitations", ("young",), "young Ana", {"claims": Pick(), "claim_address": Mail(needed=False)},
         {"claims": "tom"}, element="claim-{}"),
    tap("withdraw_invitation", "old", "invitation"),
    Door("new_place", ("young",), "young Ana", PLACE, PLACE_WELL, shown="{location}"),
    Door("place", ("young", "place"), "young Ana", {**PLACE, "no_link": Tick()}, PLACE_WELL, shown="{location}"),
    tap("retire_place", "young", "place", who="young Ana"),
    *(tap(name, "young", "survey", who="young Ana") for name in ("take_step", "give_step_back", "mark_step_done")),

    Door("draft", ("young",), "young Ana", {"lines": Text(most=2424)}, {"lines": "We listen."}, shown="{location}"),
    tap("adopt", "young", who="young Ana"),
    Door("agree", ("old",), "Ana", {"pledge": Pick()}, {"pledge": "text"}, refuses=(409,)),
    Door("spoken_yes", ("old",), "Ben", {"membership": Pick(), "witness": Pick()},
         {"membership": "zoe", "witness": "ana"}),

    Door("rhythm", ("young",), "young Ana", RHYTHM, RHYTHM_WELL),
    Door("meeting", ("old", "third"), "Ana", {"title": Text(most=120)}, {"title": "Naps"}, shown="{location}"),
    Door("rsvp", ("old", "third"), "Ana", {"answer": Choice(), "back": Aside()}, {"answer": "online"}, refuses=(404,)),
    *(tap(name, "old", "third") for name in ("turn", "turn_back", "confirm", "cancel")),
    Door("change", ("old", "third"), "Ana", {**TIMED, "theme": Text(False, 80), "way": Choice()},
         {**TIMED_WELL, "theme": "Sleep", "way": "online"}, shown="{location}"),
    Door("agenda", ("old", "third"), "Ana", AGENDA, AGENDA_WELL, shown="{location}"),
    Door("addendum", ("old", "held"), "Ana", {"text": Text(most=500)}, {"text": "It was Tuesday."}, shown="{location}"),
    tap("withdraw_item", "old", "third", "item"), tap("remove_leaf", "old", "addendum", who="Ben"),

    asking("name", Text(most=60), "Haven"), asking("cohort", Text(most=120), "Rowers"),
    asking("purpose", Text(most=200), "We row."), asking("format", Choice(), "skill_pod"),
    asking("capacity", Number(least=5, most=16), "9"), asking("pledge", Text(most=2424), "We row."),
    Door("propose", ("calm", "rhythm"), "Kim", {**RHYTHM, "place": Pick(needed=False)}, RHYTHM_WELL),
    Door("vote", ("old", "poll"), "Ana", {"thumb": Choice()}, {"thumb": "up"}, refuses=(404,)),
    tap("let_go", "old", "step"),

    Door("room", ("old", "second"), "Ben", {"text": Text(most=200), "seen_by": Choice()},
         {"text": "A walk", "seen_by": "me"}, shown="{location}"),
    Door("open_room", ("old", "second"), "Ana", {"way": Choice(needed=False)}, {"way": "online"}, refuses=(404,)),
    Door("speak_for", ("old", "second", "zoe"), "Ben", {"text": Text(most=200), "mood": Aside()}, {"text": "A walk"}),
    Door("say_mood", ("old", "second"), "Ben", {"mood": TwoWords()}, {"mood": "calm"}),
    Door("catch_line", ("old", "second"), "Ben", {"line": Text(most=200)}, {"line": "A bench"}),
    Door("ask", ("old", "second"), "Ben", {"question": Text(most=120)}, {"question": "Outside?"}),
    Door("join_room", ("second",), "nobody"),
    tap("let_idea_go", "old", "idea"),
    Door("tokens", ("old",), "Ana", {"free": Tick()}, {"free": "on"}),
    Door("talk", ("young",), "young Ana", TALK, {"each": "3"}),
    Door("propose", ("calm", "talk"), "Kim", TALK, {"each": "4"}),
    Door("move", ("old", "second", "arrive"), "Ana", {"way": Choice(needed=False), "whom": Aside(), "stand": Aside()},
         {"way": "online"}, refuses=(404, 409)),
    Door("move", ("old", "second", "hand-over"), "Ben", {"whom": Pick(), "way": Aside(), "stand": Aside()},
         {"whom": "ana", "way": "room"}, refuses=(404, 409)),
]  # fmt: skip
FORMS = [door for door in DOORS if any(not isinstance(kind, Aside) for kind in door.fields.values())]
AT = {str(door): door for door in DOORS}


# Sending and looking -----------------------------------------------------------------------------------------------


@dataclass
class Answer:
    status: int
    html: str
    location: str
    headers: dict[str, str]
    seconds: float


def plain(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


def pairs(said: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in said.items():
        yield from ((name, one) for one in (value if isinstance(value, list) else [value]) if one is not None)


def urlencoded(said: Mapping[str, Any]) -> tuple[bytes, str]:
    body = "&".join(f"{quote_plus(name)}={quote_plus(plain(value))}" for name, value in pairs(said))
    return body.encode(), "application/x-www-form-urlencoded"


def multipart(said: Mapping[str, Any]) -> tuple[bytes, str]:
    parts = []
    for name, value in pairs(said):
        file, data = (f'; filename="{value[0]}"', value[1]) if isinstance(value, tuple) else ("", plain(value))
        head = f'--zqedge\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
        parts.append(head.encode() + data + b"\r\n")
    return b"".join([*parts, b"--zqedge--\r\n"]), "multipart/form-data; boundary=zqedge"


def send(scene: Scene, door: Door, said: Mapping[str, Any], *, token: str = TOKEN, **more: Any) -> Answer:
    body, kind = (multipart if door.upload else urlencoded)({"csrfmiddlewaretoken": token, **said})
    return send_raw(scene, door, body, kind, **more)


def browser(scene: Scene, door: Door) -> Client:
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    for name, value in {"leeward_form": TOKEN, **scene.cookies[door.who]}.items():
        client.cookies[name] = value
    return client


def send_raw(scene: Scene, door: Door, body: bytes, kind: str, **more: Any) -> Answer:
    cache.clear()
    client = browser(scene, door)
    began = time.perf_counter()
    with TestCase.captureOnCommitCallbacks(execute=True):
        answer = client.generic("POST", door.path(scene), body, content_type=kind, **more)
        text = b"".join(answer.streaming_content if answer.streaming else [answer.content]).decode()
    seconds = time.perf_counter() - began
    return Answer(answer.status_code, text, answer.headers.get("Location", ""), dict(answer.headers), seconds)


MODELS = [
    model
    for model in apps.get_models(include_auto_created=True)
    if model._meta.label not in ("people.Visit", "people.FormKey")  # sessions, and keys of forms
]


def stored() -> str:
    """A digest over every row as it lies in the database."""
    whole = hashlib.sha256()
    with connection.cursor() as cursor:
        for model in MODELS:
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(model._meta.db_table)}")
            whole.update(repr((model._meta.label, sorted(map(repr, cursor.fetchall())))).encode())
    return whole.hexdigest()


class Page(HTMLParser):
    """The inputs of a page by name, what describes each, its words, and its elements."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.values: dict[str, list[str]] = {}
        self.described: dict[str, str] = {}
        self.words: list[str] = []
        self.tags: set[str] = set()
        self._area, self._group = "", ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        at = {name: value or "" for name, value in attrs}
        self.tags.add("inline script" if tag == "script" and "src" not in at else tag)
        self.tags |= {name for name in at if name.startswith("on")}
        name = at.get("name", "")
        if tag == "fieldset":
            self._group = at.get("aria-describedby", "")
        elif tag in ("input", "textarea", "select") and name:
            self.described[name] = at.get("aria-describedby", "") or self._group
            if tag == "textarea":
                self._area = name
                self.values[name] = [""]
            elif tag == "input" and at.get("type") not in ("radio", "checkbox", "file"):
                self.values.setdefault(name, []).append(at.get("value", ""))

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        if self._area:
            self.values[self._area][0] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self.values[self._area][0] = self.values[self._area][0].removeprefix("\n")
            self._area = ""
        elif tag == "fieldset":
            self._group = ""

    @property
    def text(self) -> str:
        return " ".join(" ".join([*self.words, *(one for values in self.values.values() for one in values)]).split())


def said_beside(page: str, element: str) -> str:
    found = re.search(rf'<p class="error" id="{re.escape(element)}-wrong">(.*?)</p>', page, re.S)
    return html.unescape(found[1]).strip() if found else ""


# One bad value at a time -------------------------------------------------------------------------------------------


def wrong_with(scene: Scene, door: Door, name: str, value: Any, before: str) -> Iterator[str]:
    """What is not as promised when one field holds a bad value and all others are well."""
    said = {**door.filled(scene), name: value}
    with undone():
        answer = send(scene, door, said)
        if answer.status not in door.refuses:
            yield f"answered {answer.status}"
        if stored() != before:
            yield "something was stored"
        if answer.seconds > SECONDS:
            yield f"took {answer.seconds:.1f} s"
        if mail.outbox:
            yield f"{len(mail.outbox)} letters went out"
            mail.outbox.clear()
    if answer.status == 422:
        yield from wrong_on_the_page(door, name, said, answer.html)


def wrong_on_the_page(door: Door, name: str, said: Mapping[str, Any], text: str) -> Iterator[str]:
    page, element = Page(text), door.element.format(name)
    beside = said_beside(text, element)
    if isinstance(door.fields[name], Hidden):
        return
    if not re.fullmatch(r"[A-Za-z].*[.?]", beside) or MARK in beside:
        yield f"no words beside the field: {beside!r}"
    if f"{element}-wrong" not in page.described[name].split():
        yield "the field does not point to its words"
    for other, typed in said.items():
        if isinstance(typed, str) and page.values.get(other) and kept(typed) not in map(kept, page.values[other]):
            yield f"what was typed into {other} is gone: {page.values[other]!r:.80}"
    if page.tags & {"inline script", "onload", "zq"}:
        yield "what was typed became part of the page"


def kept(text: str) -> str:
    """Text as far as a page can hold it: bytes that are none come back as U+FFFD, line ends as they like."""
    return re.sub("[\ud800\ufffd\x00]+", "", text).replace("\r\n", "\n").strip("\n")


@pytest.mark.parametrize("door", FORMS, ids=str)
def test_a_bad_value_is_refused_beside_its_field_stays_in_it_and_is_stored_and_logged_nowhere(
    scene: Scene, door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    before = stored()
    complaints = [
        f"{name}, {why}: {complaint}"
        for name, kind in door.fields.items()
        for why, value in kind.bad(scene)
        for complaint in wrong_with(scene, door, name, value, before)
    ]
    assert complaints == []
    assert MARK not in caplog.text


@pytest.mark.parametrize("door", FORMS, ids=str)
def test_an_empty_form_is_refused(scene: Scene, door: Door) -> None:
    before = stored()
    with undone():
        answer = send(scene, door, {})
        if any(kind.needed for kind in door.fields.values()):
            assert (answer.status in door.refuses, stored()) == (True, before)
        assert answer.status < 500


# What is odd and yet meant -----------------------------------------------------------------------------------------


def shown_by(scene: Scene, door: Door, answer: Answer) -> Page:
    group = re.search(r"/g/\w+/", answer.location)
    where = door.shown.format(location=answer.location, group=group[0] if group else "")
    return Page(browser(scene, door).get(where, follow=True).content.decode())


WRITTEN = [(door, name) for door in FORMS for name, kind in door.fields.items() if isinstance(kind, Text)]


@pytest.mark.parametrize(("door", "name"), WRITTEN, ids=str)
def test_text_is_cleaned_kept_as_meant_and_never_becomes_part_of_a_page(scene: Scene, door: Door, name: str) -> None:
    kind = door.fields[name]
    assert isinstance(kind, Text)
    for typed, expected in kind.fine.items():
        with undone():
            answer = send(scene, door, {**door.filled(scene), name: typed})
            assert answer.status == 302, f"{typed!r}: {said_beside(answer.html, door.element.format(name))}"
            assert "Bcc" not in answer.headers
            if door.shown:
                page = shown_by(scene, door, answer)
                assert expected in page.text, f"{typed!r} is not there as {expected!r}"
                assert page.tags & {"inline script", "onload", "zq"} == set()


# More than the form has --------------------------------------------------------------------------------------------

RANDOM = {"salt", "hash", "previous", "token", "digest", "password", "drafted_at"}


def rows(known: set[str]) -> set[str]:
    """Every row in plain values; what is random is left out, and a new id is only "new"."""

    def value(instance: models.Model, one: models.Field[Any, Any]) -> object:
        found = getattr(instance, one.attname)
        new = (isinstance(found, str) and is_id(found) and found not in known) or isinstance(one, models.AutoField)
        return "new" if new else found

    return {
        repr((model._meta.label, [value(row, one) for one in model._meta.local_fields if one.name not in RANDOM]))
        for model in MODELS
        for row in model._default_manager.all()
    }


def effect(scene: Scene, door: Door, said: Mapping[str, Any], known: set[str]) -> tuple[object, ...]:
    with undone():
        answer = send(scene, door, said)
        left = rows(known)
        mail.outbox.clear()
    new = re.compile("[0-9a-z]{26}|[0-9a-z]{16}")
    where = new.sub(lambda found: found[0] if found[0] in known else "new", answer.location)
    return answer.status, where, left


def extras(scene: Scene, door: Door) -> dict[str, str]:
    """Everything that a model could be told and a form does not ask."""
    evil = "https://evil.example/"
    told = {
        "id": "0" * 16, "pk": "0" * 16, "group": scene.ids["lagoon"], "group_id": scene.ids["lagoon"],
        "person": scene.ids["gus"], "membership": scene.ids["zoe"], "by": scene.ids["ben"], "lead": scene.ids["ben"],
        "founder": "1", "is_staff": "1", "is_superuser": "1", "is_active": "", "adult": "on", "adult_at": "2020-01-01",
        "capacity": "16", "met": "99", "number": "1", "uses_left": "99", "first_closed_at": "2020-01-01", "zone": "UTC",
        "closed_at": "2020-01-01", "carried_at": "2020-01-01", "seen": "group", "own": "1", "imported": "1",
        "text": "x", "for": "claim", "name": "Mallory", "title": "x", "answer": "cant", "thumb": "down", "way": "room",
        "_method": "DELETE", "redirect_to": evil, "return": evil, "url": evil, "next": evil, "back": evil,
        "__class__": "x", "key[]": "x", "": "x", "\u202e": "x",
    }  # fmt: skip
    asides = {name for name, kind in door.fields.items() if isinstance(kind, Aside)}
    return {name: value for name, value in told.items() if name not in door.fields or name in asides}


@pytest.mark.parametrize("door", DOORS, ids=str)
def test_more_than_the_form_asks_and_everything_twice_change_nothing_and_lead_nowhere_else(
    scene: Scene, door: Door
) -> None:
    well = door.filled(scene)
    known = {str(row.pk) for model in MODELS for row in model._default_manager.only("pk")} | set(scene.ids.values())
    meant = effect(scene, door, well, known)
    assert effect(scene, door, {**extras(scene, door), **well}, known) == meant
    assert effect(scene, door, {name: [value, value] for name, value in well.items()}, known) == meant
    assert meant[0] in (200, 302) or door.name in TAKES_NOTHING_HERE, meant[0]
    assert re.fullmatch(r"(/[^/]+)*/?", str(meant[1]))


# Of these the scene holds nothing to take: no passkey, no seat on offer.
TAKES_NOTHING_HERE = {"remove_passkey": 404, "take_seat": 409}

ELSEWHERE = {
    "place": "lagoon place", "third": "young meeting", "second": "young meeting", "held": "young meeting",
    "invitation": "young invitation", "item": "young item", "addendum": "another's leaf", "step": "another's step",
    "upload": "another's upload", "waiting": "0" * 16, "zoe": "young Ben", "poll": "item",
}  # fmt: skip
NESTED = [(door, word) for door in DOORS for word in door.at if word in ELSEWHERE and door.who != "nobody"]


@pytest.mark.parametrize(("door", "word"), NESTED, ids=str)
def test_what_is_another_groups_or_anothers_is_not_here(scene: Scene, door: Door, word: str) -> None:
    before = stored()
    other = replace(door, at=tuple(ELSEWHERE.get(at, at) if at == word else at for at in door.at))
    with undone():
        answer = send(scene, other, door.filled(scene))
        assert (answer.status, stored()) == (404, before)


# Without the form, or not a form at all ----------------------------------------------------------------------------


@pytest.mark.parametrize("door", DOORS, ids=str)
def test_without_the_forms_token_or_from_another_site_nothing_happens(scene: Scene, door: Door) -> None:
    before = stored()
    with undone():
        answers = [
            send(scene, door, door.filled(scene), token=token, **more)
            for token, more in (
                (None, {}),
                ("x" * 32, {}),
                ("\x00", {}),
                (TOKEN, {"HTTP_ORIGIN": "https://evil.example"}),
            )
        ]
        assert [answer.status for answer in answers] == [403] * 4
        assert len({answer.html for answer in answers}) == 1
        assert stored() == before


FORM, PARTS = "application/x-www-form-urlencoded", "multipart/form-data; boundary=zqedge"
PART = b'--zqedge\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
NO_FORMS = {
    "JSON": (b'{"name": "zqtyped"}', "application/json", (403, 404, 409, 422)),
    "deep JSON": (b'{"name":' * 20_000, "application/json", (403, 404, 409, 422)),
    "XML": (b'<!DOCTYPE a [<!ENTITY b "zqtyped">]><a>&b;</a>', "application/xml", (403, 404, 409, 422)),
    "text": (b"name=zqtyped", "text/plain", (403, 404, 409, 422)),
    "nothing said": (b"name=zqtyped", "", (403, 404, 409, 422)),
    "no boundary": (b"zqtyped", "multipart/form-data", (400,)),
    "an odd boundary": (b"zqtyped", "multipart/form-data; boundary=\xff", (400,)),
    "broken base64": (
        b'--zqedge\r\nContent-Disposition: form-data; name="name"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
        b"=zq\r\n--zqedge--", PARTS,
        (400, 403, 404, 409, 422),
    ),
    **{
        f"{kind} in {codec}": (body, f"{kind}; charset={codec}", (400,))
        for codec in ("utf-16", "idna", "punycode", "undefined", "utf-7", "rot13", "latin-1")
        for kind, body in ((FORM, b"name=zq%ff"), (PARTS, PART % (b"name", b"", b"zq\xff") + b"--zqedge--"))
    },
    "2,000 fields": (b"&".join(b"f%d=zqtyped" % n for n in range(2_000)), FORM, (413,)),
    "2,000 parts": (b"".join(PART % (b"f", b"", b"zq") for _ in range(2_000)) + b"--zqedge--", PARTS, (413,)),
    "150 files": (b"".join(PART % (b"f", b'; filename="f"', b"zq") for _ in range(150)) + b"--zqedge--", PARTS, (413,)),
    "a megabyte": (b"name=" + b"z" * 1_000_000, FORM, (413,)),
    "a megabyte in a part": (PART % (b"name", b"", b"z" * 1_000_000) + b"--zqedge--", PARTS, (413,)),
    "ten megabytes": (b"name=" + b"z" * 10_000_000, FORM, (413,)),
}  # fmt: skip


@pytest.mark.parametrize("why", NO_FORMS)
def test_what_is_no_form_is_a_plain_page_and_stores_nothing(
    scene: Scene, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    body, kind, expected = NO_FORMS[why]
    before = stored()
    for door in ("group_people-old", "bring", "rsvp-old-third", "agree-old", "sign_in"):
        with undone():
            answer = send_raw(scene, AT[door], body, kind, HTTP_X_CSRFTOKEN=TOKEN)
            assert answer.status in expected, f"{door}: {answer.status}"
            assert answer.seconds <= SECONDS
            assert stored() == before
            assert "<h1>" in answer.html and MARK not in answer.html
    assert MARK not in caplog.text


@pytest.mark.parametrize("length", ["-1", "1e3", "²", "٥", "0x10", "9" * 400, " 5", "5,5"])
def test_an_odd_length_is_a_page(scene: Scene, length: str) -> None:
    answer = send_raw(scene, AT["group_people-old"], b"name=zq", FORM, CONTENT_LENGTH=length)
    assert answer.status == 413


# Nobody is forgotten -----------------------------------------------------------------------------------------------


def takes_a_post(found: URLPattern) -> bool:
    """405 is how an address says that it takes none; whatever else a view does, it looked at the request."""
    try:
        answer = found.callback(RequestFactory().post("/"), **dict.fromkeys(found.pattern.converters, "0" * 16))
    except Exception:
        return True
    return answer.status_code != 405


def test_every_address_that_takes_a_post_has_a_door_and_every_door_such_an_address() -> None:
    again = {"account_login", "account_confirm_login_code"}  # other names of sign_in and sign_in_code
    assert {str(found.name) for found in patterns() if takes_a_post(found)} == {door.name for door in DOORS} | again


def test_an_address_without_a_door_would_be_red(monkeypatch: pytest.MonkeyPatch) -> None:
    resolver = get_resolver()
    stray = path("stray/<slug:what>/", lambda request, what: HttpResponse(), name="stray")
    monkeypatch.setitem(resolver.__dict__, "url_patterns", [*resolver.url_patterns, stray])
    with pytest.raises(AssertionError):
        test_every_address_that_takes_a_post_has_a_door_and_every_door_such_an_address()


@pytest.mark.parametrize("door", DOORS, ids=str)
def test_a_door_names_every_field_that_its_page_reads(
    scene: Scene, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: set[str] = set()
    once = QueryDict.__getitem__

    def reading(self: QueryDict, name: str) -> object:
        read.add(name)
        return once(self, name)

    monkeypatch.setattr(QueryDict, "__getitem__", reading)
    monkeypatch.setattr(QueryDict, "__contains__", lambda self, name: read.add(name) or name in self.keys())
    for said in ({}, door.filled(scene)):
        with undone():
            send(scene, door, said)
    files = {name for name, kind in door.fields.items() if isinstance(kind, File)}
    assert read - {"csrfmiddlewaretoken", "key"} == set(door.fields) - files


def test_the_digest_and_the_log_would_tell(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """Negative controls."""
    before = stored()
    with undone():
        Invitation.objects.filter(pk=scene.ids["invitation"]).update(uses_left=7)
        assert stored() != before
    assert stored() == before
    logging.getLogger("anything").warning("somebody typed %s", MARK)
    assert MARK in caplog.text
