"""Model fields: random ids and sealed columns.

A sealed column holds AES-GCM bytes bound to `table:column:pk`. It is opened when the attribute is first read, is never
filtered, sorted or constrained in SQL, and can only be written through an instance (never `update()`).
"""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.core.exceptions import FieldError
from django.db import models
from django.db.models.query_utils import DeferredAttribute

from leeward.lib.crypto import Keyring
from leeward.lib.ids import ID_LENGTH, new_id


def keyring() -> Keyring:
    ring: Keyring = settings.LEEWARD_KEYRING
    return ring


class IdField(models.CharField):  # type: ignore[type-arg]
    """The primary key of every model of ours: 80 random bits, fit for an address."""

    def __init__(self, **options: Any) -> None:
        fixed: dict[str, Any] = {"primary_key": True, "max_length": ID_LENGTH, "default": new_id, "editable": False}
        super().__init__(**(fixed | options))


class Ciphertext(bytes):
    """Bytes as they lie in the database."""


class _Opened(DeferredAttribute):
    field: SealedText

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        if instance is None:
            return self
        value = super().__get__(instance, cls)
        if isinstance(value, Ciphertext):
            value = self.field.opened(value, instance)
            instance.__dict__[self.field.attname] = value
        return value

    def __set__(self, instance: Any, value: Any) -> None:  # with it Python asks __get__ before the instance's dict
        instance.__dict__[self.field.attname] = value


class SealedText(models.BinaryField):  # type: ignore[type-arg]
    """Text that only the program can read. Options are those of any field, less the ones SQL would need."""

    descriptor_class = _Opened

    def __init__(self, **options: Any) -> None:
        if options.get("unique") or options.get("db_index") or options.get("primary_key"):
            raise FieldError("a sealed column cannot be indexed or constrained")
        super().__init__(**options)

    def place(self, instance: models.Model) -> str:
        return f"{self.model._meta.db_table}:{self.column}:{instance.pk}"

    def opened(self, sealed: Ciphertext, instance: models.Model) -> Any:
        return self.unpacked(keyring().unseal(sealed, self.place(instance)))

    def packed(self, value: Any) -> bytes:
        return str(value).encode()

    def unpacked(self, plain: bytes) -> Any:
        return plain.decode()

    def from_db_value(self, value: Any, _expression: Any, _connection: Any) -> Ciphertext | None:
        return None if value is None else Ciphertext(value)

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = getattr(model_instance, self.attname)
        return None if value is None else Ciphertext(keyring().seal(self.packed(value), self.place(model_instance)))

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if value is not None and not isinstance(value, Ciphertext):
            raise FieldError(f"{self.model.__name__}.{self.name} is sealed: write it through an instance")
        return super().get_db_prep_value(value, connection, prepared)

    empty: Any = ""

    def get_default(self) -> Any:
        """Nothing said: None where the column may be null, else empty text."""
        return None if self.null else self.empty

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name == "isnull":
            return super().get_lookup(lookup_name)
        raise FieldError(f"{self.model.__name__}.{self.name} is sealed: it cannot be looked up in SQL")

    def to_python(self, value: Any) -> Any:
        return value

    def value_to_string(self, obj: models.Model) -> str:
        return str(getattr(obj, self.attname))


class SealedJson(SealedText):
    """A small JSON value, sealed."""

    empty = None

    def packed(self, value: Any) -> bytes:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()

    def unpacked(self, plain: bytes) -> Any:
        return json.loads(plain)
