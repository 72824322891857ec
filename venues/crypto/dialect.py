"""What differs between exchanges: one subclass of ``Dialect`` a venue; everything else is the core's.

The core speaks ccxt's unified interface. A dialect says which ccxt class to use and how, and overrides a method only where
the venue differs from what stands here. ``exchange`` is the ccxt exchange object (``venues.crypto.exchange``): numbers are
Decimals or exact strings, ``amount_to_precision`` and ``price_to_precision`` change nothing, its clock is ours plus the
offset of the venue's, and what its streams say reaches the core synchronously through its order and trade caches, its
``bidsasks`` and its ``tickers`` (never through the result of a ``watch`` call, which ccxt may skip).

Orders and trades pass between dialect and core as ccxt's unified dictionaries. Amounts in them are the venue's (contracts
where the market has a ``contractSize``); the core turns them into base units.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any, ClassVar, Final, TypeAlias

from protocol.orders import OrderRequest, OrderState
from protocol.values import MarketType, OrderType
from rules.client_ids import PREFIX
from venues.access import Access
from venues.contract import CallLimit
from venues.facets import KeyRights
from venues.waits import retry_after_s

__all__ = ["Dialect", "Exchange", "Row", "plain"]

Exchange: TypeAlias = Any
"""A ccxt.pro exchange object."""
Row: TypeAlias = dict[str, Any]
"""One of ccxt's unified structures; ``row["info"]`` is what the venue said."""

_OURS: Final = re.compile(r"[a-z0-9]{6,28}")
_HOST: Final = re.compile(r"^(https?|wss?)://[^/]+")


def plain(value: Decimal) -> str:
    """Return a number as venues read it: no exponent."""
    return f"{value:f}"


