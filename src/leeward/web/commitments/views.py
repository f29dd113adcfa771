"""Letting a step go: one tap, no reason."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from leeward.domain.commitments import actions
from leeward.lib import clock
from leeward.web import tickets


@require_POST
def let_go(request: HttpRequest, group: str, step: str) -> HttpResponse:
    actions.let_go(tickets.member(request, group), commitment=step, at=clock.now())
    messages.success(request, _("It is off your list."))
    return redirect("group", group)
