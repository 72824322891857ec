"""A loss offset with groups that do what they are told at once, at the price of the moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from actors.desk import desk_topic
from actors.group import GROUPS
from actors.offset import OffsetEngine, risk_topic
from actors.session import market_topic, session_topic
from protocol.groups import GroupChanged, GroupState, RiskClose, RiskCloseEnded
from protocol.instruments import Instrument, PrecisionRules
from protocol.market import PriceTick
from protocol.offset import RiskStatus, TellStanding
from protocol.values import Side
from protocol.venue import SessionDown, SessionUp
from rules.offset import OffsetSettings
from runtime.actor import Actor, handles
from tests.actors.cast import D, S, Stage
from tests.actors.groups import group_fact

__all__ = ["DONE_AT_ONCE", "ENGINE", "Holding", "OffsetRig", "StubGroup", "ended", "prices", "run", "worked_example"]

ACCOUNT = "acc"
ENGINE = "/house/offset"
MINUTE = 60 * S
ZERO = D(0)
RULES = PrecisionRules(D("0.01"), D("0.001"), D("0.001"), D(5))
DONE_AT_ONCE = OffsetSettings(post_pyramids_wait_minutes=0)
"""Groups are ripe a moment after their structure is complete."""


@dataclass
class Holding:
    """What a group of the rig holds. ``answers`` is what it said to each step; it outlives any crash of the engine."""

    group_id: str
    symbol: str
    side: Side
    qty: Decimal
    entry: Decimal
    received: int = 5
    filled: bool = True
    state: GroupState = GroupState.ACTIVE
    first_fill_at: int = 0
    quote: str = "USDT"
    fee_rate: Decimal = ZERO
    slip: Decimal = ZERO
    """How much worse than the mark it trades, in quote currency."""
    frozen: bool = False
    rules: PrecisionRules = RULES
    answers: dict[str, RiskCloseEnded] = field(default_factory=dict)
    realized: Decimal = ZERO

    def close(self, msg: RiskClose, mark: Decimal, now: int) -> RiskCloseEnded:
        """Trade a step once; asked again, repeat the answer."""
        if msg.plan_id in self.answers:
            return self.answers[msg.plan_id]
        qty = self.qty if msg.qty is None else min(msg.qty, self.qty)
        price = mark - self.side.sign * self.slip
        booked = self.side.sign * (price - self.entry) * qty - (price + self.entry) * qty * self.fee_rate
        self.qty -= qty
        self.realized += booked
        if not self.qty:
            self.state = GroupState.CLOSED
        answer = RiskCloseEnded(
            group_id=self.group_id, plan_id=msg.plan_id, status="closed", qty=qty, booked_quote=booked, at=now
        )
        self.answers[msg.plan_id] = answer
        return answer

    def standing(self, now: int, **more: Any) -> GroupChanged:
        """Return how it stands."""
        fields: dict[str, Any] = {
            "symbol": self.symbol,
            "side": self.side,
            "account": ACCOUNT,
            "state": self.state,
            "received": self.received,
            "placed_legs": 5,
            "placed_dca_legs": 4,
            "all_layers_filled": self.filled,
            "open_qty": self.qty,
            "avg_entry": self.entry if self.qty else None,
            "base_entry_price": self.entry,
            "realized_quote": self.realized,
            "first_fill_at": self.first_fill_at or now,
            "quote": self.quote,
            "rules": self.rules,
            "frozen": self.frozen,
            "at": now,
            **more,
        }
        return group_fact(self.group_id, **fields)


Script = Callable[[RiskClose, Holding], RiskCloseEnded | None]


class StubGroup(Actor):
    """Closes what it is told to, answers, and says how it stands; ``script`` may answer otherwise, or not at all."""

    def __init__(self, rig: OffsetRig, holding: Holding) -> None:
        self.rig = rig
        self.holding = holding

    def started(self) -> None:
        self.context.bus.subscribe(desk_topic(ACCOUNT), self.ref)
        self.say()

    @handles
    def standing(self, msg: TellStanding) -> None:
        self.say()

    @handles
    def close(self, msg: RiskClose) -> None:
        self.rig.asked.append(msg)
        if self.holding.group_id in self.rig.scripts:
            answer = self.rig.scripts[self.holding.group_id](msg, self.holding)
        else:
            answer = self.holding.close(msg, self.rig.mark(self.holding), self.now())
        if answer is not None:
            self.context.system.tell(msg.reply_to, answer)
        self.say()

    def say(self) -> None:
        self.context.bus.publish(GROUPS, self.holding.standing(self.now()))


class OffsetRig:
    """The engine ``/house/offset`` of account ``acc``, and its groups."""

    def __init__(self, stage: Stage, settings: OffsetSettings = DONE_AT_ONCE, *, up: bool = True) -> None:
        self.stage = stage
        self.settings = settings
        self.asked: list[RiskClose] = []
        self.scripts: dict[str, Script] = {}
        self.holdings: dict[str, Holding] = {}
        self.priced = False
        self.markets: tuple[Instrument, ...] = ()
        self.unpriced: dict[str, Decimal] = {}
        """What groups trade at while no price was published."""
        self.feed = stage.probe("feed")
        self.groups = stage.probe("groups")
        if up:
            self.venue(up=True)

    def start(self) -> None:
        """Begin the engine's life."""
        self.stage.add("offset", self.make)

    async def ripen(self) -> None:
        """Begin the engine's life and let every timer run out before there is any price."""
        self.start()
        await self.stage.passes(25)

    def make(self) -> OffsetEngine:
        return OffsetEngine(account=ACCOUNT, settings=self.settings, groups="/house/groups", feed="/house/feed")

    @property
    def engine(self) -> OffsetEngine:
        found = self.stage.actor("offset")
        assert isinstance(found, OffsetEngine)
        return found

    # --- the world -----------------------------------------------------------------------------------------------------

    def group(
        self, group_id: str, qty: Any, entry: Any, *, symbol: str = "", side: str = "long", **more: Any
    ) -> Holding:
        """Start a group with a position in a market of its own."""
        held = Holding(group_id, symbol or f"{group_id.upper()}/USDT", Side(side), D(qty), D(entry), **more)
        return self.add(held)

    def add(self, held: Holding) -> Holding:
        """Start a group that holds this."""
        self.holdings[held.group_id] = held
        self.stage.add(held.group_id, lambda: StubGroup(self, held))
        return held

    def say(self, group_id: str, **more: Any) -> None:
        """Have a group say how it stands, after its holding was changed by the test."""
        self.stage.system.bus.publish(GROUPS, self.holdings[group_id].standing(self.stage.now, **more))

    def price(self, symbol: str, bid: Any, ask: Any = None) -> None:
        """Publish a price of this moment."""
        symbol = symbol if "/" in symbol else f"{symbol.upper()}/USDT"
        tick = PriceTick(symbol, self.stage.now, D(bid), D(bid if ask is None else ask), D(bid))
        self.stage.system.bus.publish(market_topic(ACCOUNT, symbol), tick, keep=True)
        self.priced = True

    def mark(self, held: Holding) -> Decimal:
        """Return what a group trades at now."""
        tick = self.stage.system.bus.kept(market_topic(ACCOUNT, held.symbol))
        if tick is None:
            return self.unpriced[held.group_id]
        return tick.bid if held.side is Side.LONG else tick.ask

    def venue(self, *, up: bool) -> None:
        """Say that the session is connected, or not."""
        fact: Any = (
            SessionUp(ACCOUNT, self.markets, self.stage.now)
            if up
            else SessionDown(account=ACCOUNT, reason="x", at=self.stage.now)
        )
        self.stage.system.bus.publish(session_topic(ACCOUNT), fact, keep=True)

    # --- what happened -------------------------------------------------------------------------------------------------

    def events(self, kind: type | None = None) -> list[Any]:
        return self.stage.events(ENGINE, kind)

    def steps(self) -> list[tuple[str, Decimal | None]]:
        """Return group and quantity of each close that was asked, each once."""
        return list({each.plan_id: (each.group_id, each.qty) for each in self.asked}.values())

    def status(self) -> RiskStatus:
        found = self.stage.system.bus.kept(risk_topic(ACCOUNT))
        assert isinstance(found, RiskStatus)
        return found


