"""The requests of the v20 REST interface and its streams that we make, one function each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from venues.oanda.wire import Endpoint

__all__ = ["PAGE", "Calls"]

PAGE: Final = 1000
"""Most transactions that one answer holds."""


class Calls:
    """The requests about one account."""

    def __init__(self, account_id: str) -> None:
        self._account = f"v3/accounts/{account_id}"

    def summary(self) -> Endpoint:
        """Ask for worth, margin, currency and the number of the last transaction."""
        return Endpoint("GET", f"{self._account}/summary")

    def instruments(self) -> Endpoint:
        """Ask for the markets of the account."""
        return Endpoint("GET", f"{self._account}/instruments")

    def pricing(self, names: Iterable[str]) -> Endpoint:
        """Ask for the newest prices; the answer carries the venue's clock."""
        return Endpoint("GET", f"{self._account}/pricing", params={"instruments": ",".join(names)})

    def candles(self, name: str, params: dict[str, Any]) -> Endpoint:
        """Ask for candles."""
        return Endpoint("GET", f"v3/instruments/{name}/candles", params=params)

    def positions(self) -> Endpoint:
        """Ask for the open positions."""
        return Endpoint("GET", f"{self._account}/openPositions")

    def pending(self) -> Endpoint:
        """Ask for the orders that can still fill."""
        return Endpoint("GET", f"{self._account}/pendingOrders")

    def order(self, client_order_id: str) -> Endpoint:
        """Ask for one order by its client id."""
        return Endpoint("GET", f"{self._account}/orders/@{client_order_id}")

    def order_number(self, number: str) -> Endpoint:
        """Ask for one order by the venue's number."""
        return Endpoint("GET", f"{self._account}/orders/{number}")

    def create(self, body: dict[str, Any]) -> Endpoint:
        """Place an order."""
        return Endpoint("POST", f"{self._account}/orders", data={"order": body})

    def replace(self, client_order_id: str, body: dict[str, Any]) -> Endpoint:
        """Replace a pending order."""
        return Endpoint("PUT", f"{self._account}/orders/@{client_order_id}", data={"order": body})

    def cancel(self, client_order_id: str) -> Endpoint:
        """Cancel a pending order; ``oanda-<number>`` names one that has no client id."""
        name = client_order_id.removeprefix("oanda-")
        specifier = name if name != client_order_id else f"@{client_order_id}"
        return Endpoint("PUT", f"{self._account}/orders/{specifier}/cancel")

    def open_trades(self) -> Endpoint:
        """Ask for the open trades, the parts of which positions are made."""
        return Endpoint("GET", f"{self._account}/openTrades")

    def transaction(self, number: str) -> Endpoint:
        """Ask for one transaction."""
        return Endpoint("GET", f"{self._account}/transactions/{number}")

    def since(self, number: int) -> Endpoint:
        """Ask for the transactions after a number."""
        return Endpoint("GET", f"{self._account}/transactions/sinceid", params={"id": number})

    def between(self, first: int, last: int, kinds: str = "") -> Endpoint:
        """Ask for the transactions of a range of numbers, both included."""
        params = {"from": first, "to": last} | ({"type": kinds} if kinds else {})
        return Endpoint("GET", f"{self._account}/transactions/idrange", params=params)

    def from_time(self, since: str, kinds: str = "") -> Endpoint:
        """Ask which pages hold the transactions from a time on."""
        params = {"from": since, "pageSize": PAGE} | ({"type": kinds} if kinds else {})
        return Endpoint("GET", f"{self._account}/transactions", params=params)

    def page(self, url: str, kinds: str = "") -> Endpoint:
        """Ask for one page of ``from_time``'s answer; only its range is taken from the address, never its host."""
        query = parse_qs(urlsplit(url).query)
        return self.between(int(query["from"][0]), int(query["to"][0]), kinds)

    def price_stream(self, names: Iterable[str]) -> Endpoint:
        """Ask for prices as they change, the newest first."""
        params = {"instruments": ",".join(names), "snapshot": "true"}
        return Endpoint("GET", f"{self._account}/pricing/stream", params=params, stream=True)

    def log_stream(self) -> Endpoint:
        """Ask for transactions as they happen."""
        return Endpoint("GET", f"{self._account}/transactions/stream", stream=True)
