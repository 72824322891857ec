"""What secrets look like on their way: a kind, the id of the row that knows them, the secret itself.

``bhp_ID_SECRET`` is a program's token, ``bhr_`` refreshes a session, ``bhc_`` is a browser's cookie. ``bha_`` is a short
access token: signed with a key of this life of the daemon, kept nowhere.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from enum import StrEnum
from typing import Final, NamedTuple

__all__ = ["Credential", "Kind", "Signer", "fingerprint", "make", "new_id", "parse"]

_BYTES: Final = 32
_SHAPE: Final = re.compile(r"(bh[aprc])_([a-z0-9]{12})_([A-Za-z0-9_.\-]{20,120})")


class Kind(StrEnum):
    """What a credential is for."""

    PROGRAM = "bhp"
    REFRESH = "bhr"
    COOKIE = "bhc"
    ACCESS = "bha"


class Credential(NamedTuple):
    """A credential in its parts."""

    kind: Kind
    id: str
    secret: str

    def __str__(self) -> str:
        return f"{self.kind.value}_{self.id}_{self.secret}"


def new_id() -> str:
    """Return an id of twelve letters and digits."""
    return secrets.token_hex(6)  # house: an id that an outsider sees must not come from a seed


def make(kind: Kind, ident: str) -> Credential:
    """Return a new credential of 256 random bits."""
    return Credential(kind, ident, secrets.token_urlsafe(_BYTES))  # house: a secret must not come from a seed


def parse(text: str) -> Credential | None:
    """Return a credential that looks like one of ours, None for everything else."""
    found = _SHAPE.fullmatch(text)
    return Credential(Kind(found[1]), found[2], found[3]) if found else None


def fingerprint(text: str) -> bytes:
    """Return what a credential that was proven once is remembered by, in memory alone."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()  # headers of strangers are any bytes


class Signer:
    """Makes and checks access tokens; its key lives and dies with the process."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(_BYTES)  # house: a key must not come from a seed
        self._life = secrets.token_hex(4)  # house: nor what tells one life from another

    def sign(self, session: str, until: int) -> str:
        """Return the access token of a session that counts until ``until`` (nanoseconds UTC)."""
        text = f"{self._life}.{until}"
        return str(Credential(Kind.ACCESS, session, f"{text}.{self._proof(session, text)}"))

    def until(self, given: Credential) -> int | None:
        """Return until when a token counts; 0 for one of another life of the daemon, None for one that nobody signed."""
        life, _, rest = given.secret.partition(".")
        until, _, proof = rest.partition(".")
        if not until.isdigit() or not proof:
            return None
        if life != self._life:
            return 0
        return int(until) if hmac.compare_digest(proof, self._proof(given.id, f"{life}.{until}")) else None

    def _proof(self, session: str, text: str) -> str:
        return hmac.new(self._key, f"{session}.{text}".encode(), hashlib.sha256).hexdigest()
