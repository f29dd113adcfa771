"""The door for whole groups at the command line: `leeward import-group` and `leeward export-group`."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from leeward.domain.meetings.rules import meeting_minutes, wall_time, zone_named
from leeward.domain.portability import actions, queries, rules
from leeward.domain.safety import queries as safety
from leeward.lib import clock
from leeward.lib.refusals import Refusal
from leeward.lib.tickets import Operator
from leeward.web.words import row_reason

PASSPHRASE_MOST = 4096  # bytes

Say = Callable[[str], None]
Answer = Callable[[argparse.Namespace, dict[str, Any], str], None]


def _progress(say: Say) -> rules.Progress:
    return lambda what, number: say(f"  {what}: {number}")


def take_in(arguments: argparse.Namespace, *, say: Say, answer: Answer) -> None:
    """Check, then write. Raises Refusal."""
    if arguments.source.is_file():
        return _read_back(arguments, answer=answer)
    zone = zone_named(arguments.zone, field="zone")
    naming = actions.Naming(
        name=arguments.name or "Imported group",
        purpose=arguments.purpose or "We meet and listen to one another.",
        zone=zone,
        time=wall_time(arguments.time, field="time"),
        minutes=meeting_minutes(arguments.minutes),
    )
    now = clock.now()
    plan = rules.checked(
        rules.found_in(arguments.source),
        zone=ZoneInfo(zone),
        until=now.astimezone(ZoneInfo(zone)).date(),
        progress=_progress(say),
    )
    if arguments.check:
        return answer(arguments, plan.as_json(None), _report(plan, "Checked; nothing was written."))
    taken = actions.take_in(Operator(), plan, naming, progress=_progress(say), at=now)
    words = "This history is here already; nothing was written." if taken.already else "Taken in."
    result = plan.as_json(taken.group)
    lines = [_report(plan, f"{words} Its id is {taken.group}.")]
    _add_claims(arguments, taken.group, result, lines, at=now)
    return answer(arguments, result, "\n".join(lines))


def _add_claims(
    arguments: argparse.Namespace, group: str, result: dict[str, Any], lines: list[str], *, at: datetime
) -> None:
    """With `--claims`: a link for each active member without an account, in the result and in the words."""
    if not arguments.claims:
        return
    claims = actions.make_claims(Operator(), group=group, at=at)
    links = [{"name": name, "link": f"{settings.PUBLIC_URL}/i/{token}/"} for name, token in claims]
    result["claims"] = links
    lines += [f"{link['name']}: {link['link']}" for link in links]


def _report(plan: rules.ImportPlan, words: str) -> str:
    history = plan.history
    lines = [
        f"{len(history.rosters)} meetings, {len(history.people)} people, {len(history.members)} of them members, "
        f"{len(history.active)} active, {history.attendances} attendances, {history.guest_visits} visits of guests.",
        *(f"{row.file}, line {row.line}: left out: {row_reason(row.reason, row.facts)}" for row in plan.refused[:20]),
    ]
    if plan.refused_total > 20:
        lines.append(f"… and {plan.refused_total - 20} more rows left out; --json lists them.")
    lines += [
        f"{odd.date}: {'no number' if odd.listed is None else odd.listed} listed, {odd.found} found"
        for odd in plan.mismatches[:20]
    ]
    return "\n".join([*lines, words])


def _passphrase(path: Path | None) -> str:
    if path is None:
        raise Refusal("passphrase_missing")
    if not path.is_file():
        raise Refusal("passphrase_no_file")
    with path.open("rb") as file:
        return file.read(PASSPHRASE_MOST).decode(errors="replace").strip("\r\n")


def _read_back(arguments: argparse.Namespace, *, answer: Answer) -> None:
    with arguments.source.open("rb") as source:
        data = source.read(rules.PACKED_MOST + 1)
    payload = rules.unpacked(data, _passphrase(arguments.passphrase_file))
    now = clock.now()
    taken = actions.read_back(Operator(), payload, at=now)
    words = "This group is here already; nothing was written." if taken.already else "Taken in."
    tables: Any = payload["tables"]
    result: dict[str, Any] = {
        "group": taken.group,
        "people": len(tables["groups.Membership"]),
        "meetings": len(tables["meetings.Meeting"]),
        "attendances": len(tables["meetings.Attendance"]),
        "refused": [],
        "warnings": _warnings(tables, at=now),
    }
    lines = [*result["warnings"], f"{words} Its id is {taken.group}."]
    _add_claims(arguments, taken.group, result, lines, at=now)
    answer(arguments, result, "\n".join(lines))


def _warnings(tables: Any, *, at: datetime) -> list[str]:
    """What the operator has to do before this group meets here."""
    country = str(tables["groups.Group"][0]["country"])
    ahead = [
        row
        for row in tables["meetings.Meeting"]
        if row["cancelled_at"] is None and datetime.fromisoformat(row["starts_at"]) > at
    ]
    if not ahead or safety.country_ready(country, at=at):
        return []
    return [
        f"{len(ahead)} of its meetings lie ahead, but no help line of its country ({country or 'none given'}) has"
        " been checked on this server. Its dates are kept. Please add help lines before it meets."
    ]


def give_out(arguments: argparse.Namespace, *, answer: Answer) -> None:
    """Write a group's file beside its name first, then in one step under it. Raises NotHere, Refusal, OSError."""
    if not arguments.file.absolute().parent.is_dir():
        raise Refusal("export_no_folder")
    payload = queries.payload(Operator(), group=arguments.group)
    data = rules.packed(payload, _passphrase(arguments.passphrase_file))
    draft = arguments.file.with_name(f".{arguments.file.name}.part")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(arguments.file)
    answer(
        arguments,
        {"group": arguments.group, "bytes": len(data)},
        f"Wrote {arguments.file} ({len(data)} bytes). Keep the passphrase: nobody can open the file without it.",
    )
