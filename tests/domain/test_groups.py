"""Coming, waiting, pausing, leaving, coming back."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from leeward.domain.groups import actions, queries, rules
from leeward.domain.groups.models import Group, Invitation, Membership, Stint, Waiting
from leeward.domain.groups.rules import Format, Member, Stage
from leeward.domain.people import actions as person_actions
from leeward.domain.people.rules import Self
from leeward.lib.refusals import NotHere, Refusal
from leeward.lib.tickets import Bearer, Clock
from tests.cast import NOW, a_group, a_person, address_of, an_unclaimed, harbour, joins

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def full_group(size: int = 5) -> tuple[Member, list[Self]]:
    """A group of `size` seats, all taken; its founder's ticket, and everybody in it, founder first."""
    ana = a_person("Ana")
    first = a_group(ana, capacity=size)
    others = [a_person(f"Member {n}") for n in range(2, size + 1)]
    for other in others:
        joins(other, group=first)
    return first, [ana, *others]


def stands_in_line(name: str, group: Member, *, at: object = NOW) -> tuple[Self, Waiting]:
    me = a_person(name)
    got = actions.join(me, token=actions.invite(group, at=at).token, name=name, at=at)  # type: ignore[arg-type]
    assert isinstance(got, Waiting)
    return me, got


def leaves(me: Self, group: str, *, at: object = NOW) -> None:
    actions.leave(queries.member(me, group=group, at=at), at=at)  # type: ignore[arg-type]


def offers(group: str) -> list[str]:
    return [row.name for row in Waiting.objects.filter(group=group, ended_at=None).exclude(offered_at=None)]


# The line


def test_a_full_group_lets_people_stand_in_line_in_the_order_they_came() -> None:
    ana, _people = full_group()
    waits = [stands_in_line(name, ana) for name in ("Ines", "Jon", "Kim")]
    places = [queries.waits_of(me, at=NOW)[0].place for me, _row in waits]
    assert places == [1, 2, 3]
    assert queries.seats(ana.group, at=NOW) == rules.Seats(capacity=5, taken=5, on_offer=0, waiting=3)


def test_a_free_seat_is_held_48_hours_and_passes_on_to_the_next() -> None:
    ana, people = full_group()
    (ines, first), (jon, second) = stands_in_line("Ines", ana), stands_in_line("Jon", ana)
    leaves(people[1], ana.group)
    assert offers(ana.group) == ["Ines"]
    assert queries.waits_of(ines, at=NOW)[0].offered_until == NOW + 48 * HOUR

    last_moment = NOW + 48 * HOUR
    actions.offer_due_seats(Clock(), group=ana.group, at=last_moment - timedelta(seconds=1))
    assert offers(ana.group) == ["Ines"]
    actions.offer_due_seats(Clock(), group=ana.group, at=last_moment)
    assert offers(ana.group) == ["Jon"]
    with pytest.raises(Refusal) as no:
        actions.take_offered_seat(ines, waiting=first.pk, at=last_moment)
    assert no.value.code == "offer_over"
    assert actions.take_offered_seat(jon, waiting=second.pk, at=last_moment).name == "Jon"


def test_a_clock_that_never_ran_changes_nothing_about_whose_turn_it_is() -> None:
    ana, people = full_group()
    (ines, first), (jon, second) = stands_in_line("Ines", ana), stands_in_line("Jon", ana)
    leaves(people[1], ana.group)
    later = NOW + 49 * HOUR
    assert queries.waits_of(ines, at=later) == ()
    assert [(line.place, line.offered_until) for line in queries.waits_of(jon, at=later)] == [(1, later + 48 * HOUR)]
    assert actions.take_offered_seat(jon, waiting=second.pk, at=later).name == "Jon"
    with pytest.raises(Refusal):
        actions.take_offered_seat(ines, waiting=first.pk, at=later)


