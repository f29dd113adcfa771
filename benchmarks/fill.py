"""`python -m benchmarks.fill OUT GROUPS LONGEST`: fill the home at `LEEWARD_HOME`, write what the load needs to OUT."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import django


def main(out: str, groups: str, longest: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "leeward.config.settings"
    django.setup()
    from benchmarks import world

    Path(out).write_text(json.dumps(world.make(int(groups), int(longest))))


if __name__ == "__main__":
    main(*sys.argv[1:])
