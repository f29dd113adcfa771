"""A home with a talking room in it, for servers in processes of their own: `python -m tests.live.home build|report`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.live.watching import Device
from tests.servers import ROOT

SIZE = 12


@dataclass
class House:
    """`env` makes any `leeward` process use this home, with the clock at the start of the meeting."""

    home: Path
    env: dict[str, str]
    group: str = ""
    meeting: str = ""
    names: tuple[str, ...] = ()
    cookies: dict[str, str] = field(default_factory=dict)
    members: dict[str, str] = field(default_factory=dict)

    def device(self, name: str, url: str) -> Device:
        return Device(name, url, self.cookies[name], self.group, self.meeting)

    def report(self) -> Report:
        return Report(**_run(self.env, "report", self.meeting))


@dataclass
class Report:
    """What the rows of the room say."""

    numbers: list[int]
    phase: str
    gives: dict[str, int]
    tokens: dict[str, int]
    issued: int
    spent: int
    given: int
    got: int
    taken: int
    caught: list[str]

    @property
    def seq(self) -> int:
        return self.numbers[-1]

    def check(self) -> None:
        """Nothing is doubled or lost of the rows; tokens are conserved."""
        assert self.numbers == list(range(1, len(self.numbers) + 1))
        assert self.got == self.given == sum(self.gives.values())
        assert self.spent == self.taken
        assert sum(self.tokens.values()) == self.issued - self.spent
        assert min(self.tokens.values()) >= 0
        assert len(set(self.caught)) == len(self.caught)


def made(home: Path, *, database: str = "", ahead: float = 0) -> House:
    """A new home. `ahead`: seconds after the start of the meeting at which its clock stands now."""
    from tests.meeting import START

    clock = (START - datetime.now(UTC)).total_seconds() + ahead
    env = {"LEEWARD_HOME": str(home), "LEEWARD_CLOCK": str(clock)} | ({"DATABASE_URL": database} if database else {})
    facts = _run(env, "build")
    return House(home, env, facts["group"], facts["meeting"], tuple(facts["names"]), facts["cookies"], facts["members"])


def environment(env: dict[str, str]) -> dict[str, str]:
    ours = ("LEEWARD_", "DATABASE_", "PYTEST", "DJANGO", "VALKEY_")
    plain = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return plain | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"} | env


def leeward(env: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "leeward", *words], env=environment(env), cwd=ROOT, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip


def _run(env: dict[str, str], *words: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.live.home", *words], env=environment(env), cwd=ROOT, capture_output=True,
        text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


# In the process of its own ------------------------------------------------------------------------------------------


def _build() -> dict[str, Any]:
    from django.core.management import call_command

    from leeward.domain.safety import actions as safety
    from leeward.lib.tickets import Operator
    from tests.cast import NOW
    from tests.live.rooms import a_scene, cookie_of

    call_command("migrate", verbosity=0, interactive=False)
    safety.write_example_lines(Operator(), at=NOW)
    scene = a_scene(size=SIZE)
    return {
        "group": scene.group,
        "meeting": scene.meeting,
        "names": scene.names,
        "cookies": {name: cookie_of(scene.here.people[name]) for name in scene.names},
        "members": {name: scene.member(name) for name in scene.names},
    }


def _report(meeting: str) -> dict[str, Any]:
    from leeward.domain.room import queries
    from leeward.domain.room.models import Room, RoomEntry
    from leeward.domain.room.rules import Move

    room = Room.objects.get(meeting=meeting)
    rows = list(RoomEntry.objects.filter(room=room).order_by("seq"))
    state, _seq = queries.folded(room)
    return {
        "numbers": [row.seq for row in rows],
        "phase": state.phase.value,
        "gives": Counter(row.entry["by"] for row in rows if row.entry["move"] == Move.GIVE.value),
        "tokens": {who: state.tokens(who) for who in state.issued},
        "issued": sum(state.issued.values()),
        "spent": sum(state.spent.values()),
        "given": sum(state.given.values()),
        "got": sum(state.got.values()),
        "taken": sum(state.taken.values()),
        "caught": list(state.caught),
    }


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "leeward.config.settings")
    import django

    django.setup()
    print(json.dumps(_build() if sys.argv[1] == "build" else _report(sys.argv[2])))


if __name__ == "__main__":
    main()
