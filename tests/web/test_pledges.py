"""The pledge, page by page: draft, adopt, one's own yes, and a yes said in the room before a witness."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client

from leeward.domain.groups import actions as groups
from leeward.domain.pledges import queries
from leeward.domain.pledges.models import Assent, Pledge
from leeward.domain.room import actions as room
from leeward.domain.room.rules import Move
from leeward.domain.safety import actions as safety
from leeward.lib.tickets import Operator
from leeward.web.pledges.views import FIRST_DRAFT
from tests.cast import INSIDE, NOW, Harbour, an_unclaimed, harbour
from tests.meeting import START, agreed, held, planned
from tests.visitor import Visitor
from tests.web.signing import signed_in

pytestmark = pytest.mark.django_db

Moment = Callable[[datetime], None]
OURS = "What is said here stays here.\r\n\r\n  Anyone may pass.  "


@pytest.fixture
def here(clock_at: Moment, settings: LazySettings, tmp_path: Path) -> Harbour:
    clock_at(NOW)
    settings.LEEWARD_HELP_LINES = tmp_path / "help-lines.toml"
    safety.write_example_lines(Operator(), at=NOW)
    return harbour()


def visits(here: Harbour, name: str, path: str = "pledge/", *, status: int = 200) -> Visitor:
    return Visitor(signed_in(here.people[name])).open(f"/g/{here.group}/{path}", status=status)


def adopted(here: Harbour, *yes: str, text: str = OURS) -> None:
    ana = visits(here, "Ana", "pledge/draft/").press("Keep the draft", lines=text)
    ana.press("Adopt this text")
    for name in yes:
        visits(here, name).press("I agree")


def buttons(visitor: Visitor) -> list[str]:
    return [button for form in visitor.page.forms for button in form.buttons]


# Draft and adoption ------------------------------------------------------------------------------------------------


def test_the_first_draft_is_a_start_that_one_makes_ones_own(here: Harbour) -> None:
    ben = visits(here, "Ben")
    assert "Here will be what you promise one another." in ben.text
    ben.follow("Write a draft")
    typed = ben.page.forms[0].fields["lines"].strip("\n").splitlines()
    assert typed == [str(line) for line in FIRST_DRAFT]
    ben.press("Keep the draft", lines=OURS)
    assert ben.path == f"/g/{here.group}/pledge/"
    draft = queries.draft(here.group)
    assert draft is not None
    assert (draft.lines, draft.number) == (["What is said here stays here.", "Anyone may pass."], 1)
    assert (queries.current(here.group), buttons(ben)) == (None, [])


def test_everybody_reads_the_draft_and_a_second_one_takes_its_place(here: Harbour) -> None:
    visits(here, "Ben", "pledge/draft/").press("Keep the draft", lines="Mine.")
    chidi = visits(here, "Chidi").follow("Change the draft")
    assert chidi.page.forms[0].fields["lines"].strip("\n") == "Mine."
    chidi.press("Keep the draft", lines="Ours.")
    assert [row.lines for row in Pledge.objects.all()] == [["Ours."]]
    assert "Ours." in visits(here, "Eli").text


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("x" * 201, "Please keep this to 200 characters: it is 1 too long."),
        ("One.\n" * 13, "Please keep it to 12 sentences."),
        ("\n \n\u200b\n", "Please fill this in."),
    ],
)
def test_a_draft_out_of_bounds_is_kept_typed_and_not_stored(here: Harbour, lines: str, said: str) -> None:
    ben = visits(here, "Ben", "pledge/draft/").press("Keep the draft", status=422, lines=lines)
    assert said in ben.text
    assert ben.page.forms[0].fields["lines"].strip("\n") == lines.strip("\n")
    assert Pledge.objects.count() == 0


def test_only_founders_adopt_and_only_the_core_drafts(here: Harbour) -> None:
    groups.take_back_im_in(here.ticket("Eli"), at=NOW)
    visits(here, "Eli", "pledge/draft/", status=404)
    adoption = f"/g/{here.group}/pledge/adoption/"
    assert signed_in(here.people["Ana"]).post(adoption).status_code == 404  # there is no draft
    ben = visits(here, "Ben", "pledge/draft/").press("Keep the draft", lines=OURS)
    assert "Adopt this text" not in buttons(ben)
    assert ben.client.post(adoption).status_code == 409
    assert queries.current(here.group) is None


def test_strangers_and_who_left_find_nothing_and_change_nothing(here: Harbour) -> None:
    adopted(here)
    (pledge,) = Pledge.objects.all()
    for client in (Client(), signed_in(here.people["Gus"]), signed_in(here.people["Farah"])):
        for part in ("", "draft/", "spoken/"):
            assert client.get(f"/g/{here.group}/pledge/{part}").status_code == 404
        for part, said in (("adoption/", {}), ("assent/", {"pledge": pledge.pk}), ("draft/", {"lines": "Theirs."})):
            assert client.post(f"/g/{here.group}/pledge/{part}", said).status_code == 404
    assert (Pledge.objects.get().lines[0], Assent.objects.count()) == ("What is said here stays here.", 0)


# One's own yes -----------------------------------------------------------------------------------------------------


def test_a_yes_is_a_tap_of_ones_own_seen_with_its_day(here: Harbour) -> None:
    adopted(here)
    assert "Nobody yet. Whenever you are ready." in visits(here, "Ben").text
    ben = visits(here, "Ben").press("I agree")
    assert ("You agreed. Thank you." in ben.text, buttons(ben)) == (True, [])
    chidi = visits(here, "Chidi")
    assert ("Ben 1 Oct 2026" in chidi.text, "I agree" in buttons(chidi)) == (True, True)
    assert [(row.membership_id, row.own) for row in Assent.objects.all()] == [(here.membership("Ben"), True)]


def test_a_yes_twice_is_once(here: Harbour) -> None:
    adopted(here)
    ben, (pledge,) = signed_in(here.people["Ben"]), Pledge.objects.all()
    assert [ben.post(f"/g/{here.group}/pledge/assent/", {"pledge": pledge.pk}).status_code for _ in "ab"] == [302, 302]
    assert Assent.objects.count() == 1


def test_a_yes_to_a_text_that_has_changed_meanwhile_is_refused(here: Harbour) -> None:
    adopted(here)
    ben = visits(here, "Ben")
    adopted(here, text="Something else.")
    ben.press("I agree", status=409)
    assert "The text has changed meanwhile. Please read it again." in ben.text
    assert Assent.objects.count() == 0


def test_another_version_asks_everybody_anew(here: Harbour) -> None:
    adopted(here, *INSIDE)
    assert "You agreed." in visits(here, "Ben").text
    adopted(here, text="Something else.")
    ben = visits(here, "Ben")
    assert ("Something else." in ben.text, "I agree" in buttons(ben), "Nobody yet." in ben.text) == (True, True, True)


def test_a_yes_lasts_a_year(here: Harbour, clock_at: Moment) -> None:
    adopted(here, "Ben")
    clock_at(NOW + timedelta(days=364))
    assert "You agreed." in visits(here, "Ben").text
    clock_at(NOW + timedelta(days=365, minutes=1))
    ben = visits(here, "Ben")
    assert "A year has passed since your last yes." in ben.text
    assert "You agreed." in ben.press("I agree").text
    assert Assent.objects.filter(ended_at=None).count() == 1


def test_once_a_meeting_was_held_a_poll_changes_the_text(here: Harbour) -> None:
    agreed(here)
    held(here)
    assert "The text is changed by a thumbs poll." in visits(here, "Ana").text
    visits(here, "Ana", "pledge/draft/", status=404)
    assert signed_in(here.people["Ana"]).post(f"/g/{here.group}/pledge/draft/", {"lines": "Mine."}).status_code == 404
    assert Pledge.objects.count() == 1


# A yes in the room -------------------------------------------------------------------------------------------------


def gathered(here: Harbour, clock_at: Moment, *on_paper: str) -> str:
    """Ana opens the first room and leads it, Ben comes in, she marks `on_paper`. Returns the room's path."""
    meeting = planned(here).pk
    clock_at(START)
    room.open_room(here.ticket("Ana", at=START), meeting=meeting, at=START)
    room.move(here.ticket("Ben", at=START), meeting=meeting, move=Move.ARRIVE, at=START)
    for whom in on_paper:
        room.move(here.ticket("Ana", at=START), meeting=meeting, move=Move.MARK_HERE, whom=whom, at=START)
    return f"/g/{here.group}/meetings/{meeting}/room/"


