"""Letters: a closed list of kinds, each with a neutral subject and a few plain words around one link.

A subject or a body never names a group, a person, a place, or anything about stress (TRUST §4).
"""

from __future__ import annotations

import enum

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Letter(enum.StrEnum):
    INVITATION = "invitation"
    SEAT = "seat"
    SIGN_IN = "sign_in"


SUBJECTS: dict[Letter, Promise] = {
    Letter.INVITATION: _("An invitation"),
    Letter.SEAT: _("News for you"),
    Letter.SIGN_IN: _("Your way in"),
}

BODIES: dict[Letter, Promise] = {
    Letter.INVITATION: _(
        "Hello,\n\nsomebody you know has sent you an invitation. You can read what it is about here:\n\n%(link)s\n\n"
        "Opening it does nothing yet. It works for 7 days and is meant for this address only.\n"
        "If you did not expect this letter, you can leave it."
    ),
    Letter.SEAT: _(
        "Hello,\n\nsomething you are waiting for has come up. Please look within 48 hours:\n\n%(link)s\n\n"
        "If it does not suit you any more, you can leave this letter."
    ),
    Letter.SIGN_IN: _(
        "Hello,\n\nthis link signs you in, once, within 7 days:\n\n%(link)s\n\n"
        "If you did not expect this letter, you can leave it."
    ),
}


CODE_SUBJECT = _("Your code")
CODE_BODY = _(
    "Hello,\n\nyour code is %(code)s\n\nIt works for 15 minutes, on the device where you asked for it.\n"
    "If you did not ask for it, you can leave this letter: nothing happens without the code."
)


def are_sent() -> bool:
    """Whether letters reach anybody: by mail, or on the demo's own page."""
    return bool(settings.LEEWARD_SENDS_MAIL or settings.LEEWARD_DEMO)


def send(to: str, kind: Letter, link: str) -> None:
    """Send after the transaction commits; `link` is a path or a full address. A mail server that is down costs the
    letter only."""
    address = link if link.startswith("http") else f"{settings.PUBLIC_URL}{link}"
    message = EmailMessage(subject=str(SUBJECTS[kind]), body=str(BODIES[kind]) % {"link": address}, to=[to])
    transaction.on_commit(lambda: _post(message), robust=True)


def send_code(to: str, *, code: str) -> None:
    """The code that signs in. The one letter without a link."""
    message = EmailMessage(subject=str(CODE_SUBJECT), body=str(CODE_BODY) % {"code": code}, to=[to])
    transaction.on_commit(lambda: _post(message), robust=True)


def _post(message: EmailMessage) -> None:
    message.send()