def test_nobody_new_jumps_the_line_for_a_seat_that_is_held() -> None:
    ana, people = full_group()
    stands_in_line("Ines", ana)
    leaves(people[1], ana.group)
    _kim, row = stands_in_line("Kim", ana)
    assert (row.place, offers(ana.group)) == (2, ["Ines"])


def test_nobody_takes_a_seat_that_was_not_offered() -> None:
    ana, _people = full_group()
    ines, row = stands_in_line("Ines", ana)
    with pytest.raises(Refusal) as no:
        actions.take_offered_seat(ines, waiting=row.pk, at=NOW)
    assert no.value.code == "offer_over"


def test_another_persons_place_in_line_is_not_here() -> None:
    ana, people = full_group()
    _ines, row = stands_in_line("Ines", ana)
    leaves(people[1], ana.group)
    for do in (actions.take_offered_seat, actions.leave_line):
        with pytest.raises(NotHere):
            do(a_person("Gus"), waiting=row.pk, at=NOW)


def test_leaving_the_line_hands_the_offer_on() -> None:
    ana, people = full_group()
    (ines, first), _second = stands_in_line("Ines", ana), stands_in_line("Jon", ana)
    leaves(people[1], ana.group)
    actions.leave_line(ines, waiting=first.pk, at=NOW)
    assert offers(ana.group) == ["Jon"]


def test_more_seats_are_offered_to_the_line_at_once() -> None:
    ana, _people = full_group()
    for name in ("Ines", "Jon", "Kim"):
        stands_in_line(name, ana)
    actions.change_group(ana.group, by=ana.membership, changes={"capacity": 7}, at=NOW)
    assert offers(ana.group) == ["Ines", "Jon"]


def test_fewer_seats_put_nobody_out() -> None:
    here = harbour(size=8)
    actions.change_group(here.group, by=None, changes={"capacity": 5}, at=NOW)
    seats = queries.seats(here.group, at=NOW)
    assert (seats.taken, seats.free, seats.open_to_new) == (8, 0, False)


# Breaks, leaving, coming back


def test_a_break_keeps_the_seat_60_days_and_then_it_is_offered() -> None:
    ana, people = full_group()
    ines, _row = stands_in_line("Ines", ana)
    resting = queries.member(people[1], group=ana.group, at=NOW)
    actions.pause(resting, at=NOW)
    assert queries.member(people[1], group=ana.group, at=NOW).stage is Stage.PAUSED
    assert actions.end_long_pauses(Clock(), group=ana.group, at=NOW + 60 * DAY - HOUR) == 0
    assert queries.waits_of(ines, at=NOW)[0].offered_until is None
    assert actions.end_long_pauses(Clock(), group=ana.group, at=NOW + 60 * DAY) == 1
    assert offers(ana.group) == ["Ines"]
    with pytest.raises(NotHere):
        queries.member(people[1], group=ana.group, at=NOW + 60 * DAY)


def test_coming_back_from_a_break_starts_the_60_days_anew() -> None:
    here = harbour()
    actions.pause(here.ticket("Ben"), at=NOW)
    actions.come_back(here.ticket("Ben"), at=NOW + 50 * DAY)
    actions.pause(here.ticket("Ben"), at=NOW + 55 * DAY)
    assert actions.end_long_pauses(Clock(), group=here.group, at=NOW + 61 * DAY) == 0


def stints(me: Self) -> list[tuple[object, object]]:
    return [(s.began_at, s.ended_at) for s in Stint.objects.filter(membership__person=me.person)]


def test_coming_back_within_90_days_goes_on_with_the_stint() -> None:
    here = harbour()
    ben, began = here.people["Ben"], NOW - 60 * DAY
    leaves(ben, here.group)
    joins(ben, group=here.ticket("Ana"), at=NOW + 90 * DAY - HOUR)
    assert stints(ben) == [(began, None)]


