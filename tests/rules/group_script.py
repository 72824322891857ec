"""Run the abstract group scripts of the golden vectors on the real group: their events in, their effects out.

The scripts know no client ids, no acknowledgements and no replacement by cancel-and-place: a resting target is replaced
in one step. So the adapter plays a venue that confirms the cancel of a replaced target at once, and reads "cancelled,
then wanted again" as one ``replace_tp``.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from protocol.groups import (
    Batch,
    CancelWanted,
    CloseGroup,
    CloseReason,
    CloseSkipped,
    DustRecorded,
    EntryState,
    GridConfig,
    GroupAlert,
    GroupClosed,
    GroupOpened,
    GroupStateChanged,
    LegClosed,
    LegState,
    OrderWanted,
    PlannedLeg,
    PyramidAdded,
    PyramidClosed,
    ReduceGroup,
    RiskClose,
    TargetDeferred,
    TriggerSuperseded,
)
from protocol.instruments import Instrument, PrecisionRules
from protocol.market import PriceTick
from protocol.messages import Event, Message
from protocol.orders import FillReported, OrderState, OrderUpdate, Purpose
from protocol.signals import SizeType
from protocol.values import OrderType, Scope, Side
from rules.group import GroupView, decide, evolve
from rules.group.turn import Turn
from tests.rules.vectors import decimal

SYMBOL = "BTC/USDT"
GROUP = "g1"


def rules_of(found: dict[str, str]) -> PrecisionRules:
    """Return a vector's precision rules."""
    return msgspec.convert(found, PrecisionRules)


def config_of(group: dict[str, Any]) -> GridConfig:
    """Return the group settings of a script."""
    mode = {"leg": "per_leg"}.get(group["mode"], group["mode"])
    flat = group.get("flat_policy", group.get("when_flat_with_pending", "close"))
    given = {**group, **group.get("tp", {}), "tp_mode": mode, "when_flat_with_pending": flat}
    known = {name: value for name, value in given.items() if name in GridConfig.__struct_fields__}
    return msgspec.convert(known, GridConfig, strict=False)


def opened(group: dict[str, Any]) -> GroupView:
    """Return a group whose entries all rest at the venue, as every script begins."""
    instrument = Instrument(
        venue="binance",
        symbol=SYMBOL,
        venue_symbol="BTCUSDT",
        base="BTC",
        quote="USDT",
        rules=rules_of(group["rules"]),
    )
    config = config_of(group)
    begin = GroupOpened(
        group_id=GROUP,
        key="u|binance|BTC/USDT|1h|long",
        user="u",
        scope=Scope.PAPER,
        venue="binance",
        account="a",
        symbol=SYMBOL,
        timeframe="1h",
        side=Side(group["side"]),
        tag="test",
        signal_id="s0",
        strategy="unlabelled",
        base_entry_price=Decimal(group["legs"][0]["price"]),
        config=config,
        instrument=instrument,
        at=0,
    )
    turn = Turn(evolve(None, begin), 0, None)
    for index in sorted({leg["pyramid"] for leg in group["legs"]}):
        legs = [leg for leg in group["legs"] if leg["pyramid"] == index]
        turn.emit(_pyramid(index, legs, config, instrument, group))
        for leg in turn.view.legs_in(f"pyramid:{index}"):
            if leg.entry is EntryState.WORKING:
                turn.want_entry(leg, OrderType.LIMIT, leg.price)
    return turn.view


def _pyramid(
    index: int, legs: list[dict[str, Any]], config: GridConfig, instrument: Instrument, group: dict[str, Any]
) -> PyramidAdded:
    planned = tuple(
        PlannedLeg(
            leg_id=leg["id"],
            pyramid=index,
            layer=leg["leg"],
            price=Decimal(leg["price"]),
            qty=Decimal(leg["qty"]),
            gap_percent=Decimal(0),
            weight_percent=Decimal(1),
            tp_percent=Decimal(leg.get("tp_percent", "1")),
            state=LegState(leg.get("state", "pending")),
        )
        for leg in legs
    )
    return PyramidAdded(
        group_id=GROUP,
        pyramid=index,
        signal_id=f"s{index}",
        entry_price=planned[0].price,
        size=Decimal(1),
        size_type=SizeType.BASE,
        levels_source="levels",
        legs=planned,
        anchored=True,
        config=config,
        instrument=instrument,
        stop_price=decimal(group.get("stop_price", group.get("stop_loss"))),
        target_price=decimal(group.get("target_price", group.get("take_profit"))),
        max_slippage_percent=None,
        at=0,
    )


