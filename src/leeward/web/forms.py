"""Forms: what is typed is kept, what is refused says so beside its field, who can see it stands beside the input."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from leeward.domain.people import actions as people
from leeward.domain.people.rules import Self
from leeward.lib import clock
from leeward.lib.ids import is_id, new_id
from leeward.lib.refusals import Refusal
from leeward.lib.register import entry_of
from leeward.lib.words import length
from leeward.web import words

_WHOLE = re.compile(r"-?[0-9]{1,9}")


class Number(forms.IntegerField):
    """A whole number as browsers send it; not all that Python reads as one ("1_0", "6.0", digits of every script)."""

    def to_python(self, value: Any) -> int | None:
        if value not in self.empty_values and not _WHOLE.fullmatch(str(value).strip()):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(value)


class Form(forms.Form):
    """A form of ours. `seen` maps a field to the register's entry (`groups.Group.purpose`) its label comes from."""

    seen: ClassVar[dict[str, str]] = {}
    use_required_attribute = True

    key = forms.Field(required=False, widget=forms.HiddenInput(attrs={"id": False}))

    def __init__(self, request: HttpRequest | None = None, **options: Any) -> None:
        self.posted = request is not None and request.method == "POST"
        data = request.POST if request is not None and self.posted else None
        files = request.FILES if request is not None and self.posted else None
        super().__init__(data=data, files=files, auto_id="%s", **options)
        self.initial.setdefault("key", new_id())

    def full_clean(self) -> None:
        for field in self.fields.values():  # those too that a form adds when it is made
            _speak_plainly(field)
        super().full_clean()

    def sent(self) -> bool:
        """Whether this is a POST whose fields are well formed."""
        return self.posted and self.is_valid()

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """A Refusal inside becomes this form's message; the code after the block shows the form again."""
        try:
            yield
        except Refusal as refusal:
            place = self.beside(refusal)
            self.add_error(place if place in self.fields else None, words.sentence(refusal))

    def beside(self, refusal: Refusal) -> str | None:
        """The field that a refusal belongs beside, for forms that call it otherwise than the rules do."""
        return refusal.field

    def once(self, me: Self, do: Callable[[], str]) -> str:
        """Run `do` once for this form's key and content; a double click or Back gives the first answer."""
        content = {name: str(value) for name, value in self.cleaned_data.items() if name != "key"}
        digest = hashlib.sha256(json.dumps([type(self).__name__, content], sort_keys=True).encode()).hexdigest()
        key = self.cleaned_data.get("key") or ""
        if not is_id(key):
            key = new_id()
        return people.once(me, key=key, content=digest, do=do, at=clock.now())

    def seen_label(self, name: str) -> str:
        """The sentence beside an input, from the field register; empty for fields that are not kept."""
        place = self.seen.get(name)
        return "" if place is None else _("Who can see this: %(who)s.") % {"who": words.label(entry_of(place).seen)}


def _speak_plainly(field: forms.Field) -> None:
    """The framework's messages in our words."""
    field.error_messages |= {name: str(said) for name, said in words.FIELD_MESSAGES.items()}
    field.validators = [_in_plain_words(validator) for validator in field.validators]
    if isinstance(field, forms.CharField):
        field.validators.append(_refuse_broken_text)


def _in_plain_words(validator: Any) -> Any:
    said = words.VALIDATOR_MESSAGES.get(type(validator))
    if said is None:
        return validator
    if isinstance(validator, MaxLengthValidator):
        return _AtMost(validator.limit_value, message=str(said))
    own = copy(validator)
    own.message = str(said)
    return own


class _AtMost(MaxLengthValidator):
    """Counts as people do, and the end of a line as one, however the browser sends it. Marks on a letter are free up to
    eight characters a letter, as `words.line` has it: bringing a tower of marks into order takes seconds."""

    def clean(self, x: Any) -> int:
        text = str(x).replace("\r\n", "\n")
        return max(length(text), -(-len(text) // 8))


def _refuse_broken_text(text: str) -> None:
    """Bytes that are no UTF-8 (lone surrogates are none) arrive as U+FFFD: something was lost on the way."""
    if "\ufffd" in text:
        raise ValidationError(str(words.REFUSALS["not_text"]))


def page(
    request: HttpRequest, template: str, page: object, *, form: Form | None = None, **reader: object
) -> HttpResponse:
    """Render `page` (one frozen dataclass). 422 when the form on it was refused.

    `reader` is what a part needs that is drawn for one reader and for many (`room/scene.html`).
    """
    refused = form is not None and form.posted and not form.is_valid()
    return render(request, template, {"page": page, **reader}, status=422 if refused else 200)
