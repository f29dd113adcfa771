"""Forms for bringing in a group: its lists and what they do not say, then which of the people one is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest
from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _

from leeward.domain.groups import rules as groups
from leeward.domain.groups.rules import Format
from leeward.domain.meetings import rules as meetings
from leeward.domain.portability.rules import ATTENDANCE, MEETINGS, MEMBERS, SESSIONS
from leeward.lib.refusals import Refusal
from leeward.web import words
from leeward.web.forms import Form, Number
from leeward.web.moments import zone_choices
from leeward.web.safety.countries import country_choices

_HISTORY = {"members": MEMBERS, "attendance": ATTENDANCE, "calendar": MEETINGS}
_FILES = _HISTORY | {"counts": SESSIONS}


class BringForm(Form):
    seen: ClassVar[dict[str, str]] = {
        "name": "groups.Group.name",
        "purpose": "groups.Group.purpose",
        "cohort": "groups.Group.cohort",
        "format": "groups.Group.format",
        "country": "groups.Group.country",
        "zone": "groups.Group.zone",
    }

    attendance = forms.FileField(
        label=_("Who came when (attendance.csv)"),
        required=False,
        help_text=_("Columns: date, member, role."),
        widget=forms.FileInput,
    )
    members = forms.FileField(
        label=_("Members (members.csv)"),
        required=False,
        help_text=_("Columns: member, name, joined, left."),
        widget=forms.FileInput,
    )
    calendar = forms.FileField(label=_("Calendar of meetings (meetings.ics)"), required=False, widget=forms.FileInput)
    counts = forms.FileField(
        label=_("How many came (to compare)"),
        required=False,
        help_text=_("Columns: date, count. It makes no meetings: we say where it differs."),
        widget=forms.FileInput,
    )
    name = forms.CharField(label=_("Name of the group"), max_length=groups.NAME_LENGTH)
    purpose = forms.CharField(
        label=_("What is it for?"), max_length=groups.PURPOSE_LENGTH, widget=forms.Textarea(attrs={"rows": 2})
    )
    cohort = forms.CharField(label=_("Who are you?"), max_length=groups.COHORT_LENGTH, required=False)
    format = forms.ChoiceField(label=_("How do you work?"), choices=lazy(lambda: words.choices(Format), list)())
    country = forms.ChoiceField(label=_("Country"))
    zone = forms.ChoiceField(label=_("Time zone of the group"))
    time = forms.TimeField(
        label=_("Meetings began at"), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        input_formats=["%H:%M"],
    )  # fmt: skip
    minutes = Number(
        label=_("Minutes a meeting took"), min_value=meetings.MINUTES_LEAST, max_value=meetings.MINUTES_MOST
    )

    def __init__(self, request: HttpRequest, *, ready: Sequence[str], **options: Any) -> None:
        super().__init__(request, **options)
        self.fields["country"].choices = country_choices(tuple(ready))  # type: ignore[attr-defined]
        self.fields["zone"].choices = zone_choices()  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not any(field in self.files for field in _HISTORY):
            self.add_error("attendance", _("Please choose at least one file."))
        return cleaned

    def beside(self, refusal: Refusal) -> str | None:
        """What is said of a file stands beside that file."""
        file = refusal.facts.get("file")
        return next((field for field, name in _FILES.items() if name == file), refusal.field)

    @property
    def uploaded(self) -> dict[str, bytes]:
        """File contents under the names that the import knows."""
        return {name: self.cleaned_data[field].read() for field, name in _FILES.items() if self.cleaned_data[field]}

    @property
    def facts(self) -> dict[str, Any]:
        plain = {name: self.cleaned_data[name] for name in ("name", "purpose", "cohort", "format", "country", "zone")}
        return plain | {
            "time": self.cleaned_data["time"].strftime("%H:%M"),
            "minutes": self.cleaned_data["minutes"],
        }


class WhoForm(Form):
    me = forms.ChoiceField(
        label=_("Which of these people are you?"),
        help_text=_("That place becomes yours. The others are kept on paper until you invite their people."),
    )

    def __init__(self, request: HttpRequest, *, people: Sequence[tuple[str, str]], **options: Any) -> None:
        super().__init__(request, **options)
        self.fields["me"].choices = [("", _("Please choose")), *people]  # type: ignore[attr-defined]
