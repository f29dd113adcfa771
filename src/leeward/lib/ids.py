"""Random ids: 80 bits for what stands in an address, 128 bits for what opens something."""

from __future__ import annotations

import re
import secrets

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base32: no i, l, o, u
ID_LENGTH = 16
TOKEN_LENGTH = 26
_ID = re.compile(f"[{ALPHABET}]{{{ID_LENGTH}}}")


def _draw(length: int) -> str:
    number = secrets.randbits(length * 5)
    return "".join(ALPHABET[(number >> (5 * place)) & 31] for place in range(length))


def new_id() -> str:
    """16 characters, 80 random bits: names a row and may stand in an address."""
    return _draw(ID_LENGTH)


def new_token() -> str:
    """26 characters, 130 random bits: whoever holds it may open one thing. Stored only as a keyed digest."""
    return _draw(TOKEN_LENGTH)


def is_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None