def test_coming_back_later_begins_a_new_stint_of_the_same_member() -> None:
    here = harbour()
    ben, before = here.people["Ben"], here.membership("Ben")
    leaves(ben, here.group)
    joins(ben, group=here.ticket("Ana"), at=NOW + 90 * DAY)
    assert stints(ben) == [(NOW - 60 * DAY, NOW), (NOW + 90 * DAY, None)]
    assert here.membership("Ben") == before


def test_who_left_has_no_ticket_from_the_next_request_on_just_like_a_stranger() -> None:
    here = harbour()
    for name in ("Farah", "Gus"):
        with pytest.raises(NotHere):
            queries.member(here.people[name], group=here.group, at=NOW)
    with pytest.raises(NotHere):
        queries.member(here.people["Ana"], group="0" * 16, at=NOW)


def test_who_left_is_not_on_the_list_of_people() -> None:
    here = harbour()
    assert [line.name for line in queries.people(here.ticket("Ana"), at=NOW)] == ["Ana", "Ben", "Chidi", "Dara", "Eli"]


# Invitations


def test_an_invitation_works_for_7_days_and_one_use() -> None:
    here = harbour()
    made = actions.invite(here.ticket("Chidi"), at=NOW)
    for at, usable in ((NOW + 7 * DAY - HOUR, True), (NOW + 7 * DAY, False)):
        if usable:
            queries.invitation_of(Bearer(queries.INVITATION, made.token), at=at)
        else:
            with pytest.raises(NotHere):
                queries.invitation_of(Bearer(queries.INVITATION, made.token), at=at)
    actions.join(a_person("Ines"), token=made.token, name="Ines", at=NOW)
    with pytest.raises(NotHere):
        actions.join(a_person("Jon"), token=made.token, name="Jon", at=NOW)


def test_opening_an_invitation_shows_no_name_and_changes_nothing() -> None:
    here = harbour()
    made = actions.invite(here.ticket("Ana"), at=NOW)
    seen = queries.invitation_of(Bearer(queries.INVITATION, made.token), at=NOW)
    assert vars(seen) == {"ends_at": NOW + 7 * DAY, "bound": False, "claim": False, "format": "topic_circle"}
    assert Invitation.objects.get(pk=made.id).uses_left == 1


def test_joining_twice_with_one_invitation_is_joining_once() -> None:
    here = harbour()
    ines, made = a_person("Ines"), actions.invite(here.ticket("Ana"), at=NOW)
    first = actions.join(ines, token=made.token, name="Ines", at=NOW)
    again = actions.join(ines, token=made.token, name="Another", at=NOW)
    assert first == again


def test_a_former_members_invitations_open_nothing() -> None:
    here = harbour()
    made = actions.invite(here.ticket("Ben"), at=NOW)
    leaves(here.people["Ben"], here.group)
    with pytest.raises(NotHere):
        actions.join(a_person("Ines"), token=made.token, name="Ines", at=NOW)
    joins(here.people["Ben"], group=here.ticket("Ana"))
    with pytest.raises(NotHere):
        queries.invitation_of(Bearer(queries.INVITATION, made.token), at=NOW)


def test_a_mailed_invitation_is_for_its_address_only() -> None:
    here = harbour()
    ines, jon = a_person("Ines"), a_person("Jon")
    made = actions.invite(here.ticket("Ana"), address=address_of(ines).upper(), at=NOW)
    with pytest.raises(Refusal) as no:
        actions.join(jon, token=made.token, name="Jon", addresses=[address_of(jon)], at=NOW)
    assert no.value.code == "for_another_address"
    assert isinstance(actions.join(ines, token=made.token, name="Ines", addresses=[address_of(ines)], at=NOW), Member)


