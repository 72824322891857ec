"""Hyperliquid: signed actions at ``/exchange``, questions at ``/info``; one account, spot and perpetuals apart.

``access.account_id`` is the address of the account, ``access.secret`` the private key that signs: the account's own or, as
it should be, that of an agent (API wallet), which can trade and not withdraw. Sub-accounts and vaults are not traded.

Orders and cancels are built and signed here, with ccxt's signing, and not by its ``create_order``: that one rounds, cannot
say ``expiresAfter``, and signs a referral and a builder's fee with the user's key before the first order.
"""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any, Final

from protocol.orders import OrderRequest, OrderState
from protocol.values import MarketType, OrderSide, OrderType
from venues.access import Access
from venues.contract import CallLimit
from venues.crypto.dialect import Dialect, Exchange, Row
from venues.crypto.dialects.cloids import cloid_of, id_of
from venues.crypto.dialects.hyperliquid_rules import step_at, tick_for
from venues.crypto.dialects.hyperliquid_streams import listen
from venues.crypto.exchange import SENDING
from venues.crypto.memory import Bounded
from venues.errors import AuthFailed, VenueDown

__all__ = ["HyperliquidDialect"]

_SLIPPAGE: Final = Decimal("0.05")
"""How far from the touch a market order may trade."""
_FRESH_MS: Final = 3000
"""How old a streamed quote may be that bounds a market order."""
_PAGE: Final = 2000
_ERRORS: Final = {
    "PrecisionRejected": ("divisible by tick", "invalid size", "zero size", "minimum value", "invalid price"),
    "InsufficientFunds": ("insufficient margin", "insufficient spot balance"),
    "ReduceOnly": ("reduce only",),
    "MarketHalted": ("network upgrade", "halted", "delisted"),
}
"""Our codes, by what the venue's sentences contain."""
_NOT_DONE: Final = ("expire", "nonce")
"""An action that came too late, or whose nonce is not taken, was not carried out."""
_NO_MATCH: Final = ("could not immediately match", "no liquidity available")


