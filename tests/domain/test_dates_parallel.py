"""Five people reach for one date at the same moment, and tap yes eight times: real threads, real transactions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pytest
from django.db import connections

from leeward.domain.groups import actions as groups
from leeward.domain.meetings import actions as meetings
from leeward.domain.meetings import queries
from leeward.domain.meetings.models import AgendaItem, Meeting, Rsvp
from leeward.domain.meetings.rules import Answer, Block, BlockKind
from leeward.domain.pledges import actions as pledges
from leeward.domain.pledges.models import Assent
from leeward.domain.polls import actions as polls
from leeward.domain.polls.models import Poll
from leeward.lib.refusals import NotHere, Refusal
from tests.cast import INSIDE, NOW, Harbour, harbour
from tests.meeting import agreed, planned

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("lines")]
Deed = Callable[[], object]


def at_once(deeds: list[Deed]) -> Counter[str]:
    """Run them all at the same moment; how each ended: done, Refusal, NotHere, or an exception nobody wants."""
    start = Barrier(len(deeds), timeout=60)

    def run(deed: Deed) -> str:
        start.wait()
        try:
            deed()
        except Exception as error:
            return type(error).__name__
        finally:
            connections.close_all()
        return "done"

    with ThreadPoolExecutor(len(deeds)) as pool:
        return Counter(future.result(timeout=120) for future in [pool.submit(run, deed) for deed in deeds])


def deeds_of(here: Harbour, who: str, meeting: str) -> dict[str, Deed]:
    me = here.ticket(who)
    return {
        "propose": lambda: polls.propose_item(me, meeting=meeting, title=f"Topic of {who}", at=NOW),
        "turn": lambda: meetings.take_turn(me, meeting=meeting, at=NOW),
        "rsvp": lambda: meetings.answer_rsvp(me, meeting=meeting, answer=Answer.ROOM, at=NOW),
        "confirm": lambda: meetings.confirm(me, meeting=meeting, at=NOW),
        "agenda": lambda: meetings.set_agenda(me, meeting=meeting, blocks=[Block(BlockKind.OPEN, who, 30)], at=NOW),
        "back": lambda: meetings.give_turn_back(me, meeting=meeting, at=NOW),
        "break": lambda: groups.come_back(me, at=NOW),
        "invite": lambda: pledges.invite(me, at=NOW),
    }


def test_a_storm_on_one_date_ends_in_answers_and_in_nothing_else() -> None:
    here = harbour()
    agreed(here)
    planned(here)
    for row in queries.coming(here.ticket("Ana"), at=NOW)[:3]:
        deeds = [deed for who in INSIDE for deed in deeds_of(here, who, row.pk).values()]
        got = at_once(deeds)
        assert set(got) <= {"done", Refusal.__name__, NotHere.__name__}, got
        assert Rsvp.objects.filter(meeting=row).count() == AgendaItem.objects.filter(meeting=row).count() == len(INSIDE)
        assert Poll.objects.filter(meeting=row).count() == len(INSIDE)


def test_the_smallest_pair_a_topic_and_a_turn_both_happen() -> None:
    here = harbour()
    agreed(here)
    planned(here)
    for row in queries.coming(here.ticket("Ana"), at=NOW)[:8]:
        ana, ben = (deeds_of(here, who, row.pk) for who in ("Ana", "Ben"))
        assert at_once([ana["propose"], ben["turn"]]) == {"done": 2}


def test_one_date_cancelled_by_five_is_cancelled_once() -> None:
    here = harbour()
    agreed(here)
    row = planned(here)
    deeds: list[Deed] = [partial(meetings.cancel, here.ticket(who), meeting=row.pk, at=NOW) for who in INSIDE]
    deeds += [deeds_of(here, who, row.pk)["propose"] for who in INSIDE]
    assert set(at_once(deeds)) <= {"done", "Refusal"}
    assert Meeting.objects.get(pk=row.pk).cancelled_at == NOW


def test_eight_taps_of_one_yes_are_one_yes() -> None:
    here = harbour()
    pledge = agreed(here, names=("Ana",))
    ben = here.ticket("Ben")
    assert at_once([lambda: pledges.agree(ben, pledge=pledge, at=NOW)] * 8) == {"done": 8}
    assert Assent.objects.filter(membership=ben.membership, ended_at=None).count() == 1
