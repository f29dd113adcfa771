"""A figure and how it is shown: value, floor, ratio, goal."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One figure: the median of `n` runs, the least and the most of them. `ratio` is 1 at the floor, and `met` says
    whether the goal is reached (None: a figure for orientation)."""

    id: str
    what: str
    value: float
    unit: str
    floor: float | None
    ratio: float | None
    min: float
    max: float
    n: int
    goal: str = ""
    met: bool | None = None


def row(
    name: str,
    what: str,
    values: Sequence[float],
    unit: str,
    *,
    floors: Sequence[float] = (),
    ratio: Callable[[float, float], float] | None = None,
    goal: str = "",
    least: float | None = None,
    most: float | None = None,
    of: str = "value",
) -> Row:
    """A row; the ratio is the median of the rounds' own ratios, so that a slow minute slows both."""
    value = statistics.median(values)
    floor = statistics.median(floors) if floors else None
    share = statistics.median(map(ratio, values, floors)) if ratio and floors else None
    judged = share if of == "ratio" else value
    met = None
    if judged is not None and (least is not None or most is not None):
        met = (least is None or judged >= least) and (most is None or judged <= most)
    return Row(name, what, value, unit, floor, share, min(values), max(values), len(values), goal, met)


def higher(value: float, floor: float) -> float:
    return value / floor


def lower(value: float, floor: float) -> float:
    return floor / value


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value that this share of them does not exceed; `ordered` is sorted."""
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def table(rows: Sequence[Row]) -> str:
    def number(value: float | None) -> str:
        return "" if value is None else f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.2f}"

    lines = [("id", "what", "value", "floor", "ratio", "min–max", "n", "goal", "")]
    for one in rows:
        met = {None: "", True: "met", False: "NOT MET"}[one.met]
        spread = f"{number(one.min)}–{number(one.max)}"
        value = f"{number(one.value)} {one.unit}".strip()
        share = "" if one.ratio is None else f"{one.ratio:.2f}"
        lines.append((one.id, one.what, value, number(one.floor), share, spread, str(one.n), one.goal, met))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(f"{cell:<{w}}" for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines)
