"""A gateway between a sender, a pool and an actor that knows prices."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from actors.gateway import Gateway, GatewaySettings, Route
from actors.session import session_topic
from protocol.market import PriceTick
from protocol.signals import EntryRequest, InjectSignal, SignalAnswer, SignalReceived
from protocol.values import Side
from protocol.venue import SessionUp
from protocol.webhook import NewestPrice, PriceAnswer, WebhookRequest
from tests.actors.cast import D, S, Stage
from tests.actors.orders import SYMBOL, market
from tests.rules.signal_payloads import payload

PATH = "/house/gateway"
SECRET = "correct-horse-battery"


class GatewayRig:
    """The gateway ``/house/gateway`` for the venue ``paper`` with BTC/USDT and ETH/USDT; settings may be changed."""

    def __init__(self, stage: Stage, *, up: bool = True, pool: bool = True, **settings: Any) -> None:
        self.stage = stage
        self.settings = GatewaySettings(
            **{
                "user": "ann",
                "routes": {"paper": (Route("acc", "/house/pool", "/house/prices"),)},
                "secrets": (SECRET,),
                "hidden": (SECRET,),
                **settings,
            }
        )
        self.tick: PriceTick | None = PriceTick(SYMBOL, 1, D(99), D(101), D(100))
        self.prices = stage.probe("prices", answers={NewestPrice: lambda _: PriceAnswer(self.tick)})
        self.pool: list[Any] = stage.probe("pool") if pool else []
        if up:
            instruments = (market(), market("ETH/USDT"))
            stage.system.bus.publish(session_topic("acc"), SessionUp("acc", instruments, stage.now), keep=True)
        stage.add("gateway", lambda: Gateway(self.settings))

    def body(self, *, age_s: float = 0.0, **changes: Any) -> bytes:
        """Return a valid alert that fired ``age_s`` ago, with some fields changed."""
        fired = datetime.fromtimestamp(round((self.stage.now - age_s * S) / 1e6) / 1e3, UTC)
        fields = {"timestamp": fired.isoformat(), "tv__exchange": "paper", **changes}
        return json.dumps(payload(**fields)).encode()

    def request(
        self, body: bytes | None = None, *, address: str = "10.0.0.1", headers: tuple[Any, ...] = (), **changes: Any
    ) -> WebhookRequest:
        """Return a request with this body, by default a valid alert."""
        return WebhookRequest("ann", address, headers, self.body(**changes) if body is None else body)

    async def post(self, body: bytes | None = None, **how: Any) -> SignalAnswer:
        """Post a request; return its answer."""
        answer: SignalAnswer = await self.stage.ask("gateway", self.request(body, **how))
        return answer

    async def outcome(self, body: bytes | None = None, **how: Any) -> tuple[int, str]:
        """Post a request; return status and outcome."""
        answer = await self.post(body, **how)
        return answer.status, answer.outcome

    async def inject(self, **fields: Any) -> SignalAnswer:
        """Inject an operator's entry of BTC/USDT, with some fields changed."""
        wanted: dict[str, Any] = {
            "user": "ann",
            "venue": "paper",
            "symbol": SYMBOL,
            "timeframe": "1h",
            "side": Side.LONG,
            "size": D(1),
            **fields,
        }
        answer: SignalAnswer = await self.stage.ask("gateway", InjectSignal(**wanted))
        return answer

    def received(self) -> list[SignalReceived]:
        """Return the journalled requests."""
        return self.stage.events(PATH, SignalReceived)

    def routed(self) -> list[str]:
        """Return the ids of the signals that the pool was handed."""
        return [each.signal.signal_id for each in self.pool if type(each) is EntryRequest]
