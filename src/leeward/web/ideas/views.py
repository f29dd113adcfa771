"""What the group might try one day."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from leeward.domain.groups.rules import is_active
from leeward.domain.ideas import actions, queries
from leeward.domain.ideas.queries import IdeaLine
from leeward.lib import clock
from leeward.web import tickets
from leeward.web.forms import page


@dataclass(frozen=True)
class IdeasPage:
    group: str
    ideas: tuple[IdeaLine, ...]
    may_let_go: bool


@require_safe
def ideas(request: HttpRequest, group: str) -> HttpResponse:
    ticket = tickets.member(request, group)
    return page(request, "ideas/ideas.html", IdeasPage(group, queries.ideas(ticket), is_active(ticket)))


@require_POST
def let_go(request: HttpRequest, group: str, idea: str) -> HttpResponse:
    actions.let_go(tickets.member(request, group), idea=idea, at=clock.now())
    return redirect("ideas", group)
