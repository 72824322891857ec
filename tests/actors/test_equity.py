"""Marks for the equity curves: one a fill, then only when a price has changed, and never by a clock that is virtual."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from actors.desk import desk_topic
from actors.equity import EquityKeeper, EquitySettings
from actors.group import GROUPS
from actors.session_topics import balances_topic, market_topic
from protocol.configuration import ApplySettings
from protocol.errors import ValidationError
from protocol.market import PriceTick
from protocol.messages import Event
from protocol.orders import Balance, FillRecorded
from protocol.performance import EquityMarked, MarkedFor, RecordFlow
from protocol.risk import PauseEngine
from protocol.values import OrderSide, Scope, Side
from protocol.venue import BalancesChanged
from runtime.actor import Do, handles
from runtime.durable import DurableActor
from runtime.journal import Entry
from runtime.memory_journal import MemoryJournal
from tests.actors.cast import START, FailingJournal, S, Stage, kinds, play
from tests.actors.offset_rig import Holding

PATH = "/house/equity"
D = Decimal
SETTINGS = EquitySettings(60.0, {"desk": Scope.PAPER}, {"desk": None})


class Desk(DurableActor):
    """Journals a fill whenever it is told anything; its path's second part stands for the account."""

    def apply(self, event: Event) -> None:
        """Remember nothing."""

    @handles
    def pause(self, msg: PauseEngine) -> Do:
        """Journal the fill of a symbol."""
        fill = FillRecorded(
            client_order_id="abcdef1",
            trade_id=str(self.sequence),
            symbol=msg.reason,
            side=OrderSide.BUY,
            qty=D(1),
            price=D(100),
            fee=D(0),
            fee_currency="USDT",
            maker=True,
            at=self.now(),
        )
        return Do([fill])


def price(stage: Stage, bid: str, symbol: str = "BTC/USDT") -> None:
    tick = PriceTick(symbol, stage.now, D(bid), D(bid) + 1, D(bid))
    stage.system.bus.publish(market_topic("desk", symbol), tick, keep=True)


def rig(stage: Stage, settings: EquitySettings = SETTINGS) -> Callable[[], list[EquityMarked]]:
    """Start keeper and desk (at ``/house/desk``, so that its account is called desk); return the marks so far."""
    stage.add("desk", Desk)
    stage.add("equity", lambda: EquityKeeper(settings))
    return lambda: stage.events(PATH, EquityMarked)


def test_each_fill_is_marked_with_the_prices_that_stand() -> None:
    """EX-1705: a fill leads to one mark of everything that is open, at best bid and ask, after it is durable."""

    async def script(stage: Stage) -> None:
        marks = rig(stage)
        price(stage, "100")
        price(stage, "7", "ETH/USDT")
        await stage.told("desk", PauseEngine("BTC/USDT"))
        await stage.told("desk", PauseEngine("ETH/USDT"))
        first, second = marks()
        assert [(each.symbol, each.bid, each.ask, each.quote_usd) for each in first.marks] == [
            ("BTC/USDT", D(100), D(101), D(1))
        ]
        assert [each.symbol for each in second.marks] == ["BTC/USDT", "ETH/USDT"]
        assert (second.reason, second.account, second.scope) == (MarkedFor.FILL, "desk", Scope.PAPER)

    play(script)


def test_curves_begin_with_what_was_there() -> None:
    """EX-1705: the first mark takes the set equity or the account's dollars, and every later one repeats it."""

    async def script(stage: Stage) -> None:
        marks = rig(stage)
        held = BalancesChanged("desk", (Balance("USDT", D(900), D(100)), Balance("BTC", D(3))), stage.now)
        stage.system.bus.publish(balances_topic("desk"), held, keep=True)
        await stage.told("desk", PauseEngine("BTC/USDT"))
        more = BalancesChanged("desk", (Balance("USDT", D(5)),), stage.now)
        stage.system.bus.publish(balances_topic("desk"), more, keep=True)
        await stage.crash("equity")
        await stage.told("desk", PauseEngine("BTC/USDT"))
        assert [each.starting for each in marks()] == [1000, 1000]

    async def given(stage: Stage) -> None:
        marks = rig(stage, SETTINGS._replace(starting={"desk": D(50)}))
        await stage.told("desk", PauseEngine("BTC/USDT"))
        assert [each.starting for each in marks()] == [50]

    play(script)
    play(given)


