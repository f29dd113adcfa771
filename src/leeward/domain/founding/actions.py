"""Writes of founding: a new group where help is within reach, and who takes which step of the launch path."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from leeward.domain.founding import queries, rules
from leeward.domain.founding.events import LaunchStepDone, LaunchStepGivenBack, LaunchStepTaken
from leeward.domain.founding.models import StepTaken
from leeward.domain.founding.rules import TAPPED
from leeward.domain.groups import actions as groups
from leeward.domain.groups import queries as group_queries
from leeward.domain.groups import rules as group_rules
from leeward.domain.groups.rules import Format, Member
from leeward.domain.people.rules import Self
from leeward.domain.safety import queries as safety
from leeward.lib.events import announce
from leeward.lib.refusals import Refusal


@transaction.atomic
def found(
    me: Self,
    *,
    name: str,
    purpose: str,
    cohort: str,
    format: Format,
    country: str,
    zone: str,
    my_name: str,
    capacity: int = group_rules.CAPACITY_FULL,
    at: datetime,
) -> Member:
    """A new group, in a country whose help lines are ready. Raises Refusal beside the field."""
    if not safety.country_ready(country, at=at):
        raise Refusal("country_not_ready", field="country")
    return groups.found(
        me,
        name=name,
        purpose=purpose,
        cohort=cohort,
        format=format,
        country=country,
        zone=zone,
        my_name=my_name,
        capacity=capacity,
        at=at,
    )


@transaction.atomic
def describe(
    ticket: Member,
    *,
    name: str,
    purpose: str,
    cohort: str,
    format: Format,
    capacity: int,
    country: str,
    at: datetime,
) -> None:
    """As `groups.describe`; a new country must be ready. Raises Refusal beside the field."""
    if country != group_queries.group(ticket).country and not safety.country_ready(country, at=at):
        raise Refusal("country_not_ready", field="country")
    groups.describe(
        ticket,
        name=name,
        purpose=purpose,
        cohort=cohort,
        format=format,
        capacity=capacity,
        country=country,
        at=at,
    )


@transaction.atomic
def take_step(ticket: Member, *, step: str, at: datetime) -> None:
    """ "I'll do this." Taking my own again changes nothing. Raises Refusal("step_taken" | "launch_over")."""
    row = _row(ticket, step, at=at)
    if row.by_id == ticket.membership:
        return
    if queries.step_holder_is_here(row):
        raise Refusal("step_taken")
    StepTaken.objects.filter(pk=row.pk).update(by=ticket.membership, at=at)
    announce(LaunchStepTaken(group=ticket.group, by=ticket.membership, step=row.step, at=at))


@transaction.atomic
def give_step_back(ticket: Member, *, step: str, at: datetime) -> None:
    """Somebody else may take it. Giving back what is not mine changes nothing."""
    code = rules.step_of(step)
    mine = StepTaken.objects.filter(group=ticket.group, step=code.value, by=ticket.membership)
    if mine.update(by=None):
        announce(LaunchStepGivenBack(group=ticket.group, by=ticket.membership, step=code.value, at=at))


@transaction.atomic
def mark_step_done(ticket: Member, *, step: str, at: datetime) -> None:
    """For steps that may leave no other trace. Twice is once. Raises Refusal("step_shows_itself" | "launch_over")."""
    if rules.step_of(step) not in TAPPED:
        raise Refusal("step_shows_itself")
    row = _row(ticket, step, at=at)
    if StepTaken.objects.filter(pk=row.pk, done_at=None).update(done_at=at, by=row.by_id or ticket.membership):
        announce(LaunchStepDone(group=ticket.group, by=ticket.membership, step=row.step, at=at))


def _row(ticket: Member, step: str, *, at: datetime) -> StepTaken:
    code = rules.step_of(step)
    if not group_rules.is_active(ticket):
        raise Refusal("not_while_paused")
    if not rules.founding(ticket):
        raise Refusal("launch_over")
    groups.lock(ticket.group)
    row, _ = StepTaken.objects.get_or_create(group_id=ticket.group, step=code.value, defaults={"at": at})
    return row
