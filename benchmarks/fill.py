"""`python -m benchmarks.fill OUT KIND NUMBER…`: fill the home at `LEEWARD_HOME`, write what the load needs to OUT.

KIND is `world` (groups, longest history) or `rooms` (rooms).
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import django


def main(out: str, kind: str, *numbers: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "leeward.config.settings"
    django.setup()
    from benchmarks import rooms, world

    make: Any = {"world": world.make, "rooms": rooms.make}[kind]
    Path(out).write_text(json.dumps(make(*map(int, numbers))))


if __name__ == "__main__":
    main(*sys.argv[1:])
