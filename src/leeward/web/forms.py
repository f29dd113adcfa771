"""Forms: what is typed is kept, what is refused says so beside its field, who can see it stands beside the input."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from leeward.domain.people import actions as people
from leeward.domain.people.rules import Self
from leeward.lib import clock
from leeward.lib.ids import is_id, new_id
from leeward.lib.refusals import Refusal
from leeward.lib.register import entry_of
from leeward.web import words


class Form(forms.Form):
    """A form of ours. `seen` maps a field to the register's entry (`groups.Group.purpose`) its label comes from."""

    seen: ClassVar[dict[str, str]] = {}
    use_required_attribute = True

    key = forms.CharField(required=False, widget=forms.HiddenInput, max_length=64)

    def __init__(self, request: HttpRequest | None = None, **options: Any) -> None:
        self.posted = request is not None and request.method == "POST"
        data = request.POST if request is not None and self.posted else None
        files = request.FILES if request is not None and self.posted else None
        super().__init__(data=data, files=files, auto_id="%s", **options)
        self.initial.setdefault("key", new_id())
        for field in self.fields.values():
            _speak_plainly(field)

    def sent(self) -> bool:
        """Whether this is a POST whose fields are well formed."""
        return self.posted and self.is_valid()

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """A Refusal inside becomes this form's message; the code after the block shows the form again."""
        try:
            yield
        except Refusal as refusal:
            self.add_error(refusal.field if refusal.field in self.fields else None, words.sentence(refusal))

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


def _in_plain_words(validator: Any) -> Any:
    said = words.VALIDATOR_MESSAGES.get(type(validator))
    if said is None:
        return validator
    own = copy(validator)
    own.message = str(said)
    return own


def page(request: HttpRequest, template: str, page: object, *, form: Form | None = None) -> HttpResponse:
    """Render `page` (one frozen dataclass). 422 when the form on it was refused."""
    refused = form is not None and form.posted and not form.is_valid()
    return render(request, template, {"page": page}, status=422 if refused else 200)
