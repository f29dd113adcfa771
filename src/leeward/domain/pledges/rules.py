"""When a yes holds, and what it opens.

A yes by one's own tap opens the room and the record; one said in the room before a witness opens the room only. A yes
holds for 365 days and for one version of the text.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from datetime import datetime, timedelta

from leeward.lib import words
from leeward.lib.refusals import Refusal

RENEWED_AFTER = timedelta(days=365)
LINES_MOST = 12
LINE_LENGTH = 200


class Yes(enum.StrEnum):
    """Where somebody stands with the pledge."""

    NO_PLEDGE = "no_pledge"
    NONE = "none"
    SPOKEN = "spoken"
    OWN = "own"
    DUE = "due"


def lines(texts: Sequence[str]) -> list[str]:
    """1…12 sentences of at most 200 characters. Raises Refusal beside "lines"."""
    kept = [words.line(text, field="lines", most=LINE_LENGTH) for text in texts if text.strip()]
    if not kept:
        raise Refusal("missing", field="lines")
    if len(kept) > LINES_MOST:
        raise Refusal("too_many_lines", field="lines", most=LINES_MOST)
    return kept


def standing(*, adopted: bool, own_at: datetime | None, spoken_at: datetime | None, at: datetime) -> Yes:
    """`own_at` and `spoken_at` are the newest open yeses to the version that holds."""
    if not adopted:
        return Yes.NO_PLEDGE
    if own_at is not None and at < own_at + RENEWED_AFTER:
        return Yes.OWN
    if spoken_at is not None and at < spoken_at + RENEWED_AFTER:
        return Yes.SPOKEN
    return Yes.DUE if own_at or spoken_at else Yes.NONE


def opens_room(yes: Yes, *, in_core: bool, imported: bool) -> bool:
    """Before a pledge is adopted the room is open to the core; an imported group has no core."""
    return yes in (Yes.OWN, Yes.SPOKEN) or (yes is Yes.NO_PLEDGE and (in_core or imported))


def opens_record(yes: Yes, *, in_core: bool, imported: bool) -> bool:
    return yes is Yes.OWN or (yes is Yes.NO_PLEDGE and (in_core or imported))


def may_invite(yes: Yes) -> bool:
    """Any member who said yes by their own tap invites; until there is a text to say yes to, any member."""
    return yes in (Yes.OWN, Yes.NO_PLEDGE)


def takes_part(yes: Yes) -> bool:
    """Who may lead, plan dates and keep places; until there is a text to say yes to, any member."""
    return yes in (Yes.OWN, Yes.SPOKEN, Yes.NO_PLEDGE)


def writes_record(yes: Yes) -> bool:
    """Who may add to the record: it opens with one's own tap."""
    return yes in (Yes.OWN, Yes.NO_PLEDGE)


def refuse_witness(*, membership: str, witness: str, recorder: str) -> None:
    """Three different people: who says yes, who writes it down, who heard it. Raises Refusal("witness_another")."""
    if len({membership, witness, recorder}) != 3:
        raise Refusal("witness_another", field="witness")