class HyperliquidDialect(Dialect):
    """Hyperliquid. Whether it refuses a client id that was used before is not documented: the core sends none twice."""

    venue = "hyperliquid"
    exchange_ids = {MarketType.SPOT: "hyperliquid", MarketType.PERP: "hyperliquid"}  # noqa: RUF012 - a ClassVar of the base
    call_limits = {  # noqa: RUF012 - a ClassVar of the base
        MarketType.SPOT: CallLimit(600, 60.0),
        MarketType.PERP: CallLimit(600, 60.0),
    }

    lag_s = 4.0

    def __init__(self, access: Access) -> None:
        super().__init__(access)
        self._ids: Bounded[str, str] = Bounded()
        self._sent: Bounded[str, None] = Bounded()
        self._last_nonce = 0
        self._may_sign = False
        self._touches: dict[str, Row] = {}

    # --- the ccxt object -----------------------------------------------------------------------------------------------

    def config(self) -> dict[str, Any]:
        """Load one family of markets, and none of the markets that others deploy."""
        kind = "swap" if self.perp else "spot"
        options = {"defaultType": kind, "fetchMarkets": {"types": [kind]}, "builderFee": False, "refSet": True}
        # Weights are counted over the venue's own minute: ccxt's usual throttle lets an order wait for old questions.
        pace = {"rateLimiterAlgorithm": "rollingWindow", "rollingWindowSize": 60_000.0}
        return {"options": options, **pace}

    def credentials(self) -> dict[str, str]:
        """Return the account's address and the key that signs for it."""
        found = {"walletAddress": self.access.account_id, "privateKey": self.access.secret.reveal()}
        return {name: value for name, value in found.items() if value}

    def prepare(self, exchange: Exchange) -> None:
        """Sign nothing but orders and cancels, tell ticks that are right for the price, read fees in their own coin."""
        super().prepare(exchange)
        exchange.has["fetchCurrencies"] = False
        exchange.options["marketHelperProps"] = []  # ccxt looks up what it only fills when it loads HIP-3 markets
        errors = importlib.import_module("ccxt.base.errors")
        exchange.exceptions["broad"]["User or API Wallet "] = errors.AuthenticationError
        exchange.initialize_client = _nothing
        markets, trade = exchange.fetch_markets, exchange.parse_trade

        async def fetch_markets(params: Any = None) -> list[Row]:
            if not self._may_sign:
                await self._check_signer(exchange)
            # By name: ccxt takes a pair's price from a list by a number that is not always its place there.
            mids = await exchange.publicPostInfo({"type": "allMids"})
            fees = await exchange.publicPostInfo({"type": "userFees", "user": self.access.account_id})
            rows = await markets(params or {})
            named = Counter(
                row["symbol"] for row in rows
            )  # whoever deploys a token names it: a name of two is nobody's
            return [self._ruled(row, mids, fees) for row in rows if named[row["symbol"]] == 1]

        def parse_trade(raw: Row, market: Row | None = None) -> Row:
            return self._trade(exchange, trade(raw, market))

        async def fetch_tickers(symbols: Sequence[str], params: Any = None) -> dict[str, Row]:  # noqa: ARG001 - ccxt's
            return {symbol: await _touch(exchange, symbol) for symbol in symbols}

        exchange.fetch_markets, exchange.fetch_tickers = fetch_markets, fetch_tickers
        exchange.parse_trade = exchange.parse_ws_trade = parse_trade
        listen(exchange, self._touched)

    def _ruled(self, market: Row, mids: Row, fees: Row) -> Row:
        price = mids.get(_coin(market))
        step = Decimal(market["precision"]["amount"])
        market["precision"]["price"] = tick_for(Decimal(price) if price else None, step, perp=self.perp)
        market["limits"]["amount"]["min"] = step
        kind = "" if self.perp else "Spot"
        market["maker"] = fees.get(f"user{kind}AddRate") or market["maker"]
        market["taker"] = fees.get(f"user{kind}CrossRate") or market["taker"]
        return market

    @staticmethod
    def _trade(exchange: Exchange, trade: Row) -> Row:
        for fee in (trade.get("fee"), *(trade.get("fees") or ())):
            if fee and fee.get("currency"):
                fee["currency"] = exchange.update_spot_currency_code(fee["currency"])
        if trade["id"] in (None, "0"):  # fills of 2023 have no number, and all sales of dust by the venue the same
            trade["id"] = f"0-{trade['order']}-{trade['info'].get('startPosition', '')}"
        return trade

    # --- client ids ----------------------------------------------------------------------------------------------------

    def client_id_out(self, client_order_id: str) -> str:
        """Return the 128 bits of an id."""
        cloid = cloid_of(client_order_id)
        if id_of(cloid) is None:
            self._ids[cloid] = client_order_id
        return cloid

    def client_id_in(self, text: str) -> str | None:
        """Return our id of 128 bits; one that is only a hash when this connection has made it."""
        return id_of(text) or self._ids.get(text)

    def client_id_of_trade(self, trade: Row) -> str:
        """Return the client id that streams tell with a trade; the history of trades tells none."""
        return str(trade["info"].get("cloid") or "")

    # --- orders --------------------------------------------------------------------------------------------------------

    def latest_params(self, latest_ms: int, now_ms: int) -> dict[str, Any]:  # noqa: ARG002 - the base's signature
        """Return the time after which the venue refuses the action."""
        return {"expiresAfter": latest_ms}

    async def place(self, exchange: Exchange, request: OrderRequest, amount: str, params: dict[str, Any]) -> Row:
        """Send one order; a market order is an immediate one with a limit 5 % beyond the touch."""
        market = exchange.market(request.symbol)
        cloid = str(params["clientOrderId"])
        price, immediate = request.price, request.type in (OrderType.IOC, OrderType.MARKET)
        if request.type is OrderType.MARKET or price is None:
            price = await self._bound(exchange, request, Decimal(market["precision"]["amount"]))
        order = {
            "a": int(market["baseId"]),
            "b": request.side is OrderSide.BUY,
            "p": f"{price.normalize():f}",
            "s": amount,
            "r": bool(params.get("reduceOnly")),
            "t": {"limit": {"tif": "Ioc" if immediate else "Gtc"}},
            "c": cloid,
        }
        self._sent[cloid] = None
        said = {"clientOrderId": cloid, "symbol": request.symbol, "amount": amount, "info": {}, "id": ""}
        try:
            answer = await self._act(exchange, {"type": "order", "orders": [order], "grouping": "na"}, params)
        except Exception as error:
            if any(text in str(error).lower() for text in _NO_MATCH):
                return said | {"status": "canceled", "filled": "0"}
            raise
        return said | _placed(answer, amount, immediate=immediate)

    def _touched(self, ticker: Row) -> None:
        self._touches[ticker["symbol"]] = ticker

    async def _bound(self, exchange: Exchange, request: OrderRequest, step: Decimal) -> Decimal:
        """Return the worst price a market order may have: by a quote just streamed, else asked for.

        Asked apart, so that a lost answer leaves nothing unknown.
        """
        token = SENDING.set(None)
        try:
            ticker = self._touches.get(request.symbol)
            if ticker is None or exchange.milliseconds() - int(ticker["timestamp"]) > _FRESH_MS:
                ticker = await _touch(exchange, request.symbol)
        except Exception as error:  # noqa: BLE001 - whatever it was: nothing was sent, and that is all that counts here
            raise VenueDown(self.venue, f"no price for a market order: {type(error).__name__}") from None
        finally:
            SENDING.reset(token)
        buys = request.side is OrderSide.BUY
        price = Decimal(ticker["ask"]) * (1 + _SLIPPAGE) if buys else Decimal(ticker["bid"]) * (1 - _SLIPPAGE)
        tick = step_at(price, step, perp=self.perp)
        return (price / tick).to_integral_value(ROUND_FLOOR if buys else ROUND_CEILING) * tick

    async def cancel(self, exchange: Exchange, client_id: str, symbol: str, params: dict[str, Any]) -> None:
        """Cancel by client id."""
        asset = int(exchange.market(symbol)["baseId"])
        action = {"type": "cancelByCloid", "cancels": [{"asset": asset, "cloid": client_id}]}
        await self._act(exchange, action, params)

    async def _act(self, exchange: Exchange, action: Row, params: dict[str, Any]) -> Row:
        latest = int(params["expiresAfter"])
        self._last_nonce = nonce = max(exchange.milliseconds(), self._last_nonce + 1)
        signature = exchange.sign_l1_action(action, nonce, None, latest)
        body = {"action": action, "nonce": nonce, "signature": signature, "expiresAfter": latest}
        answer: Row = await exchange.privatePostExchange(body)
        return answer

    async def query(self, exchange: Exchange, client_id: str, symbol: str) -> Row:
        """Ask for an order; one of an earlier life that is unknown by its id is looked for in the history of orders too.

        How long the venue answers by id is not documented, and a history that is full proves nothing.
        """
        errors = importlib.import_module("ccxt.base.errors")
        try:
            return await super().query(exchange, client_id, symbol)
        except errors.OrderNotFound:
            if client_id in self._sent:
                raise
            history = await exchange.publicPostInfo({"type": "historicalOrders", "user": self.access.account_id})
            for row in history:
                if row["order"].get("cloid") == client_id:
                    found: Row = exchange.parse_order(row)
                    return found
            if len(history) < _PAGE:
                raise
            return {"id": "", "clientOrderId": client_id, "status": None, "filled": "0", "info": {}}

    async def open_orders(self, exchange: Exchange, symbol: str | None) -> list[Row]:
        """Return the open orders of this family of markets: the venue tells those of both."""
        return [row for row in await exchange.fetch_open_orders(symbol) if row["symbol"] in exchange.markets]

    def order_state(self, order: Row) -> OrderState:
        """Return the state: an immediate order that found nobody counts as cancelled, as everywhere else."""
        raw = (order.get("info") or {}).get("status")
        filled, rest = Decimal(order.get("filled") or 0), Decimal(order.get("remaining") or 0)
        if not isinstance(raw, str):
            return super().order_state(order)
        if raw in ("iocCancelRejected", "marketOrderNoLiquidityRejected", "scheduledCancel"):
            return OrderState.CANCELLED
        if raw.lower().endswith("canceled") or (raw == "filled" and rest > 0):
            return OrderState.CANCELLED
        if raw in ("open", "triggered"):
            return OrderState.PARTIALLY_FILLED if filled > 0 else OrderState.OPEN
        return super().order_state(order)

    # --- the account ---------------------------------------------------------------------------------------------------

    async def my_trades(self, exchange: Exchange, symbol: str | None, since_ms: int, now_ms: int) -> list[Row]:  # noqa: ARG002
        """Return all trades since an instant, page by page; the venue keeps the newest 10 000."""
        found: dict[str, Row] = {}
        start = since_ms
        while True:
            body = {"type": "userFillsByTime", "user": self.access.account_id, "startTime": start}
            rows = await exchange.publicPostInfo(body)
            for trade in exchange.parse_trades(rows):
                if trade["symbol"] in exchange.markets:
                    found[trade["id"]] = trade
            newest = max((int(row["time"]) for row in rows), default=start)
            if len(rows) < _PAGE or newest <= start:
                return list(found.values())
            start = newest

    async def balance(self, exchange: Exchange) -> Row:
        """Return tokens; of perpetuals the worth of the account, free as far as it may be withdrawn."""
        row: Row = await exchange.fetch_balance()
        info = row["info"]
        if "withdrawable" in info:
            free = Decimal(info["withdrawable"])
            worth = Decimal(info["marginSummary"]["accountValue"])
            return {"free": {"USDC": free}, "used": {"USDC": worth - free}, "total": {"USDC": worth}}
        return row

    async def _check_signer(self, exchange: Exchange) -> None:
        """Raise AuthFailed when the key may not sign for the account: questions need no key, so nothing else tells it."""
        try:
            signer = str(exchange.eth_get_address_from_private_key(self.access.secret.reveal()))
        except ValueError:
            raise AuthFailed(self.venue, "the secret is no private key (64 hex digits)") from None
        if signer.lower() != self.access.account_id.lower():
            said = await exchange.publicPostInfo({"type": "userRole", "user": signer})
            master = (said.get("data") or {}).get("user") or ""
            if said.get("role") != "agent" or master.lower() != self.access.account_id.lower():
                raise AuthFailed(self.venue, f"the key's address {signer} is no agent of the account")
        self._may_sign = True

    # --- streams -------------------------------------------------------------------------------------------------------

    def private_watches(self, exchange: Exchange) -> Sequence[Callable[[], Awaitable[Any]]]:
        """Return the streams of orders and of trades."""
        return (exchange.watch_orders, exchange.watch_my_trades)

    def private_confirmations(self) -> int:
        """Return two: orders and trades."""
        return 2

    def confirms(self, frame: Any) -> bool:
        """Whether a frame says that one of the two is subscribed."""
        if not isinstance(frame, dict) or frame.get("channel") != "subscriptionResponse":
            return False
        return (frame["data"].get("subscription") or {}).get("type") in ("orderUpdates", "userFills")

    def public_watches(self, exchange: Exchange, symbols: list[str]) -> Sequence[Callable[[], Awaitable[Any]]]:
        """Return the streams of best bid and ask, and of trades for the last price; ccxt has no call for the former."""
        url = exchange.urls["api"]["ws"]["public"]

        def watch(symbol: str, kind: str) -> Callable[[], Awaitable[Any]]:
            name = f"{kind}:{symbol}"
            wanted = {"method": "subscribe", "subscription": {"type": kind, "coin": _coin(exchange.market(symbol))}}
            return lambda: exchange.watch(url, name, wanted, name)

        return [watch(symbol, kind) for symbol in symbols for kind in ("bbo", "trades")]

    # --- errors --------------------------------------------------------------------------------------------------------

    def is_duplicate(self, error: BaseException) -> bool:
        """Whether a refusal speaks of a client id that is in use."""
        text = str(error).lower()
        return "cloid" in text and ("duplicate" in text or "already" in text)

    def did_nothing(self, error: BaseException) -> bool:
        """Whether the whole action was refused for its time or its nonce."""
        text = str(error).lower()
        return '"err"' in text and any(word in text for word in _NOT_DONE)

    def refusal_code(self, error: BaseException) -> str:
        """Return our code by the venue's sentence."""
        text = str(error).lower()
        for code, parts in _ERRORS.items():
            if any(part in text for part in parts):
                return code
        return super().refusal_code(error)


async def _nothing() -> bool:
    return True


def _coin(market: Row) -> str:
    """Return the venue's name of a market in questions and streams."""
    return str(market["baseName"] if market["swap"] else market["id"])


async def _touch(exchange: Exchange, symbol: str) -> Row:
    book = await exchange.publicPostInfo({"type": "l2Book", "coin": _coin(exchange.market(symbol))})
    bid, ask = (side[0]["px"] for side in book["levels"])
    return {"symbol": symbol, "timestamp": book["time"], "bid": bid, "ask": ask, "last": None, "info": book}


def _placed(answer: Any, amount: str, *, immediate: bool) -> Row:
    """Return what the answer says of the one order, in unified words; no status when it cannot be read."""
    try:
        status = answer["response"]["data"]["statuses"][0]
        if "resting" in status:
            return {"id": str(status["resting"]["oid"]), "status": "open", "filled": "0", "info": status}
        filled = status["filled"]
        whole = Decimal(filled["totalSz"]) >= Decimal(amount)
        ended = "closed" if whole else "canceled" if immediate else "open"
        return {"id": str(filled["oid"]), "status": ended, "filled": filled["totalSz"], "info": status}
    except (TypeError, LookupError, ArithmeticError):
        return {"status": None}
