"""Writes of polls. A poll closes at its moment, whoever looks first; its ballots go in the same transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import transaction

from leeward.domain.groups import actions as groups
from leeward.domain.groups import queries as group_queries
from leeward.domain.groups import rules as group_rules
from leeward.domain.groups.events import MemberLeft
from leeward.domain.groups.rules import Format, Member, is_active, may_found_change, refuse_before_polls
from leeward.domain.meetings import actions as meetings
from leeward.domain.meetings import rules as meeting_rules
from leeward.domain.meetings.models import AgendaItem, Meeting
from leeward.domain.pledges import actions as pledges
from leeward.domain.pledges import queries as pledge_queries
from leeward.domain.pledges import rules as pledge_rules
from leeward.domain.polls import queries, rules
from leeward.domain.polls.events import PollClosed, PollOpened
from leeward.domain.polls.models import Ballot, Poll
from leeward.domain.polls.queries import PollSeen
from leeward.domain.polls.rules import Change, Kind, Outcome, Thumb
from leeward.lib.events import announce
from leeward.lib.refusals import NotHere, Refusal


def _eligible(group: str, *, at: datetime) -> tuple[str, ...]:
    """Assented and active at the opening; while a group has no pledge, who is active and has an account."""
    active = group_queries.claimed_active_ids(group, at=at)
    if pledge_queries.current(group) is None:
        return active
    assented = pledge_queries.assented_ids(group, at=at)
    return tuple(member for member in active if member in assented)


def _open(
    ticket: Member,
    *,
    kind: Kind,
    subject: str,
    meeting: Meeting | None,
    change: dict[str, Any] | None,
    question: str = "",
    at: datetime,
) -> Poll:
    if not is_active(ticket):
        raise Refusal("not_while_paused")
    eligible = _eligible(ticket.group, at=at)
    if ticket.membership not in eligible:
        raise Refusal("pledge_first")
    if Poll.objects.filter(group=ticket.group, closed_at=None).count() >= rules.OPEN_MOST:
        raise Refusal("too_many_polls", most=rules.OPEN_MOST)
    row = Poll(
        group_id=ticket.group,
        kind=kind.value,
        subject=subject,
        meeting=meeting,
        change=change,
        question=question,
        opened_by_id=ticket.membership,
        opened_at=at,
        closes_at=rules.closes_at(at, meeting.starts_at if meeting else None),
        eligible=len(group_queries.claimed_active_ids(ticket.group, at=at)),
    )
    row.save(force_insert=True)
    Ballot.objects.bulk_create(Ballot(poll=row, membership_id=member) for member in eligible)
    announce(PollOpened(group=ticket.group, poll=row.pk, by=ticket.membership, at=at))
    return row


@transaction.atomic
def propose_item(ticket: Member, *, meeting: str, title: str, at: datetime) -> str:
    """A topic for a meeting, and the thumbs about it. Returns the item's id. Raises NotHere, Refusal."""
    groups.lock(ticket.group)
    item = meetings.propose_item(ticket, meeting=meeting, title=title, at=at)
    row = Meeting.objects.get(pk=meeting)
    if row.starts_at <= at:
        raise Refusal("meeting_open")
    kept = AgendaItem.objects.get(pk=item).title
    _open(ticket, kind=Kind.ITEM, subject=item, meeting=row, change=None, question=kept, at=at)
    return item


@transaction.atomic
def propose_change(ticket: Member, *, what: Change, value: Any, at: datetime) -> str:
    """A structural change, put to the group between meetings, from the first closed meeting on.

    Everything is checked now; what the group was short of meanwhile is checked again when it is carried.
    `value` is text, a number, a list of lines (pledge), a `meetings.rules.Rhythm` or `Talk`. Returns the poll's id.
    Raises Refusal("not_while_paused" | "found_by_yourself" | "founders_decide" | "room_is_open" | …).
    """
    if not is_active(ticket):
        raise Refusal("not_while_paused")
    if may_found_change(ticket):
        raise Refusal("found_by_yourself")
    refuse_before_polls(ticket)
    groups.lock(ticket.group)
    if Meeting.objects.filter(group=ticket.group, closed_at=None).exclude(opened_at=None).exists():
        raise Refusal("room_is_open")
    if Poll.objects.filter(group=ticket.group, kind=Kind.CHANGE.value, subject=what.value, closed_at=None).exists():
        raise Refusal("asked_already")
    kept = _checked(what, value, at=at)
    if what is Change.RHYTHM:
        meetings.refuse_first_dates(ticket.group, at=at)
    return _open(
        ticket, kind=Kind.CHANGE, subject=what.value, meeting=None, change={"what": what.value, "to": kept}, at=at
    ).pk


def _checked(what: Change, value: Any, *, at: datetime) -> Any:
    if what is Change.PLEDGE:
        return pledge_rules.lines(value)
    if what is Change.RHYTHM:
        if meeting_rules.happens_at(value.start_local, value.zone) <= at + rules.LASTS:
            raise Refusal("after_the_poll", field="date")
        return {
            "start_local": value.start_local.isoformat(timespec="minutes"),
            "zone": value.zone,
            "every_weeks": value.every_weeks,
            "minutes": value.minutes,
            "cycle": [way.value for way in value.cycle],
        }
    if what is Change.FORMAT:
        return Format(value).value
    if what is Change.TALK:
        return {"each": value.each, "follow_ups": value.follow_ups, "refill": value.refill}
    checks: dict[Change, Callable[[Any], Any]] = {
        Change.NAME: group_rules.name,
        Change.PURPOSE: group_rules.purpose,
        Change.COHORT: group_rules.cohort,
        Change.CAPACITY: group_rules.capacity,
    }
    return checks[what](value)


