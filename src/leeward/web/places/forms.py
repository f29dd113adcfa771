"""The form of a place."""

from __future__ import annotations

from typing import ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from leeward.domain.places import rules
from leeward.domain.places.queries import PlaceSeen
from leeward.domain.places.rules import Facts
from leeward.web.forms import Form


class PlaceForm(Form):
    seen: ClassVar[dict[str, str]] = {
        "label": "places.Place.label",
        "address": "places.Place.address",
        "link": "places.Place.link",
        "access_notes": "places.Place.access_notes",
        "reserved_until": "places.Place.reserved_until",
    }

    label = forms.CharField(
        label=_("What do you call it?"), max_length=rules.LABEL_LENGTH, help_text=_("Like “library” or “video call”.")
    )
    address = forms.CharField(
        label=_("Address of the room"),
        required=False,
        max_length=rules.ADDRESS_LENGTH,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Leave it empty when you only meet online."),
    )
    link = forms.CharField(
        label=_("Link to join online"),
        required=False,
        max_length=rules.LINK_LENGTH,
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off"}),
        help_text=_("Shown to members only, from 15 minutes before a meeting until two hours after it."),
    )
    access_notes = forms.CharField(
        label=_("Getting in"),
        required=False,
        max_length=rules.NOTES_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Steps or a lift, which bell to ring, how loud it is."),
    )
    cost_free = forms.BooleanField(label=_("It costs nothing"), required=False, initial=True)
    screen_sharing = forms.BooleanField(label=_("One can share a screen there"), required=False)
    reserved_until = forms.DateField(
        label=_("Reserved until"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def facts(self) -> Facts:
        said = self.cleaned_data
        return Facts(**{name: said[name] for name in Facts.__dataclass_fields__})


class ChangePlaceForm(PlaceForm):
    """The link in use is not shown here: it has its own hour. An empty field keeps it."""

    no_link = forms.BooleanField(label=_("Take the link away"), required=False)

    @classmethod
    def initial_of(cls, place: PlaceSeen) -> dict[str, object]:
        names = ("label", "address", "access_notes", "cost_free", "screen_sharing", "reserved_until")
        return {name: getattr(place, name) for name in names}

    @property
    def keeps_link(self) -> bool:
        return not self.cleaned_data["link"].strip() and not self.cleaned_data["no_link"]

    def facts(self) -> Facts:
        said = self.cleaned_data | ({"link": ""} if self.cleaned_data["no_link"] else {})
        return Facts(**{name: said[name] for name in Facts.__dataclass_fields__})
