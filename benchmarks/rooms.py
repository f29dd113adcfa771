"""A home full of open rooms with twelve people in each, and what they watch with. `benchmarks.fill` runs it."""

from __future__ import annotations

import secrets
import string
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.core.management import call_command
from django.db import connection, transaction

from benchmarks.world import Lived, Rows
from leeward.domain.groups import queries as groups
from leeward.domain.people import actions as people
from leeward.domain.people import queries as people_queries
from leeward.domain.people.models import Person
from leeward.domain.room import actions as room
from leeward.domain.room.rules import Move
from leeward.domain.safety import actions as safety
from leeward.lib.tickets import Operator
from leeward.web.assets import gather

SEATS = 12
AGENDA = (("experience", 50), ("commitment", 10))  # one long block: no clock moves anything while it is measured


def _visit(person: Person, *, at: datetime) -> dict[str, str]:
    """A signed-in device: its cookies as a header, and what its forms carry."""
    key = "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(32))
    form = "".join(secrets.choice(string.ascii_letters) for _ in range(32))
    contents = {
        SESSION_KEY: person.pk,
        BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],
        HASH_SESSION_KEY: person.get_session_auth_hash(),
    }
    people.keep_visit(
        key=key, person=person.pk, contents=contents, device="", must_create=True, ends_at=at + timedelta(days=60),
        at=at,
    )  # fmt: skip
    return {"cookies": f"{settings.SESSION_COOKIE_NAME}={key}; {settings.CSRF_COOKIE_NAME}={form}", "form": form}


def _entered(lived: Lived, *, at: datetime) -> dict[str, Any]:
    """Everybody comes in, the lead starts: all by the rules' own doors."""
    tickets = [groups.member(people_queries.ticket_of(who), group=lived.group.pk, at=at) for who in lived.people]
    for ticket in tickets:
        room.open_room(ticket, meeting=lived.next.pk, at=at)
    lead = next(ticket for ticket in tickets if ticket.membership == lived.next.lead_id)
    room.move(lead, meeting=lived.next.pk, move=Move.START, at=at)
    return {
        "group": lived.group.pk,
        "meeting": lived.next.pk,
        "people": [_visit(who, at=at) for who in lived.people],
    }


def make(number: int) -> list[dict[str, Any]]:
    """Fill the home with `number` groups of twelve whose meeting begins in five minutes and whose room runs already."""
    now = datetime.now(UTC)
    call_command("migrate", verbosity=0, interactive=False)
    gather()
    safety.write_example_lines(Operator(), at=now)
    rows = Rows()
    made = [
        Lived(rows, place, size=SEATS, held=1, now=now, next_in=timedelta(minutes=5), agenda=AGENDA)
        for place in range(number)
    ]
    rows.write()
    found = []
    for lived in made:
        with transaction.atomic():
            found.append(_entered(lived, at=now))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return found