def test_withdrawn_by_its_maker_or_by_a_founder_before_the_first_meeting_and_by_nobody_else() -> None:
    here = harbour()
    made = [actions.invite(here.ticket("Ben"), at=NOW) for _ in range(3)]
    with pytest.raises(NotHere):
        actions.withdraw_invitation(here.ticket("Dara"), invitation=made[0].id, at=NOW)
    actions.withdraw_invitation(here.ticket("Ben"), invitation=made[0].id, at=NOW)
    actions.withdraw_invitation(here.ticket("Ana"), invitation=made[1].id, at=NOW)
    actions.note_meeting_closed(here.group, present=[], at=NOW)
    with pytest.raises(NotHere):
        actions.withdraw_invitation(here.ticket("Ana"), invitation=made[2].id, at=NOW)
    assert [line.id for line in queries.invitations(here.ticket("Eli"), at=NOW)] == [made[2].id]


def test_a_link_and_an_address_are_shown_to_their_maker_only() -> None:
    here = harbour()
    made = actions.invite(here.ticket("Ben"), address="ines@example.org", at=NOW)
    (mine,) = queries.invitations(here.ticket("Ben"), at=NOW)
    (theirs,) = queries.invitations(here.ticket("Ana"), at=NOW)
    assert (mine.token, mine.address) == (made.token, "ines@example.org")
    assert (theirs.token, theirs.address) == ("", "")


def test_a_claim_invitation_binds_somebody_to_the_place_kept_for_them() -> None:
    here = harbour()
    seat = an_unclaimed(here.group, "Old Tom")
    made, other = (actions.invite(here.ticket("Ana"), claims=seat, at=NOW) for _ in range(2))
    tom = a_person("Tom")
    got = actions.join(tom, token=made.token, name="Tom", at=NOW)
    assert isinstance(got, Member)
    assert (got.membership, got.name) == (seat, "Old Tom")
    with pytest.raises(NotHere):
        actions.join(a_person("Ines"), token=other.token, name="Ines", at=NOW)
    with pytest.raises(Refusal) as no:
        actions.invite(here.ticket("Ana"), claims=seat, at=NOW)
    assert no.value.code == "already_claimed"


def test_a_member_cannot_claim_a_second_place() -> None:
    here = harbour()
    seat = an_unclaimed(here.group, "Old Tom")
    made = actions.invite(here.ticket("Ana"), claims=seat, at=NOW)
    got = actions.join(here.people["Ben"], token=made.token, name="Ben", at=NOW)
    assert isinstance(got, Member)
    assert got.membership == here.membership("Ben")
    assert Membership.objects.get(pk=seat).person_id is None


# Names


@pytest.mark.parametrize("name", ["Ana", "ana", "A n a", "Аna", "Ána", "Ａna", "Аnа"])
def test_names_that_look_alike_are_refused(name: str) -> None:
    here = harbour()
    made = actions.invite(here.ticket("Ana"), at=NOW)
    with pytest.raises(Refusal) as no:
        actions.join(a_person("Ines"), token=made.token, name=name, at=NOW)
    assert no.value == Refusal("name_taken", field="name")
    with pytest.raises(Refusal):
        actions.rename_myself(here.ticket("Ben"), here.people["Ben"], name=name, at=NOW)


def test_a_name_in_the_line_is_taken_too() -> None:
    ana, _people = full_group()
    stands_in_line("Ines", ana)
    with pytest.raises(Refusal) as no:
        stands_in_line("ines", ana)
    assert no.value == Refusal("name_taken", field="name")


def test_a_name_on_paper_is_taken_too() -> None:
    here = harbour()
    an_unclaimed(here.group, "Old Tom")
    with pytest.raises(Refusal):
        actions.rename_myself(here.ticket("Ben"), here.people["Ben"], name="0ld Tоm", at=NOW)


def test_my_own_name_may_change_its_accents() -> None:
    here = harbour()
    actions.rename_myself(here.ticket("Ben"), here.people["Ben"], name="Bén", at=NOW)
    assert here.ticket("Ben").name == "Bén"


# Founders


