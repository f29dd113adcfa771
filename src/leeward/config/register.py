"""The field register's rows for tables that libraries bring: `app.Model` → field → entry."""

from __future__ import annotations

from collections.abc import Mapping

from leeward.lib.register import Entry, Keep, kept_secret, seen_by_person

OPERATOR = kept_secret(Keep.OPERATOR)

OTHERS: Mapping[str, Mapping[str, Entry]] = {
    "auth.Permission": dict.fromkeys(("id", "name", "content_type", "codename"), OPERATOR),
    "auth.Group": dict.fromkeys(("id", "name"), OPERATOR),
    "auth.Group_permissions": dict.fromkeys(("id", "group", "permission"), OPERATOR),
    "contenttypes.ContentType": dict.fromkeys(("id", "app_label", "model"), OPERATOR),
    "account.EmailAddress": {
        "id": kept_secret(Keep.ACCOUNT),
        "user": seen_by_person(Keep.ACCOUNT),
        "email": seen_by_person(Keep.ACCOUNT),
        "verified": seen_by_person(Keep.ACCOUNT),
        "primary": seen_by_person(Keep.ACCOUNT),
    },
    "account.EmailConfirmation": {
        name: kept_secret(Keep.DAYS_7_AFTER) for name in ("id", "email_address", "created", "sent", "key")
    },
    "mfa.Authenticator": {
        "id": kept_secret(Keep.ACCOUNT),
        "user": seen_by_person(Keep.ACCOUNT),
        "type": seen_by_person(Keep.ACCOUNT),
        "data": kept_secret(Keep.ACCOUNT),
        "created_at": seen_by_person(Keep.ACCOUNT),
        "last_used_at": seen_by_person(Keep.ACCOUNT),
    },
}
