"""The keys at start: made once, for an empty database only. Without its own keys nothing in a database opens again."""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path

from leeward.lib.crypto import Keyring

SQLITE = "leeward.sqlite3"
_OURS = "people_person"  # a table that every database of ours has


def keyring(home: Path, *, database_url: str) -> Keyring:
    """The ring in `home`, made when there is none and nothing was sealed yet. Ends the process in plain words else."""
    keys = home / "keys.json"
    if not keys.exists():
        where = _has_tables(home, database_url)
        if where and not keys.exists():  # a process that starts beside this one makes keys first, then tables
            sys.exit(
                f"{keys} is missing, but {where} holds data that only these keys open."
                " Put your copy of keys.json back; nothing was changed."
            )
    return Keyring.load_or_make(keys)


def _has_tables(home: Path, database_url: str) -> str:
    """Which database has our tables, or may have them; empty when none has."""
    if database_url.startswith(("postgres://", "postgresql://")):
        return "the database of DATABASE_URL" if _postgres_has_tables(database_url) else ""
    file = home / SQLITE
    if not file.exists():
        return ""
    try:
        with sqlite3.connect(file) as reading:
            found = reading.execute("SELECT 1 FROM sqlite_master WHERE name = ?", [_OURS]).fetchone()
        reading.close()
    except sqlite3.Error:
        return str(file)
    return str(file) if found else ""


def _postgres_has_tables(database_url: str) -> bool:
    import psycopg

    try:
        with psycopg.connect(database_url, connect_timeout=20) as reading:
            return reading.execute("SELECT to_regclass(%s) IS NOT NULL", [_OURS]).fetchone() == (True,)
    except psycopg.OperationalError as no:
        sys.exit(f"The database cannot be reached, so no keys are made yet: {no}")
