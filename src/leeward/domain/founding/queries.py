"""Reads of the launch path, for a member. It looks down the street at what the steps made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Exists, OuterRef

from leeward.domain.founding import rules
from leeward.domain.founding.models import StepTaken
from leeward.domain.founding.rules import Facts, Path, Step, Taken
from leeward.domain.groups.models import CoreYes, Group, Stint
from leeward.domain.groups.rules import Member
from leeward.domain.meetings.models import AgendaBlock, Meeting
from leeward.domain.places.models import Place
from leeward.domain.pledges.models import Pledge


@dataclass(frozen=True)
class Launch:
    """Everything the launch page shows. `founding` is over with the first closed meeting."""

    path: Path
    core: int
    founding: bool
    imported: bool


def launch(ticket: Member, *, at: datetime) -> Launch:
    """My group's launch path, in two statements."""
    taken = {
        Step(step.step): Taken(
            membership=step.by_id,
            name=step.by.name if step.by is not None and step.seated else "",
            done_at=step.done_at,
        )
        for step in _steps(ticket)
    }
    return _launch(_with_facts().get(pk=ticket.group), taken, ticket, at=at)


def launch_in_brief(ticket: Member, *, at: datetime) -> Launch:
    """As `launch`, without who took which step, in one statement."""
    taps = StepTaken.objects.filter(group=OuterRef("pk"))
    tapped = {f"{step.value}_at": taps.filter(step=step.value).values("done_at")[:1] for step in rules.TAPPED}
    row = _with_facts().annotate(**tapped).get(pk=ticket.group)
    taken = {step: Taken(membership=None, name="", done_at=getattr(row, f"{step.value}_at")) for step in rules.TAPPED}
    return _launch(row, taken, ticket, at=at)


def _with_facts():  # an annotated queryset has no writable type
    here = OuterRef("pk")
    return Group.objects.annotate(
        yes=Count("core", distinct=True),
        pledged=Exists(Pledge.objects.filter(group=here)),
        placed=Exists(Place.objects.filter(group=here, retired_at=None)),
        planned=Exists(AgendaBlock.objects.filter(meeting__group=here, meeting__cancelled_at=None)),
        dated=Exists(Meeting.objects.filter(group=here, cancelled_at=None)),
    ).only("id", "purpose", "founded_at", "imported_at")


def _launch(row, taken: Mapping[Step, Taken], ticket: Member, *, at: datetime) -> Launch:
    facts = Facts(
        core=row.yes,
        purpose=bool(row.purpose),
        pledge=row.pledged,
        place=row.placed,
        agenda=row.planned,
        date=row.dated,
    )
    return Launch(
        path=rules.path(facts, taken, membership=ticket.membership, founded_at=row.founded_at, at=at),
        core=row.yes,
        founding=rules.founding(ticket) and row.imported_at is None,
        imported=row.imported_at is not None,
    )


def _steps(ticket: Member):  # an annotated queryset has no writable type
    seated = Stint.objects.filter(membership=OuterRef("by"), ended_at=None)
    return StepTaken.objects.filter(group=ticket.group).select_related("by").annotate(seated=Exists(seated))


def core_count(group: str) -> int:
    """How many said "I'm in". For rules that count."""
    return CoreYes.objects.filter(group=group).count()


def step_holder_is_here(row: StepTaken) -> bool:
    """Whether whoever took a step still has a seat."""
    return row.by_id is not None and row.by.stints.filter(ended_at=None).exists()  # type: ignore[union-attr]
