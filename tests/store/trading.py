"""Journals as trading writes them: a model group by group, each event in the words of ``protocol``."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, localcontext
from random import Random
from typing import Any

from protocol.groups import (
    CancelWanted,
    ClosedLot,
    CloseFilled,
    CloseReason,
    DustRecorded,
    EntryState,
    GridConfig,
    GroupClosed,
    GroupOpened,
    GroupState,
    GroupStateChanged,
    LegFilled,
    LegState,
    OrderWanted,
    PlannedLeg,
    PyramidAdded,
    TargetFilled,
)
from protocol.instruments import Instrument, PrecisionRules
from protocol.messages import Event
from protocol.orders import FillRecorded, OrderRequest, OrderSent, OrderState, OrderStateChanged, Purpose
from protocol.signals import Signal, SignalKind, SignalReceived, SignalRouted, SignalSource, SizeType
from protocol.values import OrderSide, OrderType, Scope, Side
from runtime.journal import Entry, Journal

D = Decimal
DESK = "/venues/paper/desk"
ZERO = D(0)

INSTRUMENT = Instrument(
    venue="paper",
    symbol="BTC/USDT",
    venue_symbol="BTCUSDT",
    base="BTC",
    quote="USDT",
    rules=PrecisionRules(D("0.01"), D("0.001"), D("0.001"), D(10)),
)


class Script:
    """Appends events one by one; every stream counts by itself, ``correlation`` is of the signal being handled."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.seqs: dict[str, int] = {}
        self.correlation = 0
        self.at = 1_000

    def add(self, stream: str, event: Event) -> None:
        self.seqs[stream] = seq = self.seqs.get(stream, 0) + 1
        self.at += 1
        number = sum(self.seqs.values())
        self.journal.append([Entry(stream, seq, event, self.at, number, self.correlation, max(number - 1, 0))])

    def signal(self, name: str, outcome: str = "opened") -> None:
        self.correlation = 1_000 + sum(self.seqs.values())
        signal = Signal(
            signal_id=name,
            user="ann",
            source=SignalSource.TRADINGVIEW,
            received_at=self.at,
            fired_at=self.at,
            venue="paper",
            symbol="BTC/USDT",
            timeframe="1h",
            kind=SignalKind.ENTRY,
            side=Side.LONG,
            entry_price=D(100),
            trade_id=f"t-{name}",
            alert_name="breakout",
        )
        received = SignalReceived(
            signal_id=name,
            user="ann",
            received_at=self.at,
            source_address="10.0.0.1",
            body="{}",
            signal=signal,
            outcome="accepted",
        )
        self.add("/trading/gateway", received)
        self.add("/trading/router", SignalRouted(signal_id=name, outcome=outcome, reasons=("slot free",), at=self.at))


