"""Every field of every table says who may see it and how long it is kept."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import models

from leeward.config.register import OTHERS
from leeward.lib.fields import SealedText
from leeward.lib.register import Entry, Seen, entry_of

OURS = [model for model in apps.get_models() if model.__module__.startswith("leeward.")]
THEIRS = [model for model in apps.get_models(include_auto_created=True) if not model.__module__.startswith("leeward.")]


def missing(model: type[models.Model], entries: dict[str, Entry]) -> set[str]:
    return {field.name for field in model._meta.local_fields} ^ set(entries)


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
def test_every_field_of_ours_has_an_entry_and_every_entry_a_field(model: type[models.Model]) -> None:
    assert missing(model, model.register) == set()  # type: ignore[attr-defined]


@pytest.mark.parametrize("model", THEIRS, ids=lambda model: model._meta.label)
def test_every_field_of_a_library_has_an_entry(model: type[models.Model]) -> None:
    assert missing(model, OTHERS.get(model._meta.label, {})) == set()


def test_a_field_without_an_entry_would_be_red() -> None:
    entries = dict(OURS[0].register)  # type: ignore[attr-defined]
    gone = next(iter(entries))
    del entries[gone]
    assert missing(OURS[0], entries) == {gone}


def test_no_sealed_column_is_public() -> None:
    sealed = [(m, f) for m in OURS for f in m._meta.local_fields if isinstance(f, SealedText)]
    assert len(sealed) > 10
    assert [(m, f) for m, f in sealed if m.register[f.name].seen is Seen.PUBLIC] == []  # type: ignore[attr-defined]


def test_words_and_names_that_people_type_are_sealed() -> None:
    """A text column that holds what people type is sealed; the open ones are codes, ids, dates and digests."""
    open_text = {
        f"{m._meta.label}.{f.name}"
        for m in OURS
        for f in m._meta.local_fields
        if isinstance(f, models.TextField) or (isinstance(f, models.CharField) and (f.max_length or 0) > 64)
    }
    assert open_text == {"people.Person.password", "people.FormKey.answer", "meetings.Rhythm.cycle"}


def test_every_label_beside_an_input_stands_in_the_register() -> None:
    from leeward.web.forms import Form

    def forms_below(cls: type[Form]) -> list[type[Form]]:
        return [cls] + [deeper for child in cls.__subclasses__() for deeper in forms_below(child)]

    import leeward.config.urls  # noqa: F401 — loads every form

    places = [place for form in forms_below(Form) for place in form.seen.values()]
    assert len(places) > 5
    assert all(isinstance(entry_of(place), Entry) for place in places)
