"""Changes of people and tokens, made in the file: by the daemon for operators, by the command line while no daemon runs."""

from __future__ import annotations

import re
from typing import Final

from msgspec import structs

from service.access.credentials import Credential, Kind, make, new_id
from service.access.errors import AccessRefused
from service.access.hashing import hash_password, hash_secret
from service.access.roles import Role, Scope
from service.access.rows import Person, Token
from service.access.store import AccessStore

__all__ = [
    "LEAST_PASSWORD",
    "add_person",
    "change_password",
    "change_role",
    "create_token",
    "end_sessions",
    "remove_person",
    "revoke_token",
]

LEAST_PASSWORD: Final = 12
"""Characters that a password has at least."""

_MOST_PASSWORD: Final = 256
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._\-]{0,31}")
_DAY: Final = 86_400 * 10**9


def add_person(store: AccessStore, name: str, role: Role, password: str, *, now: int) -> Person:
    """Let somebody in; refuse a name that is taken or no name, and a password that is easily guessed."""
    _checked_name(name)
    if any(each.name == name for each in store.people()):
        raise AccessRefused("PersonExists", f"there is a {name} already", path="name", value=name)
    _checked_password(name, password)
    row = Person(name=name, role=role, password_hash=hash_password(password), created_at=now, changed_at=now)
    store.drop_person(name)  # a login that was under way when a former one of that name was removed
    store.put_person(row)
    return row


def remove_person(store: AccessStore, name: str) -> Person:
    """Forget somebody; their sessions end with the next request."""
    row = _person(store, name)
    store.drop_person(name)
    return row


def change_role(store: AccessStore, name: str, role: Role, *, now: int) -> Person:
    """Give somebody another role; it holds from the next request on, in open sessions too."""
    row = structs.replace(_person(store, name), role=role, changed_at=now)
    store.put_person(row)
    return row


def change_password(store: AccessStore, name: str, password: str, *, now: int) -> Person:
    """Give somebody another password and end every session that the former one began."""
    before = _person(store, name)
    _checked_password(name, password)
    row = structs.replace(before, password_hash=hash_password(password), changed_at=now)
    store.put_person(row)
    _end_sessions(store, name, now, "another password")
    return row


def end_sessions(store: AccessStore, name: str, *, now: int) -> int:
    """End every session of somebody, of everybody for an empty name; return how many. Tokens of programs stay."""
    if name:
        _person(store, name)
    return _end_sessions(store, name, now, "ended by an admin")


def _end_sessions(store: AccessStore, name: str, now: int, why: str) -> int:
    living = [each for each in store.sessions() if each.ended_at is None and name in ("", each.person)]
    for each in living:
        store.put_session(structs.replace(each, ended_at=now, ended=why))
    return len(living)


def create_token(
    store: AccessStore, name: str, scope: Scope, *, by: str, now: int, days: int = 0
) -> tuple[Token, Credential]:
    """Make a program's token; its secret is returned this once and kept as a hash. ``days`` 0: until it is revoked."""
    _checked_name(name)
    if any(each.name == name and each.revoked_at is None for each in store.tokens()):
        raise AccessRefused("TokenExists", f"there is a token {name} already", path="name", value=name)
    if not 0 <= days <= 3650:
        raise AccessRefused("OutOfRange", "a token lives 1 to 3650 days, 0 for ever", path="days", value=str(days))
    secret = make(Kind.PROGRAM, new_id())
    row = Token(
        id=secret.id,
        name=name,
        scope=scope,
        secret_hash=hash_secret(secret.secret),
        created_at=now,
        created_by=by,
        until=now + days * _DAY if days else None,
    )
    store.put_token(row)
    return row, secret


def revoke_token(store: AccessStore, name: str, *, now: int) -> Token:
    """End a token, by its name or id; it is refused from the next request on."""
    living = [each for each in store.tokens() if each.revoked_at is None and name in (each.name, each.id)]
    if not living:
        known = ", ".join(each.name for each in store.tokens() if each.revoked_at is None) or "none"
        raise AccessRefused("UnknownToken", f"there is no token {name}; there are: {known}", path="name", value=name)
    row = structs.replace(living[0], revoked_at=now)
    store.put_token(row)
    return row


def _person(store: AccessStore, name: str) -> Person:
    people = store.people()
    found = next((each for each in people if each.name == name), None)
    if found is None:
        known = ", ".join(each.name for each in people) or "nobody yet"
        raise AccessRefused("UnknownPerson", f"there is no {name}; there are: {known}", path="name", value=name)
    return found


def _checked_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        message = "a name has 1 to 32 lower-case letters, digits, dots, - or _, and begins with a letter or digit"
        raise AccessRefused("BadName", message, path="name", value=name)


def _checked_password(name: str, password: str) -> None:
    if not LEAST_PASSWORD <= len(password) <= _MOST_PASSWORD or len(set(password)) < 5:
        message = f"a password has {LEAST_PASSWORD} to {_MOST_PASSWORD} characters, at least five different ones"
        raise AccessRefused("WeakPassword", message, path="password")
    if name in password.lower():
        raise AccessRefused("WeakPassword", "a password does not hold the name", path="password")
