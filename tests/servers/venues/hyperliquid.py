"""Hyperliquid on loopback: what is asked at ``/info``, what is signed at ``/exchange``, and the streams at ``/ws``.

It knows who may sign for the account (the account itself or an agent), keeps the nonces of each signer, refuses actions that
arrive after their time, sizes and prices that break its format, and a client id that is in use.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, Final

from aiohttp import web

from protocol.instruments import Instrument, PrecisionRules
from protocol.market import PriceTick
from protocol.orders import Balance, FillReport, OrderRequest, OrderState
from protocol.values import MarketType, OrderSide, OrderType
from tests.servers.venues.faults import Fault, On
from tests.servers.venues.hall import Hall, Order
from tests.servers.venues.http import HttpVenue, Stream
from tests.servers.venues.hyperliquid_words import (
    MS,
    REFUSALS,
    address_of,
    agree,
    fill_body,
    market_rows,
    number,
    order_body,
    signer,
    status_of,
)

__all__ = ["ACCOUNT", "AGENT_KEY", "HyperliquidServer", "hyperliquid_hall"]

AGENT_KEY: Final = "0x" + "4c" * 32
"""The private key of an agent: it may trade for the account and nothing else."""
ACCOUNT: Final = "0x31ca8395cf837de08b24da3f660e77761dfb974b"
TOKENS: Final = {"BTC": "UBTC", "ETH": "UETH"}
"""What ccxt calls a coin, and what the venue calls its spot token."""
SPOT_FROM: Final = 10_000
"""Spot pairs are numbered from here as assets."""
DAY_MS: Final = 86_400_000
USER_FEES: Final = {"userCrossRate": "0.00045", "userAddRate": "0.00015", "userSpotCrossRate": "0.0007",
                    "userSpotAddRate": "0.0004", "activeReferralDiscount": "0.0"}  # fmt: skip
SECONDS: Final = {"1m": 60, "5m": 300, "15m": 900, "1h": 3600, "4h": 14_400, "1d": 86_400}
D = Decimal
SPOT, PERP = MarketType.SPOT, MarketType.PERP


def hyperliquid_hall(*also: tuple[str, str, int], **options: Any) -> Hall:
    """Return markets of both families, others too, and 100 000 USDC; what is bought on spot pays its fee itself."""

    def made(symbol: str, name: str, size: int) -> Instrument:
        market = PERP if ":" in symbol else SPOT
        decimals = (6 if market is PERP else 8) - size
        step = D(1).scaleb(-size)
        return Instrument(
            venue="hyperliquid", symbol=symbol, venue_symbol=name, base=symbol.split("/")[0], quote="USDC",
            market_type=market, rules=PrecisionRules(D(1).scaleb(-decimals), step, step, D(10)),
            maker_fee=D("0.00015") if market is PERP else D("0.0004"),
            taker_fee=D("0.00045") if market is PERP else D("0.0007"),
        )  # fmt: skip

    rows = [made("BTC/USDC:USDC", "BTC", 5), made("ETH/USDC:USDC", "ETH", 4), made("DOGE/USDC:USDC", "DOGE", 0),
            made("BTC/USDC", "PURR/USDC", 5), made("ETH/USDC", "@1", 4), *(made(*each) for each in also)]  # fmt: skip
    return Hall("hyperliquid", rows, [Balance("USDC", D(100_000))], **({"fee_in_base": True} | options))


class HyperliquidServer(HttpVenue):
    """The venue. ``unwanted`` are actions that no trading program of ours should ever sign.

    ``named`` turns the 128 bits of an order into the id that the hall is to know it by, for a test that looks there.
    """

    def __init__(
        self, hall: Hall, *, testnet: bool = False, named: Callable[[str], str | None] = lambda cloid: cloid
    ) -> None:
        super().__init__(hall)
        self._named = named
        self._cloids: dict[str, str] = {}
        self.testnet = testnet
        self.signers = {ACCOUNT, address_of(AGENT_KEY)}
        self.actions: list[dict[str, Any]] = []
        self.latest_ms: list[int] = []
        self.unwanted: list[str] = []
        self.info_types: list[str] = []
        self.padding = 0
        """Orders of long ago in the history of orders, which holds 2000."""
        self._nonces: dict[str, set[int]] = {}
        rows = list(hall.instruments().values())
        families = (
            [each for each in rows if each.market_type is PERP],
            [each for each in rows if each.market_type is SPOT],
        )
        self._assets = dict(enumerate(families[0])) | dict(enumerate(families[1], SPOT_FROM))
        self._coins = {each.symbol: each.venue_symbol for each in rows}
        self._symbols = {each.venue_symbol: each.symbol for each in rows}

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """Return the three addresses."""
        return [web.post("/info", self._info), web.post("/exchange", self._exchange), web.get("/ws", self._socket)]

    def kind_of(self, request: web.Request, body: str) -> On:
        """Orders and cancels are actions."""
        if request.path != "/exchange" or not body:
            return "reads"
        return "orders" if json.loads(body)["action"]["type"] == "order" else "cancels"

    def refusal(self, fault: Fault) -> web.Response:
        """Say it as the load balancer in front of the nodes does."""
        if fault is Fault.TOO_MANY:
            return web.Response(status=429, text="null", content_type="application/json")
        if fault is Fault.MAINTENANCE:
            return web.Response(status=503, text="<html><h1>503 Service Temporarily Unavailable</h1></html>")
        return web.Response(status=502, text="<html><h1>502 Bad Gateway</h1></html>", content_type="text/html")

    # --- questions -----------------------------------------------------------------------------------------------------

    async def _info(self, request: web.Request) -> web.Response:
        body = await request.json()
        kind = str(body["type"])
        self.info_types.append(kind)
        answers: dict[str, Callable[[dict[str, Any]], Any]] = {
            "exchangeStatus": lambda _: {"specialStatuses": None, "time": self.hall.now() // MS},
            "metaAndAssetCtxs": lambda _: market_rows(self.hall, PERP, TOKENS),
            "spotMetaAndAssetCtxs": lambda _: market_rows(self.hall, SPOT, TOKENS),
            "spotMeta": lambda _: market_rows(self.hall, SPOT, TOKENS)[0],
            "meta": lambda _: market_rows(self.hall, PERP, TOKENS)[0],
            "perpDexs": lambda _: [None],
            "allMids": lambda _: self._mids(),
            "userFees": lambda _: USER_FEES,
            "userRole": self._role,
            "userAbstraction": lambda _: "disabled",
            "clearinghouseState": lambda _: self._margin(),
            "spotClearinghouseState": lambda _: self._tokens(),
            "openOrders": lambda _: self._open(brief=True),
            "frontendOpenOrders": lambda _: self._open(brief=False),
            "orderStatus": self._status,
            "historicalOrders": lambda _: self._history(),
            "userFills": lambda _: self._fills(0, None),
            "userFillsByTime": lambda body: self._fills(body["startTime"], body.get("endTime")),
            "candleSnapshot": self._candles,
            "l2Book": self._book,
        }
        if kind not in answers:
            return web.Response(status=422, text="Failed to deserialize the JSON body into the target type")
        return web.json_response(answers[kind](body))

    def _status(self, body: dict[str, Any]) -> Any:
        oid = body["oid"]
        order = self._by_cloid(oid) if isinstance(oid, str) else self.hall.find(number=oid)
        if order is None:
            return {"status": "unknownOid"}
        inner = {"order": self._order(order), "status": status_of(order)}
        return {"status": "order", "order": inner | {"statusTimestamp": order.updated_at // MS}}

    def _mids(self) -> dict[str, str]:
        quotes = ((coin, self.hall.quote(symbol)) for symbol, coin in self._coins.items())
        return {coin: number((quote.bid + quote.ask) / 2) if quote else "60000.0" for coin, quote in quotes}

    def _role(self, body: dict[str, Any]) -> Any:
        user = str(body["user"]).lower()
        if user == ACCOUNT:
            return {"role": "user"}
        return {"role": "agent", "data": {"user": ACCOUNT}} if user in self.signers else {"role": "missing"}

    def _history(self) -> list[Any]:
        rows = [self._status({"oid": each.number})["order"] for each in self.hall.orders.values() if each.number]
        return (rows[::-1] + rows[:1] * self.padding)[:2000]

    def _open(self, *, brief: bool) -> list[Any]:
        return [self._order(each, brief=brief) for each in self.hall.open_orders()]

    def _order(self, order: Order, *, brief: bool = False) -> dict[str, Any]:
        cloid = self._cloids.get(order.request.client_order_id)
        return order_body(order, self._coins[order.request.symbol], cloid, brief=brief)

    def _told_fill(self, fill: FillReport) -> dict[str, Any]:
        cloid = self._cloids.get(fill.client_order_id)
        return fill_body(self.hall, fill, self._coins[fill.symbol], TOKENS, cloid)

    def _by_cloid(self, cloid: str) -> Order | None:
        return self.hall.find(client_order_id=self._named(cloid) or cloid)

    def _fills(self, start_ms: int, end_ms: int | None) -> list[Any]:
        found = [each for each in self.hall.fills if start_ms <= each.at // MS <= (end_ms or 2**62)]
        found = found[:2000] if start_ms else found[:-2001:-1]
        return [fill_body(self.hall, each, self._coins[each.symbol], TOKENS) for each in found]

    def _tokens(self) -> dict[str, Any]:
        rows = [
            {"coin": TOKENS.get(each.currency, each.currency), "token": index, "total": number(each.free + each.locked),
             "hold": number(each.locked), "entryNtl": "0.0"}
            for index, each in enumerate(self.hall.balances())
        ]  # fmt: skip
        return {"balances": rows}

    def _margin(self) -> dict[str, Any]:
        cash = next((each for each in self.hall.balances() if each.currency == "USDC"), Balance("USDC", D(0)))
        worth, positions = cash.free + cash.locked, []
        for each in self.hall.positions():
            quote = self.hall.quote(each.symbol)
            entry = self.hall.entry_price(each.symbol)
            mark = (quote.bid + quote.ask) / 2 if quote else entry
            position = {
                "coin": self._coins[each.symbol], "szi": number(each.qty), "entryPx": number(entry),
                "leverage": {"type": "cross", "value": 20}, "positionValue": number(abs(each.qty) * mark),
                "unrealizedPnl": number(each.qty * (mark - entry)), "returnOnEquity": "0.0", "liquidationPx": None,
                "marginUsed": number(abs(each.qty) * mark / 20), "maxLeverage": 40,
                "cumFunding": {"allTime": "0.0", "sinceOpen": "0.0", "sinceChange": "0.0"},
            }  # fmt: skip
            positions.append({"type": "oneWay", "position": position})
        summary = {"accountValue": number(worth), "totalNtlPos": "0.0", "totalRawUsd": number(worth),
                   "totalMarginUsed": number(cash.locked)}  # fmt: skip
        return {
            "marginSummary": summary, "crossMarginSummary": summary, "crossMaintenanceMarginUsed": "0.0",
            "withdrawable": number(cash.free), "assetPositions": positions, "time": self.hall.now() // MS,
        }  # fmt: skip

    def _candles(self, body: dict[str, Any]) -> list[Any]:
        asked = body["req"]
        symbol, seconds = self._symbols[asked["coin"]], SECONDS[asked["interval"]]
        bars = self.hall.candles(symbol, seconds, asked["startTime"] * MS, 5000)
        return [
            {"t": bar.at // MS, "T": bar.at // MS + seconds * 1000 - 1, "s": asked["coin"], "i": asked["interval"],
             "o": number(bar.open), "c": number(bar.close), "h": number(bar.high), "l": number(bar.low),
             "v": number(bar.volume), "n": 5}
            for bar in bars if bar.at // MS <= asked["endTime"]
        ]  # fmt: skip

    def _book(self, body: dict[str, Any]) -> Any:
        quote = self.hall.quote(self._symbols[body["coin"]])
        return None if quote is None else _book_of(quote, str(body["coin"]))

    # --- actions -------------------------------------------------------------------------------------------------------

    async def _exchange(self, request: web.Request) -> web.Response:
        body = await request.json()
        who, nonce, now_ms = signer(body, testnet=self.testnet), int(body["nonce"]), self.hall.now() // MS
        used = self._nonces.setdefault(who, set())
        if who not in self.signers:
            return _refused(f"User or API Wallet {who} does not exist.")
        if nonce in used:
            return _refused(f"Invalid nonce: duplicate nonce {nonce}")
        if not now_ms - 2 * DAY_MS < nonce < now_ms + DAY_MS:
            return _refused(f"Invalid nonce: {nonce} is out of range")
        if body.get("expiresAfter") is not None and int(body["expiresAfter"]) < now_ms:
            return _refused(f"Action expired: expiresAfter {body['expiresAfter']} is before {now_ms}")
        used.add(nonce)
        action = body["action"]
        self.actions.append(action)
        self.latest_ms.append(int(body.get("expiresAfter") or 0))
        match action["type"]:
            case "order":
                statuses = [self._place(each) for each in action["orders"]]
            case "cancelByCloid":
                statuses = [self._cancel(self._by_cloid(each["cloid"])) for each in action["cancels"]]
            case "cancel":
                statuses = [self._cancel(self.hall.find(number=each["o"])) for each in action["cancels"]]
            case _:
                self.unwanted.append(action["type"])
                return web.json_response({"status": "ok", "response": {"type": "default"}})
        kind = "order" if action["type"] == "order" else "cancel"
        return web.json_response({"status": "ok", "response": {"type": kind, "data": {"statuses": statuses}}})

    def _place(self, raw: dict[str, Any]) -> dict[str, Any]:
        instrument = self._assets.get(raw["a"])
        if instrument is None:
            return {"error": f"Invalid asset. asset={raw['a']}"}
        cloid = raw.get("c")
        if cloid and self._by_cloid(cloid):
            return {"error": f"Duplicate cloid. asset={raw['a']}"}
        size = -int(instrument.rules.step_size.normalize().as_tuple().exponent)
        decimals = (6 if instrument.market_type is PERP else 8) - size
        if not agree(raw["s"], size, price=False):
            return {"error": "Order has invalid size."}
        if not agree(raw["p"], decimals, price=True):
            return {"error": "Price must be divisible by tick size. asset=" + str(raw["a"])}
        key = (cloid and self._named(cloid)) or cloid or f"oid{self.hall.now()}"
        self._cloids |= {key: cloid} if cloid else {}
        request = OrderRequest(
            client_order_id=key, symbol=instrument.symbol,
            side=OrderSide.BUY if raw["b"] else OrderSide.SELL,
            type=OrderType.IOC if raw["t"]["limit"]["tif"] == "Ioc" else OrderType.LIMIT,
            qty=D(raw["s"]), price=D(raw["p"]), reduce_only=raw["r"],
        )  # fmt: skip
        order = self.hall.place(request)
        return self._placed(order, raw)

    @staticmethod
    def _placed(order: Order, raw: dict[str, Any]) -> dict[str, Any]:
        known = {"oid": order.number} | ({"cloid": raw["c"]} if raw.get("c") else {})
        if order.state is OrderState.REJECTED:
            return {"error": REFUSALS.get(order.code, ("", order.reason))[1].format(asset=raw["a"])}
        if order.filled and not (order.rest and order.request.type is OrderType.LIMIT):
            return {"filled": {"totalSz": number(order.filled), "avgPx": number(order.average)} | known}
        if order.state is OrderState.CANCELLED:
            return {"error": f"Order could not immediately match against any resting orders. asset={raw['a']}"}
        return {"resting": known}

    def _cancel(self, order: Order | None) -> Any:
        if order is None or order.state.final:
            return {"error": "Order was never placed, already canceled, or filled."}
        self.hall.cancel(order)
        return "success"

    # --- streams -------------------------------------------------------------------------------------------------------

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        return await self.converse(request, self._asked)

    def _asked(self, stream: Stream, body: dict[str, Any]) -> None:
        if body["method"] == "ping":
            stream.reply({"channel": "pong"})
            return
        wanted = body["subscription"]
        topic = ":".join(filter(None, (wanted["type"], wanted.get("coin") or str(wanted.get("user", "")).lower())))
        if body["method"] == "unsubscribe":
            stream.topics.discard(topic)
        elif topic in stream.topics:
            stream.reply({"channel": "error", "data": f"Already subscribed: {json.dumps(wanted)}"})
            return
        else:
            stream.topics.add(topic)
        stream.reply({"channel": "subscriptionResponse", "data": body})
        if body["method"] == "subscribe":
            self._begin(stream, wanted)

    def _begin(self, stream: Stream, wanted: dict[str, Any]) -> None:
        if wanted["type"] == "userFills":
            fills = [self._told_fill(each) for each in self.hall.fills[-500:]]
            stream.reply({"channel": "userFills", "data": {"isSnapshot": True, "user": ACCOUNT, "fills": fills}})
        elif wanted["type"] in ("l2Book", "activeAssetCtx", "bbo", "trades"):
            quote = self.hall.quote(self._symbols.get(wanted["coin"], ""))
            if quote is not None:
                self._quote(stream, quote)

    def hear(self, fact: Any) -> None:
        """Tell whoever asked."""
        for stream in tuple(self.streams):
            match fact:
                case Order() if fact.number and f"orderUpdates:{ACCOUNT}" in stream.topics:
                    row = {
                        "order": self._order(fact, brief=True),
                        "status": status_of(fact),
                        "statusTimestamp": fact.updated_at // MS,
                    }
                    stream.tell({"channel": "orderUpdates", "data": [row]})
                case FillReport() if f"userFills:{ACCOUNT}" in stream.topics:
                    body = {"user": ACCOUNT, "fills": [self._told_fill(fact)]}
                    stream.tell({"channel": "userFills", "data": body})
                case PriceTick():
                    self._quote(stream, fact)

    def _quote(self, stream: Stream, tick: PriceTick) -> None:
        coin = self._coins[tick.symbol]
        book = _book_of(tick, coin)
        if f"l2Book:{coin}" in stream.topics:
            stream.tell({"channel": "l2Book", "data": book})
        if f"bbo:{coin}" in stream.topics:
            best = [side[0] for side in book["levels"]]
            stream.tell({"channel": "bbo", "data": {"coin": coin, "time": book["time"], "bbo": best}})
        if f"trades:{coin}" in stream.topics and tick.last:
            row = {"coin": coin, "side": "B", "px": number(tick.last), "sz": "0.01", "time": tick.at // MS,
                   "hash": "0x0", "tid": tick.at // MS, "users": ["0xa", "0xb"]}  # fmt: skip
            stream.tell({"channel": "trades", "data": [row]})
        if f"activeAssetCtx:{coin}" in stream.topics:
            middle = number((tick.bid + tick.ask) / 2)
            context = {"markPx": middle, "midPx": middle, "prevDayPx": "59000.0", "dayNtlVlm": "1169046.29406"}
            perp = self.hall.instruments()[tick.symbol].market_type is PERP
            if perp:
                context |= {"funding": "0.0000125", "openInterest": "688.11", "oraclePx": middle,
                            "impactPxs": [number(tick.bid), number(tick.ask)]}  # fmt: skip
            channel = "activeAssetCtx" if perp else "activeSpotAssetCtx"
            stream.tell({"channel": channel, "data": {"coin": coin, "ctx": context}})


def _refused(text: str) -> web.Response:
    return web.json_response({"status": "err", "response": text})


def _book_of(tick: PriceTick, coin: str) -> dict[str, Any]:
    sides = [[{"px": number(price), "sz": "2.5", "n": 3}] for price in (tick.bid, tick.ask)]
    return {"coin": coin, "time": tick.at // MS, "levels": sides}
