"""A passkey in a real browser, with a virtual authenticator: offered after the code, used from then on."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.core import mail

from tests.browser.conftest import Person

pytestmark = pytest.mark.browser


def with_authenticator(me: Person) -> Person:
    """The device can make passkeys, and its owner always says yes."""
    session = me.context.new_cdp_session(me.page)
    session.send("WebAuthn.enable")
    session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
                "isUserVerified": True, "automaticPresenceSimulation": True,
            }
        },
    )  # fmt: skip
    return me


def signs_in_by_code(me: Person) -> None:
    me.open("/sign-in/").press("Send me a code", email="ana@example.org")
    code = re.search(r"code is (\S+)", str(mail.outbox[-1].body))
    assert code
    me.press("Sign in", code=code[1])


def test_a_passkey_is_offered_after_the_code_and_signs_in_from_then_on(somebody: Callable[..., Person]) -> None:
    ana = with_authenticator(somebody())
    signs_in_by_code(ana)
    ana.press("Go on", name="Ana", zone="Europe/Berlin", adult="on")
    assert ana.page.url.endswith("/account/passkey/")
    ana.press("Make a passkey on this device")
    assert ana.page.url.endswith("/home/")
    letters = len(mail.outbox)

    ana.follow("My account").press("Sign out here")
    ana.open("/sign-in/").press("Sign in with a passkey")
    assert "Hello Ana" in ana.text
    assert len(mail.outbox) == letters
    ana.follow("My account").press("Remove it")
    assert "The passkey is gone" in ana.text
    ana.press("Sign out here")
    ana.open("/sign-in/").press("Sign in with a passkey")
    assert "not known here" in ana.text
    ana.calm()


def test_ending_all_devices_ends_the_other_one_at_its_next_tap(somebody: Callable[..., Person]) -> None:
    phone, desk = somebody(), somebody()
    signs_in_by_code(phone)
    phone.press("Go on", name="Ana", zone="Europe/Berlin", adult="on").follow("Not now")
    signs_in_by_code(desk)
    desk.follow("Not now").follow("My account")
    assert desk.text.count("Sign it out") == 1
    desk.press("Sign out everywhere")
    phone.open("/home/")
    assert phone.page.url.endswith("/sign-in/")
    desk.open("/home/")
    assert desk.page.url.endswith("/sign-in/")
