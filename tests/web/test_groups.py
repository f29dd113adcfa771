"""Home, the group, its people, invitations and the line, through Django's client."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from leeward.domain.commitments.models import Commitment
from leeward.domain.groups import actions, queries
from leeward.domain.groups.models import Group, Invitation, Membership, Stint, Waiting
from leeward.domain.meetings.models import Meeting
from leeward.domain.people.models import Visit
from leeward.domain.safety import actions as safety
from leeward.lib.refusals import NotHere
from leeward.lib.tickets import Operator
from tests.cast import NOW, Harbour, a_group, a_person, address_of, an_unclaimed, harbour
from tests.web.signing import signed_in

pytestmark = pytest.mark.django_db

SOON = NOW + timedelta(minutes=1)


@pytest.fixture
def here(clock_at: Callable[[datetime], None], settings: LazySettings, tmp_path: Path) -> Harbour:
    clock_at(NOW)
    settings.LEEWARD_HELP_LINES = tmp_path / "help-lines.toml"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    safety.write_example_lines(Operator(), at=NOW)
    return harbour()


def seated(here: Harbour, person: str) -> bool:
    return Stint.objects.filter(group=here.group, membership__person=person, ended_at=None).exists()


# Who may see what


def test_members_see_every_page_of_their_group_and_nobody_else_any(here: Harbour) -> None:
    parts = ["", "people/", "settings/", "invitations/", "membership/leaving/", "launch/", "places/"]
    pages = [f"/g/{here.group}/{part}" for part in parts]
    assert [signed_in(here.people["Ben"]).get(page).status_code for page in pages] == [200] * len(pages)
    for visitor in (Client(), signed_in(here.people["Gus"]), signed_in(here.people["Farah"])):
        assert [visitor.get(page).status_code for page in pages] == [404] * len(pages)


def test_absent_forbidden_and_left_are_one_answer(here: Harbour) -> None:
    farah, gus = signed_in(here.people["Farah"]), signed_in(here.people["Gus"])

    def heard(client: Client, group: str) -> tuple[object, ...]:
        with CaptureQueriesContext(connection) as statements:
            answer = client.get(f"/g/{group}/people/")
        headers = {name: value for name, value in answer.headers.items() if name != "Date"}
        return answer.status_code, headers, answer.content, list(answer.cookies), len(statements)

    assert heard(farah, here.group) == heard(gus, here.group) == heard(gus, "0" * 16)


def test_one_button_changes_are_posts_only(here: Harbour) -> None:
    ben = signed_in(here.people["Ben"])
    parts = ["pause", "return", "core", "core/back"]
    assert [ben.get(f"/g/{here.group}/membership/{part}/").status_code for part in parts] == [405] * 4


# Home


def test_home_has_a_card_for_each_of_my_groups_and_no_other(here: Harbour) -> None:
    page = signed_in(here.people["Ben"]).get("/home/").content.decode()
    assert (f"/g/{here.group}/" in page, f"/g/{here.other_group}/" in page) == (True, False)


def test_a_card_says_when_the_next_meeting_is_who_leads_and_what_i_took_on(here: Harbour) -> None:
    start = NOW + timedelta(days=3)
    meeting = Meeting(
        group_id=here.group, starts_at=start, ends_at=start + timedelta(hours=1), local="2026-10-04T18:00",
        zone="Europe/Berlin", minutes=60, way="in_person", lead_id=here.membership("Ben"),
    )  # fmt: skip
    meeting.save(force_insert=True)
    step = Commitment(
        group_id=here.group, meeting=meeting, membership_id=here.membership("Ben"), text="Walk at noon", seen="me",
        at=NOW,
    )  # fmt: skip
    step.save(force_insert=True)
    mine, anas = (signed_in(here.people[name]).get("/home/").content.decode() for name in ("Ben", "Ana"))
    assert ["4 October 2026, 18:00 (Berlin)" in page for page in (mine, anas)] == [True, True]
    assert ("You lead." in mine, "Ben leads." in anas) == (True, True)
    assert ["Walk at noon" in page for page in (mine, anas)] == [True, False]


def test_home_without_a_group_offers_the_first_step(here: Harbour) -> None:
    page = signed_in(here.people["Farah"]).get("/home/").content.decode()
    assert ("Start a group" in page, here.group in page) == (True, False)


# My place


def test_a_break_and_its_end_are_one_tap_each(here: Harbour) -> None:
    ben = signed_in(here.people["Ben"])
    ben.post(f"/g/{here.group}/membership/pause/")
    assert here.ticket("Ben", at=SOON).stage.value == "paused"
    assert "on a break" in ben.get(f"/g/{here.group}/people/").content.decode()
    ben.post(f"/g/{here.group}/membership/return/")
    assert here.ticket("Ben", at=SOON).stage.value == "newcomer"


def test_leaving_asks_once_and_then_the_group_is_not_there(here: Harbour) -> None:
    ben = signed_in(here.people["Ben"])
    address = f"/g/{here.group}/membership/leaving/"
    assert ben.get(address).status_code == 200
    assert seated(here, here.people["Ben"].person)
    assert ben.post(address)["Location"] == "/home/"
    assert not seated(here, here.people["Ben"].person)
    assert [ben.get(page).status_code for page in (f"/g/{here.group}/", address)] == [404, 404]


def test_a_new_name_is_taken_and_a_look_alike_refused_beside_its_field(here: Harbour) -> None:
    ben = signed_in(here.people["Ben"])
    refused = ben.post(f"/g/{here.group}/people/", {"name": "ana"})
    assert (refused.status_code, "looks like this one" in refused.content.decode()) == (422, True)
    assert ben.post(f"/g/{here.group}/people/", {"name": "Benno"}).status_code == 302
    assert here.ticket("Ben").name == "Benno"


def test_people_without_an_account_are_marked(here: Harbour) -> None:
    an_unclaimed(here.group, "Old Tom")
    page = signed_in(here.people["Ben"]).get(f"/g/{here.group}/people/").content.decode()
    assert ("Old Tom" in page, page.count("without an account")) == (True, 1)


# Settings


def said(**changes: object) -> dict[str, object]:
    haven = {"name": "Haven", "purpose": "We row.", "cohort": "Rowers", "format": "skill_pod", "country": "DE"}
    return {**haven, "capacity": 10, **changes}


def test_a_founder_changes_the_group_until_its_first_closed_meeting(here: Harbour) -> None:
    ana, ben = signed_in(here.people["Ana"]), signed_in(here.people["Ben"])
    address = f"/g/{here.group}/settings/"
    assert ana.post(address, said()).status_code == 302
    assert queries.facts(here.ticket("Ben")).name == "Haven"
    assert ben.post(address, said(name="Bens")).status_code == 404
    actions.note_meeting_closed(here.group, present=[], at=NOW)
    assert ana.post(address, said(name="Anas")).status_code == 404
    assert "thumbs poll" in ana.get(address).content.decode()
    assert queries.facts(here.ticket("Ben")).name == "Haven"


def test_seats_are_bounded_on_the_page(here: Harbour) -> None:
    ana = signed_in(here.people["Ana"])
    for odd in ("4", "17", "1e9", "-1", "NaN", "٥x"):
        assert ana.post(f"/g/{here.group}/settings/", said(capacity=odd)).status_code == 422


# Invitations


def make_link(client: Client, group: str, **said: str) -> str:
    assert client.post(f"/g/{group}/invitations/", {"uses": "1"} | said).status_code == 302
    page = client.get(f"/g/{group}/invitations/").content.decode()
    return re.findall(r"/i/[a-z0-9]{26}/", page)[-1]


def test_a_link_is_made_shown_to_its_maker_and_to_no_other_member(here: Harbour) -> None:
    link = make_link(signed_in(here.people["Ben"]), here.group)
    assert link not in signed_in(here.people["Ana"]).get(f"/g/{here.group}/invitations/").content.decode()


def test_opening_an_invitation_names_nobody_and_no_place_and_changes_nothing(here: Harbour) -> None:
    link = make_link(signed_in(here.people["Ben"]), here.group)
    before = Visit.objects.count()
    for visitor in (Client(), signed_in(here.people["Hana"])):
        page = visitor.get(link).content.decode().replace("Hana", "")
        told = ["Harbour", "Carers", "We listen to one another in", "Ben", "Ana", here.group]
        assert [word for word in told if word in page] == []
    assert Invitation.objects.filter(uses_left=1).count() == 1
    assert Visit.objects.count() == before + 1  # Hana's own


def test_joining_is_a_post_with_a_name(here: Harbour) -> None:
    link = make_link(signed_in(here.people["Ben"]), here.group)
    hana = signed_in(here.people["Hana"])
    answer = hana.post(link, {"name": "Hana", "key": "0" * 16})
    assert answer["Location"] == f"/g/{here.group}/"
    again = hana.post(link, {"name": "Hana", "key": "0" * 16})
    assert again["Location"] == answer["Location"]
    assert Membership.objects.filter(person=here.people["Hana"].person).count() == 1


def test_a_name_that_looks_like_another_is_refused_before_joining(here: Harbour) -> None:
    link = make_link(signed_in(here.people["Ben"]), here.group)
    answer = signed_in(here.people["Hana"]).post(link, {"name": "Bеn"})
    assert (answer.status_code, seated(here, here.people["Hana"].person)) == (422, False)


def test_signed_out_joining_goes_through_sign_in_and_comes_back(here: Harbour) -> None:
    link = make_link(signed_in(here.people["Ben"]), here.group)
    stranger = Client()
    assert stranger.post(link)["Location"] == "/sign-in/"
    assert stranger.session["pending"] == link


def test_every_unusable_invitation_is_the_one_not_found_page(
    here: Harbour, clock_at: Callable[[datetime], None]
) -> None:
    ben, ana, hana = (signed_in(here.people[name]) for name in ("Ben", "Ana", "Hana"))
    used, withdrawn, makers_left = make_link(ana, here.group), make_link(ana, here.group), make_link(ben, here.group)
    signed_in(a_person("Ines")).post(used, {"name": "Ines"})
    row = queries.invitation_row(withdrawn.strip("/").split("/")[1], at=NOW)
    ana.post(f"/g/{here.group}/invitations/{row.pk}/withdrawal/")
    ben.post(f"/g/{here.group}/membership/leaving/")
    links = [used, withdrawn, makers_left, f"/i/{'0' * 26}/"]
    for visitor in (Client(), hana):
        answers = [visitor.get(link) for link in links]
        assert [answer.status_code for answer in answers] == [404] * 4
        assert len({answer.content for answer in answers}) == 1
        assert [visitor.post(link, {"name": "Hana"}).status_code for link in links] == [404] * 4
    last = make_link(ana, here.group)
    clock_at(NOW + timedelta(days=7, seconds=5))
    assert Client().get(last).status_code == 404


def test_a_mailed_invitation_says_nothing_about_the_group(
    here: Harbour, django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    ben, ines = signed_in(here.people["Ben"]), a_person("Ines")
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        link = make_link(ben, here.group, address=address_of(ines))
    (letter,) = mail.outbox
    assert (letter.subject, letter.to, link in str(letter.body)) == ("An invitation", [address_of(ines)], True)
    assert [word for word in ("Harbour", "Ben", "Carers", "stress") if word in f"{letter.subject}{letter.body}"] == []
    assert signed_in(here.people["Hana"]).post(link, {"name": "Hana"}).status_code == 422
    assert signed_in(ines).post(link, {"name": "Ines"})["Location"] == f"/g/{here.group}/"


def test_where_no_letters_are_sent_an_invitation_shows_its_link_and_says_so(
    here: Harbour, settings: LazySettings
) -> None:
    ben, ines = signed_in(here.people["Ben"]), a_person("Ines")
    settings.LEEWARD_SENDS_MAIL = False
    page = ben.post(
        f"/g/{here.group}/invitations/", {"address": address_of(ines), "uses": "1"}, follow=True
    ).content.decode()
    assert ("is on its way" in page, "please hand it on yourself" in page) == (False, True)
    link = re.findall(r"/i/[a-z0-9]{26}/", page)[0]
    assert signed_in(ines).post(link, {"name": "Ines"})["Location"] == f"/g/{here.group}/"


def test_a_claim_invitation_gives_the_place_on_paper(here: Harbour) -> None:
    seat = an_unclaimed(here.group, "Old Tom")
    ana = signed_in(here.people["Ana"])
    assert ana.post(f"/g/{here.group}/invitations/claims/", {"claims": seat}).status_code == 302
    link = re.findall(r"/i/[a-z0-9]{26}/", ana.get(f"/g/{here.group}/invitations/").content.decode())[0]
    tom = a_person("Tom")
    assert "Old Tom" not in signed_in(tom).get(link).content.decode()
    signed_in(tom).post(link, {"name": "Tom"})
    assert Membership.objects.get(pk=seat).person_id == tom.person
    other = Membership.objects.get(group=here.other_group).pk
    assert ana.post(f"/g/{here.group}/invitations/claims/", {"claims": other}).status_code == 422


@pytest.mark.parametrize("change", [{"uses": "0"}, {"uses": "13"}, {"uses": "x"}, {"address": "a@b\nBcc: c@d"}])
def test_odd_invitations_are_refused(here: Harbour, change: dict[str, str]) -> None:
    answer = signed_in(here.people["Ben"]).post(f"/g/{here.group}/invitations/", {"uses": "1"} | change)
    assert (answer.status_code, queries.invitations(here.ticket("Ben"), at=NOW)) == (422, ())


def test_another_groups_invitation_cannot_be_withdrawn(here: Harbour) -> None:
    row = actions.invite(here.ticket("Ana"), at=NOW)
    gus = signed_in(here.people["Gus"])
    assert gus.post(f"/g/{here.other_group}/invitations/{row.id}/withdrawal/").status_code == 404
    assert Invitation.objects.get(pk=row.id).withdrawn_at is None


# The line


def test_a_full_group_gives_a_place_in_line_and_the_held_seat_is_taken_by_a_tap(here: Harbour) -> None:
    Group.objects.filter(pk=here.group).update(capacity=5)
    token = actions.invite(here.ticket("Ana"), at=NOW).token
    hana = signed_in(here.people["Hana"])
    answer = hana.post(f"/i/{token}/", {"name": "Hana"})
    waiting = Waiting.objects.get()
    assert answer["Location"] == f"/waiting/{waiting.pk}/"
    page = hana.get(answer["Location"]).content.decode()
    assert ("Your place is 1." in page, here.group in page, "Take the seat" in page) == (True, False, False)
    assert hana.post(f"/waiting/{waiting.pk}/seat/").status_code == 409

    actions.leave(here.ticket("Ben"), at=NOW)
    assert "Take the seat" in hana.get("/home/").content.decode()
    assert signed_in(here.people["Gus"]).get(f"/waiting/{waiting.pk}/").status_code == 404
    assert Client().get(f"/waiting/{waiting.pk}/").status_code == 404
    assert hana.post(f"/waiting/{waiting.pk}/seat/")["Location"] == f"/g/{here.group}/"
    assert seated(here, here.people["Hana"].person)


def test_stepping_out_of_the_line_is_one_tap(here: Harbour) -> None:
    Group.objects.filter(pk=here.group).update(capacity=5)
    token = actions.invite(here.ticket("Ana"), at=NOW).token
    hana = signed_in(here.people["Hana"])
    hana.post(f"/i/{token}/", {"name": "Hana"})
    hana.post(f"/waiting/{Waiting.objects.get().pk}/leaving/")
    assert queries.waits_of(here.people["Hana"], at=NOW) == ()


def test_the_pages_count_seats_truly(here: Harbour) -> None:
    ana = signed_in(here.people["Ana"])
    said = {}
    for capacity in (5, 6, 12):
        Group.objects.filter(pk=here.group).update(capacity=capacity)
        said[capacity] = [
            " ".join(ana.get(f"/g/{here.group}/{part}").content.decode().split()) for part in ("", "people/")
        ]
    assert all("5 of 5 seats are taken." in page for page in said[5])
    assert ["There is room for more." in said[capacity][1] for capacity in (5, 6, 12)] == [False, True, True]
    for number in (6, 7):
        an_unclaimed(here.group, f"Old Tom {number}")
    Group.objects.filter(pk=here.group).update(capacity=5)
    for part in ("", "people/"):
        page = ana.get(f"/g/{here.group}/{part}").content.decode()
        assert "There are 7 people and 5 seats. Joining is closed for now." in page
        assert "of 5 seats" not in page


# Counting statements


@pytest.mark.parametrize("part", ["", "people/", "settings/", "invitations/", "launch/", "places/"])
def test_pages_cost_the_same_with_3_and_with_12_members(part: str, clock_at: Callable[[datetime], None]) -> None:
    clock_at(NOW)
    counts = []
    for size in (5, 12):
        here = harbour(size=size)
        client = signed_in(here.people["Ana"])
        with CaptureQueriesContext(connection) as statements:
            assert client.get(f"/g/{here.group}/{part}").status_code == 200
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 10


def test_a_ticket_is_made_from_rows_of_this_request(here: Harbour) -> None:
    a_group(here.people["Hana"], name="Bay")
    actions.leave(here.ticket("Ben"), at=NOW)
    with pytest.raises(NotHere):
        here.ticket("Ben")