class Script:
    """A group under a script: feeds events, collects effects."""

    def __init__(self, group: dict[str, Any]) -> None:
        self.view = opened(group)
        self.tick: PriceTick | None = None
        self.trades = 0
        self.plans = 0
        self.now = 0
        self.replaced: set[str] = set()

    def run(self, event: dict[str, Any]) -> list[dict[str, Any]]:
        """Apply one event of the script and return its effects."""
        self.replaced = set()
        self.now += 1
        if event["type"] == "cancel_ack" and not self._ordered(event["order"]):
            return []
        return self._decide(self._message(event))

    def _ordered(self, name: str) -> str:
        """Return the client id of ``entry:<leg>`` or ``tp:<leg>``, empty when there never was one."""
        kind, _, leg = name.partition(":")
        found = self.view.legs[leg]
        return found.entry_order if kind == "entry" else found.target_order

    def _decide(self, message: Message) -> list[dict[str, Any]]:
        events = decide(self.view, message, self.now, self.tick)
        for event in events:
            assert isinstance(event, Event)
            self.view = evolve(self.view, event)
        effects: list[dict[str, Any]] = []
        for event in events:
            if isinstance(event, CancelWanted) and self._replaces(event):
                self.replaced.add(event.leg_id)
                followed = self._decide(self._update(event.client_order_id, OrderState.CANCELLED))
                told = any(event.leg_id in (each.get("replace_tp"), each.get("defer_tp")) for each in followed)
                effects += followed if told else [{"cancel": f"tp:{event.leg_id}"}, *followed]
            else:
                effects += self._effects(event)
        return effects

    def _replaces(self, event: CancelWanted) -> bool:
        leg = self.view.legs[event.leg_id]
        return event.purpose is Purpose.TP and not self.view.closing and not self.view.owned(leg)

    def _effects(self, event: Event) -> list[dict[str, Any]]:
        if isinstance(event, OrderWanted):
            return [_order(event, replaces=event.leg_id in self.replaced)]
        if isinstance(event, CancelWanted):
            kind = "entry" if event.purpose is Purpose.ENTRY else "tp"
            return [{"cancel": f"{kind}:{event.leg_id}"}]
        if isinstance(event, TargetDeferred):
            gone = [{"cancel": f"tp:{event.leg_id}"}] if event.leg_id in self.replaced else []
            return [*gone, {"defer_tp": event.leg_id, "qty": event.qty}]
        if isinstance(event, LegClosed):
            return [{"leg_closed": event.leg_id, "reason": event.reason.value}]
        if isinstance(event, PyramidClosed):
            return [{"pyramid_closed": event.pyramid, "reason": event.reason.value}]
        if isinstance(event, TriggerSuperseded):
            return [{"superseded": event.trigger.value}]
        if isinstance(event, CloseSkipped):
            return [{"skipped": event.trigger.value}]
        if isinstance(event, DustRecorded):
            return [{"dust": event.qty}]
        if isinstance(event, GroupStateChanged):
            stops = event.reason is not None
            return [{"state": event.new.value, **({"reason": event.reason.value} if stops and event.reason else {})}]
        if isinstance(event, GroupClosed) and event.releases_slot:
            return [{"release_slot": True}]
        return _alert(event) if isinstance(event, GroupAlert) else []

    # --- the script's events ------------------------------------------------------------------------------------------

    def _message(self, event: dict[str, Any]) -> Message:
        return getattr(self, f"_on_{event['type']}")(event)

    def _on_fill(self, event: dict[str, Any]) -> Message:
        return self._fill(self.view.legs[event["leg"]].entry_order, event)

    def _on_tp_fill(self, event: dict[str, Any]) -> Message:
        return self._fill(self.view.legs[event["leg"]].target_order, event)

    def _on_close_fill(self, event: dict[str, Any]) -> Message:
        waiting = [o for o in self.view.orders.values() if o.purpose is Purpose.CLOSE and not o.settled]
        order = next(o for o in waiting if o.scope == event["scope"])
        return self._fill(order.request.client_order_id, event)

    def _on_cancel_ack(self, event: dict[str, Any]) -> Message:
        return self._update(self._ordered(event["order"]), OrderState.CANCELLED)

    def _on_reject(self, event: dict[str, Any]) -> Message:
        return self._update(self.view.legs[event["leg"]].entry_order, OrderState.REJECTED)

    def _on_price(self, event: dict[str, Any]) -> Message:
        price = Decimal(event["price"])
        self.tick = PriceTick(SYMBOL, self.now, price, price, price)
        return self.tick

    def _on_exit(self, event: dict[str, Any]) -> Message:
        return CloseGroup(group_id=GROUP, reason=CloseReason(event["reason"]), at=1)

    def _on_batch(self, event: dict[str, Any]) -> Message:
        return Batch(tuple(self._message({"type": "exit", **trigger}) for trigger in event["triggers"]))

    def _on_reduce(self, event: dict[str, Any]) -> Message:
        return ReduceGroup(group_id=GROUP, fraction=Decimal(event["fraction"]), at=1)

    def _on_risk_partial(self, event: dict[str, Any]) -> Message:
        self.plans += 1
        return RiskClose(group_id=GROUP, plan_id=f"plan{self.plans}", qty=Decimal(event["qty"]), at=1)

    def _fill(self, order: str, event: dict[str, Any]) -> Message:
        self.trades += 1
        request = self.view.orders[order].request
        fee = Decimal(event.get("fee_base", "0"))
        return FillReported(
            client_order_id=order,
            trade_id=f"t{self.trades}",
            symbol=SYMBOL,
            side=request.side,
            qty=Decimal(event["qty"]),
            price=Decimal(event["price"]),
            fee=fee,
            fee_currency="BTC" if fee else "USDT",
            at=self.now,
        )

    def _update(self, order: str, state: OrderState) -> Message:
        filled = self.view.orders[order].filled
        return OrderUpdate(client_order_id=order, state=state, filled_qty=filled, at=1)

    # --- the end ------------------------------------------------------------------------------------------------------

    def final(self) -> dict[str, Any]:
        """Return the closing figures in the shape of the vectors."""
        view = self.view
        resting = {
            leg.leg_id: {"qty": order.rest, "price": order.request.price}
            for leg in view.legs.values()
            if (order := view.working_order(leg.target_order)) is not None
        }
        return {
            "state": view.state.value,
            "closed_reason": view.reason.value if view.reason else None,
            "open_qty": view.open_qty,
            "avg_entry": view.avg_entry,
            "realized_quote": view.realized_quote,
            "dust": view.dust,
            "superseded": [late.trigger.value for late in view.superseded],
            "legs": {
                leg.leg_id: {
                    "entry": leg.entry.value,
                    "filled": leg.filled,
                    "closed": leg.closed,
                    "dust": leg.dust,
                }
                for leg in view.legs.values()
            },
            "resting_tp": resting,
        }


def _order(event: OrderWanted, *, replaces: bool) -> dict[str, Any]:
    request = event.request
    if event.purpose is Purpose.TP:
        return {"replace_tp" if replaces else "place_tp": event.leg_id, "qty": request.qty, "price": request.price}
    assert event.purpose is Purpose.CLOSE
    assert event.reason is not None
    effect: dict[str, Any] = {"market_close": request.qty, "scope": event.scope, "reason": event.reason.value}
    if event.scope == "partial":
        effect["allocation"] = event.allocation
    return effect


def _alert(event: GroupAlert) -> list[dict[str, Any]]:
    """Return the two alerts the scripts know; measured slippage and the like are ours."""
    if event.code == "LateFill":
        return [{"late_fill": event.leg_id}]
    return [{"alert": event.code, "leg": event.leg_id}] if event.code == "OrderRejected" else []
