"""Alpaca's REST interface in worker threads: alpaca-py blocks while it waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

import requests

from venues.access import Access
from venues.alpaca.errors import translated
from venues.alpaca.library import APIError, data_client, trading_client
from venues.errors import VenueDown

__all__ = ["Rest"]

_THREADS: Final = 4
_PAGE: Final = 100
_DOES_ANSWER_BADLY: Final = (
    requests.RequestException,
    APIError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    OSError,
)
"""Whatever the library raises over an answer it did not expect is one that cannot be read."""

_Query = dict[str, Any]
T = TypeVar("T")


class Rest:
    """Calls of one account. Nothing is sent twice; an order or cancel is sent only while ``may_send`` returns None."""

    def __init__(self, access: Access, may_send: Callable[[], str | None]) -> None:
        key, secret = access.key.reveal(), access.secret.reveal()
        self._venue = access.venue
        self._may_send = may_send
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix=f"alpaca-{access.account}")
        self._trading = trading_client(key, secret, paper=access.testnet, url=access.url)
        self._data = data_client(key, secret, url=access.url)

    def close(self) -> None:
        """Begin no further request; those under way end in their threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for client in (self._trading, self._data):
            client._session.close()

    # --- questions -----------------------------------------------------------------------------------------------------

    async def account(self) -> _Query:
        """Return the account."""
        return await self._ask(lambda: dict(self._trading.get("/account")))

    async def clock(self) -> _Query:
        """Return the venue's time and when the market opens and closes next."""
        return await self._ask(lambda: dict(self._trading.get("/clock")))

    async def assets(self) -> list[_Query]:
        """Return every share that is listed."""
        return await self._ask(
            lambda: list(self._trading.get("/assets", {"status": "active", "asset_class": "us_equity"}))
        )

    async def positions(self) -> list[_Query]:
        """Return what is held."""
        return await self._ask(lambda: list(self._trading.get("/positions")))

    async def order(self, client_order_id: str) -> _Query:
        """Return an order by our id; raises OrderNotFound."""
        return await self._ask(lambda: dict(self._trading.get_order_by_client_id(client_order_id)))

    async def order_by_number(self, order_id: str) -> _Query:
        """Return an order by the venue's id; raises OrderNotFound."""
        return await self._ask(lambda: dict(self._trading.get_order_by_id(order_id)))

    async def open_orders(self) -> list[_Query]:
        """Return every order that can still fill, over all pages."""

        def pages() -> list[_Query]:
            found: dict[str, _Query] = {}
            query: _Query = {"status": "open", "limit": 500, "direction": "asc", "nested": "false"}
            while True:
                page = list(self._trading.get("/orders", query))
                fresh = [each for each in page if each["id"] not in found]
                found.update((each["id"], each) for each in fresh)
                if len(page) < query["limit"] or not fresh:
                    return list(found.values())
                query["after"] = page[-1]["submitted_at"]

        return await self._ask(pages)

    async def fills(self, after: str) -> list[_Query]:
        """Return every fill after a time, oldest first, over all pages."""

        def pages() -> list[_Query]:
            found: list[_Query] = []
            query = {"after": after, "direction": "asc", "page_size": _PAGE}
            while True:
                page = list(self._trading.get("/account/activities/FILL", query))
                found += page
                if len(page) < _PAGE:
                    return found
                query["page_token"] = page[-1]["id"]

        return await self._ask(pages)

    async def snapshots(self, tickers: tuple[str, ...]) -> _Query:
        """Return newest quote and trade of shares."""
        return await self._ask(
            lambda: dict(self._data.get("/stocks/snapshots", {"symbols": ",".join(tickers), "feed": "iex"}))
        )

    async def bars(self, ticker: str, query: _Query) -> list[_Query]:
        """Return bars of a share, over all pages."""
        fields = {"symbols": ticker, "adjustment": "split", "feed": "iex", "sort": "asc", **query}
        return await self._ask(
            lambda: list(self._data._get_marketdata("/stocks/bars", dict(fields), page_size=10_000).get(ticker, ()))
        )

    async def _ask(self, call: Callable[[], T]) -> T:
        return await self._in_thread(call, sends=False)

    # --- orders --------------------------------------------------------------------------------------------------------

    async def submit(self, fields: _Query) -> _Query:
        """Send an order, once."""
        return await self._send(lambda: dict(self._trading.post("/orders", fields)))

    async def cancel(self, order_id: str) -> None:
        """Ask for an order to be cancelled; that it was taken is no proof that it is."""
        await self._send(lambda: bool(self._trading.cancel_order_by_id(order_id)))

    async def _send(self, call: Callable[[], T]) -> T:
        def once_more_allowed() -> T:
            # Asked in the thread: it may have waited for its turn, or the process may have slept.
            if (why_not := self._may_send()) is not None:
                raise VenueDown(self._venue, why_not)
            return call()

        return await self._in_thread(once_more_allowed, sends=True)

    async def _in_thread(self, call: Callable[[], T], *, sends: bool) -> T:
        try:
            waiting = asyncio.get_running_loop().run_in_executor(self._threads, call)
        except RuntimeError as error:
            raise VenueDown(self._venue, "not connected") from error
        try:
            return await waiting
        except _DOES_ANSWER_BADLY as error:
            raise translated(self._venue, error, sends=sends) from error
