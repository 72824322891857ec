"""A group on the bench: told messages, answered by hand-made desk reports, its journal kept."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from protocol.groups import (
    AddPyramid,
    CancelWanted,
    CloseGroup,
    CloseReason,
    GridConfig,
    GroupAlert,
    GroupStateChanged,
    Level,
    OpenGroup,
    OrderWanted,
    ReduceGroup,
)
from protocol.instruments import Instrument, PrecisionRules
from protocol.market import PriceTick
from protocol.messages import Event, Message
from protocol.orders import FillReported, OrderState, OrderUpdate, Purpose
from protocol.signals import SizeType
from protocol.values import MarketType, Scope, Side
from rules.group import GroupView, OrderView, decide, evolve

GROUP = "g1"
SYMBOL = "BTC/USDT"
RULES = PrecisionRules(Decimal("0.01"), Decimal("0.001"), Decimal("0.001"), Decimal(5))

ROOM = Decimal("1e-9")
"""Added to sizes, so that a layer of 33.33 % of them is not rounded below what a test asks for."""

E = TypeVar("E", bound=Event)


def instrument(rules: PrecisionRules = RULES, market: MarketType = MarketType.SPOT) -> Instrument:
    """Return BTC/USDT with these rules."""
    return Instrument(
        venue="binance",
        symbol=SYMBOL,
        venue_symbol="BTCUSDT",
        base="BTC",
        quote="USDT",
        market_type=market,
        rules=rules,
    )


def layers(*gaps: str, tp: str = "1") -> tuple[Level, ...]:
    """Return layers of equal weight at these gaps."""
    weight = Decimal(100) / len(gaps)
    weight -= weight % Decimal("0.01")
    return tuple(Level(Decimal(gap), weight, Decimal(tp)) for gap in gaps)


def grid(*gaps: str, tp: str = "1", **settings: Any) -> GridConfig:
    """Return settings with equal layers at these gaps."""
    config: GridConfig = msgspec.convert(settings, GridConfig, strict=False)
    return msgspec.structs.replace(config, levels=layers(*(gaps or ("0", "-1", "-2")), tp=tp))


def open_message(
    side: Side, price: Decimal, size: Decimal, size_type: SizeType, config: GridConfig, market: Instrument, **more: Any
) -> OpenGroup:
    """Return the message that opens the group."""
    return OpenGroup(
        group_id=GROUP,
        key=f"u|binance|BTC/USDT|1h|{side}",
        user="u",
        scope=Scope.PAPER,
        venue="binance",
        account="a",
        symbol=SYMBOL,
        timeframe="1h",
        side=side,
        tag="test",
        signal_id="s0",
        entry_price=price,
        size=size,
        size_type=size_type,
        config=config,
        instrument=market,
        at=1,
        **more,
    )


def decide_opening(size: Decimal, unit: SizeType, config: GridConfig) -> list[OrderWanted]:
    """Return the orders that open a long group at 100 with this size."""
    events = decide(None, open_message(Side.LONG, Decimal(100), size, unit, config, instrument()), 1, None)
    return only(events, OrderWanted)


class Bench:
    """One group and its journal. Sizes are base units: by default one a layer for three layers."""

    def __init__(
        self,
        config: GridConfig | None = None,
        *,
        side: Side = Side.LONG,
        price: str = "100",
        size: str | None = None,
        market: Instrument | None = None,
        tick: str | None = None,
        **more: Any,
    ) -> None:
        config = config or grid()
        self.config = config
        self.market = market or instrument()
        self.view: GroupView = None  # type: ignore[assignment]  # set by the first message
        self.journal: list[Event] = []
        self.now = 1
        self.trades = 0
        self.tick: PriceTick | None = None
        if tick is not None:
            self.tick = PriceTick(SYMBOL, 1, Decimal(tick), Decimal(tick), Decimal(tick))
        amount = (
            Decimal(size)
            if size
            else Decimal(len(config.levels)) * 100 / sum(level.weight_percent for level in config.levels) + ROOM
        )
        self.tell(open_message(side, Decimal(price), amount, SizeType.BASE, config, self.market, **more))

    def tell(self, message: Message) -> tuple[Event, ...]:
        """Give the group a message; return what it decided."""
        self.now += 1
        if isinstance(message, PriceTick):
            self.tick = message
        events = decide(self.view, message, self.now, self.tick)
        for event in events:
            self.view = evolve(self.view, event)
            self.journal.append(event)
        return events

    # --- what the desk says -------------------------------------------------------------------------------------------

    def fill(self, order: str, qty: str | None = None, price: str | None = None, **more: Any) -> tuple[Event, ...]:
        """Report a fill of an order: all that is left at its limit unless told otherwise."""
        found = self.view.orders[order]
        self.trades += 1
        report: dict[str, Any] = {"trade_id": f"t{self.trades}", "fee": Decimal(0), "fee_currency": "USDT", **more}
        return self.tell(
            FillReported(
                client_order_id=order,
                symbol=SYMBOL,
                side=found.request.side,
                qty=found.rest if qty is None else Decimal(qty),
                price=Decimal(price) if price else found.request.price or Decimal(100),
                at=self.now,
                **report,
            )
        )

    def update(
        self, order: str, state: OrderState, filled: str | None = None, reason: str = "", code: str = ""
    ) -> tuple[Event, ...]:
        """Report the state of an order; ``filled`` is what was told so far unless given."""
        told = self.view.orders[order].filled
        return self.tell(
            OrderUpdate(
                client_order_id=order,
                state=state,
                filled_qty=told if filled is None else Decimal(filled),
                reason=reason,
                code=code,
                at=self.now,
            )
        )

    def price(self, price: str) -> tuple[Event, ...]:
        """Report a price, bid, ask and last alike."""
        return self.tell(PriceTick(SYMBOL, self.now, Decimal(price), Decimal(price), Decimal(price)))

    def close(self, reason: str = "exit_signal", leg: str = "") -> tuple[Event, ...]:
        """Trigger a close."""
        return self.tell(CloseGroup(group_id=GROUP, reason=CloseReason(reason), leg_id=leg, at=self.now))

    def pyramid(self, price: str, signal: str, config: GridConfig | None = None, **more: Any) -> tuple[Event, ...]:
        """Send one more entry."""
        return self.tell(
            AddPyramid(
                group_id=GROUP,
                signal_id=signal,
                entry_price=Decimal(price),
                size=Decimal(len(self.config.levels)),
                size_type=SizeType.BASE,
                config=config or self.config,
                instrument=self.market,
                at=self.now,
                **more,
            )
        )

    def ack_cancels(self) -> tuple[Event, ...]:
        """Confirm every cancel that is awaited; return all that followed."""
        events: tuple[Event, ...] = ()
        while waiting := [
            name for name, order in self.view.orders.items() if order.cancel_wanted and not order.settled
        ]:
            events += self.update(waiting[0], OrderState.CANCELLED)
        return events

    # --- what there is ------------------------------------------------------------------------------------------------

    def entry(self, leg: str) -> str:
        """Return the client id of a leg's entry."""
        return self.view.legs[leg].entry_order

    def target(self, leg: str) -> str:
        """Return the client id of a leg's target."""
        return self.view.legs[leg].target_order

    def working(self, purpose: Purpose) -> list[OrderView]:
        """Return the orders of a purpose of which something is awaited."""
        return [order for order in self.view.orders.values() if order.purpose is purpose and not order.settled]

    def closing_order(self) -> str:
        """Return the client id of the one closing order at work."""
        (order,) = self.working(Purpose.CLOSE)
        return order.request.client_order_id


