"""Reads about people, always for the person themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from leeward.domain.people.models import EntryLink, FormKey, Person, Visit
from leeward.domain.people.rules import FORM_KEY_LASTS, Self
from leeward.lib.fields import keyring
from leeward.lib.statements import Statement

_VISIT: Statement[Visit] = Statement(
    lambda digest, at: Visit.objects.filter(digest=digest, ends_at__gt=at).only("id", "contents")
)
_PERSON: Statement[Person] = Statement(lambda person: Person.objects.filter(pk=person))


def visit_digest(key: str) -> str:
    return keyring().digest(key, "visit")


def visit_contents(key: str, *, at: datetime) -> dict[str, Any] | None:
    """What the visit with this cookie key holds, or None when it ended or never was."""
    visit = _VISIT.first(digest=visit_digest(key), at=at)
    return None if visit is None else visit.contents


def person_of_visit(person: str) -> Person | None:
    """The account that a visit belongs to, for the door that recognises it."""
    return _PERSON.first(person=person)


def language_of(person: str) -> str:
    """In which language letters to somebody are written."""
    return Person.objects.only("id", "language").get(pk=person).language


def self_of_visit(key: str, *, at: datetime) -> Self | None:
    """Whom the visit with this cookie key belongs to, for a door that has no request of the framework."""
    row = Visit.objects.filter(digest=visit_digest(key), ends_at__gt=at).select_related("person").defer("contents")
    visit = row.first()
    if visit is None or visit.person is None or not visit.person.is_active or visit.person.adult_at is None:
        return None
    return ticket_of(visit.person, visit=visit.pk)


def ticket_of(row: Person, *, visit: str = "") -> Self:
    """The ticket of a person whom a door has just recognised."""
    return Self(
        person=row.pk,
        name=row.name,
        language=row.language,
        zone=row.zone,
        quick_exit=row.quick_exit,
        adult=row.adult_at is not None,
        visit=visit,
    )


@dataclass(frozen=True)
class VisitLine:
    id: str
    device: str
    started_at: datetime
    seen_on: date
    this: bool


def visits_of(me: Self, *, key: str | None, at: datetime) -> tuple[VisitLine, ...]:
    """My signed-in devices, this one first."""
    mine = visit_digest(key) if key else ""
    lines = [
        VisitLine(row.id, row.device, row.started_at, row.seen_on, row.digest == mine)
        for row in Visit.objects.filter(person=me.person, ends_at__gt=at).order_by("-started_at").defer("contents")
    ]
    return tuple(sorted(lines, key=lambda line: not line.this))


def answer_given(me: Self, *, key: str, content: str, at: datetime) -> str | None:
    """The answer to a form that this person already sent with this key and content, within 48 h."""
    row = FormKey.objects.filter(person=me.person, key=key, content=content, at__gt=at - FORM_KEY_LASTS).first()
    return None if row is None else row.answer


def person_of_link(token: str, *, at: datetime) -> Person | None:
    """Whom a sign-in link would sign in, or None when it is used up, over, or was never made."""
    row = (
        EntryLink.objects.select_related("person")
        .filter(digest=keyring().digest(token, "entry"), ends_at__gt=at)
        .first()
    )
    if row is None or (row.used_at is not None and not row.reusable) or not row.person.is_active:
        return None
    return row.person


def link_is_reusable(token: str) -> bool:
    """Whether it is a link of the demo's cast."""
    return EntryLink.objects.filter(digest=keyring().digest(token, "entry"), reusable=True).exists()
