"""A seat on offer is told by letter to whoever it is held for: 48 hours are too short to find it by chance."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.urls import reverse
from django.utils import translation

from leeward.domain.groups.events import SeatOffered
from leeward.domain.people import queries as people
from leeward.notices import letters
from leeward.notices.letters import Letter


def after_seat_offered(event: SeatOffered) -> None:
    """To the person's own address, in their language; nobody without a verified address is written to."""
    addresses = EmailAddress.objects.filter(user_id=event.person, verified=True).order_by("-primary", "pk")
    to = addresses.values_list("email", flat=True).first()
    if to is not None:
        with translation.override(people.language_of(event.person)):
            letters.send(to, Letter.SEAT, reverse("waiting", args=[event.waiting]))
