"""Stored signals sent again, signals that are only checked, and a gateway that ends after any of its events."""

from __future__ import annotations

from typing import Any

import pytest

from protocol.incidents import IncidentRaised
from protocol.pool import DryRun, DryRunReport, DryStep
from protocol.signals import (
    CheckSignal,
    InjectSignal,
    ReplayMode,
    ReplaySignal,
    RetellSignals,
    SignalOutcome,
    SignalRouted,
    SignalSource,
)
from protocol.values import Side
from runtime.actor import handles
from runtime.journal import Entry
from runtime.memory_journal import MemoryJournal
from tests.actors.cast import START, D, FailingJournal, Probe, S, Stage, play
from tests.actors.gateway_rig import PATH, GatewayRig


class RehearsingPool(Probe):
    """A pool that says what it would do."""

    @handles
    def dry(self, msg: DryRun) -> DryRunReport:
        steps = (DryStep("precision", "ok"), DryStep("ladder", "5 layers", ("0.01 at 65000",)))
        return DryRunReport(msg.signal.signal_id, "queued", steps)


def staged(stage: Stage, **settings: Any) -> GatewayRig:
    """Return a gateway whose pool rehearses."""
    rig = GatewayRig(stage, pool=False, **settings)
    rig.pool = []
    stage.add("pool", lambda: RehearsingPool(rig.pool, {}, ()))
    return rig


async def replay(stage: Stage, ident: str, **how: Any) -> Any:
    return await stage.ask("gateway", ReplaySignal(signal_id=ident, **how))


def test_a_dry_replay_shows_every_step_and_changes_nothing() -> None:
    """Validation, classification, duplicates, precision, ladder and the pool's decision, and no event (EX-262)."""

    async def script(stage: Stage) -> None:
        rig = staged(stage)
        ident = (await rig.post()).signal_id
        before = len(stage.events(PATH))
        await stage.passes(3_600)
        report = await replay(stage, ident)
        assert (report.status, report.outcome, report.signal_id) == (200, "accepted", "")
        assert [each.name for each in report.steps] == [
            "validation",
            "classification",
            "duplicates",
            "accounts",
            "acc precision",
            "acc ladder",
            "acc outcome",
        ]
        assert report.steps[1].outcome == "entry long"
        assert report.steps[2].outcome == "duplicate_ignored"
        assert report.steps[-1].outcome == "queued"
        assert (len(stage.events(PATH)), len(rig.pool)) == (before, 1)

    play(script)


def test_a_live_replay_is_a_new_signal() -> None:
    """It has its own id, source replay and replay_of, skips age and duplicates, and names who did it (EX-261, EX-263)."""

    async def script(stage: Stage) -> None:
        rig = staged(stage)
        ident = (await rig.post()).signal_id
        original = rig.received()[0]
        await stage.passes(7_200)
        report = await replay(stage, ident, mode=ReplayMode.LIVE, confirm="btc/usdt", operator="ann")
        assert (report.status, report.outcome, report.signal_id) == (200, "accepted", "s00000002")
        again = rig.received()[1]
        assert again.signal is not None
        assert original.signal is not None
        assert (again.signal.source, again.signal.replay_of, again.operator) == (SignalSource.REPLAY, ident, "ann")
        assert again.signal.entry_price == original.signal.entry_price
        assert again.source_address == "replay"
        assert rig.received()[0] == original
        assert rig.routed() == [ident, "s00000002"]
        third = await replay(stage, "s00000002", mode=ReplayMode.LIVE, confirm="BTC/USDT")
        assert third.signal_id == "s00000003"

    play(script)


def test_a_replay_may_take_the_newest_price() -> None:
    """--reprice enters at the market's newest price, the ask for a long; without one it is refused (EX-263)."""

    async def script(stage: Stage) -> None:
        rig = staged(stage)
        ident = (await rig.post()).signal_id
        await replay(stage, ident, mode=ReplayMode.LIVE, confirm="BTC/USDT", reprice=True)
        assert rig.pool[-1].signal.entry_price == D(101)
        rig.tick = None
        report = await replay(stage, ident, mode=ReplayMode.LIVE, confirm="BTC/USDT", reprice=True)
        assert (report.status, report.outcome) == (422, "NoPrice")

    play(script)


