"""Weight: what a page and everything it names cost on the wire, heads included, compressed as a browser asks for it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from benchmarks import load

BROWSER = "gzip, deflate, br, zstd"
NAMED = re.compile(rb"""<(?:link|script|img)\b[^>]*?\b(?:href|src)="(/[^"]+)\"""")
IN_CSS = re.compile(rb"""url\(["']?(/[^"')]+)""")


@dataclass(frozen=True)
class Weight:
    """Bytes: of the page alone, and of a first visit with every style, script and picture that it names."""

    alone: int
    first: int


def weigh(port: int, path: str, *, cookies: str = "") -> Weight:
    """Raises load.WrongAnswer unless everything answers 200."""
    alone, _head, body = load.fetch(port, path, cookies=cookies, encodings=BROWSER)
    named = set(NAMED.findall(body))
    for name in list(named):
        if name.endswith(b".css"):
            named |= set(IN_CSS.findall(load.fetch(port, name.decode())[2]))
    files = sum(load.fetch(port, name.decode(), cookies=cookies, encodings=BROWSER)[0] for name in sorted(named))
    return Weight(alone, alone + files)
