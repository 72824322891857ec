"""The OpenAPI 3.1 document, made from the table of addresses and the types that it names."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

import msgspec
from aiohttp import web

from service.api.answers import answer, plain
from service.api.gate import COOKIE
from service.api.shared import Shared
from service.api.status import installed_version
from service.api.table.routes import TABLE, Route

__all__ = ["document", "register"]

_TEMPLATE: Final = "#/components/schemas/{name}"
_PART: Final = re.compile(r"\{([a-z]+)\}")
_MEDIA: Final = {"json": "application/json", "text": "text/plain", "file": "application/octet-stream"}
_GATE: Final = "NotAuthenticated, TokenExpired, TokenRevoked, SessionEnded, NotAllowed, ReadOnlyMode, TooManyRequests"


def register(app: web.Application, shared: Shared) -> None:
    """Register the address."""
    made: list[Mapping[str, Any]] = []

    async def openapi(request: web.Request) -> web.Response:  # noqa: ARG001 - aiohttp passes it
        if not made:
            made.append(await shared.reading.beside(lambda: document(installed_version(), app[TABLE].rows.values())))
        return answer(made[0])

    app.router.add_get("/v1/openapi.json", openapi)


def document(version: str, routes: Collection[Route]) -> dict[str, Any]:
    """Return the whole document."""
    from service.api.table.shapes import ERROR

    types = [each for route in routes for each in (route.takes, route.gives) if each not in (None, bytes)]
    schemas, components = msgspec.json.schema_components([*types, ERROR], ref_template=_TEMPLATE)
    by_type = dict(zip(map(repr, [*types, ERROR]), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, by_type)
    found: dict[str, Any] = plain(_whole(version, paths, components))
    return found


def _whole(version: str, paths: Mapping[str, Any], components: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "bulkhead",
            "version": version,
            "description": "A trading system in supervised compartments. Decimals are text, instants nanoseconds UTC.",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": COOKIE},
            },
        },
    }


def _operation(route: Route, types: Mapping[str, Any]) -> dict[str, Any]:
    of = route.path.split("/")
    found: dict[str, Any] = {
        "operationId": _name(route),
        "summary": route.summary,
        "tags": [of[2].partition(".")[0] if len(of) > 2 and of[1] == "v1" else "daemon"],
        "parameters": list(_parameters(route)),
        "responses": _responses(route, types),
        "security": [{"token": []}, {"cookie": []}] if route.scope is not None else [],
    }
    if route.scope is not None:
        found["x-scope"] = route.scope.value
    if route.takes is not None:
        schema = types[repr(route.takes)]
        found["requestBody"] = {"content": {"application/json": {"schema": schema}}, "required": True}
    return found


def _parameters(route: Route) -> Iterator[dict[str, Any]]:
    for name in _PART.findall(route.path):
        schema = {"type": "string", "minLength": 1, "pattern": "^[A-Za-z0-9:._~-]+$"}
        yield {"name": name, "in": "path", "required": True, "schema": schema}
    for each in route.query:
        yield {"name": each.name, "in": "query", "schema": dict(each.schema), "description": each.meaning}
    if route.method == "POST" and route.scope is not None:
        schema = {"type": "string", "pattern": "^[A-Za-z0-9:._-]{1,128}$"}
        meaning = "Sent again under the same id, it is done once."
        yield {"name": "X-Request-Id", "in": "header", "schema": schema, "description": meaning}
        meaning = "Why, for the audit log; percent-encoded."
        yield {"name": "X-Reason", "in": "header", "schema": {"type": "string"}, "description": meaning}


def _responses(route: Route, types: Mapping[str, Any]) -> dict[str, Any]:
    error = {"application/json": {"schema": types[repr(_error())]}}
    codes = f"Codes of its own: {', '.join(route.errors)}. " if route.errors else ""
    refused = {"description": f"{codes}Codes of the gate: {_GATE}.", "content": error}
    if route.kind == "stream":
        text = "The WebSocket opens; each frame is an item."
        return {"101": {"description": text}, "default": refused}
    schema = {} if route.gives is bytes else types[repr(route.gives)]
    done = {"description": route.summary, "content": {_MEDIA[route.kind]: {"schema": schema}}}
    found = {"200": done, "default": refused}
    if route.path == "/health/ready":
        found["503"] = done
    return found


def _error() -> Any:
    from service.api.table.shapes import ERROR

    return ERROR


def _name(route: Route) -> str:
    words = re.findall(r"[A-Za-z0-9]+", route.path.removeprefix("/v1"))
    return "_".join([route.method.lower(), *words])
