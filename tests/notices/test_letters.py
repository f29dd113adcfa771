"""Letters through a real SMTP server: after the commit, in neutral words, and never in the way of a page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from email.message import Message
from email.parser import BytesParser
from email.policy import default

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import AsyncMessage
from allauth.account.models import EmailAddress
from django.conf import LazySettings
from django.db import transaction
from django.test import Client

from leeward.domain.groups import actions as groups
from leeward.domain.groups.models import Group, Waiting
from leeward.domain.groups.rules import Member
from leeward.domain.people.rules import Self
from leeward.lib.tickets import Clock
from leeward.notices import letters
from leeward.notices.letters import BODIES, SUBJECTS, Letter
from tests.cast import NOW, a_person, address_of, harbour
from tests.servers import free_port
from tests.web.signing import signed_in

pytestmark = pytest.mark.django_db(transaction=True)


class Postbox(AsyncMessage):
    def __init__(self) -> None:
        super().__init__()
        self.letters: list[Message] = []

    async def handle_message(self, message: Message) -> None:
        self.letters.append(BytesParser(policy=default).parsebytes(bytes(message)))


@pytest.fixture
def postbox(settings: LazySettings) -> Iterator[Postbox]:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", free_port(), 5
    box = Postbox()
    server = Controller(box, hostname="127.0.0.1", port=settings.EMAIL_PORT)
    server.start()
    yield box
    server.stop()


def test_a_letter_leaves_when_the_transaction_commits(postbox: Postbox) -> None:
    with transaction.atomic():
        letters.send("ana@example.org", Letter.SEAT, "/home/")
        assert postbox.letters == []
    [letter] = postbox.letters
    assert (letter["to"], letter["subject"]) == ("ana@example.org", "News for you")
    assert "/home/" in letter.get_content()  # type: ignore[attr-defined]


def test_what_is_rolled_back_sends_nothing(postbox: Postbox) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        letters.send("ana@example.org", Letter.SEAT, "/home/")
        _ = 1 / 0
    assert postbox.letters == []


def test_the_code_of_a_sign_in_comes_by_smtp(postbox: Postbox) -> None:
    answer = Client().post("/sign-in/", {"email": "new@example.org"})
    assert answer.status_code == 302
    assert [letter["subject"] for letter in postbox.letters] == ["Your code"]


def test_an_invitation_by_letter_names_nobody(postbox: Postbox) -> None:
    here = harbour()
    signed_in(here.people["Ana"]).post(f"/g/{here.group}/invitations/", {"address": "kim@example.org", "uses": "1"})
    [letter] = postbox.letters
    said = f"{letter['subject']} {letter['from']} {letter.get_content()}"  # type: ignore[attr-defined]
    assert letter["to"] == "kim@example.org"
    assert not any(word in said for word in ("Harbour", "Ana", "stress", "group"))


def test_a_mail_server_that_is_down_costs_the_letter_only(settings: LazySettings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", free_port(), 2
    answer = Client().post("/sign-in/", {"email": "new@example.org"})
    assert (answer.status_code, answer["Location"]) == (302, "/sign-in/code/")


def test_subjects_are_neutral_and_bodies_carry_one_link() -> None:
    assert set(SUBJECTS) == set(BODIES) == set(Letter)
    for kind in Letter:
        assert str(BODIES[kind]).count("%(link)s") == 1
        assert len(str(SUBJECTS[kind])) <= 20


# A seat on offer


def in_line(name: str, group: Member) -> Self:
    me = a_person(name)
    row = groups.join(me, token=groups.invite(group, at=NOW).token, name=name, at=NOW)
    assert isinstance(row, Waiting)
    return me


def test_an_offered_seat_is_told_by_letter_to_whom_it_is_held_for(postbox: Postbox) -> None:
    here = harbour()
    Group.objects.filter(pk=here.group).update(capacity=5)
    ines, jon = in_line("Ines", here.ticket("Ana")), in_line("Jon", here.ticket("Ana"))
    groups.leave(here.ticket("Ben"), at=NOW)
    [letter] = postbox.letters
    said = letter.get_content()  # type: ignore[attr-defined]
    row = Waiting.objects.get(person=ines.person)
    assert (letter["to"], letter["subject"], f"/waiting/{row.pk}/" in said) == (address_of(ines), "News for you", True)
    assert not any(word in said for word in ("Harbour", "Ana", "Carers", "stress"))
    groups.offer_due_seats(Clock(), group=here.group, at=NOW + timedelta(hours=47))
    assert len(postbox.letters) == 1
    groups.offer_due_seats(Clock(), group=here.group, at=NOW + timedelta(hours=48))
    assert [one["to"] for one in postbox.letters] == [address_of(ines), address_of(jon)]


def test_nobody_is_written_to_at_an_address_that_is_not_verified(postbox: Postbox) -> None:
    here = harbour()
    Group.objects.filter(pk=here.group).update(capacity=5)
    ines = in_line("Ines", here.ticket("Ana"))
    EmailAddress.objects.filter(user_id=ines.person).update(verified=False)
    groups.leave(here.ticket("Ben"), at=NOW)
    assert (postbox.letters, Waiting.objects.get(person=ines.person).offered_at) == ([], NOW)


def test_an_offer_that_is_rolled_back_is_told_to_nobody(postbox: Postbox) -> None:
    here = harbour()
    Group.objects.filter(pk=here.group).update(capacity=5)
    in_line("Ines", here.ticket("Ana"))
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        groups.leave(here.ticket("Ben"), at=NOW)
        _ = 1 / 0
    assert postbox.letters == []
