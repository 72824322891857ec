"""Checks of single values that a bound cannot express. Each returns why it refuses, None when it does not."""

from __future__ import annotations

import ipaddress
import re
import zoneinfo
from collections.abc import Callable
from pathlib import PurePath
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from rules.windows import Window
from service.config.keys import Refusal, Secret

__all__ = [
    "database_url",
    "folder_inside",
    "ip_network",
    "one_of",
    "private_key",
    "redis_url",
    "schema_name",
    "secret_length",
    "shaped",
    "stream_address",
    "symbol",
    "text_length",
    "time_zone",
    "timeframe",
    "url_token",
    "venue_key",
    "venue_secret",
    "web_address",
    "window",
]

_SYMBOL: Final = re.compile(r"[A-Z0-9]{1,20}/[A-Z0-9]{1,20}(:[A-Z0-9]{1,20})?")
_TIMEFRAME: Final = re.compile(r"[1-9][0-9]{0,5}[smhdwM]")
_SCHEMA: Final = re.compile(r"[a-z_][a-z0-9_]{0,39}")
_URL_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{22,128}")


def shaped(pattern: str, meaning: str) -> Callable[[str], Refusal | None]:
    """Return a check that the whole text matches ``pattern``."""
    compiled = re.compile(pattern)

    def check(value: str) -> Refusal | None:
        return None if compiled.fullmatch(value) else Refusal("OutOfRange", f"must be {meaning}")

    return check


def one_of(*allowed: str) -> Callable[[str], Refusal | None]:
    """Return a check that the text is one of ``allowed``."""

    def check(value: str) -> Refusal | None:
        return None if value in allowed else Refusal("InvalidEnum", f"must be one of {', '.join(allowed)}")

    return check


def symbol(value: str) -> Refusal | None:
    """Accept the unified form (EX-303)."""
    good = _SYMBOL.fullmatch(value)
    return (
        None if good else Refusal("OutOfRange", "must be a symbol such as BTC/USDT, or BTC/USDT:USDT for a perpetual")
    )


def timeframe(value: str) -> Refusal | None:
    """Accept a canonical timeframe (EX-304) or ``tick``."""
    good = value == "tick" or _TIMEFRAME.fullmatch(value)
    return None if good else Refusal("OutOfRange", "must be a timeframe such as 30s, 5m, 1h, 1d, or tick")


def ip_network(value: str) -> Refusal | None:
    """Accept an address or a network in CIDR form."""
    try:
        ipaddress.ip_network(value)
    except ValueError:
        return Refusal("OutOfRange", "must be an address or network such as 52.89.214.238 or 10.0.0.0/8")
    return None


def secret_length(least: int, most: int) -> Callable[[Secret], Refusal | None]:
    """Return a check of a secret's length in characters."""

    def check(value: Secret) -> Refusal | None:
        return None if least <= len(value) <= most else Refusal("OutOfRange", f"must have {least} to {most} characters")

    return check


venue_key = secret_length(1, 256)
"""What a venue calls key id or passphrase."""

private_key = secret_length(64, 8_192)
"""A private key in PEM."""

venue_secret = secret_length(1, 512)
"""What signs at a venue: a secret, an access token, a private key."""


def url_token(value: Secret) -> Refusal | None:
    """Accept at least 128 bits in letters that need no escaping in an address (EX-201)."""
    if _URL_TOKEN.fullmatch(value.reveal()):
        return None
    return Refusal("OutOfRange", "must be 22 to 128 letters, digits, - or _")


def text_length(least: int, most: int) -> Callable[[str], Refusal | None]:
    """Return a check of a text's length in characters."""

    def check(value: str) -> Refusal | None:
        return None if least <= len(value) <= most else Refusal("OutOfRange", f"must have {least} to {most} characters")

    return check


def time_zone(value: str) -> Refusal | None:
    """Accept the name of an IANA zone."""
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return Refusal("UnknownTimezone", "must be the name of an IANA zone such as UTC or Europe/Berlin")
    return None


def database_url(value: str) -> Refusal | None:
    """Accept nothing, or the address of a PostgreSQL database without a password."""
    if not value:
        return None
    try:
        parts = urlsplit(value)
        options = dict(parse_qsl(parts.query))
        _ = parts.port
    except ValueError:
        return Refusal("OutOfRange", "must be an address such as postgresql://bulkhead@localhost:5432/bulkhead")
    if parts.scheme not in ("postgresql", "postgres") or parts.fragment:
        return Refusal("OutOfRange", "must be empty, or an address such as postgresql://bulkhead@localhost/bulkhead")
    if parts.password or "password" in options:
        return Refusal("SecretInFile", "must not hold the password: set BULKHEAD_DATABASE__PASSWORD in the environment")
    return None


def redis_url(value: Secret) -> Refusal | None:
    """Accept the address of a Redis server; what is said of a wrong one shows nothing of it."""
    try:
        parts = urlsplit(value.reveal())
        number = parts.path.strip("/")
        fine = bool(parts.path) if parts.scheme == "unix" else (not number or number.isdigit()) and parts.port != 0
    except ValueError:
        fine = False
    if fine and parts.scheme in ("redis", "rediss", "unix"):
        return None
    return Refusal("OutOfRange", "must be an address such as redis://localhost:6379/0 or unix:///run/redis.sock")


def schema_name(value: str) -> Refusal | None:
    """Accept a name of a schema that needs no quotes."""
    if _SCHEMA.fullmatch(value) and not value.startswith("pg_"):
        return None
    return Refusal("OutOfRange", "must be 1 to 40 of a-z, 0-9 and _, no digit first, and not begin with pg_")


def folder_inside(value: str) -> Refusal | None:
    """Accept an absolute path, or a relative one that does not lead out of the folder it starts at."""
    depth = 0
    for part in PurePath(value).parts if value else ("..",):
        depth += -1 if part == ".." else 1
        if depth < 0:
            return Refusal("OutOfRange", "must be an absolute path, or one inside app.data_dir")
    return None


def web_address(value: str) -> Refusal | None:
    """Accept the address of an HTTP server."""
    if _is_address(value, "http", "https"):
        return None
    return Refusal("OutOfRange", "must be an address such as http://127.0.0.1:9911")


def stream_address(value: str) -> Refusal | None:
    """Accept the address of a WebSocket or HTTP stream."""
    if _is_address(value, "ws", "wss", "http", "https"):
        return None
    return Refusal("OutOfRange", "must be an address such as wss://stream.example.com/ws")


def _is_address(value: str, *schemes: str) -> bool:
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        return False
    # What stands before an @ is a password: it would be shown wherever the address is.
    return parts.scheme in schemes and bool(parts.hostname) and not (parts.query or parts.fragment or parts.username)


def window(value: str) -> Refusal | None:
    """Accept a span of time that comes back each day, or on the days named."""
    try:
        Window.of(value)
    except ValueError as error:
        return Refusal("OutOfRange", str(error))
    return None