@transaction.atomic
def vote(ticket: Member, *, poll: str, thumb: Thumb, at: datetime) -> None:
    """My thumb; the last one wins until the close.

    Raises NotHere, Refusal("poll_closed" | "not_eligible" | "not_while_paused").
    """
    row = Poll.objects.filter(pk=poll, group=ticket.group).first()
    if row is None:
        raise NotHere
    if row.closed_at is not None or at >= row.closes_at:
        raise Refusal("poll_closed")
    if not is_active(ticket):
        raise Refusal("not_while_paused")
    ballot = Ballot.objects.select_for_update().filter(poll=row, membership=ticket.membership).first()
    if ballot is None:
        raise Refusal("not_eligible")
    ballot.thumb = thumb.value
    ballot.save()


@transaction.atomic
def withdraw_item(ticket: Member, *, item: str, at: datetime) -> None:
    """My own topic is off the list, and nobody is asked about it any more. Twice is once. Raises NotHere."""
    groups.lock(ticket.group)
    meetings.withdraw_item(ticket, item=item, at=at)
    for row in Poll.objects.filter(group=ticket.group, kind=Kind.ITEM.value, subject=item, closed_at=None):
        _end(row, Outcome.NOT_CARRIED, at=at)


def open_now(ticket: Member, *, at: datetime) -> tuple[PollSeen, ...]:
    """The group's open polls; what fell due is closed first. Costs one statement when nothing is due."""
    seen = queries.open_polls(ticket)
    if any(poll.closes_at <= at for poll in seen):
        settle(ticket.group, at=at)
        seen = queries.open_polls(ticket)
    return seen


@transaction.atomic
def settle(group: str, *, at: datetime) -> int:
    """Close what fell due, each at its own moment. Twice changes nothing. Returns how many."""
    groups.lock(group)
    due = Poll.objects.filter(group=group, closed_at=None, closes_at__lte=at).order_by("closes_at", "id")
    number = 0
    for poll in list(due.values_list("pk", flat=True)):
        row = Poll.objects.filter(pk=poll, closed_at=None).first()  # the one before may have taken its date away
        if row is not None:
            _close(row)
            number += 1
    return number


def _close(row: Poll) -> None:
    """Who counts is decided as of the poll's own moment, whenever somebody looks."""
    active = group_queries.claimed_active_ids(row.group_id, at=row.closes_at)
    asked = group_queries.claimed_active_ids(row.group_id, at=row.opened_at)
    thumbs = Counter(ballot.thumb for ballot in row.ballots.filter(membership__in=active) if ballot.thumb)
    outcome = rules.outcome(
        ups=thumbs[Thumb.UP.value], downs=thumbs[Thumb.DOWN.value], passes=thumbs[Thumb.PASS.value],
        eligible=row.eligible - len(set(asked).difference(active)),
    )  # fmt: skip
    if outcome is Outcome.CARRIED and not _may_carry(row):
        outcome = Outcome.NOT_CARRIED
    _end(row, outcome, at=row.closes_at)
    if outcome is Outcome.CARRIED:
        _carry(row)


def _end(row: Poll, outcome: Outcome, *, at: datetime) -> None:
    row.ballots.all().delete()
    row.closed_at, row.outcome = at, outcome.value
    row.save(force_update=True)
    announce(PollClosed(group=row.group_id, poll=row.pk, outcome=outcome.value, at=at))


def _may_carry(row: Poll) -> bool:
    """Whether a first rhythm still has its core and its help lines. Without them the question may be put again."""
    if row.kind == Kind.CHANGE.value and Change(row.change["what"]) is Change.RHYTHM:
        try:
            meetings.refuse_first_dates(row.group_id, at=row.closes_at)
        except Refusal:
            return False
    return True


def _carry(row: Poll) -> None:
    at = row.closes_at
    if row.kind == Kind.ITEM.value:
        AgendaItem.objects.filter(pk=row.subject, withdrawn_at=None).update(carried_at=at)
        return
    what, to = Change(row.change["what"]), row.change["to"]
    if what is Change.PLEDGE:
        pledges.adopt_by_poll(row.group_id, lines=to, at=at)
    elif what is Change.RHYTHM:
        rhythm = meeting_rules.Rhythm(
            start_local=datetime.fromisoformat(to["start_local"]),
            zone=to["zone"],
            every_weeks=to["every_weeks"],
            minutes=to["minutes"],
            cycle=tuple(meeting_rules.Way(way) for way in to["cycle"]),
        )
        meetings.keep_rhythm(row.group_id, rhythm, place=meetings.place_of_rhythm(row.group_id), by=None, at=at)
    elif what is Change.TALK:
        meetings.keep_talk(row.group_id, meeting_rules.talk(**to), by=None, at=at)
    else:
        groups.change_group(row.group_id, by=None, changes={what.value: to}, at=at)


def after_member_left(event: MemberLeft) -> None:
    """Whoever left has no ballot any more. A thumb given in a poll that was due by then still counts."""
    Ballot.objects.filter(membership=event.by, poll__closes_at__gt=event.at).delete()