def test_curves_begin_with_what_was_there_before_the_first_purchase() -> None:
    """EX-1705: the balances after a purchase may be heard before its mark; dollars that only came or went count."""

    async def script(stage: Stage) -> None:
        marks = rig(stage)
        for dollars, coins in ((900, 3), (1_000, 3), (700, 4)):
            held = BalancesChanged("desk", (Balance("USDT", D(dollars)), Balance("BTC", D(coins))), stage.now)
            stage.system.bus.publish(balances_topic("desk"), held, keep=True)
            await stage.settle()
        await stage.told("desk", PauseEngine("BTC/USDT"))
        assert [each.starting for each in marks()] == [1_000]

    play(script)


@pytest.mark.parametrize("every", [0, 1])
def test_what_is_open_is_marked_in_the_next_life(every: int) -> None:
    """EX-1705: a symbol that was marked once is marked on, from events or from a snapshot."""

    async def script(stage: Stage) -> None:
        stage.system.durability.snapshot_every = every
        marks = rig(stage)
        price(stage, "100")
        await stage.told("desk", PauseEngine("BTC/USDT"))
        await stage.crash("equity")
        await stage.told("desk", PauseEngine("ETH/USDT"))
        assert [each.symbol for each in marks()[-1].marks] == ["BTC/USDT"]
        assert stage.actor("equity").detail == "2 symbols"

    play(script)


def test_a_position_whose_mark_was_lost_is_learned_from_its_group() -> None:
    """EX-1705: killed between a fill and its mark, the next life marks the symbol: its group says that it holds it."""

    async def script(stage: Stage) -> None:
        asked = stage.probe("asked", topics=(desk_topic("desk"),))
        marks = rig(stage)
        await stage.settle()
        assert kinds(asked) == ["TellStanding"]
        held = Holding("g1", "BTC/USDT", Side.LONG, D(1), D(100))
        stage.system.bus.publish(GROUPS, held.standing(stage.now, account="desk"))
        stage.system.bus.publish(GROUPS, held.standing(stage.now, account="desk", symbol="SOL/USDT", open_qty=D(0)))
        price(stage, "100")
        await stage.told("desk", PauseEngine("ETH/USDT"))
        assert [each.symbol for each in marks()[-1].marks] == ["BTC/USDT"]
        assert stage.actor("equity").detail == "2 symbols"

    play(script)


def test_virtual_time_marks_fills_only() -> None:
    """A virtual clock is not woken by an interval: a day without fills leaves no marks, whatever prices do."""

    async def script(stage: Stage) -> None:
        marks = rig(stage)
        await stage.told("desk", PauseEngine("BTC/USDT"))
        price(stage, "50")
        await stage.passes(86_400)
        assert len(marks()) == 1

    play(script)


def test_an_interval_marks_what_has_changed() -> None:
    """EX-1705: at each interval prices are noted when one has changed since, else nothing is."""

    async def script(stage: Stage) -> None:
        marks = rig(stage)
        price(stage, "100")
        await stage.told("desk", PauseEngine("BTC/USDT"))
        keeper: Any = stage.actor("equity")
        due = next(kind for kind in keeper.HANDLERS if kind.__name__ == "_Due")
        await stage.told("equity", due())
        assert len(marks()) == 1
        price(stage, "101")
        await stage.told("equity", due())
        assert [each.reason for each in marks()] == [MarkedFor.FILL, MarkedFor.INTERVAL]
        assert (await stage.ask("equity", ApplySettings(7, SETTINGS._replace(interval_s=5.0)))).version == 7

    play(script)


