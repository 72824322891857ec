"""What the vault keeps: whose secret, and which."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from service.vault.errors import UnknownSecret

__all__ = ["ACCOUNT_FIELDS", "EXCHANGE_FIELDS", "LONGEST", "SECTIONS", "SecretName", "checked_value", "name_of"]

EXCHANGE_FIELDS: Final[tuple[str, ...]] = ("api_key", "api_secret", "passphrase")
"""What all accounts at an exchange log in with."""

ACCOUNT_FIELDS: Final[tuple[str, ...]] = (*EXCHANGE_FIELDS, "signature_key", "encryption_key")
"""What an account logs in with, private keys included."""

SECTIONS: Final[dict[str, tuple[str, ...]]] = {"telegram": ("token",), "webhook": ("token", "secret", "hmac_key")}
"""Secrets of no account. Those of the webhook are made by ourselves."""

LONGEST: Final = 8_192
"""Characters of a secret: private keys are the longest."""

_HOLDER: Final = re.compile(r"(exchange\.)?[a-z0-9_\-]{1,64}")
_FORMER: Final = ".former"


class SecretName(NamedTuple):
    """``holder`` is an account, ``exchange.<venue>``, ``telegram`` or ``webhook``."""

    holder: str
    field: str

    def __str__(self) -> str:
        return f"{self.holder} {self.field}"

    @property
    def former(self) -> SecretName:
        """The name under which a secret goes on that another took the place of."""
        return SecretName(self.holder, self.field + _FORMER)

    @property
    def is_former(self) -> bool:
        """Whether it is one that still counts for a while."""
        return self.field.endswith(_FORMER)


def name_of(holder: str, field: str) -> SecretName:
    """Return a name that somebody typed; raise ``UnknownSecret`` for one that nothing can be kept under."""
    known = EXCHANGE_FIELDS if holder.startswith("exchange.") else ACCOUNT_FIELDS
    if field not in known and holder in SECTIONS:
        known = SECTIONS[holder]
    if not _HOLDER.fullmatch(holder):
        raise UnknownSecret(f"{holder!r} is no account, exchange.VENUE, or one of {', '.join(SECTIONS)}")
    if field not in known:
        raise UnknownSecret(f"{holder} has no secret {field!r}: it has {', '.join(known)}")
    return SecretName(holder, field)


def checked_value(value: str) -> str:
    """Return a value without the line end it was sent with; raise ``UnknownSecret`` for one that can be none."""
    found = value.strip("\r\n")
    if not found.strip():
        raise UnknownSecret("the value is empty: to take a secret away, remove it")
    if len(found) > LONGEST or "\0" in found:
        raise UnknownSecret(f"a secret has up to {LONGEST} characters, none of them null")
    return found
