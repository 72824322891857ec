"""The gateway's memory: duplicates, what is handed over again, operators' signals, a journal that fails."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from protocol.market import PriceTick
from protocol.signals import InjectSignal, SignalKind, SignalOutcome, SignalRouted
from protocol.values import Side
from runtime.errors import ActorStopped
from runtime.journal import JournalUnavailable
from tests.actors.cast import START, D, FailingJournal, S, Stage, kinds, play
from tests.actors.gateway_rig import PATH, SECRET, GatewayRig
from tests.actors.orders import SYMBOL

# --- duplicates --------------------------------------------------------------------------------------------------------


def test_a_repeated_alert_is_ignored() -> None:
    """The same alert again is answered 200, stored as a duplicate and handed to nobody (EX-240)."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage)
        body = rig.body()
        assert await rig.outcome(body) == (200, "accepted")
        assert await rig.outcome(body) == (200, "duplicate_ignored")
        assert [each.outcome for each in rig.received()] == ["accepted", "duplicate_ignored"]
        assert len(rig.routed()) == 1

    play(script)


def test_two_alerts_of_one_strategy() -> None:
    """A near duplicate inside its window is ignored, the window slides, after it the alert counts (EX-241)."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage)
        outcomes = []
        for wait_s in (0, 4, 4, 5.5):
            await stage.passes(wait_s)
            outcomes.append((await rig.post()).outcome)
        assert outcomes == ["accepted", "duplicate_ignored", "duplicate_ignored", "accepted"]

    play(script)


@pytest.mark.parametrize("snapshot_every", [1, 1_000])
def test_duplicates_are_known_after_a_restart(snapshot_every: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A restart, from events or from a snapshot, forgets no alert that was seen (EX-242)."""
    from actors.gateway import Gateway

    monkeypatch.setattr(Gateway, "SNAPSHOT_EVERY", snapshot_every)
    journal = FailingJournal()
    bodies: list[bytes] = []

    async def first(stage: Stage) -> None:
        rig = GatewayRig(stage)
        bodies.append(rig.body())
        await rig.post(bodies[0])

    async def second(stage: Stage) -> None:
        rig = GatewayRig(stage)
        assert (await rig.post(bodies[0])).outcome == "duplicate_ignored"

    play(first, journal=journal)
    play(second, journal=journal, start=START + 30 * S)
    assert (journal.load_snapshot(PATH) is not None) is (snapshot_every == 1)


def test_a_refused_alert_may_come_again() -> None:
    """What was refused is not remembered: mended and sent again it is taken."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage)
        assert (await rig.post(tv__symbol="DOGE/USDT")).outcome == "UnknownSymbol"
        assert (await rig.post()).outcome == "accepted"

    play(script)


# --- handing over ------------------------------------------------------------------------------------------------------


def test_what_became_of_a_signal_is_journalled_once() -> None:
    """The pool's or group's answer is kept (EX-251); a repeat, or an answer to an unknown signal, changes nothing."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage)
        answer = await rig.post()
        outcome = SignalOutcome(answer.signal_id, "rejected:QueueFull", ("full",))
        await stage.told("gateway", outcome, outcome, SignalOutcome("s99999999", "opened"))
        (routed,) = stage.events(PATH, SignalRouted)
        assert (routed.signal_id, routed.outcome, routed.reasons) == (answer.signal_id, "rejected:QueueFull", ("full",))

    play(script)


def test_what_has_no_outcome_is_handed_over_again_in_order() -> None:
    """After a restart every accepted signal without an outcome is handed over, in the order received (EX-253)."""
    journal = FailingJournal()

    async def first(stage: Stage) -> None:
        rig = GatewayRig(stage)
        quiet: dict[str, Any] = {"tv__prev_market_position": None, "tv__prev_market_position_size": None}
        ids = [(await rig.post(strategy_info__trade_id=f"t{n}", **quiet)).signal_id for n in range(4)]
        await rig.post(strategy_info__trade_id="t0", **quiet)
        await stage.told("gateway", SignalOutcome(ids[1], "opened"))
        await stage.crash("gateway")
        assert rig.routed()[4:] == [ids[0], ids[2], ids[3]]

    async def second(stage: Stage) -> None:
        rig = GatewayRig(stage)
        await stage.settle()
        assert rig.routed() == ["s00000001", "s00000003", "s00000004"]

    play(first, journal=journal)
    play(second, journal=journal, start=START + 3_600 * S)