def test_a_founders_rights_end_at_the_first_close() -> None:
    here = harbour()
    said = {"name": "Haven", "purpose": "We row.", "cohort": "Rowers", "format": Format.SKILL_POD, "country": "DE"}
    actions.describe(here.ticket("Ana"), **said, capacity=10, at=NOW)  # type: ignore[arg-type]
    assert queries.facts(here.ticket("Ben")).purpose == "We row."
    actions.note_meeting_closed(here.group, present=[here.membership("Ben")], at=NOW)
    with pytest.raises(Refusal) as no:
        actions.describe(here.ticket("Ana"), **said, capacity=12, at=NOW)  # type: ignore[arg-type]
    assert no.value.code == "by_poll_only"
    assert queries.facts(here.ticket("Ben")).capacity == 10


def test_somebody_who_did_not_found_it_changes_nothing() -> None:
    here = harbour()
    said = {"name": "Haven", "purpose": "We row.", "cohort": "Rowers", "format": Format.SKILL_POD, "country": "DE"}
    with pytest.raises(Refusal):
        actions.describe(here.ticket("Ben"), **said, capacity=10, at=NOW)  # type: ignore[arg-type]


def test_three_meetings_make_a_newcomer_a_member() -> None:
    here = harbour()
    for _ in range(3):
        assert here.ticket("Chidi").stage is Stage.NEWCOMER
        actions.note_meeting_closed(here.group, present=[here.membership("Chidi")], at=NOW)
    assert (here.ticket("Chidi").stage, here.ticket("Eli").stage) == (Stage.MEMBER, Stage.NEWCOMER)


def test_a_group_that_closed_is_not_here() -> None:
    here = harbour()
    made = actions.invite(here.ticket("Ana"), at=NOW)
    Group.objects.filter(pk=here.group).update(closed_at=NOW)
    with pytest.raises(NotHere):
        here.ticket("Ana")
    with pytest.raises(NotHere):
        actions.join(a_person("Ines"), token=made.token, name="Ines", at=NOW)


def test_lists_cost_the_same_with_3_and_with_12_members(django_assert_num_queries: object) -> None:
    here = harbour(size=12)
    ana = here.ticket("Ana")
    for do in (
        lambda: queries.people(ana, at=NOW),
        lambda: queries.seats(here.group, at=NOW),
        lambda: queries.invitations(ana, at=NOW),
        lambda: queries.waits_of(here.people["Hana"], at=NOW),
        lambda: queries.memberships_of(here.people["Ana"], at=NOW),
    ):
        with django_assert_num_queries(1):  # type: ignore[operator]
            do()


# What is due is decided on looking


def test_who_lost_an_offer_and_comes_with_a_fresh_invitation_stands_in_line_anew() -> None:
    ana, people = full_group()
    (ines, first), (jon, second) = stands_in_line("Ines", ana), stands_in_line("Jon", ana)
    leaves(people[1], ana.group)
    later = NOW + 49 * HOUR
    token = actions.invite(ana, at=later).token
    again = actions.join(ines, token=token, name="Ines", at=later)
    assert isinstance(again, Waiting)
    assert (again.pk != first.pk, [line.id for line in queries.waits_of(ines, at=later)]) == (True, [again.pk])
    assert actions.take_offered_seat(jon, waiting=second.pk, at=later).name == "Jon"


def test_who_comes_alone_after_losing_an_offer_sits_down() -> None:
    ana, people = full_group()
    ines, _first = stands_in_line("Ines", ana)
    leaves(people[1], ana.group)
    later = NOW + 49 * HOUR
    token = actions.invite(ana, at=later).token
    assert isinstance(actions.join(ines, token=token, name="Ines", at=later), Member)


