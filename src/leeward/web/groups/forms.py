"""Forms of a group: founding it, describing it, inviting, joining, one's name in it."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest
from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _

from leeward.domain.groups import rules
from leeward.domain.groups.queries import GroupFacts
from leeward.domain.groups.rules import Format
from leeward.domain.people import rules as people
from leeward.web import words
from leeward.web.forms import Form, Number
from leeward.web.moments import zone_choices
from leeward.web.safety.countries import country_choices


class _Describing(Form):
    seen: ClassVar[dict[str, str]] = {
        "name": "groups.Group.name",
        "purpose": "groups.Group.purpose",
        "cohort": "groups.Group.cohort",
        "format": "groups.Group.format",
        "country": "groups.Group.country",
    }

    name = forms.CharField(
        label=_("Name of the group"), max_length=rules.NAME_LENGTH, help_text=_("Short, and easy to say aloud.")
    )
    purpose = forms.CharField(
        label=_("What is it for?"),
        max_length=rules.PURPOSE_LENGTH,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("One sentence. It stands on top of every agenda."),
    )
    cohort = forms.CharField(
        label=_("Who are you?"),
        max_length=rules.COHORT_LENGTH,
        help_text=_("Like “new parents in the north of town”."),
    )
    format = forms.ChoiceField(
        label=_("How will you work?"), choices=lazy(lambda: words.choices(Format), list)(), widget=forms.RadioSelect
    )
    country = forms.ChoiceField(label=_("Country"), help_text=_("It decides which help lines stand on the help page."))

    @property
    def format_chosen(self) -> Format:
        return Format(self.cleaned_data["format"])

    def facts(self, *names: str) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in names}


class FoundForm(_Describing):
    seen: ClassVar[dict[str, str]] = _Describing.seen | {
        "zone": "groups.Group.zone",
        "my_name": "groups.Membership.name",
    }

    zone = forms.ChoiceField(
        label=_("Time zone of the group"), help_text=_("Meetings keep their hour in this zone, summer and winter.")
    )
    my_name = forms.CharField(
        label=_("Your name in this group"),
        max_length=people.NAME_LENGTH,
        help_text=_("Any name you like. It need not be your real one."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, request: HttpRequest | None = None, *, ready: tuple[str, ...], **options: Any) -> None:
        super().__init__(request, **options)
        self.fields["country"].choices = country_choices(ready)  # type: ignore[attr-defined]
        self.fields["zone"].choices = zone_choices()  # type: ignore[attr-defined]
        self.initial.setdefault("format", Format.TOPIC_CIRCLE.value)


class SettingsForm(_Describing):
    seen: ClassVar[dict[str, str]] = _Describing.seen | {"capacity": "groups.Group.capacity"}

    capacity = Number(
        label=_("Seats"),
        min_value=rules.CAPACITY_LEAST,
        max_value=rules.CAPACITY_MOST,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
        help_text=_("8 to 12 is a good size. When they are taken, new people stand in line."),
    )

    def __init__(
        self, request: HttpRequest | None = None, *, group: GroupFacts, ready: tuple[str, ...], **options: Any
    ) -> None:
        shown = ("name", "purpose", "cohort", "format", "country", "capacity")
        initial = {name: getattr(group, name) for name in shown}
        super().__init__(request, initial=initial, **options)
        codes = tuple(sorted({*ready, group.country} - {""}))
        self.fields["country"].choices = country_choices(codes)  # type: ignore[attr-defined]
        self.fields["country"].required = bool(codes)


class InviteForm(Form):
    """A link to hand on, a letter to one address, or a place that is kept for somebody on paper."""

    seen: ClassVar[dict[str, str]] = {"address": "groups.Invitation.address"}

    address = forms.EmailField(
        label=_("E-mail address"),
        required=False,
        max_length=254,
        help_text=_(
            "Leave it empty to get a link that you pass on yourself. A link in a letter works for its address only."
        ),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    uses = Number(
        label=_("How many people may use the link?"),
        initial=1,
        min_value=1,
        max_value=rules.INVITATION_USES_MOST,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )


class ClaimForm(Form):
    """An invitation for one seat on paper."""

    seen: ClassVar[dict[str, str]] = {"claim_address": "groups.Invitation.address"}

    claims = forms.ChoiceField(label=_("Whose place is it?"))
    claim_address = forms.EmailField(
        label=_("Their e-mail address"),
        required=False,
        max_length=254,
        help_text=_("Leave it empty to get a link that you pass on yourself."),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, request: HttpRequest | None = None, *, seats: list[tuple[str, str]], **options: Any) -> None:
        super().__init__(request, **options)
        self.auto_id = "claim-%s"  # it stands on one page with the other form
        self.fields["claims"].choices = seats  # type: ignore[attr-defined]


class TokensForm(Form):
    """Whether talk tokens shall not count for me."""

    seen: ClassVar[dict[str, str]] = {"free": "groups.Membership.no_tokens"}

    free = forms.BooleanField(
        label=_("I need to speak without counting tokens"),
        required=False,
        help_text=_("From the next time you come in. Nobody asks why."),
    )


class JoinForm(Form):
    seen: ClassVar[dict[str, str]] = {"name": "groups.Membership.name"}

    name = forms.CharField(
        label=_("Your name in this group"),
        max_length=people.NAME_LENGTH,
        help_text=_("Any name you like. It need not be your real one."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class MyNameForm(JoinForm):
    """The same question, once one is in."""
