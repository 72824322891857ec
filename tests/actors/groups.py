"""Signals and openings for the tests of pool, groups and gateway."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from actors.desk import desk_topic
from actors.group import GROUPS
from protocol.groups import GridConfig, GroupChanged, GroupState, Level, OpenGroup
from protocol.instruments import Instrument
from protocol.offset import TellStanding
from protocol.signals import Signal, SignalKind, SignalSource, SizeType
from protocol.values import Scope, Side
from runtime.actor import Actor, handles
from tests.actors.cast import START
from tests.actors.orders import SYMBOL, TAG, market

GRID = GridConfig(levels=(Level(Decimal(0), Decimal(50), Decimal(1)), Level(Decimal(-1), Decimal(50), Decimal(1))))


def signal(
    signal_id: str = "s1", kind: str = "entry", *, symbol: str = SYMBOL, side: str = "long", **more: Any
) -> Signal:
    """Return a classified signal at a price of 100 for 2 base units."""
    fields: dict[str, Any] = {
        "signal_id": signal_id,
        "user": "u",
        "source": SignalSource.MANUAL,
        "received_at": START,
        "fired_at": START,
        "venue": "paper",
        "symbol": symbol,
        "timeframe": "1h",
        "kind": SignalKind(kind),
        "side": Side(side),
        "fraction": Decimal(1) if kind == "exit" else None,
        "entry_price": Decimal(100),
        "order_size": Decimal(2),
        "size_type": SizeType.BASE,
        "trade_id": signal_id,
        **more,
    }
    return Signal(**fields)


def opening(signal: Signal, instrument: Instrument | None = None, at: int = START) -> OpenGroup:
    """Build the opening of the group that a signal asks for."""
    assert signal.entry_price is not None
    assert signal.order_size is not None
    return OpenGroup(
        group_id=f"g{signal.signal_id}",
        key=signal.group_key,
        user=signal.user,
        scope=Scope.PAPER,
        venue=signal.venue,
        account="acc",
        symbol=signal.symbol,
        timeframe=signal.timeframe,
        side=signal.side,
        tag=TAG,
        signal_id=signal.signal_id,
        entry_price=signal.entry_price,
        size=signal.order_size,
        size_type=signal.size_type,
        config=GRID,
        instrument=instrument or market(signal.symbol),
        at=at,
    )


def group_fact(group_id: str = "g1", *, symbol: str = SYMBOL, side: Side = Side.LONG, **more: Any) -> GroupChanged:
    """Return how a group stands that holds nothing."""
    fields: dict[str, Any] = {
        "group_id": group_id,
        "key": f"u|paper|{symbol}|1h|{side.value}",
        "user": "u",
        "scope": Scope.PAPER,
        "venue": "paper",
        "account": "acc",
        "symbol": symbol,
        "timeframe": "1h",
        "side": side,
        "state": GroupState.ACTIVE,
        "reason": None,
        "received": 1,
        "placed_legs": 1,
        "placed_dca_legs": 0,
        "all_layers_sent": True,
        "all_layers_filled": True,
        "open_qty": Decimal(0),
        "avg_entry": None,
        "base_entry_price": Decimal(100),
        "realized_quote": Decimal(0),
        "fees": {},
        "first_fill_at": None,
        "path": f"/house/{group_id}",
        "at": START,
        **more,
    }
    return GroupChanged(**fields)


class Standing(Actor):
    """A group that says how it stands whenever somebody asks because a life of his begins."""

    def __init__(self, fact: Callable[[], GroupChanged], account: str = "acc") -> None:
        self.fact = fact
        self.account = account

    def started(self) -> None:
        self.context.bus.subscribe(desk_topic(self.account), self.ref)

    @handles
    def standing(self, msg: TellStanding) -> None:
        self.context.bus.publish(GROUPS, self.fact())
