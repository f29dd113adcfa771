"""The session engine: a visit of `people`, its key kept as a digest and its contents sealed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import CreateError, SessionBase, UpdateError

from leeward.domain.people import actions, queries
from leeward.lib import clock


class SessionStore(SessionBase):
    def load(self) -> dict[str, Any]:
        contents = queries.visit_contents(self.session_key or "", at=clock.now())
        if contents is None:
            self._session_key = None
            return {}
        return contents

    def exists(self, session_key: str) -> bool:
        return queries.visit_contents(session_key, at=clock.now()) is not None

    def create(self) -> None:
        self._session_key = self._get_new_session_key()  # type: ignore[attr-defined]
        self.save(must_create=True)
        self.modified = True

    def save(self, must_create: bool = False) -> None:
        if self.session_key is None:
            return self.create()
        contents = self._get_session(no_load=must_create)  # type: ignore[attr-defined]
        now = clock.now()
        kept = actions.keep_visit(
            key=self.session_key,
            person=contents.get(SESSION_KEY),
            contents=contents,
            device=contents.get("device", ""),
            must_create=must_create,
            ends_at=now + timedelta(seconds=self.get_expiry_age()),
            at=now,
        )
        if not kept:
            raise CreateError if must_create else UpdateError
        return None

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key:
            actions.end_visit_by_key(key=key, at=clock.now())

    @classmethod
    def clear_expired(cls) -> None:
        actions.forget_old_visits(at=clock.now())
