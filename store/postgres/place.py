"""Which PostgreSQL, which schema in it, and how long it is waited for. Never shown with its password."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from runtime.journal import JournalUnavailable

__all__ = ["SCHEMA_NAME", "Place", "is_postgres", "masked"]

SCHEMA_NAME: Final = re.compile(r"[a-z_][a-z0-9_]{0,47}")
"""A schema is named so that it needs no quotes in any tool."""

_SCHEMES: Final = ("postgresql", "postgres")
_SECRET_OPTIONS: Final = ("password", "sslpassword", "passfile")


@dataclass(frozen=True)
class Place:
    """One schema of one database: a whole installation's journal, leases and read models."""

    url: str = field(repr=False)
    schema: str = "bulkhead"
    connect_timeout_s: float = 3.0
    """How long one attempt to connect may take."""

    command_timeout_s: float = 10.0
    """How long the server may take for one statement before the connection counts as lost."""

    commit_timeout_s: float = 5.0
    """How long a commit outlasts a lost connection: until then it is looked for and sent again on a new one."""

    def __post_init__(self) -> None:
        if not is_postgres(self.url):
            raise JournalUnavailable("a database's address begins with postgresql://")
        if SCHEMA_NAME.fullmatch(self.schema) is None or self.schema.startswith("pg_"):
            raise JournalUnavailable(f"a schema has 1 to 48 of a-z 0-9 _ and no digit first: {self.schema[:80]!r}")

    def __str__(self) -> str:
        return f"{masked(self.url)} (schema {self.schema})"


def is_postgres(text: str) -> bool:
    """Whether a text is the address of a PostgreSQL database rather than a path."""
    return text.partition("://")[0] in _SCHEMES and "://" in text


def masked(url: str) -> str:
    """Return an address without its password."""
    try:
        parts = urlsplit(url)
        options = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        return "postgresql://***"
    user, at, host = parts.netloc.rpartition("@")
    name, colon, password = user.partition(":")
    shown = f"{name}{colon}{'***' if password else ''}{at}{host}"
    kept = [(key, "***" if key in _SECRET_OPTIONS else value) for key, value in options]
    return urlunsplit((parts.scheme, shown, parts.path, urlencode(kept, safe="/*,:", quote_via=quote), ""))