@pytest.mark.parametrize("given", [None, D(500)])
def test_curves_begin_before_the_first_trade(given: Decimal | None) -> None:
    """EX-1705: an account that has not traded is worth what it holds, or what was set, not nothing; that is noted once."""

    async def script(stage: Stage) -> None:
        marks = rig(stage, SETTINGS._replace(starting={"desk": given}))
        keeper: Any = stage.actor("equity")
        due = next(kind for kind in keeper.HANDLERS if kind.__name__ == "_Due")
        await stage.told("equity", due())
        assert len(marks()) == (0 if given is None else 1)
        stage.system.bus.publish(balances_topic("desk"), BalancesChanged("desk", (Balance("USDT", D(900), D(0)),), S))
        for _ in range(2):
            await stage.told("equity", due())
        assert [(each.starting, each.marks) for each in marks()] == [(given or D(900), ())]

    play(script)


def test_a_journal_cut_anywhere_goes_on_the_same() -> None:
    """Killed between any two writes the keeper knows again what is open and where the curves begin."""
    whole = MemoryJournal()

    async def run(stage: Stage) -> tuple[Any, ...]:
        marks = rig(stage)
        price(stage, "100")
        price(stage, "7", "ETH/USDT")
        await stage.told("desk", PauseEngine("BTC/USDT"), PauseEngine("ETH/USDT"))
        last = marks()[-1]
        return last.marks, last.starting

    expected = play(run, journal=whole)
    records = list(whole.read_all())
    for cut in range(len(records) + 1):
        kept = FailingJournal()
        for each in records[:cut]:
            kept.append([Entry(*each[1:])])
        assert play(run, journal=kept, start=START + S) == expected


def test_a_deposit_is_noted_with_who_recorded_it() -> None:
    """EX-1705: a recorded flow is a mark of its own with its note; of an account that there is not nothing is noted."""

    async def script(stage: Stage) -> None:
        marks = rig(stage, SETTINGS._replace(starting={"desk": D(50)}))
        price(stage, "100")
        await stage.told("desk", PauseEngine("BTC/USDT"))
        ask = RecordFlow(account="desk", amount=D(-20), note="rent", operator="ann")
        said = await stage.ask("equity", ask)
        assert (said.reason, said.flow, said.note, said.operator) == (MarkedFor.FLOW, -20, "rent", "ann")
        assert said == marks()[-1]
        assert [each.symbol for each in said.marks] == ["BTC/USDT"]
        assert said.starting == 50
        with pytest.raises(ValidationError) as caught:
            await stage.ask("equity", RecordFlow(account="gone", amount=D(1)))
        assert caught.value.code == "NotFound"
        assert len(marks()) == 2

    play(script)


def test_curves_that_begin_with_a_deposit_begin_without_it() -> None:
    """EX-1705: the first mark of an account may be its deposit: what the balances hold of it is not counted twice."""

    async def script(stage: Stage) -> None:
        marks = rig(stage)
        held = BalancesChanged("desk", (Balance("USDT", D(1_500)),), stage.now)
        stage.system.bus.publish(balances_topic("desk"), held, keep=True)
        await stage.ask("equity", RecordFlow(account="desk", amount=D(500)))
        await stage.told("desk", PauseEngine("BTC/USDT"))
        assert [(each.starting, each.flow) for each in marks()] == [(1_000, 500), (1_000, 0)]

    play(script)


@pytest.mark.parametrize("amount", ["0", "NaN", "Infinity"])
def test_a_flow_is_a_number_that_is_not_zero(amount: str) -> None:
    """EX-110: what is no amount is refused before anybody hears of it."""
    with pytest.raises(ValidationError) as caught:
        RecordFlow(account="desk", amount=D(amount))
    assert caught.value.code == "OutOfRange"