@pytest.mark.parametrize("confirm", ["", "BTC", "ETH/USDT", "yes"])
def test_a_live_replay_needs_the_symbol_typed(confirm: str) -> None:
    """Without the symbol typed again nothing is done, and the refusal says what to type (EX-263)."""

    async def script(stage: Stage) -> None:
        rig = staged(stage)
        ident = (await rig.post()).signal_id
        report = await replay(stage, ident, mode=ReplayMode.LIVE, confirm=confirm)
        assert (report.status, report.outcome) == (422, "ConfirmationMissing")
        assert "--confirm BTC/USDT" in report.problems[0].message
        assert len(rig.received()) == 1

    play(script)


def test_read_only_mode_refuses_what_opens() -> None:
    """In read-only mode no replay trades and no operator opens; a rehearsal, an exit and a webhook go on (EX-263)."""

    async def script(stage: Stage) -> None:
        rig = staged(stage, read_only=True)
        ident = (await rig.post()).signal_id
        report = await replay(stage, ident, mode=ReplayMode.LIVE, confirm="BTC/USDT")
        assert (report.status, report.outcome) == (403, "ReadOnlyMode")
        assert "app.read_only" in report.problems[0].message
        assert (await replay(stage, ident)).outcome == "accepted"
        assert (await rig.inject(price=D(1))).outcome == "ReadOnlyMode"

    play(script)


@pytest.mark.parametrize("ident", ["s00000009", "nonsense", "s00000002"])
def test_what_is_not_stored_cannot_be_sent_again(ident: str) -> None:
    """An id of no stored signal is NotFound, also when another event stands at its place."""

    async def script(stage: Stage) -> None:
        rig = staged(stage)
        answer = await rig.post()
        await stage.told("gateway", SignalOutcome(answer.signal_id, "opened"))
        report = await replay(stage, ident)
        assert (report.status, report.outcome) == (404, "NotFound")

    play(script)


