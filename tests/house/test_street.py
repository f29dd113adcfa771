"""Foreign keys point down the street; a reaction stands higher on it than the event it hears."""

from __future__ import annotations

import configparser
import inspect
from pathlib import Path

from django.apps import apps
from django.db import models

from leeward.config.wiring import WIRING
from leeward.lib.events import Event, Kept

ROOT = Path(__file__).resolve().parents[2]


def street() -> dict[str, int]:
    """noun → height, read from the contract that import-linter keeps."""
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    lines = contracts["importlinter:contract:street"]["layers"].split("\n")
    storeys = [line.split("|") for line in lines if line.strip()]
    return {noun.strip(" ()"): len(storeys) - height for height, storey in enumerate(storeys) for noun in storey}


def noun_of(module: str) -> str:
    return module.split(".")[2]


def test_foreign_keys_point_down_the_street() -> None:
    height = street()
    keys = [
        (noun_of(model.__module__), field.name, noun_of(field.related_model.__module__))
        for model in apps.get_models()
        if model.__module__.startswith("leeward.domain.")
        for field in model._meta.local_fields
        if isinstance(field, models.ForeignKey) and isinstance(field.related_model, type)
    ]
    assert len(keys) > 30
    assert [key for key in keys if key[0] != key[2] and height[key[0]] <= height[key[2]]] == []


def test_reactions_stand_higher_than_the_events_they_hear() -> None:
    height = street()
    pairs = [
        (noun_of(event.__module__), noun_of(reaction.__module__))
        for event, reactions in WIRING.items()
        for reaction in reactions
        if reaction.__module__.startswith("leeward.domain.")
    ]
    assert len(pairs) > 10
    assert [pair for pair in pairs if height[pair[1]] <= height[pair[0]]] == []


def all_events() -> list[type[Event]]:
    def below(cls: type[Event]) -> list[type[Event]]:
        return [deeper for child in cls.__subclasses__() for deeper in [child, *below(child)]]

    return below(Event)


def test_every_event_is_wired_and_says_what_the_journal_keeps() -> None:
    events = all_events()
    assert [event.__name__ for event in events if event not in WIRING] == []
    assert [event.__name__ for event in events if not isinstance(event.__dict__.get("kept"), Kept)] == []


def test_events_carry_ids_and_moments_and_no_free_text() -> None:
    allowed = {"str", "str | None", "int", "datetime", "tuple[str, ...]", "bool"}
    odd = [
        (event.__name__, name, kind)
        for event in all_events()
        for name, kind in inspect.get_annotations(event).items()
        if name != "kept" and getattr(kind, "__name__", str(kind)) not in allowed and str(kind) not in allowed
    ]
    assert odd == []
