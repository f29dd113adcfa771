"""The template environment, and the chrome around every page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import HttpRequest
from django.urls import reverse
from django.utils import translation
from jinja2 import Environment, StrictUndefined

from leeward.domain.meetings.rules import Answer, BlockKind, LeafKind
from leeward.domain.polls.rules import Outcome
from leeward.lib.ids import new_id
from leeward.web import languages, moments, words


def environment(**options: Any) -> Environment:
    from leeward.web.meetings.views import leaf_text

    env = Environment(**(options | {"undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}))
    env.install_gettext_callables(  # type: ignore[attr-defined]
        gettext=translation.gettext, ngettext=translation.ngettext, pgettext=translation.pgettext,
        npgettext=translation.npgettext, newstyle=True,
    )  # fmt: skip
    env.globals.update(
        static=staticfiles_storage.url,
        url=lambda name, *args: reverse(name, args=args),
        label=words.label,
        new_key=new_id,
    )
    env.filters.update(
        day=moments.day_of,
        short_day=moments.short_day_of,
        time=moments.time_of,
        moment=moments.day_and_time,
        date=moments.day,
        short_date=moments.short_day,
        label=words.label,
        answer_label=lambda code: words.label(Answer(code)),
        outcome_label=lambda code: words.label(Outcome(code)),
        block_kind=lambda code: words.label(BlockKind(code)),
        leaf_kind=lambda code: words.label(LeafKind(code)),
        leaf_text=leaf_text,
    )
    return env


@dataclass(frozen=True)
class Chrome:
    """What the layout shows around a page."""

    signed_in: bool
    quick_exit: bool
    lang: str
    dir: str
    demo: bool
    zone: str


def chrome(request: HttpRequest) -> dict[str, Chrome]:
    me = getattr(request, "ticket", None)
    return {
        "chrome": Chrome(
            signed_in=me is not None,
            quick_exit=me.quick_exit if me else False,
            **languages.of_the_page(),
            demo=settings.LEEWARD_DEMO,
            zone=me.zone if me else "UTC",
        )
    }
