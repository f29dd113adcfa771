"""Our side of the sign-in library: its letters in our words, none of its messages, a passkey as good as a code."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.mfa.adapter import DefaultMFAAdapter
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest
from django.urls import reverse

from leeward.domain.people import queries as people
from leeward.notices import letters


class Recognition(AuthenticationBackend):
    """Who a visit belongs to."""

    def get_user(self, user_id: str) -> Any:
        found = people.person_of_visit(user_id)
        return found if found is not None and self.user_can_authenticate(found) else None


class AccountAdapter(DefaultAccountAdapter):
    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """The one letter the library sends. Raises LookupError for any other: a new one needs words of ours first."""
        if template_prefix != "account/email/login_code":
            raise LookupError(template_prefix)
        letters.send_code(email, code=context["code"])

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """The pages say what happened; the library says nothing."""

    def get_login_stages(self) -> list[str]:
        """A passkey signs in by itself, and so does a code: neither asks for the other."""
        return ["allauth.account.stages.LoginByCodeStage", "allauth.account.stages.EmailVerificationStage"]

    def is_reauthentication_required(self, **_which: str) -> bool:
        """Never by the library, whose pages for it we do not have: `views._signed_in_lately` stands before each change
        and asks for a fresh sign-in, by passkey or code."""
        return False

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return reverse("arrived")


class PasskeyAdapter(DefaultMFAAdapter):
    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return super().get_public_key_credential_rp_entity() | {"name": "Leeward"}

    def get_public_key_credential_user_entity(self, user: AbstractBaseUser) -> dict[str, Any]:
        """What the device shows beside the passkey: the person's chosen name, never the address."""
        name = getattr(user, "name", "") or "Leeward"
        return super().get_public_key_credential_user_entity(user) | {"name": name, "display_name": name}

    def generate_authenticator_name(self, user: AbstractBaseUser, type: Any) -> str:
        """Passkeys carry no label: what somebody calls their devices is not kept."""
        return ""