async def worked_example(
    stage: Stage, settings: OffsetSettings = DONE_AT_ONCE, *, winners: str = "abc", **more: Any
) -> OffsetRig:
    """Set up the worked plans of section 10: l loses 120 USD; a, b and c win 80, 50 and 10, from the first ``run`` on."""
    rig = OffsetRig(stage, settings)
    rig.group("l", 16, 100, **more)
    if "a" in winners:
        rig.group("a", 40, 50)
    if "b" in winners:
        rig.group("b", 50, 20, side="short")
    if "c" in winners:
        rig.group("c", 100, 10)
    await rig.ripen()
    return rig


def prices(rig: OffsetRig) -> None:
    """Publish the prices of the worked plans."""
    for symbol, price in (("l", "92.5"), ("a", 52), ("b", 19), ("c", "10.1")):
        if symbol in rig.holdings:
            rig.price(symbol, price)


async def run(rig: OffsetRig, seconds: float = 12) -> None:
    """Let some time pass with the same prices every second."""
    if not rig.priced:
        prices(rig)
    await rig.stage.settle()
    for _ in range(int(seconds)):
        await rig.stage.passes(1)
        for held in rig.holdings.values():
            rig.price(held.symbol, rig.mark(held))
    await rig.stage.settle()


def ended(msg: RiskClose, status: str, *, code: str = "", qty: int = 0, booked: int = 0) -> RiskCloseEnded:
    """Return an answer of a group."""
    return RiskCloseEnded(
        group_id=msg.group_id, plan_id=msg.plan_id, status=status, code=code, qty=D(qty), booked_quote=D(booked), at=1
    )
