"""Sign-in links that an operator hands out: for the demo's cast, and for people where no letters are sent yet."""

from __future__ import annotations

from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.urls import reverse

from leeward.domain.people import actions
from leeward.lib.refusals import Refusal
from leeward.lib.tickets import Operator
from leeward.notices import letters
from leeward.notices.letters import Letter


def entry_link(operator: Operator, *, person: str, lasts: timedelta, reusable: bool = False, at: datetime) -> str:
    token = actions.make_entry_link(operator, person=person, lasts=lasts, reusable=reusable, at=at)
    return f"{settings.PUBLIC_URL}{reverse('enter', args=[token])}"


@transaction.atomic
def account_for(operator: Operator, *, address: str, lasts: timedelta, at: datetime) -> str:
    """A link that signs in whoever has `address`; the account is made when there is none. Mailed when mail is set up.

    Raises Refusal("address_unreadable").
    """
    try:
        validate_email(address)
    except ValidationError:
        raise Refusal("address_unreadable", field="address") from None
    known = EmailAddress.objects.filter(email__iexact=address, verified=True).first()
    if known is not None:
        person = known.user_id
    else:
        person = actions.welcome(name="", at=at).pk
        EmailAddress.objects.create(user_id=person, email=address.lower(), verified=True, primary=True)
    link = entry_link(operator, person=str(person), lasts=lasts, at=at)
    if settings.LEEWARD_SENDS_MAIL:
        letters.send(address, Letter.SIGN_IN, link=link)
    return link
