"""Writes of portability: a group taken in from lists, or from a file that another Leeward gave out.

Everything is worked out in memory first; then one short transaction writes all of it or nothing.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.apps import apps
from django.db import IntegrityError, models, transaction

from leeward.domain.groups import actions as groups
from leeward.domain.groups import rules as group_rules
from leeward.domain.groups.models import Group, Membership, Stint
from leeward.domain.groups.rules import Format
from leeward.domain.meetings import rules as meeting_rules
from leeward.domain.meetings.models import Attendance, GuestPresence, Leaf, Meeting, Record
from leeward.domain.people.rules import Self
from leeward.domain.portability import queries, rules
from leeward.domain.portability.events import GroupTakenIn
from leeward.domain.portability.models import Upload
from leeward.domain.portability.queries import MODELS, TAKEN
from leeward.domain.portability.rules import History, ImportPlan, Progress
from leeward.domain.safety import queries as safety
from leeward.lib.crypto import CannotOpen
from leeward.lib.events import announce
from leeward.lib.fields import SealedText, keyring
from leeward.lib.ids import is_id
from leeward.lib.refusals import Refusal
from leeward.lib.tickets import Clock, Operator
from leeward.lib.words import skeleton

BATCH = 400


@dataclass(frozen=True)
class Naming:
    """What the files do not say about the group."""

    name: str
    purpose: str
    zone: str
    time: time
    minutes: int
    country: str = ""
    cohort: str = ""
    format: Format = Format.TOPIC_CIRCLE


@dataclass(frozen=True)
class TakenIn:
    """`already` is true when the same importer took this history in before: nothing was written then."""

    group: str
    already: bool


def take_in(
    by: Operator | Self,
    plan: ImportPlan,
    naming: Naming,
    *,
    me: str | None = None,
    progress: Progress | None = None,
    at: datetime,
) -> TakenIn:
    """Write a checked plan. `me` is the key of the active member whose seat `by` takes, when it is a person.

    The same history twice from one importer is one group. Another person's import of it is another group: nobody learns
    from their own lists what others brought here. Raises Refusal beside the field.
    """
    digest = _digest_for(by, plan.digest)
    known = queries.group_of_digest(digest)
    if known is not None:
        return TakenIn(known, True)
    rows = _rows(plan.history, naming, digest, at=at, progress=progress)
    if isinstance(by, Self):
        seat = rows.seats.get(me or "")
        if seat is None or seat.pk not in rows.active:
            raise Refusal("who_are_you", field="me")
        seat.person_id, seat.claimed_at = by.person, at
    try:
        with transaction.atomic():
            for batch in rows.in_order:
                _write(batch)
            announce(GroupTakenIn(group=rows.group.pk, at=at))
    except IntegrityError:
        known = queries.group_of_digest(digest)
        if known is None:
            raise
        return TakenIn(known, True)
    return TakenIn(rows.group.pk, False)


def _digest_for(by: Operator | Self, digest: str) -> str:
    """By which a history is known again: to the operator by itself, to a person together with who they are."""
    return keyring().digest(f"{by.person}\0{digest}", "import") if isinstance(by, Self) else digest


def _write(rows: Sequence[models.Model]) -> None:
    if rows:
        type(rows[0])._default_manager.bulk_create(rows, batch_size=BATCH)


@dataclass
class _Rows:
    group: Group
    seats: dict[str, Membership]
    active: set[str]
    in_order: list[Sequence[models.Model]]


def _rows(history: History, naming: Naming, digest: str, *, at: datetime, progress: Progress | None) -> _Rows:
    """All rows of the group, in the order in which foreign keys allow them."""
    zone = ZoneInfo(naming.zone)

    def begins(day: date) -> datetime:
        return meeting_rules.happens_at(datetime.combine(day, naming.time), naming.zone)

    first = history.rosters[0].date if history.rosters else at.astimezone(zone).date()
    last = history.rosters[-1].date if history.rosters else first
    group = Group(
        name=group_rules.name(naming.name),
        purpose=group_rules.purpose(naming.purpose),
        cohort=group_rules.cohort(naming.cohort) if naming.cohort else "",
        format=naming.format.value,
        capacity=group_rules.CAPACITY_FULL,
        country=naming.country or next(iter(safety.ready_countries(at=at)), ""),
        zone=naming.zone,
        founded_at=min(begins(first), at),
        first_closed_at=begins(first) + timedelta(minutes=naming.minutes) if history.rosters else None,
        imported_at=at,
        import_digest=digest,
    )
    met: dict[str, int] = {}
    for roster in history.rosters:
        for key in roster.present:
            met[key] = met.get(key, 0) + 1
    shown = _told_apart(history)
    today = at.astimezone(zone).date()
    seats = {
        person.key: Membership(group=group, name=shown[person.key], number=number, met=met.get(person.key, 0))
        for number, person in enumerate(history.members, 1)
    }
    names = {person.key: person.name for person in history.people}
    stints = [
        Stint(
            group=group,
            membership=seats[person.key],
            began_at=min(begins(stint.joined or today), at),  # who joins today has a seat now, not from that hour on
            ended_at=None if stint.left is None else begins(stint.left) + timedelta(minutes=naming.minutes),
        )
        for person in history.members
        for stint in person.stints
    ]
    meetings, attendances, guests, records, leaves = [], [], [], [], []
    previous = meeting_rules.NO_PREVIOUS
    for number, roster in enumerate(history.rosters, 1):
        moment = begins(roster.date)
        meeting = Meeting(
            group=group,
            starts_at=moment,
            ends_at=moment + timedelta(minutes=naming.minutes),
            local=datetime.combine(roster.date, naming.time).isoformat(timespec="minutes"),
            zone=naming.zone,
            minutes=naming.minutes,
            way=meeting_rules.Way.ONLINE.value,
            opened_at=moment,
            closed_at=moment + timedelta(minutes=naming.minutes),
            imported=True,
        )
        meetings.append(meeting)
        attendances += [Attendance(meeting=meeting, membership=seats[key], way="online") for key in roster.present]
        guests += [GuestPresence(meeting=meeting, name=names[key]) for key in roster.guests]
        following = history.rosters[number].date if roster.date != last else None
        record, its_leaves = _record(
            group, meeting, number=number, previous=previous, following=following, naming=naming, at=at
        )
        previous = record.hash
        records.append(record)
        leaves += its_leaves
        if progress and number % 100 == 0:
            progress("records", number)
    active = {seats[person.key].pk for person in history.active}
    return _Rows(
        group, seats, active, [[group], list(seats.values()), stints, meetings, attendances, guests, records, leaves]
    )


def _told_apart(history: History) -> dict[str, str]:
    """key → name; of names that look alike the later ones get a number."""
    seen: dict[str, int] = {}
    shown = {}
    for person in history.members:
        looks = skeleton(person.name)
        seen[looks] = seen.get(looks, 0) + 1
        shown[person.key] = person.name if seen[looks] == 1 else f"{person.name} ({seen[looks]})"
    return shown


def _record(
    group: Group,
    meeting: Meeting,
    *,
    number: int,
    previous: str,
    following: date | None,
    naming: Naming,
    at: datetime,
) -> tuple[Record, list[Leaf]]:
    lines = meeting_rules.record_lines(
        starts_local=meeting.local,
        zone=naming.zone,
        way=None,
        place="",
        theme="",
        topics=(),
        steps=(),
        next_local=datetime.combine(following, naming.time).isoformat(timespec="minutes") if following else "",
        imported=True,
    )
    leaves = [meeting_rules.Leaf(line.kind, line.text, secrets.token_hex(16)) for line in lines]
    hashes = [meeting_rules.leaf_hash(leaf) for leaf in leaves]
    record = Record(
        group=group,
        number=number,
        meeting=meeting,
        previous=previous,
        hash=meeting_rules.record_hash(previous, hashes),
        sealed_at=at,
    )
    return record, [
        Leaf(record=record, number=place, kind=leaf.kind.value, text=leaf.text, salt=leaf.salt, hash=digest)
        for place, (leaf, digest) in enumerate(zip(leaves, hashes, strict=True), 1)
    ]


# Between the check and the yes --------------------------------------------------------------------------------------


@transaction.atomic
def keep_upload(me: Self, *, files: Mapping[str, bytes], facts: Mapping[str, Any], at: datetime) -> str:
    """Keep what was uploaded, sealed, until it is taken in: an hour at most. One upload a person. Returns its id."""
    Upload.objects.filter(person=me.person).delete()
    row = Upload(
        person_id=me.person,
        files={name: base64.b64encode(data).decode() for name, data in files.items()},
        facts=dict(facts),
        at=at,
    )
    row.save(force_insert=True)
    return row.pk


def forget_upload(me: Self, *, upload: str, plan: ImportPlan) -> None:
    """The files are gone at once. The digest that finds their group stays for the hour: a tap may come twice."""
    row = Upload.objects.filter(pk=upload, person=me.person).first()
    if row is not None:
        row.files, row.facts = {}, {"taken": _digest_for(me, plan.digest)}
        row.save(force_update=True)


def forget_old_uploads(_by: Clock, *, at: datetime) -> int:
    """Returns how many."""
    return Upload.objects.filter(at__lte=at - rules.UPLOAD_LASTS).delete()[0]


# A group that another Leeward gave out -------------------------------------------------------------------------------


def read_back(_by: Operator, payload: Mapping[str, Any], *, at: datetime) -> TakenIn:
    """Write the group of an opened file, with its own ids; its members are unclaimed. Twice is once.

    Raises Refusal("portable_not_a_group") when the payload is not what `queries.payload` makes,
    Refusal("portable_record_changed") when its chain of records does not hold.
    """
    rows = _read(payload)
    group = rows[0][0]
    if Group.objects.filter(pk=group.pk).exists():
        return TakenIn(str(group.pk), True)
    broken = meeting_rules.broken_links(_chain(rows))
    if broken:
        raise Refusal("portable_record_changed", field="file", number=broken[0])
    try:
        with transaction.atomic():
            for batch in rows:
                _write(batch)
            announce(GroupTakenIn(group=str(group.pk), at=at))
    except IntegrityError:
        raise Refusal("portable_not_a_group", field="file") from None
    return TakenIn(str(group.pk), False)


def _read(payload: Mapping[str, Any]) -> list[list[models.Model]]:
    tables = payload.get("tables")
    if payload.get("what") != queries.WHAT or not isinstance(tables, dict) or set(tables) != set(MODELS):
        raise Refusal("portable_not_a_group", field="file")
    made: list[list[models.Model]] = []
    owners: dict[str, str] = {}
    for label in MODELS:
        model, names = apps.get_model(label), TAKEN[label]
        batch = []
        for row in tables[label]:
            if not isinstance(row, dict) or set(row) != set(names) or not is_id(str(row["id"])):
                raise Refusal("portable_not_a_group", field="file")
            batch.append(_instance(model, row, owners))
        made.append(batch)
    if len(made[0]) != 1:
        raise Refusal("portable_not_a_group", field="file")
    return made


def _chain(rows: Sequence[Sequence[models.Model]]) -> list[meeting_rules.Link]:
    """The chain of records as the file holds it, in order of number."""
    of_kind = dict(zip(MODELS, rows, strict=True))
    lines: dict[str, list[Leaf]] = {}
    for leaf in of_kind["meetings.Leaf"]:
        assert isinstance(leaf, Leaf)
        lines.setdefault(leaf.record_id, []).append(leaf)
    records = [record for record in of_kind["meetings.Record"] if isinstance(record, Record)]
    return [
        meeting_rules.Link(
            record.number,
            record.previous,
            record.hash,
            tuple(
                meeting_rules.StoredLeaf(leaf.number, leaf.kind, leaf.text, leaf.salt, leaf.hash)
                for leaf in sorted(lines.get(record.pk, ()), key=lambda leaf: leaf.number)
            ),
        )
        for record in sorted(records, key=lambda record: record.number)
    ]


def _instance(model: type[models.Model], row: Mapping[str, Any], owners: dict[str, str]) -> models.Model:
    """One row as an instance. A key may only point at a row of this same file."""
    values: dict[str, Any] = {}
    for name, value in row.items():
        field = model._meta.get_field(name)
        assert isinstance(field, models.Field)
        try:
            if isinstance(field, models.ForeignKey):
                target = field.related_model._meta.label
                if value is not None and owners.get(value) != target:
                    raise Refusal("portable_not_a_group", field="file")
                values[field.attname] = value
            elif isinstance(field, SealedText):
                if value is not None and not isinstance(value, str | list | dict):
                    raise Refusal("portable_not_a_group", field="file")
                values[name] = value
            else:
                values[name] = field.to_python(value)
                field.run_validators(values[name])
                if values[name] is None and not field.null:
                    raise Refusal("portable_not_a_group", field="file")
        except (ValueError, TypeError, CannotOpen) as error:
            raise Refusal("portable_not_a_group", field="file") from error
        except Exception as error:  # Django's ValidationError: a value that the column does not take
            if type(error).__name__ != "ValidationError":
                raise
            raise Refusal("portable_not_a_group", field="file") from error
    if owners.setdefault(row["id"], model._meta.label) != model._meta.label:
        raise Refusal("portable_not_a_group", field="file")
    return model(**values)


def make_claims(_by: Operator, *, group: str, at: datetime) -> list[tuple[str, str]]:
    """(name, token) of a claim invitation for each active unclaimed member. The operator hands them out."""
    return groups.claims_for_all(group, at=at)
