"""Loaded before the settings (`-p tests.environment`): a home for each worker, SQLite or a real PostgreSQL."""

from __future__ import annotations

import os
import shutil
import tempfile
from atexit import register
from pathlib import Path

from tests import servers

if "LEEWARD_TEST_HOME" not in os.environ:
    os.environ["LEEWARD_TEST_HOME"] = tempfile.mkdtemp(prefix="leeward-test-")
    register(shutil.rmtree, os.environ["LEEWARD_TEST_HOME"], ignore_errors=True)
home = Path(os.environ["LEEWARD_TEST_HOME"]) / os.environ.get("PYTEST_XDIST_WORKER", "main")
home.mkdir(parents=True, exist_ok=True)
for name in ("DATABASE_URL", "MAIL_URL", "HOST", "PORT", "PUBLIC_URL", "ALLOWED_HOSTS", "HELP_LINES"):
    os.environ.pop(name, None)
os.environ["LEEWARD_HOME"] = str(home)
os.environ["LEEWARD_PLAIN_STATIC"] = "1"
os.environ["LEEWARD_TEST_SQLITE"] = str(home / "test.sqlite3")
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

if os.environ.get("LEEWARD_TEST_DB") == "postgres":
    os.environ["DATABASE_URL"] = servers.postgres_url()  # a failure to start fails the run
