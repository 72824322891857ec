"""Numbers and formulas of strangers, at every address that takes one."""

from __future__ import annotations

import re
from typing import Final

import pytest

from rules.notation import whole_number
from service.access.roles import Scope
from service.api.table.everything import ROUTES
from store.log.lines import harmless
from tests.service.access.network_rig import Network, network

ABSURD: Final = (str(2**63), "1" * 5_000, "\N{SUPERSCRIPT TWO}")
"""More than a database holds, more than Python reads, and a digit that is none."""


def test_no_number_of_a_client_is_a_mistake_of_ours() -> None:
    """Whatever stands where a number or an id may, the answer is a refusal: never a 500, which fills the log with traces."""

    async def work(net: Network) -> None:
        admin = await net.token(Scope.ADMIN)
        for route in ROUTES:
            if route.method != "GET" or route.kind == "stream":
                continue
            for absurd in ABSURD:
                path = re.sub(r"\{\w+\}", absurd, route.path)
                for query in [{each.name: absurd} for each in route.query] or [{}]:
                    said = await net.ask("GET", path, admin, params=query)
                    assert said.status not in (500, 502), (path[:60], list(query), absurd[:20], said.body)

    network(work, BULKHEAD_API__REQUESTS_PER_MINUTE="100000")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("00012", 12),
        (str(2**63 - 1), 2**63 - 1),
        *((each, None) for each in ("", "-1", "1.0", "\N{ARABIC-INDIC DIGIT ONE}", *ABSURD)),
    ],
)
def test_a_whole_number_is_one_that_a_database_holds(text: str, number: int | None) -> None:
    """Digits of other scripts, signs and numbers beyond 63 bits are none."""
    assert whole_number(text) == number


@pytest.mark.parametrize(
    ("cell", "shown"),
    [("-2+3+cmd", "'-2+3+cmd"), ("=1", "'=1"), ("\n=1", "'\n=1"), ("-1.5", "-1.5"), ("BTC", "BTC"), ("", "")],
)
def test_a_sheet_takes_no_text_for_a_formula(cell: str, shown: str) -> None:
    """A strategy's name comes with an alert; a negative result stays a number."""
    assert harmless(cell) == shown


def test_no_amount_blinds_the_read_models() -> None:
    """What is journalled is added up for ever: an amount that cannot be is refused before, as a number and as a text."""

    async def work(net: Network) -> None:
        trader = await net.token(Scope.TRADE)
        for amount in ("1E-999999999", "1E+999999999", "1e30", f"0.{'0' * 40}1"):
            for body in (f'{{"amount": {amount}}}', f'{{"amount": "{amount}"}}'):
                said = await net.ask("POST", "/v1/performance/flows", trader, data=body)
                assert (said.status, said.body["path"]) == (422, "$.amount"), said.body

    network(work)
