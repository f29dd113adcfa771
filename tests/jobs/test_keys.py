"""Keys are made for an empty PostgreSQL only, and never beside one that nobody could ask."""

from __future__ import annotations

import os
from pathlib import Path

import psycopg
import pytest

from leeward.config.keys import keyring
from tests.servers import a_database, free_port

ON_POSTGRES = pytest.mark.skipif(os.environ.get("LEEWARD_TEST_DB") != "postgres", reason="asks a PostgreSQL")


@ON_POSTGRES
def test_a_database_with_our_tables_gets_no_new_keys(tmp_path: Path) -> None:
    url = a_database()
    ring = keyring(tmp_path / "first", database_url=url)
    with psycopg.connect(url, autocommit=True) as writing:
        writing.execute("CREATE TABLE people_person (id text)")
    assert keyring(tmp_path / "first", database_url=url) == ring
    with pytest.raises(SystemExit) as no:
        keyring(tmp_path / "second", database_url=url)
    assert "Put your copy of keys.json back" in str(no.value.code)
    assert not (tmp_path / "second" / "keys.json").exists()


def test_a_database_that_does_not_answer_gets_no_keys(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as no:
        keyring(tmp_path, database_url=f"postgresql://nobody:secret@127.0.0.1:{free_port()}/none")
    assert ("cannot be reached" in str(no.value.code), "secret" in str(no.value.code)) == (True, False)
    assert not (tmp_path / "keys.json").exists()
