"""`setup.sh`: each part ends well when its work is done, and is red when it is not."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.servers import ROOT


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clean clone whose virtual environment holds a pip that does nothing."""
    shutil.copy(ROOT / "setup.sh", tmp_path)
    (tmp_path / "requirements").mkdir()
    _stands_for(tmp_path / ".venv/bin/python", status=0)
    return tmp_path


def _stands_for(program: Path, *, status: int) -> None:
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(f'#!/bin/sh\necho "$@" >> "{program}.asked"\nexit {status}\n')
    program.chmod(0o755)


def packages(clone: Path, which: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["./setup.sh", "packages", which], cwd=clone, capture_output=True, text=True, check=False, env=dict(os.environ)
    )


def marks(clone: Path) -> set[str]:
    return {path.name for path in (clone / ".venv").iterdir() if path.is_file()}


@pytest.mark.parametrize(("which", "left"), [("base", {".base"}), ("dev", {".base", ".dev"})])
@pytest.mark.parametrize("by", ["python", "uv"])
def test_installing_packages_ends_well_and_leaves_its_mark(clone: Path, which: str, left: set[str], by: str) -> None:
    _stands_for(clone / ".venv/bin" / by, status=0)
    done = packages(clone, which)
    assert (done.returncode, marks(clone)) == (0, left), done.stderr
    asked = (clone / f".venv/bin/{by}.asked").read_text()
    assert f"-r requirements/{which}.txt" in asked
    assert "--require-hashes" in asked


@pytest.mark.parametrize("by", ["python", "uv"])
def test_packages_that_could_not_be_installed_leave_no_mark(clone: Path, by: str) -> None:
    _stands_for(clone / ".venv/bin" / by, status=3)
    assert (packages(clone, "base").returncode, marks(clone)) == (3, set())


def test_an_unknown_word_is_answered_with_what_there_is(clone: Path) -> None:
    done = subprocess.run(["./setup.sh", "all"], cwd=clone, capture_output=True, text=True, check=False)
    assert (done.returncode, "usage: setup.sh" in done.stderr) == (1, True)