def test_refused_mapped_and_manual_signals_can_be_sent_again() -> None:
    """Any stored payload can be replayed: one that was refused, one through a mapping, an operator's (EX-261)."""

    async def script(stage: Stage) -> None:
        rig = staged(stage)
        stale = (await rig.post(age_s=100)).signal_id
        assert (await replay(stage, stale)).outcome == "accepted"
        bad = (await rig.post(tv__action="hold")).signal_id
        report = await replay(stage, bad)
        assert (report.status, report.outcome, report.steps[0].outcome) == (422, "InvalidEnum", "InvalidEnum")
        text = (
            b'{"secret":"correct-horse-battery","ticker":"BTCUSDT","exchange":"paper","action":"buy","price":1,"qty":1}'
        )
        mapped = (await rig.post(text[:-1] + b',"time":%d}' % (stage.now // S))).signal_id
        assert (await replay(stage, mapped)).group_key == "ann|paper|BTC/USDT|1h|long"
        manual = (await rig.inject(price=D(7), symbol="ETHUSDT")).signal_id
        said = await replay(stage, manual, mode=ReplayMode.LIVE, confirm="ETH/USDT")
        assert said.outcome == "accepted"
        twice = await replay(stage, said.signal_id)
        assert twice.group_key == "ann|paper|ETH/USDT|1h|long"

    play(script)


def test_a_check_shows_and_sends_nothing() -> None:
    """--check gives identity, ladder and outcome of an operator's signal, without an event or a word (EX-260)."""

    async def script(stage: Stage) -> None:
        rig = staged(stage)
        signal = InjectSignal(user="ann", venue="paper", symbol="BTCUSDT", timeframe="1h", side=Side.LONG, size=D(1))
        report = await stage.ask("gateway", CheckSignal(signal))
        assert (report.outcome, report.group_key) == ("accepted", "ann|paper|BTC/USDT|1h|long")
        assert "entry price 101" in report.steps[0].details
        assert report.steps[-1].outcome == "queued"
        wrong = InjectSignal(user="ann", venue="paper", symbol="DOGE/USDT", timeframe="1h", side=Side.LONG, price=D(1))
        assert (await stage.ask("gateway", CheckSignal(wrong))).outcome == "MissingField"
        assert (stage.events(PATH), rig.pool) == ([], [])

    play(script)


def test_a_pool_that_does_not_answer_is_said() -> None:
    """When the pool cannot rehearse, the steps that need no pool are shown and the rest is named."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage)
        ident = (await rig.post()).signal_id
        report = await replay(stage, ident)
        assert "no answer" in report.steps[-1].outcome
        stage.remove("pool")
        await stage.settle()
        assert "does not live" in (await replay(stage, ident)).steps[-1].outcome

    play(script)


# --- handing over again -------------------------------------------------------------------------------------------------


def test_a_pool_that_begins_a_life_is_told_again() -> None:
    """RetellSignals hands over what that pool has not answered for, in order, and nothing of other pools (EX-253)."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage)
        ids = [(await rig.post(strategy_info__trade_id=f"t{n}")).signal_id for n in range(3)]
        await stage.told("gateway", SignalOutcome(ids[1], "opened"))
        rig.pool.clear()
        await stage.told("gateway", RetellSignals("/house/other"))
        assert rig.pool == []
        await stage.told("gateway", RetellSignals("/house/pool"))
        assert rig.routed() == [ids[0], ids[2]]

    play(script)


async def _history(stage: Stage) -> None:
    """Live through every kind of event a gateway writes."""
    from actors.gateway import Rhythm
    from actors.gateway_judge import pool_topic
    from protocol.pool import PoolIdentities

    rig = GatewayRig(stage, rhythms=(Rhythm(60),))
    stage.system.bus.publish(pool_topic("acc"), PoolIdentities("acc", (), (), True), keep=True)
    first = (await rig.post(tv__prev_market_position="long")).signal_id
    await rig.post(secret="wrong-horse-battery")
    await stage.told("gateway", SignalOutcome(first, "opened"))
    key = stage.events(PATH, IncidentRaised)[0].subject
    stage.system.bus.publish(pool_topic("acc"), PoolIdentities("acc", (key,), (), True), keep=True)
    await rig.post(
        strategy_info__trade_id="two",
        tv__bar_time="2023-11-14T22:00:00Z",
        tv__prev_market_position="long",
        tv__prev_market_position_size="2.5",
    )
    await stage.passes(61)
    await rig.inject(price=D(5), trade_id="three")
    await rig.post(tv__action="hold")
    await replay(stage, first, mode=ReplayMode.LIVE, confirm="BTC/USDT")


def test_a_journal_cut_after_every_event_hands_over_what_is_open() -> None:
    """Ended after any of its events and begun again, the gateway knows the same and hands over what has no outcome."""
    whole = FailingJournal()
    play(_history, journal=whole)
    records = list(whole.read(PATH))
    assert len({type(each.event).__name__ for each in records}) >= 5
    for cut in range(1, len(records) + 1):
        journal = MemoryJournal()
        journal.append([Entry(PATH, r.seq, r.event, r.at, r.message_id, r.correlation_id, 0) for r in records[:cut]])
        expected: list[str] = []
        for record in records[:cut]:
            event: Any = record.event
            if getattr(event, "outcome", "") == "accepted":
                expected.append(event.signal_id)
            if isinstance(event, SignalRouted):
                expected.remove(event.signal_id)

        async def again(stage: Stage, expected: list[str] = expected, cut: int = cut) -> None:
            rig = GatewayRig(stage)
            await stage.settle()
            assert rig.routed() == expected
            answer = await rig.post(strategy_info__trade_id="after", tv__symbol="ETHUSDT")
            assert answer.signal_id == f"s{cut + 1:08d}"
            for ident in expected:
                await stage.told("gateway", SignalOutcome(ident, "opened"))
            await stage.crash("gateway")
            assert rig.routed()[len(expected) :] == [answer.signal_id] * 2

        play(again, journal=journal, start=START + 3_600 * S)
