"""Writes about people: their account, their visits, the keys of forms they sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q

from leeward.domain.people import queries, rules
from leeward.domain.people.events import DevicesSignedOut, PersonJoined
from leeward.domain.people.models import EntryLink, FormKey, Person, Visit
from leeward.domain.people.rules import Self
from leeward.lib.events import announce
from leeward.lib.fields import keyring
from leeward.lib.ids import new_token
from leeward.lib.refusals import Refusal
from leeward.lib.register import LASTS, Keep
from leeward.lib.tickets import Clock, Operator


@transaction.atomic
def welcome(*, name: str, language: str = "en", zone: str = "UTC", adult: bool = False, at: datetime) -> Person:
    """A new account; the name may follow later. The address belongs to the sign-in library. Raises Refusal."""
    row = Person(
        name=rules.shown_name(name) if name else "",
        language=language,
        zone=zone,
        adult_at=at if adult else None,
        joined_at=at,
    )
    row.set_unusable_password()
    row.save(force_insert=True)
    announce(PersonJoined(person=row.pk, at=at))
    return row


@transaction.atomic
def introduce_myself(
    me: Self, *, name: str, language: str, zone: str, adult: bool, quick_exit: bool = False, at: datetime
) -> None:
    """Name, language, zone and the 18+ statement, which is given once and stays. Raises Refusal."""
    if not (adult or me.adult):
        raise Refusal("adults_only", field="adult", age=rules.ADULT_AGE)
    row = Person.objects.get(pk=me.person)
    row.name = rules.shown_name(name)
    row.language, row.zone, row.quick_exit = language, zone, quick_exit
    row.adult_at = row.adult_at or at
    row.save()


def keep_visit(
    *,
    key: str,
    person: str | None,
    contents: dict[str, Any],
    device: str,
    must_create: bool,
    ends_at: datetime,
    at: datetime,
) -> bool:
    """Store a visit's contents. False when it ended meanwhile (it is never revived) or the key is taken."""
    digest = queries.visit_digest(key)
    if must_create:
        row = Visit(
            digest=digest,
            person_id=person,
            contents=contents,
            device=device,
            started_at=at,
            seen_on=at.date(),
            ends_at=ends_at,
        )
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError:
            return False
        return True
    found = Visit.objects.filter(digest=digest, ends_at__gt=at).first()
    if found is None:
        return False
    found.person_id, found.contents, found.ends_at, found.seen_on = person, contents, ends_at, at.date()
    found.device = device or found.device
    found.save(force_update=True)
    return True


@transaction.atomic
def end_visit_by_key(*, key: str, at: datetime) -> None:
    """Sign out the device with this cookie key: the page's own way."""
    row = Visit.objects.filter(digest=queries.visit_digest(key)).only("id", "person").first()
    if row is None:
        return
    row.delete()
    if row.person_id is not None:
        announce(DevicesSignedOut(person=row.person_id, number=1, at=at))


@transaction.atomic
def end_visit(me: Self, *, visit: str, at: datetime) -> None:
    """Sign one of my devices out. Ending one that is gone changes nothing."""
    number, _ = Visit.objects.filter(pk=visit, person=me.person).delete()
    if number:
        announce(DevicesSignedOut(person=me.person, number=number, at=at))


@transaction.atomic
def end_visits(me: Self, *, but_key: str | None, at: datetime) -> int:
    """Sign out all my devices, less the one with `but_key`. Returns how many."""
    rows = Visit.objects.filter(person=me.person)
    if but_key:
        rows = rows.exclude(digest=queries.visit_digest(but_key))
    number, _ = rows.delete()
    announce(DevicesSignedOut(person=me.person, number=number, at=at))
    return number


def forget_old_visits(*, at: datetime) -> int:
    number, _ = Visit.objects.filter(ends_at__lte=at).delete()
    return number + FormKey.objects.filter(at__lte=at - rules.FORM_KEY_LASTS).delete()[0]


def once(me: Self, *, key: str, content: str, do: Callable[[], str], at: datetime) -> str:
    """Run `do` unless this person sent this form with this content within 48 h: then give the first answer.

    `do` and the key share one transaction: two clicks at once have one effect.
    """
    given = queries.answer_given(me, key=key, content=content, at=at)
    if given is not None:
        return given
    try:
        with transaction.atomic():
            FormKey.objects.filter(
                person=me.person, key=key, content=content, at__lte=at - rules.FORM_KEY_LASTS
            ).delete()
            row = FormKey.objects.create(person_id=me.person, key=key, content=content, answer="", at=at)
            row.answer = do()
            row.save(update_fields=["answer"])
    except IntegrityError:
        given = queries.answer_given(me, key=key, content=content, at=at)
        if given is None:
            raise
        return given
    return row.answer


@transaction.atomic
def forget_unanswered_accounts(_by: Clock, *, at: datetime) -> int:
    """Accounts that somebody began and nobody introduced themselves in, after a day. Returns how many."""
    begun = Person.objects.filter(adult_at=None, joined_at__lte=at - rules.INTRODUCTION_LASTS)
    waiting = EntryLink.objects.filter(person=OuterRef("pk"), ends_at__gt=at)
    return begun.filter(~Exists(waiting)).delete()[1].get("people.Person", 0)


def forget_ended_links(_by: Clock, *, at: datetime) -> int:
    """Sign-in links are forgotten seven days after they ended or were used. Returns how many."""
    long_ago = at - LASTS[Keep.DAYS_7_AFTER]
    ended = Q(ends_at__lte=long_ago) | Q(used_at__lte=long_ago, reusable=False)
    return EntryLink.objects.filter(ended).delete()[0]


def make_entry_link(_by: Operator, *, person: str, lasts: timedelta, reusable: bool = False, at: datetime) -> str:
    """A token that signs `person` in once within `lasts` (again and again when `reusable`: the demo's cast only)."""
    token = new_token()
    EntryLink.objects.create(
        person_id=person, digest=keyring().digest(token, "entry"), reusable=reusable, ends_at=at + lasts
    )
    return token


@transaction.atomic
def use_entry_link(*, token: str, at: datetime) -> Person | None:
    """The person whom the link signs in; the link is used up by it."""
    person = queries.person_of_link(token, at=at)
    if person is None:
        return None
    taken = EntryLink.objects.filter(digest=keyring().digest(token, "entry"))
    if not taken.filter(reusable=True).update(used_at=at) and not taken.filter(used_at=None).update(used_at=at):
        return None
    return person