class Dialect:
    """One exchange and one market family of it: ``access.market``. One object a connection; it may keep state."""

    venue: ClassVar[str] = ""
    """Our name of the venue, the key of ``venues.known.KNOWN``."""
    exchange_ids: ClassVar[dict[MarketType, str]] = {}
    """Name of ccxt's class for each market family (the module in ``ccxt.pro``)."""
    call_limits: ClassVar[dict[MarketType, CallLimit]] = {}
    """Calls (or weights) that the venue publishes as its limit; ccxt's own throttle stands behind the session's."""
    weights: Mapping[str, int] = MappingProxyType({})
    """What a call of a method of the contract costs of it, 1 where not named."""
    order_weight: ClassVar[float] = 1.0
    """What an order costs in ccxt's throttle; waited for before the order is built and signed."""
    late_refusal_s: ClassVar[float | None] = 5.0
    """How long after its signing an order may still be carried out (``recvWindow`` and its like); None: for ever, the venue
    refuses nothing for being late. ``latest_ms`` of ``order_params`` is at most this far away."""
    lag_s: ClassVar[float] = 2.0
    """How long an order that was taken may stay invisible to a question by client id."""
    absence_provable: ClassVar[bool] = True
    """Whether "no such order", asked by client id and after both times above, proves that it never was (the venue's memory
    of orders is complete for as long as anybody could ask)."""
    fill_looks_s: ClassVar[tuple[float, ...]] = (1.0,)
    """After which pauses the venue's history is asked for fills that a told state of their order speaks of, and that were
    not told: once where the stream tells them itself, at once and again where it does not tell them in full."""
    trades_by_symbol: ClassVar[bool] = False
    """Whether trades of the account can only be asked by market."""
    orders_by_symbol: ClassVar[bool] = False
    """Whether open orders can only be asked by market."""
    takes_stops: bool = False
    amends: bool = False
    loads_apart: ClassVar[bool] = False
    """Whether the list of markets is so long that reading it would hold up everybody: it is then read in a thread."""
    polls_quotes: ClassVar[bool] = True
    """Whether ``fetch_tickers`` tells best bid and ask: what is asked while the price stream is away."""

    def __init__(self, access: Access) -> None:
        self.access = access

    @property
    def perp(self) -> bool:
        """Whether this is the venue's perpetuals."""
        return self.access.market is MarketType.PERP

    # --- the ccxt object -----------------------------------------------------------------------------------------------

    @property
    def family(self) -> str:
        """Ccxt's name of the market family."""
        return "swap" if self.perp else "spot"

    def config(self) -> dict[str, Any]:
        """Return what the ccxt class is made with beyond credentials and time-outs: ``options`` and the like."""
        return {"options": {"defaultType": self.family, "fetchCurrencies": False}}

    def one_family(self, **options: Any) -> dict[str, Any]:
        """Return a ``config`` with some options, for one market family, that asks for no currencies."""
        return {"options": {"defaultType": self.family, **options}, "has": {"fetchCurrencies": False}}

    def credentials(self) -> dict[str, str]:
        """Return ccxt's names of the credentials."""
        found = {"apiKey": self.access.key, "secret": self.access.secret, "password": self.access.passphrase}
        return {name: secret.reveal() for name, secret in found.items() if secret.reveal()}

    def prepare(self, exchange: Exchange) -> None:
        """Set up a new exchange object: test network, then other addresses. Called once for each object."""
        if self.access.testnet:
            exchange.set_sandbox_mode(True)
        if self.access.url or self.access.stream_url:
            exchange.urls["api"] = self._moved(exchange.urls["api"])

    def _moved(self, urls: Any) -> Any:
        """Put ``access.url`` and ``access.stream_url`` in place of schemes and hosts; paths stay."""
        if isinstance(urls, dict):
            return {name: self._moved(url) for name, url in urls.items()}
        if not isinstance(urls, str):
            return urls
        base = self.access.stream_url if urls.startswith("ws") else self.access.url
        return _HOST.sub(base.rstrip("/"), urls) if base else urls

    def trades_here(self, market: Row) -> bool:
        """Whether a ccxt market belongs to this account: spot, or linear perpetuals settled in a dollar coin."""
        if market.get("active") is False:
            return False
        if not self.perp:
            return bool(market["spot"])
        return bool(market["swap"] and market["linear"]) and market["settle"] in ("USDT", "USDC")

    # --- client ids ----------------------------------------------------------------------------------------------------

    def client_id_out(self, client_order_id: str) -> str:
        """Return our id in the venue's form; the way back must work after a restart, with nothing remembered."""
        return client_order_id

    def client_id_in(self, text: str) -> str | None:
        """Return our id of the venue's form, None for what cannot be one of ours: ours begin with ``client_ids.PREFIX``."""
        return text if text.startswith(PREFIX) and _OURS.fullmatch(text) else None

    def client_id_of_trade(self, trade: Row) -> str:
        """Return the venue's form of the client id that a trade names, empty when it names none."""
        return str(trade.get("clientOrderId") or "")

    # --- orders --------------------------------------------------------------------------------------------------------

    def order_params(self, request: OrderRequest, latest_ms: int, now_ms: int) -> dict[str, Any]:
        """Return ccxt's ``params`` for a new order: client id, reduce-only, time in force, trigger, latest time.

        ``latest_ms`` is when the order may arrive at the latest, ``now_ms`` the present, both by the venue's clock.
        """
        params: dict[str, Any] = {"clientOrderId": self.client_id_out(request.client_order_id)}
        if request.type is OrderType.IOC:
            params["timeInForce"] = "IOC"
        if request.type is OrderType.STOP and request.stop_price is not None:
            params["triggerPrice"] = plain(request.stop_price)
        if request.reduce_only and self.perp:
            params["reduceOnly"] = True
        return params | self.latest_params(latest_ms, now_ms)

    def latest_params(self, latest_ms: int, now_ms: int) -> dict[str, Any]:  # noqa: ARG002 - the venue's to say
        """Return the ``params`` that have the venue refuse a request which arrives after ``latest_ms``; {}: it cannot."""
        return {}

    async def place(self, exchange: Exchange, request: OrderRequest, amount: str, params: dict[str, Any]) -> Row:
        """Send a new order, once; return the unified order. ``amount`` in the venue's units."""
        kind = "limit" if request.price is not None and request.type is not OrderType.MARKET else "market"
        price = plain(request.price) if request.price is not None and kind == "limit" else None
        order: Row = await exchange.create_order(request.symbol, kind, request.side.value, amount, price, params)
        return order

    async def cancel(self, exchange: Exchange, client_id: str, symbol: str, params: dict[str, Any]) -> None:
        """Cancel by the venue's form of the client id; ccxt's OrderNotFound when there is no such open order."""
        await exchange.cancel_order("", symbol, {"clientOrderId": client_id, **params})

    async def query(self, exchange: Exchange, client_id: str, symbol: str) -> Row:
        """Return an order by the venue's form of the client id; ccxt's OrderNotFound when there is none."""
        order: Row = await exchange.fetch_order("", symbol, {"clientOrderId": client_id})
        return order

    async def order_by_number(self, exchange: Exchange, number: str, symbol: str) -> Row:
        """Return an order by the venue's own id, to learn whose trade it was."""
        order: Row = await exchange.fetch_order(number, symbol)
        return order

    async def open_orders(self, exchange: Exchange, symbol: str | None) -> list[Row]:
        """Return the open orders of a market, or of all (``orders_by_symbol`` false)."""
        found: list[Row] = await exchange.fetch_open_orders(symbol)
        return found

    async def amend(
        self, exchange: Exchange, order: Row, price: str | None, amount: str | None, params: dict[str, Any]
    ) -> Row:
        """Change price or amount of a resting order in place (``amends`` true); None: as it is."""
        changed: Row = await exchange.edit_order(
            order["id"],
            order["symbol"],
            order["type"],
            order["side"],
            order["amount"] if amount is None else amount,
            order["price"] if price is None else price,
            params,
        )
        return changed

    def order_state(self, order: Row) -> OrderState:
        """Return the state that a unified order is in; ``UNKNOWN`` when it does not say."""
        filled = order.get("filled") or 0
        immediate = order.get("timeInForce") in ("IOC", "FOK") or order.get("type") == "market"
        return {
            "open": OrderState.PARTIALLY_FILLED if Decimal(filled) > 0 else OrderState.OPEN,
            "closed": OrderState.FILLED,
            "canceled": OrderState.CANCELLED,
            "canceling": OrderState.PARTIALLY_FILLED if Decimal(filled) > 0 else OrderState.OPEN,
            "expired": OrderState.CANCELLED if immediate else OrderState.EXPIRED,
            "rejected": OrderState.REJECTED,
        }.get(order.get("status") or "", OrderState.UNKNOWN)

    def reason(self, order: Row) -> str:  # noqa: ARG002 - the venue's to say
        """Return why the venue itself ended an order that it had taken, in its words; empty when it does not say."""
        return ""

    def maker(self, trade: Row) -> bool:
        """Whether our side of a trade was resting."""
        return trade.get("takerOrMaker") == "maker"

    # --- the account ---------------------------------------------------------------------------------------------------

    async def my_trades(self, exchange: Exchange, symbol: str | None, since_ms: int, now_ms: int) -> list[Row]:  # noqa: ARG002
        """Return ALL trades of a market (or of all, ``trades_by_symbol`` false) at or after ``since_ms``, in any order.

        Overridden wherever one call cannot tell them all: pages, windows of time, memory (``venues.crypto.paging``).
        """
        found: list[Row] = await exchange.fetch_my_trades(symbol, since_ms or None)
        return found

    async def balance(self, exchange: Exchange) -> Row:
        """Return ccxt's unified balance."""
        found: Row = await exchange.fetch_balance()
        return found

    async def key_rights(self, exchange: Exchange) -> KeyRights:  # noqa: ARG002 - the venue's to say
        """Return what the venue says of its key; nothing where it cannot be asked."""
        return KeyRights()

    async def positions(self, exchange: Exchange) -> list[Row]:
        """Return ccxt's unified positions, flat ones allowed."""
        found: list[Row] = await exchange.fetch_positions()
        return found

    # --- markets -------------------------------------------------------------------------------------------------------

    async def quotes(self, exchange: Exchange, symbols: list[str]) -> dict[str, Row]:
        """Return tickers with best bid and ask and last price (``polls_quotes`` true)."""
        found: dict[str, Row] = await exchange.fetch_tickers(symbols)
        return found

    async def funding(self, exchange: Exchange, symbol: str) -> Row:
        """Return ccxt's unified funding rate; ``interval`` as ``8h`` where it is another than eight hours."""
        found: Row = await exchange.fetch_funding_rate(symbol)
        return found

    # --- streams -------------------------------------------------------------------------------------------------------

    def private_watches(self, exchange: Exchange) -> Sequence[Callable[[], Awaitable[Any]]]:
        """Return the calls that subscribe to orders, trades and balances; each is called again whenever it returns."""
        return (exchange.watch_orders, exchange.watch_my_trades, exchange.watch_balance)

    def private_confirmations(self) -> int:
        """Return how many frames ``confirms`` must say yes to until all private streams stand; 0: connecting is all."""
        return 0

    def confirms(self, frame: Any) -> bool:  # noqa: ARG002 - the venue's to say
        """Whether a frame of the private connection confirms a subscription."""
        return False

    def public_watches(self, exchange: Exchange, symbols: list[str]) -> Sequence[Callable[[], Awaitable[Any]]]:
        """Return the calls that subscribe to best bid and ask and to last prices of some symbols."""
        return (lambda: exchange.watch_bids_asks(symbols), lambda: exchange.watch_tickers(symbols))

    def ends(self, frame: Any) -> bool:  # noqa: ARG002 - the venue's to say
        """Whether a frame of the private connection says that a subscription has ended: it is then opened anew."""
        return False

    def forget(self, exchange: Exchange) -> None:
        """Drop what ccxt keeps of a login whose connection has ended (keys of streams, when it logged in)."""

    # --- errors --------------------------------------------------------------------------------------------------------

    def is_duplicate(self, error: BaseException) -> bool:
        """Whether a refusal means that the client id is taken; the known order is then asked for."""
        return type(error).__name__ == "DuplicateOrderId"

    def is_missing(self, error: BaseException) -> bool:
        """Whether an error means that the venue knows no such order, or no open one."""
        return _is(error, "OrderNotFound")

    def is_late(self, error: BaseException) -> bool:
        """Whether an error means that a request's time was over, or its clock wrong: the venue's clock is then measured."""
        return _is(error, "InvalidNonce")

    def leaves_open(self, error: BaseException) -> bool:  # noqa: ARG002 - the venue's to say
        """Whether an error that looks like a refusal leaves open whether the request was carried out."""
        return False

    def refuses_order_only(self, error: BaseException) -> bool:  # noqa: ARG002 - the venue's to say
        """Whether what ccxt takes for a refusal of the key or of the rate is one of this order alone."""
        return False

    def did_nothing(self, error: BaseException) -> bool:  # noqa: ARG002 - the venue's to say
        """Whether a failure (5xx, maintenance, late arrival) certainly left nothing behind, as documented by the venue."""
        return False

    def retry_after_s(self, headers: dict[str, str], now_ms: int) -> float | None:  # noqa: ARG002 - the venue's to say
        """Return how long the headers of a refusal say to wait; names in lower case, its status as ``:status``."""
        return retry_after_s(headers.get("retry-after"))

    def refusal_code(self, error: BaseException) -> str:
        """Return our code of a refused order, empty when none fits.

        ``PrecisionRejected``, ``InsufficientFunds``, ``MarketHalted``, ``ReduceOnly``.
        """
        return {"InsufficientFunds": "InsufficientFunds", "MarketClosed": "MarketHalted"}.get(type(error).__name__, "")


def _is(error: BaseException, name: str) -> bool:
    return any(base.__name__ == name for base in type(error).__mro__)
