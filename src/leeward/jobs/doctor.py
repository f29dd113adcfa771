"""The doctor: looks at everything that can be wrong without anybody noticing, and names it in plain words."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from leeward.domain.meetings import queries as meetings
from leeward.domain.meetings.rules import broken_links
from leeward.domain.safety import queries as safety
from leeward.lib.crypto import CannotOpen
from leeward.lib.fields import SealedText
from leeward.lib.tickets import Operator

Finding = dict[str, Any]


def examine(*, at: datetime) -> list[Finding]:
    """Findings in order: what, whether it is well, and words. Reads only."""
    findings = [_keys(), _database()]
    if findings[-1]["well"]:
        findings += [_sealed(), *_chains()]
    return [*findings, _help_lines(at)]


def _finding(what: str, problem: str, well: str) -> Finding:
    return {"what": what, "well": not problem, "words": problem or well}


def _keys() -> Finding:
    return _finding("keys", _loose("keys.json"), "only their owner reads them")


def _loose(name: str) -> str:
    """What is wrong with a file of the home that others can read."""
    path = settings.LEEWARD_HOME / name
    return f"{name} can be read by others: chmod 600." if path.exists() and path.stat().st_mode & 0o077 else ""


def _database() -> Finding:
    try:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        problem = f"{len(plan)} migrations are missing: start `leeward serve` once." if plan else ""
        if not problem and connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA quick_check")
                answer = cursor.fetchone()[0]
            problem = _loose("leeward.sqlite3") if answer == "ok" else f"SQLite says: {answer}"
    except DatabaseError as error:
        problem = f"The database does not answer: {type(error).__name__}."
    return _finding("database", problem, "whole and up to date")


def _sealed() -> Finding:
    """Opens every sealed value of every table."""
    number, closed = 0, []
    for model in apps.get_models():
        names = [field.attname for field in model._meta.local_fields if isinstance(field, SealedText)]
        if not names:
            continue
        for row in model._default_manager.only("pk", *names).iterator(chunk_size=500):
            for name in names:
                number += 1
                try:
                    getattr(row, name)
                except (CannotOpen, UnicodeDecodeError, ValueError):
                    closed.append(f"{model._meta.label}.{name} of {row.pk}")
    problem = f"{len(closed)} cannot be opened: {', '.join(closed[:10])}" if closed else ""
    return _finding("sealed columns", problem, f"{number} values open")


def _chains() -> list[Finding]:
    findings = []
    whole = 0
    for group in meetings.groups_with_records(Operator()):
        try:
            broken = broken_links(meetings.links(Operator(), group=group))
        except (CannotOpen, UnicodeDecodeError):
            broken = _closed_links(group)
        if broken:
            named = ", ".join(f"record {number}" for number in broken[:10])
            findings.append(_finding(f"chain of group {group}", f"{named} does not hold.", ""))
        else:
            whole += 1
    return [_finding("record chains", "", f"{whole} hold"), *findings]


def _closed_links(group: str) -> list[int]:
    """Numbers of the records that have a line which cannot be opened."""
    return list(meetings.unopened_records(Operator(), group=group))


def _help_lines(at: datetime) -> Finding:
    problems = safety.problems(at=at)
    return _finding("help lines", " ".join(problems), "checked within six months")
