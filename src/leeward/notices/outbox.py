"""Where letters go when no mail server is set: kept in the demo for its outbox page, else dropped and said so once."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from leeward.lib import clock

KEPT_MOST = 200


@dataclass(frozen=True)
class Letter:
    to: str
    subject: str
    body: str
    at: str


def letters() -> list[Letter]:
    """The demo's letters, newest first."""
    path = settings.LEEWARD_HOME / "outbox.jsonl"
    if not path.exists():
        return []
    lines = path.read_text().splitlines()[-KEPT_MOST:]
    return [Letter(**json.loads(line)) for line in reversed(lines)]


class OutboxBackend(BaseEmailBackend):
    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        if not settings.LEEWARD_DEMO:
            logging.getLogger("leeward.letters").warning("A letter was not sent: MAIL_URL is not set.")
            return 0
        with (settings.LEEWARD_HOME / "outbox.jsonl").open("a") as out:
            for message in email_messages:
                letter = Letter(", ".join(message.to), str(message.subject), str(message.body), clock.now().isoformat())
                out.write(json.dumps(asdict(letter)) + "\n")
        return len(email_messages)