def test_somebody_in_line_takes_over_their_own_place_on_paper_and_leaves_the_line() -> None:
    ana, people = full_group()
    seat = an_unclaimed(ana.group, "Old Tom")
    (tom, row), (jon, _second) = stands_in_line("Tom", ana), stands_in_line("Jon", ana)
    token = actions.invite(ana, claims=seat, at=NOW).token
    taken = actions.join(tom, token=token, name="Tom", at=NOW)
    assert (getattr(taken, "membership", ""), queries.waits_of(tom, at=NOW)) == (seat, ())
    assert Waiting.objects.get(pk=row.pk).ended_at == NOW
    for person in people[1:3]:  # six people had five seats
        leaves(person, ana.group)
    assert [line.offered_until is not None for line in queries.waits_of(jon, at=NOW)] == [True]


def test_a_seat_that_was_seen_to_be_free_is_held_from_that_look_on() -> None:
    ana, people = full_group()
    _ines, (jon, second) = stands_in_line("Ines", ana), stands_in_line("Jon", ana)
    leaves(people[1], ana.group)
    seen = NOW + 49 * HOUR
    until = [actions.my_places_in_line(jon, at=seen + n * HOUR)[0].offered_until for n in (0, 1, 47)]
    assert until == [seen + 48 * HOUR] * 3
    assert actions.my_places_in_line(jon, at=seen + 48 * HOUR) == ()
    with pytest.raises(Refusal, match="offer_over"):
        actions.take_offered_seat(jon, waiting=second.pk, at=seen + 48 * HOUR)


def test_a_break_of_61_days_is_over_whether_or_not_the_clock_ran() -> None:
    ana, people = full_group()
    later = NOW + 61 * DAY
    actions.pause(queries.member(people[1], group=ana.group, at=NOW), at=NOW)
    last = NOW + 60 * DAY - timedelta(seconds=1)
    assert (queries.member(people[1], group=ana.group, at=last).stage, queries.seats(ana.group, at=last).taken) == (
        Stage.PAUSED, 5,
    )  # fmt: skip
    with pytest.raises(NotHere):
        queries.member(people[1], group=ana.group, at=later)
    assert queries.memberships_of(people[1], at=later) == ()
    host = queries.member(people[0], group=ana.group, at=later)
    assert people[1].name not in {line.name for line in queries.people(host, at=later)}
    assert queries.seats(ana.group, at=later).taken == 4
    newcomer = actions.join(a_person("Ines"), token=actions.invite(host, at=later).token, name="Ines", at=later)
    assert isinstance(newcomer, Member)


def test_who_stands_in_line_sees_the_seat_that_a_long_break_left_free() -> None:
    ana, people = full_group()
    ines, row = stands_in_line("Ines", ana)
    actions.pause(queries.member(people[1], group=ana.group, at=NOW), at=NOW)
    later = NOW + 61 * DAY
    assert [line.offered_until for line in queries.waits_of(ines, at=later)] == [later + 48 * HOUR]
    assert actions.take_offered_seat(ines, waiting=row.pk, at=later).name == "Ines"


def test_after_a_long_break_an_invitation_opens_the_group_again() -> None:
    ana, people = full_group()
    actions.pause(queries.member(people[1], group=ana.group, at=NOW), at=NOW)
    later = NOW + 61 * DAY
    token = actions.invite(queries.member(people[0], group=ana.group, at=later), at=later).token
    back = actions.join(people[1], token=token, name=people[1].name, at=later)
    assert isinstance(back, Member)
    assert back.stage is not Stage.PAUSED


# Forms sent again


def test_a_form_sent_again_within_48_hours_has_its_first_answer_and_later_a_new_one() -> None:
    me = a_person("Ines")
    done: list[str] = []

    def send(at: datetime) -> str:
        def do() -> str:
            done.append(at.isoformat())
            return done[-1]

        return person_actions.once(me, key="k", content="c", do=do, at=at)

    first = send(NOW)
    assert [send(NOW + n * HOUR) for n in (0, 1, 47)] == [first] * 3
    later = send(NOW + 48 * HOUR)
    assert (later != first, send(NOW + 49 * HOUR), len(done)) == (True, later, 2)
