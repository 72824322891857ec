"""What an admin does with people and tokens, on an open file: by the API, or by a command line while no daemon runs."""

from __future__ import annotations

from service.access.answers import PersonShown, SessionsEnded, TokenShown, shown_person, shown_token
from service.access.people import (
    add_person,
    change_password,
    change_role,
    create_token,
    end_sessions,
    remove_person,
    revoke_token,
)
from service.access.roles import Role, Scope
from service.access.store import AccessStore

__all__ = ["add", "create", "everybody", "logout", "password", "remove", "revoke", "role", "tokens"]


def everybody(store: AccessStore, now: int) -> list[PersonShown]:
    """Return everybody who may log in, by name."""
    living = [each.person for each in store.sessions() if each.ended_at is None and each.until > now]
    return [shown_person(each, living.count(each.name)) for each in store.people()]


def tokens(store: AccessStore, *, everything: bool = False) -> list[TokenShown]:
    """Return the tokens that count, with ``everything`` also those that were revoked."""
    return [shown_token(each) for each in store.tokens() if everything or each.revoked_at is None]


def add(store: AccessStore, name: str, role: Role, password: str, now: int) -> PersonShown:
    """Let somebody in."""
    return shown_person(add_person(store, name, role, password, now=now))


def remove(store: AccessStore, name: str) -> PersonShown:
    """Let somebody in no more."""
    return shown_person(remove_person(store, name))


def role(store: AccessStore, name: str, role: Role, now: int) -> PersonShown:
    """Change what somebody may do."""
    return shown_person(change_role(store, name, role, now=now))


def password(store: AccessStore, name: str, password: str, now: int) -> PersonShown:
    """Give somebody another password."""
    return shown_person(change_password(store, name, password, now=now))


def logout(store: AccessStore, name: str, now: int) -> SessionsEnded:
    """End every session of somebody, of everybody for an empty name."""
    return SessionsEnded(name, end_sessions(store, name, now=now))


def create(store: AccessStore, name: str, scope: Scope, by: str, days: int, now: int) -> TokenShown:
    """Make a token and show it, this once."""
    row, secret = create_token(store, name, scope, by=by, now=now, days=days)
    return shown_token(row, str(secret))


def revoke(store: AccessStore, name: str, now: int) -> TokenShown:
    """End a token."""
    return shown_token(revoke_token(store, name, now=now))
