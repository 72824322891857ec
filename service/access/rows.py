"""What is kept of people, sessions and tokens. Instants are nanoseconds UTC, None for not yet."""

from __future__ import annotations

from protocol.messages import Value
from service.access.roles import Role, Scope

__all__ = ["Person", "Session", "Token"]


class Person(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """Somebody who may log in."""

    name: str
    role: Role
    password_hash: str
    created_at: int
    changed_at: int


class Session(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One login. ``former_hash`` is of the refresh token before the newest: who shows it has stolen it, or was robbed."""

    id: str
    person: str
    browser: bool
    secret_hash: str
    former_hash: str
    created_at: int
    seen_at: int
    until: int
    address: str
    ended_at: int | None = None
    ended: str = ""


class Token(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """A program's token, by the name that an operator gave it."""

    id: str
    name: str
    scope: Scope
    secret_hash: str
    created_at: int
    created_by: str
    until: int | None = None
    revoked_at: int | None = None
