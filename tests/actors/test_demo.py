"""The demo's trader: it trades what it sees, and shows one whole trade before it takes its time."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from actors.demo import EARLY_HOLD_S, HOLD_INTERVALS, DemoSymbol, DemoTrader
from actors.group import GROUPS
from actors.session import market_topic
from protocol.groups import GroupChanged, GroupState
from protocol.market import PriceTick
from protocol.values import Scope, Side
from strategies.crossing import Wish
from tests.actors.cast import START, D, S, Stage, play
from tests.actors.groups import Standing
from tests.actors.orders import SYMBOL
from tests.actors.test_sender import Server

OTHER = "DOGE/USDT"


def group(
    state: GroupState,
    *,
    account: str = "acc",
    symbol: str = SYMBOL,
    timeframe: str = "1h",
    group_id: str = "g1",
    entry: str | None = None,
) -> GroupChanged:
    """Return how a group stands."""
    return GroupChanged(
        group_id=group_id,
        key="k",
        user="u",
        scope=Scope.PAPER,
        venue="paper",
        account=account,
        symbol=symbol,
        timeframe=timeframe,
        side=Side.LONG,
        state=state,
        reason=None,
        received=1,
        placed_legs=1,
        placed_dca_legs=0,
        all_layers_sent=True,
        all_layers_filled=False,
        open_qty=D(0),
        avg_entry=D(entry) if entry else None,
        base_entry_price=D(100),
        realized_quote=D(0),
        fees={},
        first_fill_at=None,
        at=START,
    )


async def demo(stage: Stage, server: Server, symbols: tuple[str, ...] = (SYMBOL,), *, interval_s: float = 1.0) -> Any:
    """Start a demo trader; return its actor."""

    def body(symbol: str) -> DemoSymbol:
        return DemoSymbol(symbol, lambda wish, price, at: f"{symbol} {wish.value} {price}".encode())

    stage.add(
        "demo",
        lambda: DemoTrader(
            account="acc",
            timeframe="1h",
            symbols=[body(symbol) for symbol in symbols],
            interval_s=interval_s,
            url=lambda: server.url,
        ),
    )
    await stage.settle()
    return stage.actor("demo")


def test_a_demo_follows_prices_and_groups() -> None:
    """It enters when its rule wants to, once it is told of a live group it wants no second, and of others' nothing."""

    async def script(stage: Stage) -> None:
        async with Server() as server:
            trader = await demo(stage, server)
            await stage.passes(3)
            assert server.bodies == []
            for number in range(400):
                price = D(100) + D(number % 40) * (1 if number % 80 < 40 else -1)
                tick = PriceTick(SYMBOL, number, price, price, price)
                stage.system.bus.publish(market_topic("acc", SYMBOL), tick)
                await stage.passes(1)
            entries = [body.decode().split()[1] for _, body in server.bodies]
            assert Wish.ENTER.value in entries
            assert trader.posted == len(server.bodies) == sum(trader.answers.values())
            stage.system.bus.publish(GROUPS, group(GroupState.LIVE, account="other"))
            stage.system.bus.publish(GROUPS, group(GroupState.LIVE, symbol="DOGE/USDT", group_id="g3"))
            stage.system.bus.publish(GROUPS, group(GroupState.LIVE, timeframe="4h", group_id="g4"))
            await stage.settle()
            assert trader._live == {SYMBOL: {}}
            stage.system.bus.publish(GROUPS, group(GroupState.LIVE))
            await stage.settle()
            assert list(trader._live[SYMBOL]) == ["g1"]
            stage.add("standing", lambda: Standing(lambda: group(GroupState.LIVE)))
            await stage.crash("demo")
            trader = stage.actor("demo")
            assert list(trader._live[SYMBOL]) == ["g1"]
            stage.system.bus.publish(GROUPS, group(GroupState.CLOSED))
            await stage.settle()
            assert trader._live == {SYMBOL: {}}
            stage.remove("demo")
            await stage.passes(1)

    play(script)


def price(stage: Stage, symbol: str, at: object) -> None:
    """Publish a price."""
    stage.system.bus.publish(market_topic("acc", symbol), PriceTick(symbol, stage.now, D(at), D(at), D(at)))


def told(server: Server) -> list[str]:
    """Return what was posted: symbol and wish."""
    return [" ".join(body.decode().split()[:2]) for _, body in server.bodies]


def test_the_first_trade_ends_when_it_is_ahead_and_the_next_ones_take_their_time() -> None:
    """The group that is furthest ahead is ended at the early target; from then on an alert each interval, exits later."""

    async def script(stage: Stage) -> None:
        async with Server() as server:
            server.now = lambda: stage.now
            await demo(stage, server, (SYMBOL, OTHER), interval_s=15.0)
            for symbol, group_id in ((SYMBOL, "g1"), (OTHER, "g2")):
                stage.system.bus.publish(GROUPS, group(GroupState.LIVE, symbol=symbol, group_id=group_id, entry="100"))
                price(stage, symbol, "100.29")
            await stage.passes(3)
            assert told(server) == []
            price(stage, OTHER, "100.3")
            await stage.passes(1)
            assert told(server) == [f"{OTHER} exit"]
            price(stage, SYMBOL, "105")
            await stage.passes(60)
            assert told(server) == [f"{OTHER} exit"]
            for number in range(40):
                price(stage, SYMBOL, 105 - number)
                await stage.settle()
            await stage.passes(HOLD_INTERVALS * 15)
            assert told(server)[:2] == [f"{OTHER} exit", f"{SYMBOL} exit"]
            at = [at for at, _ in server.bodies]
            assert all(after - before >= 15 * S for before, after in pairwise(at))

    play(script)


def test_the_first_trade_ends_in_time_whatever_it_earned() -> None:
    """A group that gets nowhere is ended too: what a first look shows has an end."""

    async def script(stage: Stage) -> None:
        async with Server() as server:
            await demo(stage, server, interval_s=15.0)
            stage.system.bus.publish(GROUPS, group(GroupState.LIVE, entry="100"))
            price(stage, SYMBOL, "99")
            await stage.passes(EARLY_HOLD_S - 1.5)
            assert told(server) == []
            await stage.passes(2)
            assert told(server) == [f"{SYMBOL} exit"]

    play(script)
