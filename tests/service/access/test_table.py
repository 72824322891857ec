"""The table of addresses is whole, and what is written from it is true."""

from __future__ import annotations

from typing import Any

from openapi_spec_validator import validate

from protocol.messages import Request
from service.access.roles import Scope
from service.api.described import document
from service.api.table.everything import ROUTES, TABLE
from service.api.table.page import api_page
from tests.house.sources import ROOT
from tests.service.access.network_rig import Network, network


def registered(net: Network) -> set[tuple[str, str]]:
    """Return method and address of everything that the server answers."""
    app = net.server.app
    assert app is not None
    return {
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.method != "HEAD" and route.resource is not None
    }


def test_every_address_is_in_the_table_once() -> None:
    """What the server registers and what the table names are the same; nothing stands there twice (EX-1504)."""

    async def work(net: Network) -> None:
        assert registered(net) == set(TABLE)

    network(work)
    assert len(ROUTES) == len(TABLE)


def test_only_health_and_the_way_in_are_open() -> None:
    """Everything else asks who it is (EX-1504)."""
    open_ones = {each.path for each in ROUTES if each.scope is None and not each.knows}
    assert open_ones == {"/health/live", "/health/ready", "/v1/login", "/v1/refresh"}


def test_what_changes_something_asks_for_more_than_reading() -> None:
    """A command that readers may send changes nothing, by its nature or as it is given (EX-1505, EX-1506)."""
    for_readers = {each.path for each in ROUTES if each.method == "POST" and each.scope is Scope.READ}
    assert for_readers == {"/v1/signals/check", "/v1/config/preview"}
    dry = {each.path for each in ROUTES if each.dry is not None}
    assert dry == {"/v1/group/{id}/edit", "/v1/signals/{id}/replay", "/v1/risk/run-now", "/v1/log/prune"}


def test_the_document_is_openapi() -> None:
    """The document is valid OpenAPI 3.1 and says of every address what it asks for and answers with."""
    found: dict[str, Any] = document("1", ROUTES)
    validate(found)
    for route in ROUTES:
        operation = found["paths"][route.path][route.method.lower()]
        assert operation.get("x-scope", "") == (route.scope or "")
        assert bool(operation["security"]) == (route.scope is not None)
        assert ("requestBody" in operation) == (route.takes is not None)
    identifiers = [each["operationId"] for path in found["paths"].values() for each in path.values()]
    assert len(identifiers) == len(set(identifiers))


def test_the_reference_page_is_the_table() -> None:
    """The page is what `make generated` writes."""
    page = (ROOT / "docs" / "reference" / "api.md").read_text(encoding="utf-8")
    assert page == api_page(), "run make generated"


def test_no_message_to_an_actor_is_an_answer() -> None:
    """Requests of the protocol are not what an address answers with."""
    assert not [each.path for each in ROUTES if isinstance(each.gives, type) and issubclass(each.gives, Request)]
