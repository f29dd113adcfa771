"""Signing in, introducing oneself, the account, its devices."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.conf import LazySettings
from django.core import mail
from django.test import Client
from django.urls import NoReverseMatch, reverse

from leeward.domain.people import actions
from leeward.domain.people.models import EntryLink, Person, Visit
from leeward.lib.tickets import Clock, Operator
from leeward.web.people.devices import device_name
from leeward.web.people.entry import account_for, entry_link
from tests.cast import NOW, a_person
from tests.visitor import Visitor
from tests.web.signing import signed_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _letters(settings: LazySettings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


def code() -> str:
    found = re.search(r"code is (\S+)", str(mail.outbox[-1].body))
    assert found
    return found[1]


def asked(email: str = "ana@example.org") -> Visitor:
    return Visitor().open("/sign-in/").press("Send me a code", email=email)


def test_a_code_signs_in_once_and_the_first_time_asks_who_one_is() -> None:
    me = asked("Ana@Example.org")
    me.press("Sign in", code=code())
    assert me.path == "/welcome/"
    me.press("Go on", name="Ana", zone="Europe/Berlin", adult="on")
    assert me.path == "/account/passkey/"
    assert me.follow("Not now").path == "/home/"
    assert [row.email for row in EmailAddress.objects.all()] == ["ana@example.org"]


def test_nothing_opens_before_one_has_introduced_oneself() -> None:
    me = asked()
    me.press("Sign in", code=code())
    for path in ("/home/", "/found/", "/account/", "/bring/", "/g/0000000000000000/"):
        assert me.open(path).path == "/welcome/"


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"name": "Ana", "adult": None}, "18 and over"),
        ({"name": "", "adult": "on"}, "Please fill this in"),
        ({"name": "  ", "adult": "on"}, "Please fill this in"),
        ({"name": "x" * 41, "adult": "on"}, "40 characters"),
        ({"name": "_x", "adult": "on"}, "start the name with a letter"),
        ({"name": "A\x00na", "adult": "on"}, ""),
        ({"name": "Ana", "zone": "Mars/Olympus", "adult": "on"}, ""),
    ],
)
def test_what_cannot_be_is_said_beside_its_field_and_kept(typed: dict[str, str | None], words: str) -> None:
    me = asked()
    me.press("Sign in", code=code())
    me.press("Go on", status=422, **({"zone": "Europe/Berlin"} | typed))
    assert words in me.text
    assert Person.objects.get().adult_at is None
    assert "error" in me.html


@pytest.mark.parametrize(
    "email", ["", "ana", "ana@", "a@b", "x" * 300 + "@example.org", "ana@exa mple.org", "\x00@x.org"]
)
def test_odd_addresses_are_refused_and_make_nothing(email: str) -> None:
    Visitor().open("/sign-in/").press("Send me a code", email=email, status=422)
    assert (Person.objects.count(), len(mail.outbox)) == (0, 0)


def test_known_and_unknown_addresses_get_the_same_answer() -> None:
    a_person("Ana", address="known@example.org")
    known, unknown = asked("known@example.org"), asked("unknown@example.org")
    token = re.compile(r'value="[^"]+"')
    plain = [token.sub("", me.html).replace("unknown@", "known@") for me in (known, unknown)]
    assert plain[0] == plain[1]
    bodies = {re.sub(r"code is \S+", "", str(letter.body)) for letter in mail.outbox}
    assert (len(mail.outbox), len(bodies)) == (2, 1)


def test_where_no_letters_are_sent_the_page_says_so_and_makes_nothing_of_an_address(settings: LazySettings) -> None:
    settings.LEEWARD_SENDS_MAIL = False
    a_person("Ana", address="known@example.org")
    page = Visitor().open("/sign-in/")
    assert "This server sends no letters yet. Ask whoever runs it for a link" in page.text
    assert "Sign in with a passkey" in page.text
    answers = [
        Client().post("/sign-in/", {"email": address}) for address in ("known@example.org", "unknown@example.org")
    ]
    assert [(answer.status_code, b"We sent it" in answer.content) for answer in answers] == [(200, False)] * 2
    token = re.compile(rb'value="[^"]+"')
    assert len({token.sub(b"", answer.content) for answer in answers}) == 1
    assert (Person.objects.count(), mail.outbox) == (1, [])
    settings.LEEWARD_DEMO = True
    assert asked("new@example.org").path == "/sign-in/code/"


def test_three_wrong_codes_need_a_new_one() -> None:
    me = asked()
    right = code()
    for _try in range(2):
        me.press("Sign in", code="WRONG1", status=422)
    me.press("Sign in", code="WRONG1")
    assert me.path == "/sign-in/"
    assert me.open("/sign-in/code/").path == "/sign-in/"
    assert right


def test_a_code_works_on_the_device_that_asked_and_for_15_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    me, thief = asked(), Visitor()
    thief.open("/sign-in/code/")
    assert thief.path == "/sign-in/"
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 15 * 60 + 1)
    assert me.open("/sign-in/code/").path == "/sign-in/"


def test_asking_again_and_again_is_slowed_down() -> None:
    answers = [Visitor().open("/sign-in/") for _ in range(5)]
    statuses = [me.client.post("/sign-in/", {"email": "ana@example.org", "key": ""}).status_code for me in answers]
    assert statuses[:3] == [302, 302, 302]
    assert statuses[-1] == 422
    assert len(mail.outbox) < 5


def test_accounts_that_nobody_finished_are_forgotten_after_a_day() -> None:
    asked("stray@example.org")
    kept = a_person("Ana")
    begun = Person.objects.get(adult_at=None)
    assert actions.forget_unanswered_accounts(Clock(), at=begun.joined_at + timedelta(hours=23)) == 0
    assert actions.forget_unanswered_accounts(Clock(), at=begun.joined_at + timedelta(hours=24)) == 1
    assert [row.pk for row in Person.objects.all()] == [kept.person]


def test_there_are_no_passwords() -> None:
    for name in ("account_reset_password", "account_change_password", "account_set_password", "account_signup"):
        with pytest.raises(NoReverseMatch):
            reverse(name)
    nothing = Client().get("/nowhere/").content
    for path in ("/accounts/password/reset/", "/accounts/login/", "/accounts/signup/", "/sign-in/password/"):
        assert Client().get(path).content == nothing


# Links that sign in --------------------------------------------------------------------------------------------------


def test_a_link_signs_in_once_and_only_after_a_tap(clock_at: Callable[[datetime], None]) -> None:
    clock_at(NOW)
    link = account_for(Operator(), address="ana@example.org", lasts=timedelta(days=7), at=NOW)
    path = "/enter/" + link.rsplit("/enter/", 1)[1]
    for _program in range(3):
        assert Client().get(path).status_code == 200
    assert Client().head(path).status_code == 200
    assert EntryLink.objects.get().used_at is None
    assert Visitor().open(path).press("Come in").path == "/welcome/"
    assert Client().get(path).status_code == 404
    assert Client().post(path).status_code == 404


def test_after_a_one_time_link_a_passkey_is_offered_and_after_a_link_of_the_demo_none() -> None:
    me = a_person("Ana")
    for reusable, path in ((False, "/account/passkey/"), (True, "/home/")):
        link = entry_link(
            Operator(), person=me.person, lasts=timedelta(hours=1), reusable=reusable, at=datetime.now(UTC)
        )
        visitor = Visitor().open("/enter/" + link.rsplit("/enter/", 1)[1])
        assert (visitor if reusable else visitor.press("Come in")).path == path
    assert Visitor(visitor.client).open("/arrived/").path == "/home/"


def test_an_old_link_is_nowhere(clock_at: Callable[[datetime], None]) -> None:
    me = a_person("Ana")
    link = entry_link(Operator(), person=me.person, lasts=timedelta(hours=1), at=NOW)
    clock_at(NOW + timedelta(hours=1))
    assert Client().get("/enter/" + link.rsplit("/enter/", 1)[1]).status_code == 404


# The account ---------------------------------------------------------------------------------------------------------


def test_devices_are_listed_and_ended_one_by_one_and_all_at_once() -> None:
    me = a_person("Ana")
    here, phone, old = (Visitor(signed_in(me)) for _ in range(3))
    here.open("/account/")
    assert here.html.count("Sign it out") == 2
    here.press("Sign it out")
    assert Visit.objects.filter(person=me.person).count() == 2
    still = [visitor for visitor in (phone, old) if "Hello" in visitor.open("/home/").text]
    assert len(still) == 1
    here.open("/account/").press("Sign out everywhere")
    assert Visit.objects.filter(person=me.person).count() == 0
    for visitor in (here, phone, old):
        assert visitor.open("/home/").path == "/sign-in/"


def test_nobody_ends_anothers_device_or_passkey() -> None:
    ana, gus = a_person("Ana"), a_person("Gus")
    signed_in(ana)
    visit = Visit.objects.get(person=ana.person)
    key = Authenticator.objects.create(user_id=ana.person, type="webauthn", data={})
    client = signed_in(gus)
    client.post(f"/account/devices/{visit.pk}/end/")
    assert Visit.objects.filter(pk=visit.pk).exists()
    assert client.post(f"/account/passkey/{key.pk}/removal/").status_code == 404
    assert Authenticator.objects.filter(pk=key.pk).exists()


def test_a_passkey_needs_a_fresh_sign_in() -> None:
    me = Visitor(signed_in(a_person("Ana")))  # a session without a record of when it was signed in
    assert "Is it you?" in me.open("/account/passkey/").text
    me.press("Sign in again")
    assert me.path == "/sign-in/"


@pytest.mark.parametrize("credential", ["", "{}", "[]", "null", '{"id": 1}', "x" * 10_000, '{"id":"x","response":{}}'])
def test_a_made_up_passkey_signs_nobody_in(credential: str) -> None:
    client = Client()
    client.get("/sign-in/passkey/challenge/")
    answer = client.post("/sign-in/passkey/", {"credential": credential})
    assert (answer.status_code, answer["Location"]) == (302, "/sign-in/")


@pytest.mark.parametrize("credential", ["", "{}", "[]", "null", '{"id": 1}', '{"id":"x","response":{}}'])
def test_a_made_up_passkey_is_not_kept(credential: str) -> None:
    me = asked()
    me.press("Sign in", code=code())
    me.press("Go on", name="Ana", zone="Europe/Berlin", adult="on")
    assert me.client.post("/account/passkey/", {"credential": credential}).status_code == 200
    assert Authenticator.objects.count() == 0


def test_a_name_and_a_zone_can_be_changed() -> None:
    me = Visitor(signed_in(a_person("Ana"))).open("/account/")
    me.press("Save", name="Anna", zone="Asia/Kathmandu", quick_exit="on")
    row = Person.objects.get()
    assert (row.name, row.zone, row.quick_exit) == ("Anna", "Asia/Kathmandu", True)
    assert "Leave fast" in me.text


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (Android 14; Mobile; rv:130.0) Gecko/130.0 Firefox/130.0", "Firefox, Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Safari/604.1",
         "Safari, iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/128.0 Safari/537.36 Edg/128.0",
         "Edge, Windows"),
        ("curl/8", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_a_device_is_a_kind_of_browser_and_a_system(agent: str, name: str) -> None:
    assert device_name(agent) == name
