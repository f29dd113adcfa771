"""Forms about oneself: the address one signs in with, the code, the name."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from leeward.domain.people import rules
from leeward.domain.people.rules import Self
from leeward.web import languages
from leeward.web.forms import Form
from leeward.web.moments import zone_choices


class AddressForm(Form):
    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        help_text=_("We send a code there. Nobody in your groups sees the address."),
        widget=forms.EmailInput(attrs={"autocomplete": "username webauthn", "inputmode": "email"}),
    )


class CodeForm(Form):
    code = forms.CharField(
        label=_("The code from the letter"),
        max_length=20,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "autocapitalize": "characters", "spellcheck": "false"}
        ),
    )


class AboutMeForm(Form):
    """My name, language, time zone, and whether the way out stands on every page."""

    seen: ClassVar[dict[str, str]] = {
        "name": "people.Person.name",
        "language": "people.Person.language",
        "zone": "people.Person.zone",
        "quick_exit": "people.Person.quick_exit",
        "adult": "people.Person.adult_at",
    }

    name = forms.CharField(
        label=_("What shall we call you?"),
        max_length=rules.NAME_LENGTH,
        help_text=_("Any name you like. It need not be your real one, and each group can know you by another."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    language = forms.ChoiceField(label=_("Language"))
    zone = forms.ChoiceField(label=_("Your time zone"))
    quick_exit = forms.BooleanField(
        label=_("Show “Leave fast” on every page"),
        required=False,
        help_text=_("A tap on it opens another site, and Back does not lead here."),
    )

    def __init__(self, request: HttpRequest, me: Self) -> None:
        super().__init__(
            request,
            initial={
                "name": me.name,
                "language": languages.spoken(me.language),
                "zone": me.zone,
                "quick_exit": me.quick_exit,
            },
        )
        self.fields["language"].choices = settings.LANGUAGES  # type: ignore[attr-defined]
        self.fields["zone"].choices = zone_choices()  # type: ignore[attr-defined]
        if len(settings.LANGUAGES) == 1:
            self.fields["language"].widget = forms.HiddenInput()

    def facts(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in ("name", "language", "zone", "quick_exit")}


class IntroduceForm(AboutMeForm):
    """The first page after the first sign-in."""

    adult = forms.BooleanField(label=_("I am 18 or older."), required=False)

    def __init__(self, request: HttpRequest, me: Self) -> None:
        super().__init__(request, me)
        del self.fields["quick_exit"]

    def facts(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in ("name", "language", "zone", "adult")}