class ModelGroup:
    """A long group that buys, sells and closes, with the numbers a test can check against."""

    def __init__(self, script: Script, name: str, scope: Scope = Scope.PAPER, layers: int = 2) -> None:
        self.script, self.name, self.stream = script, name, f"group:{name}"
        self.open = {f"p0.l{layer}": ZERO for layer in range(layers)}
        self.cost = dict(self.open)
        self.realized = ZERO
        self.fees: dict[str, Decimal] = {}
        self.orders = 0
        self._begin(scope)

    def tell(self, event_type: type[Event], **fields: Any) -> None:
        self.script.add(self.stream, event_type(group_id=self.name, at=self.script.at, **fields))

    def _begin(self, scope: Scope) -> None:
        self.tell(
            GroupOpened,
            key=f"ann|paper|BTC/USDT|1h|long|{self.name}",
            user="ann",
            scope=scope,
            venue="paper",
            account="paper:main",
            symbol="BTC/USDT",
            timeframe="1h",
            side=Side.LONG,
            tag="abcd",
            signal_id=f"s-{self.name}",
            strategy="breakout",
            base_entry_price=D(100),
            config=GridConfig(),
            instrument=INSTRUMENT,
        )
        legs = tuple(
            PlannedLeg(
                leg_id=leg_id,
                pyramid=0,
                layer=layer,
                price=D(100 - layer),
                qty=D(1),
                gap_percent=D(-layer),
                weight_percent=D(50),
                tp_percent=D(1),
            )
            for layer, leg_id in enumerate(self.open)
        )
        self.tell(
            PyramidAdded,
            pyramid=0,
            signal_id=f"s-{self.name}",
            entry_price=D(100),
            size=D(2),
            size_type=SizeType.BASE,
            levels_source="levels",
            legs=legs,
            anchored=True,
            config=GridConfig(),
            instrument=INSTRUMENT,
            stop_price=D(90),
            target_price=None,
            max_slippage_percent=None,
        )
        self.state(None, GroupState.LIVE)

    def state(self, old: GroupState | None, new: GroupState) -> None:
        self.tell(GroupStateChanged, old=old, new=new, cause="test", reason=None)

    def order(self, purpose: Purpose, side: OrderSide, qty: Decimal, price: Decimal, leg_id: str = "") -> str:
        """Want and send an order; return its client id."""
        self.orders += 1
        order = f"bh{self.name}{self.orders:04d}"
        request = OrderRequest(
            client_order_id=order, symbol="BTC/USDT", side=side, type=OrderType.LIMIT, qty=qty, price=price
        )
        common: dict[str, Any] = {"request": request, "purpose": purpose, "leg_id": leg_id, "attempt": 1}
        adds = purpose is Purpose.ENTRY
        self.tell(OrderWanted, scope=f"leg:{leg_id}", adds_risk=adds, expected_price=price, **common)
        sent = OrderSent(
            owner=f"/trading/groups/{self.name}",
            group_id=self.name,
            expected_price=None,
            permit=7,
            correlation_id=self.script.correlation,
            at=self.script.at,
            **common,
        )
        self.script.add(DESK, sent)
        self.script.add(DESK, OrderStateChanged(client_order_id=order, state=OrderState.OPEN, at=self.script.at))
        return order

    def trade(self, order: str, side: OrderSide, qty: Decimal, price: Decimal, fee: Decimal, currency: str) -> str:
        """Record a fill at the desk; return its trade id."""
        trade = f"{order}-{self.script.at}"
        recorded = FillRecorded(
            client_order_id=order,
            trade_id=trade,
            symbol="BTC/USDT",
            side=side,
            qty=qty,
            price=price,
            fee=fee,
            fee_currency=currency,
            maker=True,
            at=self.script.at,
        )
        self.script.add(DESK, recorded)
        self.fees[currency] = self.fees.get(currency, ZERO) + fee
        return trade

    def buy(self, leg_id: str, qty: Decimal, price: Decimal, fee: Decimal = ZERO, currency: str = "USDT") -> str:
        """Fill part of a layer; return the order's client id."""
        order = self.order(Purpose.ENTRY, OrderSide.BUY, qty, price, leg_id)
        trade = self.trade(order, OrderSide.BUY, qty, price, fee, currency)
        net = qty - fee if currency == "BTC" else qty
        self.tell(
            LegFilled,
            leg_id=leg_id,
            client_order_id=order,
            trade_id=trade,
            qty=qty,
            net_qty=net,
            price=price,
            fee=fee,
            fee_currency=currency,
            entry=EntryState.DONE,
            leg_state=LegState.FILLED,
        )
        self.open[leg_id] += net
        self.cost[leg_id] += net * price
        return order

    def _lot(self, leg_id: str, qty: Decimal, price: Decimal) -> ClosedLot:
        cost = self.cost[leg_id] if qty == self.open[leg_id] else (self.cost[leg_id] * qty / self.open[leg_id])
        self.open[leg_id] -= qty
        self.cost[leg_id] -= cost
        return ClosedLot(leg_id, qty, cost, qty * price - cost)

    def sell(
        self,
        takes: dict[str, Decimal],
        price: Decimal,
        fee: Decimal = ZERO,
        currency: str = "USDT",
        *,
        tp: bool = False,
    ) -> str:
        """Sell out of these legs: by the target of the only one, or by a closing order; return the client id."""
        qty, first = sum(takes.values(), ZERO), next(iter(takes))
        purpose = Purpose.TP if tp else Purpose.CLOSE
        order = self.order(purpose, OrderSide.SELL, qty, price, first if tp else "")
        trade = self.trade(order, OrderSide.SELL, qty, price, fee, currency)
        lots = tuple(self._lot(leg_id, part, price) for leg_id, part in takes.items())
        # The read models add up exactly; a model that rounded its sums to 28 digits would differ in the last one.
        with localcontext(prec=130):
            self.realized += sum((lot.realized for lot in lots), ZERO)
        spent: tuple[ClosedLot, ...] = ()
        if currency == "BTC" and fee and self.open[first] >= fee:
            lot = self._lot(first, fee, price)
            spent = (ClosedLot(first, lot.qty, lot.cost, ZERO),)
        what: dict[str, Any] = {"client_order_id": order, "trade_id": trade, "qty": qty, "price": price, "fee": fee}
        what |= {"fee_currency": currency, "lots": lots, "spent": spent}
        if tp:
            self.tell(TargetFilled, leg_id=first, **what)
        else:
            self.tell(CloseFilled, scope="group", reason=CloseReason.EXIT_SIGNAL, **what)
        return order

    def close(self, price: Decimal, dust: Decimal = ZERO) -> None:
        """Sell everything but ``dust`` of the first leg and close the group."""
        takes = {leg: qty for leg, qty in self.open.items() if qty}
        if dust and takes.get(first := next(iter(self.open)), ZERO) > dust:
            takes[first] -= dust
        else:
            dust = ZERO
        if takes:
            self.sell(takes, price)
        if dust:
            self.tell(DustRecorded, qty=dust, legs={next(iter(self.open)): dust})
        self.state(GroupState.ACTIVE, GroupState.CLOSED)
        self.tell(
            GroupClosed,
            key="k",
            reason=CloseReason.EXIT_SIGNAL,
            realized_quote=self.realized,
            fees=self.fees,
            dust=dust,
            releases_slot=True,
        )


