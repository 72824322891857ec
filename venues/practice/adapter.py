"""The adapter of the practice exchange: the venue contract over its sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

import aiohttp

from protocol.codec import decode_json, encode_json
from protocol.errors import ValidationError
from protocol.instruments import Instrument
from protocol.market import Bar
from protocol.orders import Balance, FillReport, OrderReport, OrderRequest, Position
from protocol.venue import SessionDown
from venues.contract import REQUIRED_CAPABILITIES, Capability, Sink, Venue
from venues.errors import NetworkTimeout, OrderRejected, VenueCapabilityMissing, VenueDown
from venues.practice.wire import (
    EXPIRED,
    AccountBody,
    CancelBody,
    ErrorBody,
    Fact,
    InstrumentsBody,
    PlaceBody,
    SubscribeBody,
    TimeBody,
)

__all__ = ["PracticeVenue"]

T = TypeVar("T")

_TIMEOUT: Final = aiohttp.ClientTimeout(total=10, connect=3)
_FAILED: Final = 400
_SERVER: Final = 500
_NO_FILLS: Final = 2**63 - 1


class PracticeVenue(Venue):
    """One account at the practice exchange at ``url``. ``now`` is our clock, for what the exchange tells of its end."""

    capabilities = REQUIRED_CAPABILITIES | {Capability.STOP_ORDERS}

    def __init__(self, url: str, *, account: str, name: str, now: Callable[[], int]) -> None:
        self.name = name
        self._url = url.rstrip("/")
        self._account = account
        self._now = now
        self._http: aiohttp.ClientSession | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._reading: asyncio.Task[None] | None = None

    @property
    def closed(self) -> bool:
        """Whether no stream is open."""
        return self._socket is None

    # --- the connection ------------------------------------------------------------------------------------------------

    async def connect(self, sink: Sink) -> None:
        """Open a connection for calls and a stream for facts."""
        self._http = aiohttp.ClientSession(timeout=_TIMEOUT)
        try:
            self._socket = await self._http.ws_connect(f"{self._url}/v1/stream", heartbeat=10.0)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            await self.close()
            raise VenueDown(self.name, f"no practice exchange answers at {self._url}: {error}") from error
        self._reading = asyncio.create_task(self._read(self._socket, sink))

    async def close(self) -> None:
        """Close both; orders stay at the exchange."""
        reading, self._reading = self._reading, None
        if reading is not None:
            reading.cancel()
        socket, self._socket = self._socket, None
        if socket is not None:
            await socket.close()
        http, self._http = self._http, None
        if http is not None:
            await http.close()

    async def _read(self, socket: aiohttp.ClientWebSocketResponse, sink: Sink) -> None:
        reason = "the exchange closed the stream"
        try:
            async for message in socket:
                if message.type is not aiohttp.WSMsgType.BINARY:
                    break
                sink(decode_json(message.data, Fact))  # type: ignore[arg-type] # a union is a type to msgspec
        except (aiohttp.ClientError, OSError, ValidationError) as error:
            reason = f"the stream broke: {error}"
        sink(SessionDown(self._account, reason, self._now()))

    # --- calls ---------------------------------------------------------------------------------------------------------

    async def place(self, request: OrderRequest) -> OrderReport:
        """Place an order, at most once for its client id and not after ``send_by``."""
        return await self._send("/v1/orders", lambda until: PlaceBody(request, until))

    async def cancel(self, client_order_id: str, symbol: str) -> OrderReport:
        """Cancel an order, not after ``send_by``; return its final state."""
        return await self._send("/v1/cancel", lambda until: CancelBody(client_order_id, symbol, until))

    async def _send(self, path: str, body: Callable[[int], Any]) -> OrderReport:
        until = self.send_by()
        if until is not None and self._now() > until:
            raise VenueDown(self.name, "this process may send nothing any more")
        expires_at = 0 if until is None else until + self.clock_offset
        return await self._call("POST", path, OrderReport, encode_json(body(expires_at)))

    async def query(self, client_order_id: str, symbol: str) -> OrderReport:
        """Say where an order stands; an unknown id is proven absent, the exchange forgets nothing."""
        return await self._call("GET", f"/v1/orders/{client_order_id}", OrderReport, symbol=symbol)

    async def instruments(self) -> tuple[Instrument, ...]:
        """Return the markets."""
        return (await self._call("GET", "/v1/instruments", InstrumentsBody)).instruments

    async def balances(self) -> tuple[Balance, ...]:
        """Return the balances."""
        return (await self._whole(_NO_FILLS)).balances

    async def positions(self) -> tuple[Position, ...]:
        """Return open perpetual positions."""
        return (await self._whole(_NO_FILLS)).positions

    async def open_orders(self) -> tuple[OrderReport, ...]:
        """Return every order that can still fill."""
        return (await self._whole(_NO_FILLS)).open_orders

    async def fills_since(self, at: int) -> tuple[FillReport, ...]:
        """Return every fill at or after an instant."""
        return (await self._whole(at)).fills

    async def _whole(self, since: int) -> AccountBody:
        return await self._call("GET", "/v1/account", AccountBody, since=str(since))

    async def subscribe(self, symbols: Iterable[str]) -> None:
        """Hear prices too."""
        if self._socket is None:
            raise VenueDown(self.name, "not connected")
        try:
            await self._socket.send_str(encode_json(SubscribeBody(tuple(symbols))).decode())
        except (ConnectionError, aiohttp.ClientError) as error:
            raise VenueDown(self.name, f"the stream is broken: {error}") from error

    async def candles(self, symbol: str, timeframe: str, since: int, limit: int) -> tuple[Bar, ...]:  # noqa: ARG002
        """Refuse: the practice exchange keeps no history."""
        raise VenueCapabilityMissing(self.name, Capability.CANDLES)

    async def server_time(self) -> int:
        """Return the exchange's clock."""
        return (await self._call("GET", "/v1/time", TimeBody)).at

    async def _call(self, method: str, path: str, of: type[T], body: bytes | None = None, **query: str) -> T:
        if self._http is None:
            raise VenueDown(self.name, "not connected")
        try:
            async with self._http.request(method, self._url + path, data=body, params=query) as response:
                raw = await response.read()
        except aiohttp.ClientConnectorError as error:
            raise VenueDown(self.name, f"not reached: {error}") from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise NetworkTimeout(self.name, f"no answer: {error or type(error).__name__}") from error
        try:
            if response.status < _FAILED:
                return decode_json(raw, of)
            refused = decode_json(raw, ErrorBody)
        except ValidationError as error:
            raise NetworkTimeout(self.name, f"an answer that cannot be read ({response.status}): {error}") from error
        if refused.code == EXPIRED or response.status >= _SERVER:
            raise VenueDown(self.name, refused.message)
        raise OrderRejected(self.name, refused.message)
