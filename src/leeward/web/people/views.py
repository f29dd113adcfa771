"""Signing in by code, link or passkey; introducing oneself; one's account and devices."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from allauth.account.internal.flows.login import get_authentication_records, perform_login, record_authentication
from allauth.account.internal.flows.login_by_code import LoginCodeVerificationProcess
from allauth.account.internal.stagekit import clear_login, get_pending_stage
from allauth.account.models import EmailAddress, Login
from allauth.account.utils import filter_users_by_email
from allauth.core import ratelimit
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import AddWebAuthnForm, LoginWebAuthnForm
from allauth.mfa.webauthn.internal import auth as webauthn
from allauth.mfa.webauthn.internal import flows as passkeys
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from leeward.domain.people import actions, queries
from leeward.domain.people.queries import VisitLine
from leeward.lib import clock
from leeward.lib.refusals import NotHere
from leeward.notices import letters as post
from leeward.notices import outbox
from leeward.web import languages, tickets
from leeward.web.forms import Form, page
from leeward.web.people.devices import device_name
from leeward.web.people.forms import AboutMeForm, AddressForm, CodeForm, IntroduceForm

LOOPBACK = ("127.0.0.1", "::1")


# Signing in --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SignInPage:
    """`invited` when an invitation waits for the sign-in; `letters` when a code can be sent."""

    form: AddressForm
    invited: bool
    letters: bool


def sign_in(request: HttpRequest) -> HttpResponse:
    """Asks for the address and mails a code. Known and unknown addresses get the same answer.

    Where no letters are sent, nothing is made of an address: the page says whom to ask for a link.
    """
    if tickets.recognised(request):
        return redirect("arrived")
    posts = post.are_sent()
    form = AddressForm(request if posts else None)
    if form.sent():
        address = form.cleaned_data["email"].strip().lower()
        if not ratelimit.consume(request, action="request_login_code", key=address):
            form.add_error("email", _("That was often. Please wait a few minutes, then ask for a new code."))
        else:
            clear_login(request)
            LoginCodeVerificationProcess.initiate(request=request, user=_account_of(address), email=address)
            return redirect("sign_in_code")
    return page(request, "people/sign_in.html", SignInPage(form, "pending" in request.session, posts), form=form)


def _account_of(address: str) -> Any:
    """The account with this address; a new one, which is forgotten after a day unless the code comes back."""
    known = filter_users_by_email(address, is_active=True, prefer_verified=True)
    if known:
        return known[0]
    made = actions.welcome(name="", language=languages.spoken(translation.get_language()), at=clock.now())
    EmailAddress.objects.create(user=made, email=address, verified=False, primary=True)
    return made


@dataclass(frozen=True)
class CodePage:
    form: CodeForm
    address: str


def sign_in_code(request: HttpRequest) -> HttpResponse:
    """Takes the code. After three wrong ones a new code is needed."""
    stage = get_pending_stage(request)
    process = LoginCodeVerificationProcess.resume(stage) if stage and stage.key == "login_by_code" else None
    if process is None:
        return redirect("arrived" if tickets.recognised(request) else "sign_in")
    form = CodeForm(request)
    if form.sent():
        if _same_code(form.cleaned_data["code"], process.code):
            answer: HttpResponse = process.finish(None)
            return answer
        if not process.record_invalid_attempt():
            messages.info(request, _("That was not the code, three times. Please ask for a new one."))
            return redirect("sign_in")
        form.add_error("code", _("That is not the code. Is it the newest letter?"))
    return page(request, "people/code.html", CodePage(form, process.state["email"]), form=form)


def _same_code(typed: str, code: str) -> bool:
    plain = "".join(c for c in typed if c.isalnum()).upper()
    return bool(code) and plain == "".join(c for c in code if c.isalnum()).upper()


@dataclass(frozen=True)
class EnterPage:
    token: str
    form: Form


def enter(request: HttpRequest, token: str) -> HttpResponse:
    """A link that signs in. A one-time link asks for a tap first: mail programs open links by themselves."""
    person = queries.person_of_link(token, at=clock.now())
    if person is None:
        raise NotHere
    if request.method != "POST" and not queries.link_is_reusable(token):
        return page(request, "people/enter.html", EnterPage(token, Form()))
    of_the_demo = queries.link_is_reusable(token)
    signed = actions.use_entry_link(token=token, at=clock.now())
    if signed is None:
        raise NotHere
    if request.user.is_authenticated:
        logout(request)
    record_authentication(request, signed, method="link")
    request.session["passkey_offered"] = of_the_demo
    answer: HttpResponse = perform_login(request, Login(user=signed))
    return answer


def passkey_challenge(request: HttpRequest) -> HttpResponse:
    """What the browser signs with a passkey to sign in."""
    return JsonResponse(webauthn.begin_authentication(user=None))


@require_POST
def passkey_sign_in(request: HttpRequest) -> HttpResponse:
    if tickets.recognised(request):
        return redirect("arrived")
    form = LoginWebAuthnForm(data=request.POST)
    try:
        well = ratelimit.consume(request, action="login") and form.is_valid()
    except (ValidationError, ValueError, KeyError, TypeError, RecursionError):
        well = False
    if not well:
        messages.info(request, _("That passkey is not known here. Sign in with your address instead."))
        return redirect("sign_in")
    found = form.cleaned_data["credential"]
    request.session["passkey_offered"] = True
    answer: HttpResponse = passkeys.perform_passwordless_login(request, found, Login(user=found.user))
    return answer


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return redirect("front")


# Arriving ----------------------------------------------------------------------------------------------------------


def arrived(request: HttpRequest) -> HttpResponse:
    """Where every sign-in ends: introduce yourself, perhaps a passkey, then what you came for."""
    me = tickets.recognised(request)
    if me is None:
        return redirect("sign_in")
    request.session.setdefault("device", device_name(request.headers.get("User-Agent", "")))
    if not me.adult:
        return redirect("introduce")
    if not request.session.get("passkey_offered"):
        request.session["passkey_offered"] = True
        if not Authenticator.objects.filter(user_id=me.person).exists():
            return redirect("add_passkey")
    return redirect(request.session.pop("pending", None) or "home")


@dataclass(frozen=True)
class IntroducePage:
    form: IntroduceForm


def introduce(request: HttpRequest) -> HttpResponse:
    me = tickets.recognised(request)
    if me is None:
        return redirect("sign_in")
    if me.adult:
        return redirect("arrived")
    form = IntroduceForm(request, me)
    if form.sent():
        with form.refusing():
            actions.introduce_myself(me, **form.facts(), at=clock.now())
            return redirect("arrived")
    return page(request, "people/introduce.html", IntroducePage(form), form=form)


# My account --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Passkey:
    id: int
    made_at: datetime


@dataclass(frozen=True)
class AccountPage:
    form: AboutMeForm
    addresses: tuple[str, ...]
    passkeys: tuple[Passkey, ...]
    visits: tuple[VisitLine, ...]


@tickets.signed_in
def account(request: HttpRequest) -> HttpResponse:
    me = tickets.me(request)
    form = AboutMeForm(request, me)
    if form.sent():
        with form.refusing():
            actions.introduce_myself(me, **form.facts(), adult=True, at=clock.now())
            messages.success(request, _("Saved."))
            return redirect("account")
    shown = AccountPage(
        form=form,
        addresses=tuple(EmailAddress.objects.filter(user_id=me.person).values_list("email", flat=True)),
        passkeys=_passkeys(me.person),
        visits=queries.visits_of(me, key=request.session.session_key, at=clock.now()),
    )
    return page(request, "people/account.html", shown, form=form)


def _passkeys(person: str) -> tuple[Passkey, ...]:
    rows = Authenticator.objects.filter(user_id=person, type=Authenticator.Type.WEBAUTHN).order_by("created_at")
    return tuple(Passkey(row.pk, row.created_at) for row in rows.only("id", "created_at"))


@dataclass(frozen=True)
class AddPasskeyPage:
    """`options` is what the browser needs to make a passkey, as JSON."""

    options: str
    wrong: bool


@tickets.signed_in
def add_passkey(request: HttpRequest) -> HttpResponse:
    """A passkey is made or removed only soon after signing in."""
    tickets.me(request)
    if not _signed_in_lately(request):
        return _again(request)
    user: Any = request.user
    wrong = False
    if request.method == "POST":
        form = AddWebAuthnForm(data={"credential": request.POST.get("credential", ""), "passwordless": "on"}, user=user)
        try:
            wrong = not form.is_valid()
        except (ValueError, KeyError, TypeError, RecursionError):
            wrong = True
        if not wrong:
            passkeys.add_authenticator(request, name="", credential=form.cleaned_data["credential"])
            messages.success(request, _("From now on a tap signs you in on this device."))
            return redirect("arrived")
    options = json.dumps(webauthn.begin_registration(user, passwordless=True))
    return page(request, "people/add_passkey.html", AddPasskeyPage(options, wrong))


@require_POST
def remove_passkey(request: HttpRequest, passkey: int) -> HttpResponse:
    me = tickets.me(request)
    found = Authenticator.objects.filter(pk=passkey, user_id=me.person).first()
    if found is None:
        raise NotHere
    if not _signed_in_lately(request):
        return _again(request)
    passkeys.remove_authenticator(request, found)
    messages.success(request, _("The passkey is gone. A code by letter signs you in."))
    return redirect("account")


def _signed_in_lately(request: HttpRequest) -> bool:
    """Within the last five minutes. (The library's own check lets those pass who have no passkey yet.)"""
    user: Any = request.user
    moments = [record["at"] for record in get_authentication_records(request, user)]
    return bool(moments) and time.time() - max(moments) < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT


def _again(request: HttpRequest) -> HttpResponse:
    return page(request, "people/again.html", None)


@require_POST
def sign_in_again(request: HttpRequest) -> HttpResponse:
    """Out, and in again: what needs a fresh sign-in comes after."""
    logout(request)
    request.session["pending"] = "/account/"
    return redirect("sign_in")


@require_POST
def end_visit(request: HttpRequest, visit: str) -> HttpResponse:
    actions.end_visit(tickets.me(request), visit=visit, at=clock.now())
    messages.success(request, _("That device is signed out."))
    return redirect("account")


@require_POST
def end_visits(request: HttpRequest) -> HttpResponse:
    """Every device, this one too."""
    actions.end_visits(tickets.me(request), but_key=None, at=clock.now())
    request.session.flush()
    return redirect("front")


# The demo's letters ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OutboxPage:
    letters: tuple[outbox.Letter, ...]


@require_safe
def letters(request: HttpRequest) -> HttpResponse:
    """The demo's letters, for whoever sits at the machine that runs it. Nowhere else is there such a page."""
    if not settings.LEEWARD_DEMO or request.META.get("REMOTE_ADDR") not in LOOPBACK:
        raise NotHere
    return page(request, "people/outbox.html", OutboxPage(tuple(outbox.letters())))
