"""`make bench`: measure, print a table, write `benchmarks/out/latest.json`. The rows: docs/developers/measuring.md."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import live, load, servers, weight
from benchmarks.load import Run
from benchmarks.rows import Row, higher, lower, row, table

LATEST = Path(__file__).parent / "out" / "latest.json"
AT_ONCE = 8
OPEN_PAGES = ("front", "sign_in", "help")
PATHS = {"front": "/", "sign_in": "/sign-in/", "help": "/help/"}
ASKED = {"S1": ("group page, 12 members", 200), "S2": ('"I can\'t come"', 302)}


@dataclass(frozen=True)
class Extent:
    """How much is measured."""

    rounds: int
    warm_ups: int  # rounds before them that count for nothing
    seconds: float
    groups: int
    many_groups: int
    longest: int
    starts: int
    live: live.Extent


WHOLE = Extent(rounds=7, warm_ups=1, seconds=1.0, groups=100, many_groups=2_000, longest=500, starts=5, live=live.WHOLE)
LARGE = Extent(
    rounds=7, warm_ups=1, seconds=1.0, groups=100, many_groups=20_000, longest=500, starts=5, live=live.LARGE
)
QUICK = Extent(rounds=1, warm_ups=0, seconds=0.2, groups=8, many_groups=16, longest=20, starts=1, live=live.QUICK)


# Speed -------------------------------------------------------------------------------------------------------------


def _requests(world: dict[str, Any], kind: str, *, floor: bool = False) -> list[bytes]:
    """One request a visitor: to Leeward, or to the floor that answers for it."""
    return [
        load.request(
            f"/{kind}/{place}" if floor else visitor[kind]["path"],
            method=visitor[kind]["method"],
            cookies=visitor["cookies"],
            body=visitor[kind]["body"],
        )
        for place, visitor in enumerate(world["visitors"])
    ]


def _plan(world: dict[str, Any], out: Path) -> Path:
    plan = {f"{kind}/{place}": v[kind] for kind in ASKED for place, v in enumerate(world["visitors"])}
    out.write_text(json.dumps(plan))
    return out


@dataclass
class _Series:
    """Runs of one kind in the order in which they were made: Leeward, the floors, Leeward among many groups."""

    own: list[Run]
    own_alone: list[Run]
    floor: list[Run]
    floor_alone: list[Run]
    bare: list[Run]
    grown_alone: list[Run]


def speed(extent: Extent, small: dict[str, Any], grown: dict[str, Any], ports: dict[str, int]) -> list[Row]:
    """S1 and S2, and what becomes of them among many groups (S5)."""
    rows: list[Row] = []
    series = {kind: _Series([], [], [], [], [], []) for kind in ASKED}
    for turn in range(-extent.warm_ups, extent.rounds):
        for kind, (_what, status) in ASKED.items():
            own, floor, many = _requests(small, kind), _requests(small, kind, floor=True), _requests(grown, kind)

            def run(port: str, requests: list[bytes], at_once: int, status: int = status) -> Run:
                return load.drive(
                    ports[port], requests, connections=at_once, seconds=extent.seconds, status=status,
                    warm_up=extent.seconds / 5,
                )  # fmt: skip

            made = _Series(
                own=[run("own", own, AT_ONCE)],
                floor=[run("floor", floor, AT_ONCE)],
                bare=[run("bare", floor, AT_ONCE)],
                own_alone=[run("own", own, 1)],
                floor_alone=[run("floor", floor, 1)],
                grown_alone=[run("grown", many, 1)],
            )
            if turn >= 0:
                for name, runs in vars(made).items():
                    getattr(series[kind], name).extend(runs)
    for kind, (what, _status) in ASKED.items():
        rows += _speed_rows(kind, what, series[kind])
    for kind, (what, _status) in ASKED.items():
        runs = series[kind]
        rows.append(
            row(
                f"S5 {kind}", f"{what}: p50 among {grown['groups']:,} groups, {grown['people']:,} people",
                [run.p50 for run in runs.grown_alone], "ms", floors=[run.p50 for run in runs.own_alone], ratio=higher,
                goal=f"≤ 1.3 × among {small['groups']}", most=1.3, of="ratio",
            )
        )  # fmt: skip
    return rows


def _speed_rows(kind: str, what: str, runs: _Series) -> list[Row]:
    rates, floors = [run.rate for run in runs.own], [run.rate for run in runs.floor]
    alone, floors_alone = [run.p50 for run in runs.own_alone], [run.p50 for run in runs.floor_alone]
    return [
        row(f"{kind}", f"{what}: {AT_ONCE} at once", rates, "/s", floors=floors, ratio=higher,
             goal="≥ 0.5 × floor", least=0.5, of="ratio"),
        row(f"{kind} p50", f"{what}: one after another", alone, "ms", floors=floors_alone, ratio=lower,
             goal="≥ 0.5 × floor", least=0.5, of="ratio"),
        row(f"{kind} p99", f"{what}: {AT_ONCE} at once", [run.p99 for run in runs.own], "ms",
             floors=[run.p99 for run in runs.floor], ratio=lower),
        row(f"{kind} bare", f"{what}: beside a floor without a framework", rates, "/s",
             floors=[run.rate for run in runs.bare], ratio=higher),
        row(f"{kind} size", f"{what}: bytes an answer", [run.size for run in runs.own], "B",
             floors=[run.size for run in runs.floor], ratio=higher),
    ]  # fmt: skip


# Statements --------------------------------------------------------------------------------------------------------

LIMITED = {"group": ("S1 statements", 8), "rsvp": ("S2 statements", 8)}


def statements(world: dict[str, Any], longest: int) -> list[Row]:
    """What a page costs: the most and (as floor) the least of four groups that differ in size and past."""
    rows = []
    for name in world["statements"]["few"]:
        counts = [float(found[name]) for found in world["statements"].values()]
        what = f"{name}: statements at 3 and 12 members, 1 and {longest} meetings"
        equal = {"floors": [min(counts)], "ratio": higher, "goal": "equal", "most": 1.0, "of": "ratio"}
        rows.append(row(f"S5 {name}", what, [max(counts)], "", **equal))  # type: ignore[arg-type]
        if name in LIMITED:
            number, most = LIMITED[name]
            rows.append(row(number, f"{name}: statements", [max(counts)], "", goal=f"≤ {most}", most=most))
    return rows


# Weight ------------------------------------------------------------------------------------------------------------


def weights(world: dict[str, Any], port: int) -> list[Row]:
    """Each main page: a first visit as value and most, a later one (files are kept) as least."""
    insider = world["insider"]
    pages = {name: (PATHS[name], "") for name in OPEN_PAGES}
    pages |= {name: (path, insider["cookies"]) for name, path in insider["pages"].items()}
    rows = []
    for name, (path, cookies) in pages.items():
        found = weight.weigh(port, path, cookies=cookies)
        first, alone = found.first / 1000, found.alone / 1000
        what = f"{name}: first visit, and later"
        rows.append(Row(f"S8 {name}", what, first, "kB", None, None, alone, first, 1, "≤ 100", first <= 100))
    return rows


def starts(home: Path, times: int) -> list[Row]:
    """The demo: made and served, and served again."""
    took = []
    for _ in range(times + 1):
        began = time.monotonic()
        with servers.leeward(home, command="demo --serve"):
            took.append(time.monotonic() - began)
    return [
        row("S8 start", "the demo is made and serves", took[:1], "s"),
        row("S8 again", "the demo serves again", took[1:], "s", goal="≤ 4", most=4.0),
    ]


# All of it ---------------------------------------------------------------------------------------------------------


def pages(here: Path, extent: Extent, say: Callable[[str], None]) -> list[Row]:
    """S1, S2, S5, S8."""
    with ExitStack() as open_now:
        say(f"… {extent.groups:,} and {extent.many_groups:,} groups")
        small, grown = servers.filled(
            [
                (here / "small", "world", (extent.groups, extent.longest)),
                (here / "grown", "world", (extent.many_groups, 0)),
            ]
        )
        plan = _plan(small, here / "plan.json")
        own = servers.served(open_now.enter_context(servers.leeward(here / "small")))
        ports = {
            "own": own.port,
            "grown": servers.served(open_now.enter_context(servers.leeward(here / "grown"))).port,
            "floor": open_now.enter_context(servers.floor(here / "small", plan, "django")),
            "bare": open_now.enter_context(servers.floor(here / "small", plan, "bare")),
        }
        say(f"… {extent.rounds} rounds, in turn with the floors")
        rows = speed(extent, small, grown, ports)
        rows += statements(small, extent.longest)
        rows += weights(small, ports["own"])
        rows.append(
            row("S8 memory", "the server after all that", [servers.memory_of(own.pid)], "MB", goal="≤ 150", most=150)
        )
        say("… starting the demo")
        return rows + starts(here / "demo", extent.starts)


PARTS = {
    ("S1", "S2", "S5", "S8"): pages,
    ("S4",): lambda here, extent, say: live.measure(here, extent.live, say),
}


def measure(extent: Extent, say: Callable[[str], None], only: Sequence[str] = ()) -> list[Row]:
    """Rows in the order of their ids. `only`: the ids, or their beginnings, that are wanted; none: all."""
    wanted = tuple(only) or ("S",)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="leeward-bench-") as folder:
        for kinds, part in PARTS.items():
            if any(kind.startswith(one) or one.startswith(kind) for kind in kinds for one in wanted):
                rows += part(Path(folder), extent, say)
    found = [one for one in rows if one.id.startswith(wanted)]
    return sorted(found, key=lambda one: one.id.partition(" ")[0])


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks", description="Measure, with the floors beside.")
    parser.add_argument("--quick", action="store_true", help="one short round: does it run at all")
    parser.add_argument("--large", action="store_true", help="20,000 groups instead of 2,000, 5,000 sockets")
    parser.add_argument("--only", nargs="+", default=[], metavar="ID", help="ids of rows, or their beginnings: S4")
    parser.add_argument("--out", type=Path, default=LATEST, help="where the JSON goes")
    given = parser.parse_args()
    extent = QUICK if given.quick else LARGE if given.large else WHOLE
    began = time.monotonic()
    rows = measure(extent, lambda text: print(text, file=sys.stderr, flush=True), given.only)
    print(table(rows))
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, {time.monotonic() - began:.0f} s")
    found = {"extent": asdict(extent), "cores": os.cpu_count(), "python": platform.python_version()}
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(found | {"rows": [asdict(one) for one in rows]}, indent=1, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
