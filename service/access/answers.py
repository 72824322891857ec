"""What may be shown of people and tokens: never a hash."""

from __future__ import annotations

from protocol.messages import Value
from service.access.roles import Role, Scope
from service.access.rows import Person, Token

__all__ = ["PersonShown", "SessionsEnded", "TokenShown", "shown_person", "shown_token"]


class PersonShown(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """Somebody who may log in; ``sessions`` is how many they have open."""

    name: str
    role: Role
    sessions: int
    created_at: int
    changed_at: int


class SessionsEnded(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """How many sessions ended: those of ``name``, everybody's when that is empty."""

    name: str
    ended: int


class TokenShown(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """A program's token. ``token`` is empty but in the one answer that tells of its making."""

    id: str
    name: str
    scope: Scope
    created_at: int
    created_by: str
    until: int | None
    revoked_at: int | None
    token: str = ""


def shown_person(row: Person, sessions: int = 0) -> PersonShown:
    """Return a person without the hash."""
    return PersonShown(
        name=row.name, role=row.role, sessions=sessions, created_at=row.created_at, changed_at=row.changed_at
    )


def shown_token(row: Token, secret: str = "") -> TokenShown:
    """Return a token without the hash; ``secret`` only where it was just made."""
    return TokenShown(
        id=row.id,
        name=row.name,
        scope=row.scope,
        created_at=row.created_at,
        created_by=row.created_by,
        until=row.until,
        revoked_at=row.revoked_at,
        token=secret,
    )
