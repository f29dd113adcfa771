"""Forms of meetings: the rhythm, one date, its agenda, a topic, an addendum."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest
from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _

from leeward.domain.meetings import rules
from leeward.domain.meetings.rules import Block, BlockKind, Way
from leeward.domain.places.queries import PlaceSeen
from leeward.web import words
from leeward.web.forms import Form, Number

WAYS = lazy(lambda: words.choices(Way), list)
CYCLES = lazy(
    lambda: [
        *((way.value, words.label(way)) for way in Way),
        ("in_person,online", _("in the room and online, in turn")),
        ("in_person,hybrid", _("in the room and hybrid, in turn")),
        ("in_person,hybrid,online", _("in the room, hybrid, online, in turn")),
    ],
    list,
)
DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
TIME = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")


class _Timed(Form):
    date = forms.DateField(label=_("First date"), widget=DATE, input_formats=["%Y-%m-%d"])
    time = forms.TimeField(label=_("Time"), widget=TIME, input_formats=["%H:%M"])
    place = forms.ChoiceField(label=_("Place"), required=False)

    def __init__(self, request: HttpRequest | None = None, *, places: Sequence[PlaceSeen], **options: Any) -> None:
        super().__init__(request, **options)
        self.fields["place"].choices = [  # type: ignore[attr-defined]
            ("", _("none yet")),
            *((place.id, place.label) for place in places),
        ]

    @property
    def local(self) -> datetime:
        return datetime.combine(self.cleaned_data["date"], self.cleaned_data["time"])

    @property
    def place_chosen(self) -> str | None:
        return self.cleaned_data["place"] or None


class RhythmForm(_Timed):
    seen: ClassVar[dict[str, str]] = {
        "date": "meetings.Rhythm.starts_local",
        "time": "meetings.Rhythm.starts_local",
        "every_weeks": "meetings.Rhythm.every_weeks",
        "minutes": "meetings.Rhythm.minutes",
        "cycle": "meetings.Rhythm.cycle",
        "place": "meetings.Rhythm.place",
    }

    every_weeks = Number(
        label=_("Every how many weeks?"),
        min_value=1,
        max_value=rules.EVERY_WEEKS_MOST,
        initial=rules.EVERY_WEEKS,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    minutes = Number(
        label=_("How many minutes?"),
        min_value=rules.MINUTES_LEAST,
        max_value=rules.MINUTES_MOST,
        initial=rules.MINUTES,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    cycle = forms.ChoiceField(label=_("How do you meet?"), choices=CYCLES(), widget=forms.RadioSelect, initial="online")

    field_order = ("date", "time", "every_weeks", "minutes", "cycle", "place")

    def rhythm(self, zone: str) -> rules.Rhythm:
        """Raises Refusal beside the field."""
        return rules.rhythm(
            self.local,
            zone,
            every_weeks=self.cleaned_data["every_weeks"],
            minutes=self.cleaned_data["minutes"],
            cycle=[Way(way) for way in self.cleaned_data["cycle"].split(",")],
        )


class TalkForm(Form):
    """Talk tokens, as the group wants them."""

    seen: ClassVar[dict[str, str]] = {
        "each": "meetings.TalkRules.each",
        "follow_ups": "meetings.TalkRules.follow_ups",
        "refill": "meetings.TalkRules.refill",
    }

    each = Number(
        label=_("Talk tokens for each person"),
        min_value=rules.TOKENS_LEAST,
        max_value=rules.TOKENS_MOST,
        help_text=_("In ideas and open time, speaking takes one. Passing and listening are free."),
    )
    follow_ups = forms.BooleanField(label=_("A short question to whoever speaks is free"), required=False)
    refill = forms.BooleanField(label=_("Every such block starts with a full hand"), required=False)

    def talk(self) -> rules.Talk:
        """Raises Refusal beside the field."""
        data = self.cleaned_data
        return rules.talk(each=data["each"], follow_ups=data["follow_ups"], refill=data["refill"])


class DateForm(_Timed):
    seen: ClassVar[dict[str, str]] = {
        "date": "meetings.Meeting.starts_at",
        "time": "meetings.Meeting.starts_at",
        "theme": "meetings.Meeting.theme",
        "way": "meetings.Meeting.way",
        "place": "meetings.Meeting.place",
    }

    theme = forms.CharField(label=_("Theme"), required=False, max_length=rules.THEME_LENGTH)
    way = forms.ChoiceField(label=_("How do you meet?"), choices=WAYS(), widget=forms.RadioSelect)

    field_order = ("date", "time", "theme", "way", "place")

    def __init__(self, request: HttpRequest | None = None, **options: Any) -> None:
        super().__init__(request, **options)
        self.fields["date"].label = _("Date")


class AgendaForm(Form):
    """Rows of kind, title and minutes; 0 or empty minutes take a row out. Order is by the number in front."""

    seen: ClassVar[dict[str, str]] = {}

    def __init__(self, request: HttpRequest | None = None, *, blocks: Sequence[Block], **options: Any) -> None:
        super().__init__(request, **options)
        self.rows = min(len(blocks) + 2, rules.BLOCKS_MOST)
        kinds = [("", _("no block")), *words.choices(BlockKind)]
        for place in range(self.rows):
            block = blocks[place] if place < len(blocks) else None
            number = place + 1
            self.fields[f"order_{place}"] = Number(
                label=_("Order"), initial=number, min_value=1, max_value=99, required=False,
                widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
            )  # fmt: skip
            self.fields[f"kind_{place}"] = forms.ChoiceField(
                label=_("Block"), choices=kinds, initial=block.kind.value if block else "", required=False
            )
            self.fields[f"title_{place}"] = forms.CharField(
                label=_("Title"), initial=block.title if block else "", required=False, max_length=rules.TITLE_LENGTH
            )
            self.fields[f"minutes_{place}"] = Number(
                label=_("Minutes"), initial=block.minutes if block else None, required=False, min_value=0,
                max_value=rules.BLOCK_MINUTES_MOST, widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
            )  # fmt: skip

    def blocks(self) -> list[Block]:
        data, chosen = self.cleaned_data, []
        for place in range(self.rows):
            if data[f"kind_{place}"] and data[f"minutes_{place}"]:
                block = Block(BlockKind(data[f"kind_{place}"]), data[f"title_{place}"], data[f"minutes_{place}"])
                chosen.append((data[f"order_{place}"] or place + 1, place, block))
        return [block for _order, _place, block in sorted(chosen, key=lambda row: row[:2])]


class ItemForm(Form):
    seen: ClassVar[dict[str, str]] = {"title": "meetings.AgendaItem.title"}

    title = forms.CharField(
        label=_("A topic for this meeting"),
        max_length=rules.ITEM_LENGTH,
        help_text=_("The group's thumbs decide whether it is taken up."),
    )


class AddendumForm(Form):
    seen: ClassVar[dict[str, str]] = {"text": "meetings.Leaf.text"}

    text = forms.CharField(
        label=_("What should be added or put right?"),
        max_length=rules.ADDENDUM_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("It stands below the record with today's date and your name. The record itself never changes."),
    )