def only(events: tuple[Event, ...], kind: type[E]) -> list[E]:
    """Return the events of a type."""
    return [event for event in events if isinstance(event, kind)]


def cancels(events: tuple[Event, ...]) -> list[str]:
    """Return the cancels wanted, as ``<purpose>:<leg>``."""
    return [f"{event.purpose}:{event.leg_id}" for event in only(events, CancelWanted)]


def wants(events: tuple[Event, ...]) -> list[tuple[str, str, str]]:
    """Return the orders wanted, as (purpose:scope, quantity, price)."""
    return [
        (f"{event.purpose}:{event.scope}", f"{event.request.qty.normalize():f}", str(event.request.price))
        for event in only(events, OrderWanted)
    ]


def states(events: tuple[Event, ...]) -> list[str]:
    """Return the states entered."""
    return [event.new.value for event in only(events, GroupStateChanged)]


def alerts(events: tuple[Event, ...]) -> list[str]:
    """Return the codes of the alerts raised."""
    return [event.code for event in only(events, GroupAlert)]


def filled(count: int = 1, config: GridConfig | None = None, **more: Any) -> Bench:
    """Return a group with its first layers filled."""
    bench = Bench(config, **more)
    for layer in range(count):
        bench.fill(bench.entry(f"p0.l{layer}"))
    return bench


def reduce(fraction: str) -> ReduceGroup:
    """Return a reduction by a fraction."""
    return ReduceGroup(group_id=GROUP, fraction=Decimal(fraction), at=1)
