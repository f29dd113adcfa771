"""A signed-in client, without the sign-in pages."""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.test import Client

from leeward.domain.people.rules import Self


def signed_in(me: Self) -> Client:
    client = Client()
    client.force_login(get_user_model().objects.get(pk=me.person))
    return client