def random_trading(journal: Journal, rng: Random, steps: int) -> dict[str, ModelGroup]:
    """Write a random but consistent history of groups; return them by name."""
    script, groups = Script(journal), dict[str, ModelGroup]()
    closed: set[str] = set()
    for _ in range(steps):
        alive = [group for name, group in groups.items() if name not in closed]
        if not alive or rng.random() < 0.15:
            name = f"g{len(groups)}"
            script.signal(f"s-{name}")
            groups[name] = ModelGroup(script, name, rng.choice(list(Scope)), rng.randrange(1, 4))
            continue
        for event in _step(rng, rng.choice(alive)):
            closed.add(event)
    return groups


def _step(rng: Random, group: ModelGroup) -> Iterator[str]:
    """Do one thing with a group; yield its name when that closed it."""
    leg = rng.choice(list(group.open))
    price, currency = D(rng.randrange(9_000, 11_000)) / 100, rng.choice(["USDT", "BTC", "BNB"])
    fee, held = D(rng.randrange(0, 10)) / 10_000, group.open[leg]
    match rng.randrange(8):
        case 0 | 1 | 2:
            group.buy(leg, D(rng.randrange(1, 3_000)) / 1_000 + fee, price, fee, currency)
        case 3 | 4 if held:
            group.sell({leg: min(held, D(rng.randrange(1, 2_000)) / 1_000)}, price, fee, currency, tp=True)
        case 5 if held:
            group.sell({key: qty for key, qty in group.open.items() if qty}, price, fee, currency)
        case 6:
            group.tell(CancelWanted, client_order_id="bhnever00", purpose=Purpose.TP, leg_id=leg)
        case 7:
            group.close(price, dust=D("0.0005"))
            yield group.name
