"""One row an address."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from aiohttp import web

from service.access.roles import Scope

__all__ = ["UNLISTED", "Route", "route_of", "table"]


class Route(NamedTuple):
    """An address. Without a ``scope`` it is open to everybody; then ``knows`` says that it still wants to know who asks.

    ``dry`` tells whether a command changes nothing as it is given: those who may only look may send such a one (EX-1506).
    The answer of a ``secret`` one is given once and kept nowhere.
    """

    method: str
    path: str
    scope: Scope | None
    summary: str = ""
    dry: Callable[[Mapping[str, Any]], bool] | None = None
    knows: bool = False
    secret: bool = False


UNLISTED: Final = Route("", "", Scope.ADMIN, "an address that is in no table")
"""What holds where the table is silent: only an admin."""

_NO_SUCH: Final = Route("", "", Scope.READ, "no address")


def table() -> Mapping[tuple[str, str], Route]:
    """Return every address by method and path."""
    from service.api.table.everything import TABLE

    return TABLE


def route_of(request: web.Request) -> Route:
    """Return the row of the address that a request is for."""
    resource = request.match_info.route.resource
    if resource is None:
        return _NO_SUCH
    method = "GET" if request.method == "HEAD" else request.method
    return table().get((method, resource.canonical), UNLISTED)
