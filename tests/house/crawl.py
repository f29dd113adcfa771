"""Every address there is, filled in with every id there is."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from django.urls import URLPattern, get_resolver, reverse

from leeward.domain.meetings.models import Leaf
from leeward.domain.people.models import Visit
from tests.lived import Lived

SLUGS = {
    "step": ["survey", "core", "place"],
    "what": ["purpose", "name", "capacity", "rhythm", "pledge", "format", "cohort"],
    "move": ["start", "next", "arrive", "close"],
    "country": ["DE", "XX"],
    "passkey": ["1"],
}


def patterns() -> Iterator[URLPattern]:
    for found in get_resolver().url_patterns:
        assert isinstance(found, URLPattern), "addresses stand in one flat list"
        yield found


def addresses(here: Lived, name: str | None = None) -> Iterator[tuple[str, str]]:
    """(name, path) of every address; ids of the wrong kind are not tried."""
    ids = here.ids | SLUGS | {
        "token": [here.invitation],
        "leaf": list(Leaf.objects.values_list("pk", flat=True)),
        "visit": list(Visit.objects.values_list("pk", flat=True)[:1]) or [here.group],
        "invitation": [here.group],
    }  # fmt: skip
    for found in patterns():
        if name is not None and found.name != name:
            continue
        wanted = list(found.pattern.converters)
        choices = [ids["group"], [here.group]] if found.name == "let_go" else [ids[kind] for kind in wanted]
        for chosen in product(*choices):
            yield str(found.name), reverse(str(found.name), kwargs=dict(zip(wanted, chosen, strict=True)))
