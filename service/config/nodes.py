"""What several installations share: the Redis server they meet on."""

from __future__ import annotations

from typing import Annotated

from service.config import checks
from service.config.keys import Key, Secret, Section

__all__ = ["Redis"]


class Redis(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The Redis server for quotes, regime readings, locks and messages between daemons; nothing of it is needed to trade."""

    url: Annotated[
        Secret | None,
        Key(
            doc="redis://USER:PASSWORD@HOST:PORT/0, rediss:// for TLS, or unix://PATH. Unset: everything stays inside the "
            "process. The variable BULKHEAD_REDIS_URL sets it too.",
            check=checks.redis_url,
        ),
    ] = None
    node: Annotated[
        str | None,
        Key(
            doc="Name of this daemon among those on the server; each needs another. Unset: the name of the machine.",
            check=checks.shaped(r"[A-Za-z0-9_.\-]{1,64}", "1 to 64 letters, digits, ., - or _"),
            example="trading-box-1",
        ),
    ] = None
    prefix: Annotated[
        str,
        Key(
            doc="Stands before every key and channel, for installations that share a server and must not meet.",
            check=checks.shaped(r"[A-Za-z0-9_.:\-]{0,64}", "at most 64 letters, digits, ., :, - or _"),
        ),
    ] = ""