def spoken(here: Harbour, who: str, witness: str, *, by: str = "Ana", status: int = 200) -> Visitor:
    return visits(here, by, "pledge/spoken/").press("Write it down", status=status, membership=who, witness=witness)


def test_a_yes_in_the_room_before_a_witness_opens_the_room_and_not_the_record(here: Harbour, clock_at: Moment) -> None:
    adopted(here, "Ana", "Ben")
    path = gathered(here, clock_at, here.membership("Dara"))
    ana = spoken(here, here.membership("Dara"), here.membership("Ben"))
    assert "Written down. It opens the room; the record needs their own tap." in ana.text
    assert "Dara 8 Oct 2026 · said it in the room" in ana.text
    assert [(row.own, row.recorded_by_id, row.witness_id) for row in Assent.objects.filter(own=False)] == [
        (False, here.membership("Ana"), here.membership("Ben"))
    ]
    dara, chidi = visits(here, "Dara"), visits(here, "Chidi")
    assert "You said yes in the room. The record opens with your own tap." in dara.text
    dara.open(f"/g/{here.group}/record/", status=404)
    assert (dara.open(path).path, chidi.open(path).path) == (path, f"/g/{here.group}/pledge/")
    dara.open(f"/g/{here.group}/pledge/").press("I agree")
    assert dara.open(f"/g/{here.group}/record/").status == 200