def test_nothing_is_routed_that_the_journal_does_not_hold() -> None:
    """When the journal cannot be written the asker hears it, and the signal is taken when it comes again (EX-252)."""
    journal = FailingJournal()

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage)
        await stage.settle()
        body = rig.body()
        journal.failing = True
        with pytest.raises(JournalUnavailable):
            await rig.post(body)
        journal.failing = False
        assert await rig.outcome(body) == (200, "accepted")
        assert len(rig.received()) == 1
        await stage.crash("gateway")
        assert rig.routed()[-1] == "s00000001"

    play(script, journal=journal)


def test_the_answer_comes_after_the_commit() -> None:
    """An answer says that the signal is durable (EX-251)."""
    journal = FailingJournal()

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage)
        await rig.post()
        assert [kinds(commit) for commit in journal.commits] == [["SignalReceived"]]

    play(script, journal=journal)


def test_without_a_pool_nothing_is_lost() -> None:
    """A signal that no pool took stays without an outcome and is handed over in the next life."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage, pool=False)
        assert (await rig.post()).outcome == "accepted"
        pool: list[Any] = stage.probe("pool")
        await stage.crash("gateway")
        assert kinds(pool) == ["EntryRequest"]

    play(script)


# --- operators ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("side", "price"), [(Side.LONG, "101"), (Side.SHORT, "99")])
@pytest.mark.parametrize("symbol", [SYMBOL, "BTCUSDT", "btc-usdt"])
def test_an_injected_entry_takes_the_newest_price(side: Side, price: str, symbol: str) -> None:
    """Without a price a buy is meant at the ask, a sell at the bid, in whatever spelling (EX-260)."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage)
        answer = await rig.inject(side=side, symbol=symbol, venue="PAPER")
        assert answer.outcome == "accepted"
        assert rig.pool[0].signal.entry_price == Decimal(price)
        assert [each.symbol for each in rig.prices] == [SYMBOL]

    play(script)


def test_an_injected_price_is_kept() -> None:
    """An operator who names a price gets it; nobody is asked."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage)
        await rig.inject(price=D(55))
        assert rig.pool[0].signal.entry_price == D(55)
        assert rig.prices == []

    play(script)


@pytest.mark.parametrize("why", ["none yet", "silent", "gone"])
def test_without_any_price_an_entry_is_refused(why: str) -> None:
    """An entry needs a price: when the market has none the refusal says which field is missing."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage)
        rig.tick = None
        if why == "gone":
            stage.remove("prices")
        elif why == "silent":
            stage.actor("prices").answers.clear()
        await stage.settle()
        answer = await rig.inject()
        assert (answer.status, answer.outcome) == (422, "MissingField")
        assert [problem.path for problem in answer.problems] == ["tv.entry_price"]

    play(script)


def test_operators_pass_the_same_checks() -> None:
    """An injected signal is held to the rules of a payload, but for authentication and age (EX-260)."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage, allowlist=("1.2.3.4/32",), rate_per_minute=1)
        assert (await rig.inject(symbol="DOGE/USDT", price=D(1))).outcome == "UnknownSymbol"
        assert (await rig.inject(venue="nowhere", price=D(1))).outcome == "UnsupportedVenue"
        assert (await rig.inject(trade_id="same", price=D(1))).outcome == "accepted"
        assert (await rig.inject(trade_id="same", price=D(1))).outcome == "duplicate_ignored"
        assert (await rig.inject(kind=SignalKind.EXIT, size=None)).outcome == "accepted"
        assert kinds(rig.pool) == ["EntryRequest", "ExitRequest"]
        assert {each.source_address for each in rig.received()} == {"operator"}

    play(script)


def test_an_injected_secret_is_not_stored() -> None:
    """What an operator types is stored without the secrets that the house knows."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage)
        await rig.inject(price=D(1), alert_message=f"note: {SECRET}")
        assert SECRET not in repr(stage.events(PATH)) + repr(rig.pool)

    play(script)


def test_webhooks_wait_for_a_price_that_is_looked_up() -> None:
    """Signals keep their order: what arrives while a price is awaited is handled after it."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage)
        injecting = InjectSignal(user="ann", venue="paper", symbol=SYMBOL, timeframe="1h", side=Side.LONG, size=D(1))
        stage.tell("gateway", injecting, rig.request())
        await stage.settle()
        assert [each.source_address for each in rig.received()] == ["operator", "10.0.0.1"]

    play(script)


def test_the_end_of_the_gateway_is_no_answer() -> None:
    """Whoever waits when the gateway ends is told that its request was not handled."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage)
        rig.tick = PriceTick(SYMBOL, 1, D(1), D(1), D(1))
        stage.remove("gateway")
        with pytest.raises(ActorStopped):
            await rig.post()

    play(script)
