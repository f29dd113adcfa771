"""Files that stand outside the repository, in `../shared/data`. A clean clone has none: tests that need them skip."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parents[2] / "shared" / "data"


def path_of(relative: str) -> Path:
    """The path of a data file or folder. Skips the test when it is missing; fails it when LEEWARD_NEED_DATA=1."""
    path = HERE / relative
    if not path.exists():
        if os.environ.get("LEEWARD_NEED_DATA") == "1":
            pytest.fail(f"shared data {relative} is missing and LEEWARD_NEED_DATA=1")
        pytest.skip(f"shared data {relative} is not here")
    return path


def vectors() -> dict[str, Any]:
    return dict(json.loads(path_of("vectors.json").read_text()))