def test_it_takes_three_people_and_the_typed_choice_stays(here: Harbour, clock_at: Moment) -> None:
    adopted(here, "Ana", "Ben")
    dara = here.membership("Dara")
    gathered(here, clock_at, dara)
    ana = spoken(here, dara, dara, status=422)
    assert "It takes three people: who says yes, who heard it, and you." in ana.text
    assert [ana.page.forms[0].fields[name] for name in ("membership", "witness")] == [dara, dara]
    assert Assent.objects.filter(own=False).count() == 0


def test_nobody_from_outside_the_room_says_yes_or_hears_it(here: Harbour, clock_at: Moment) -> None:
    adopted(here, "Ana", "Ben", "Eli")
    inside = here.membership("Dara"), here.membership("Ben")
    gathered(here, clock_at, inside[0])
    ana = signed_in(here.people["Ana"])
    outside = [here.membership(name) for name in ("Gus", "Farah", "Ana", "Eli", "Chidi")]
    for stranger in (*outside, here.group, "", "x" * 999):
        for who, witness in ((stranger, inside[1]), (inside[0], stranger)):
            answer = ana.post(f"/g/{here.group}/pledge/spoken/", {"membership": who, "witness": witness})
            assert answer.status_code == 422
    assert Assent.objects.filter(own=False).count() == 0


def test_only_whoever_leads_an_open_room_writes_a_yes_down(here: Harbour, clock_at: Moment) -> None:
    adopted(here, "Ana", "Ben")
    dara, ben, ana = (here.membership(name) for name in ("Dara", "Ben", "Ana"))
    address = f"/g/{here.group}/pledge/spoken/"
    sentence = "Whoever leads writes this down while the meeting goes on."
    for stage in ("before", "during"):
        if stage == "during":
            gathered(here, clock_at, dara)
        who = "Ana" if stage == "before" else "Ben"
        page = visits(here, who, "pledge/spoken/")
        assert (sentence in page.text, buttons(page)) == (True, [])
        witness = ben if stage == "before" else ana
        told = signed_in(here.people[who]).post(address, {"membership": dara, "witness": witness})
        assert (told.status_code, sentence in told.content.decode()) == (409, True)
    assert Assent.objects.filter(own=False).count() == 0


def test_somebody_without_an_account_says_yes_once(here: Harbour, clock_at: Moment) -> None:
    zoe = an_unclaimed(here.group, "Zoe")
    adopted(here, "Ana", "Ben")
    gathered(here, clock_at, zoe)
    for _twice in range(2):
        spoken(here, zoe, here.membership("Ben"))
    assert Assent.objects.filter(membership=zoe).count() == 1
    assert "Zoe 8 Oct 2026 · said it in the room" in visits(here, "Chidi").text


def test_without_a_pledge_there_is_nothing_to_say_yes_to(here: Harbour) -> None:
    visits(here, "Ana", "pledge/spoken/", status=404)
    assert signed_in(here.people["Ana"]).post(f"/g/{here.group}/pledge/assent/", {"pledge": ""}).status_code == 404
    assert Assent.objects.count() == 0
