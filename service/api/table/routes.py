"""One row an address: who may ask, what it takes, what it answers, what may go wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Final, Literal, NamedTuple

import msgspec
from aiohttp import web

from service.access.roles import Scope

__all__ = ["TABLE", "UNLISTED", "Given", "Kind", "Route", "Table", "get", "post", "route_of", "shape", "with_more"]

Kind = Literal["json", "text", "stream", "file"]


class Given(NamedTuple):
    """A parameter of the query: its name, the schema of its value, what it means."""

    name: str
    schema: Mapping[str, Any]
    meaning: str


class Route(NamedTuple):
    """An address. Without a ``scope`` it is open to everybody; then ``knows`` says that it still wants to know who asks.

    ``dry`` tells whether a command changes nothing as it is given: those who may only look may send such a one (EX-1506).
    The answer of a ``secret`` one is given once and kept nowhere. ``errors`` are codes of its own; every address may also
    answer with those of the gate.
    """

    method: str
    path: str
    scope: Scope | None
    summary: str
    takes: Any = None
    gives: Any = dict[str, Any]
    query: tuple[Given, ...] = ()
    errors: tuple[str, ...] = ()
    dry: Callable[[Mapping[str, Any]], bool] | None = None
    knows: bool = False
    secret: bool = False
    kind: Kind = "json"


def get(
    path: str,
    summary: str,
    gives: Any,
    *query: Given,
    scope: Scope | None = Scope.READ,
    errors: tuple[str, ...] = (),
    kind: Kind = "json",
) -> Route:
    """Return the row of an address that is looked at."""
    return Route("GET", path, scope, summary, gives=gives, query=query, errors=errors, kind=kind)


def post(
    path: str,
    summary: str,
    takes: Any,
    gives: Any,
    *query: Given,
    scope: Scope | None = Scope.TRADE,
    errors: tuple[str, ...] = (),
    dry: Callable[[Mapping[str, Any]], bool] | None = None,
    knows: bool = False,
    secret: bool = False,
) -> Route:
    """Return the row of a command."""
    return Route("POST", path, scope, summary, takes, gives, query, errors, dry, knows, secret)


def shape(name: str, doc: str, /, **fields: Any) -> Any:
    """Return a type for an answer that is put together of others, named by some words; nothing is made of it."""
    declared = list(fields.items())
    return msgspec.defstruct(
        name.title().replace(" ", ""), declared, kw_only=True, frozen=True, gc=False, namespace={"__doc__": doc}
    )


def with_more(of: type[msgspec.Struct], name: str, **fields: Any) -> Any:
    """Return a type for an answer that is a message and says something beside it."""
    declared: list[tuple[str, Any]] = [("type", Literal[of.__name__])]
    declared += [(field.encode_name, field.type) for field in msgspec.structs.fields(of)]
    return shape(name, (of.__doc__ or "").partition("\n")[0], **dict(declared), **fields)


UNLISTED: Final = Route("", "", Scope.ADMIN, "an address that is in no table")
"""What holds where the table is silent: only an admin."""

_NO_SUCH: Final = Route("", "", Scope.READ, "no address")


class Table:
    """Every address by method and path; read with the first request, so that a start does without it."""

    def __init__(self, read: Callable[[], Mapping[tuple[str, str], Route]]) -> None:
        self._read = read

    @cached_property
    def rows(self) -> Mapping[tuple[str, str], Route]:
        """Return them."""
        return self._read()


TABLE: Final = web.AppKey("table", Table)
"""Where an application keeps its table."""


def route_of(request: web.Request) -> Route:
    """Return the row of the address that a request is for."""
    resource = request.match_info.route.resource
    if resource is None:
        return _NO_SUCH
    method = "GET" if request.method == "HEAD" else request.method
    return request.config_dict[TABLE].rows.get((method, resource.canonical), UNLISTED)
