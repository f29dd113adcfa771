"""Sealing: AES-256-GCM with a key id, bound to the place it was sealed for; keyed digests for equality.

The keys live in one file outside the database (`keys.json` under `LEEWARD_HOME`, readable by its owner only).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from base64 import b64decode, b64encode
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

NONCE = 12


class CannotOpen(Exception):
    """The key is another one, the bytes were changed, or they were sealed for another place."""


@dataclass(frozen=True)
class Keyring:
    """Sealing keys by id (0…255), newest last, and one digest key. Rotation adds a key; old ones keep opening."""

    keys: dict[int, bytes]
    digest_key: bytes
    secret: str

    @classmethod
    def made(cls) -> Keyring:
        return cls({1: secrets.token_bytes(32)}, secrets.token_bytes(32), secrets.token_urlsafe(48))

    @classmethod
    def load_or_make(cls, path: Path) -> Keyring:
        """The ring in `path`; when there is none, a new one is written there, mode 0600, by one process only."""
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            ring = cls.made()
            draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
                json.dump(ring._as_json(), out)
                out.flush()
                os.fsync(out.fileno())
            try:
                os.link(draft, path)
            except FileExistsError:
                pass  # another process was first: its ring is the ring
            finally:
                draft.unlink()
        raw = json.loads(path.read_text())
        return cls(
            {int(kid): b64decode(key) for kid, key in raw["keys"].items()}, b64decode(raw["digest"]), raw["secret"]
        )

    def _as_json(self) -> dict[str, object]:
        return {
            "keys": {str(kid): b64encode(key).decode() for kid, key in self.keys.items()},
            "digest": b64encode(self.digest_key).decode(),
            "secret": self.secret,
        }

    def seal(self, plain: bytes, place: str) -> bytes:
        """key id (1 byte) ‖ nonce (12) ‖ ciphertext and tag. `place` is `table:column:pk`."""
        kid = max(self.keys)
        nonce = os.urandom(NONCE)
        return bytes([kid]) + nonce + AESGCM(self.keys[kid]).encrypt(nonce, plain, place.encode())

    def unseal(self, sealed: bytes, place: str) -> bytes:
        """Raises CannotOpen."""
        key = self.keys.get(sealed[0]) if len(sealed) > NONCE else None
        if key is None:
            raise CannotOpen(place)
        try:
            return AESGCM(key).decrypt(sealed[1 : 1 + NONCE], sealed[1 + NONCE :], place.encode())
        except InvalidTag as error:
            raise CannotOpen(place) from error

    def digest(self, text: str, purpose: str) -> str:
        """Keyed HMAC-SHA-256 in hex: the same text gives the same digest for one purpose only."""
        return hmac.new(self.digest_key, f"{purpose}\0{text}".encode(), hashlib.sha256).hexdigest()


def seal_with_passphrase(plain: bytes, passphrase: str, purpose: str) -> bytes:
    """salt (16) ‖ nonce (12) ‖ ciphertext and tag; key by scrypt (n=2^15, r=8, p=1, RFC 7914)."""
    salt, nonce = os.urandom(16), os.urandom(NONCE)
    return salt + nonce + AESGCM(_stretched(passphrase, salt)).encrypt(nonce, plain, purpose.encode())


def unseal_with_passphrase(sealed: bytes, passphrase: str, purpose: str) -> bytes:
    """Raises CannotOpen: wrong passphrase, changed bytes, or another purpose."""
    try:
        return AESGCM(_stretched(passphrase, sealed[:16])).decrypt(
            sealed[16 : 16 + NONCE], sealed[16 + NONCE :], purpose.encode()
        )
    except (InvalidTag, ValueError) as error:
        raise CannotOpen(purpose) from error


def _stretched(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(passphrase.encode())
