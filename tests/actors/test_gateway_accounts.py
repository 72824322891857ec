"""Which accounts a signal goes to, and what the gateway knows of their pools."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from actors.gateway import Rhythm, Route
from actors.topics import pool_topic
from protocol.configuration import ApplySettings, SettingsTaken
from protocol.pool import PoolIdentities
from protocol.signals import SignalOutcome, SignalRouted
from tests.actors.cast import Stage, play
from tests.actors.gateway_rig import PATH, GatewayRig

PAPER = Route("acc", "/house/pool", "/house/prices")


LIVE = Route("real", "/house/real", "/house/prices", paper=False)


def test_one_signal_for_several_accounts() -> None:
    """Each account that trades the venue gets the signal under a name of its own, and each outcome is kept."""

    async def script(stage: Stage) -> None:
        real: list[Any] = stage.probe("real")
        rig = GatewayRig(stage, routes={"paper": (PAPER, LIVE)})
        answer = await rig.post()
        assert rig.routed() == [answer.signal_id]
        assert [each.signal.signal_id for each in real] == [f"{answer.signal_id}-real"]
        await stage.told("gateway", SignalOutcome(f"{answer.signal_id}-real", "queued"))
        await stage.crash("gateway")
        assert (len(rig.routed()), len(real)) == (2, 1)
        await stage.told("gateway", SignalOutcome(answer.signal_id, "opened"))
        outcomes = [(each.signal_id, each.account, each.outcome) for each in stage.events(PATH, SignalRouted)]
        assert outcomes == [(answer.signal_id, "real", "queued"), (answer.signal_id, "acc", "opened")]

    play(script)


def test_accounts_may_take_some_strategies_only() -> None:
    """An account that names strategies gets theirs alone; what no account takes is refused (NoAccountForSignal)."""

    async def script(stage: Stage) -> None:
        real: list[Any] = stage.probe("real")
        picky = Route("real", "/house/real", "/house/prices", paper=False, labels=("BTC Long Entry",))
        rig = GatewayRig(stage, routes={"paper": (picky,)})
        assert (await rig.post()).outcome == "accepted"
        answer = await rig.post(strategy_info__alert_name="other", strategy_info__trade_id="o")
        assert (answer.status, answer.outcome) == (422, "NoAccountForSignal")
        assert "signals" in answer.problems[0].message
        assert len(real) == 1

    play(script)


@pytest.mark.parametrize(
    ("live", "queued", "replaces", "outcome"),
    [
        (False, True, True, "replacement"),
        (False, True, False, "duplicate_ignored"),
        (True, False, True, "duplicate_ignored"),
        (False, False, True, "duplicate_ignored"),
    ],
)
def test_a_near_duplicate_of_a_queued_entry(live: bool, queued: bool, replaces: bool, outcome: str) -> None:
    """A near duplicate is ignored while its identity is live or unknown, and replaces a queued entry (EX-241)."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage)
        key = "ann|paper|BTC/USDT|15m|long"
        said = PoolIdentities("acc", (key,) if live else (), (key,) if queued else (), replaces)
        stage.system.bus.publish(pool_topic("acc"), said, keep=True)
        body = {"tv__prev_market_position": None}
        assert (await rig.post(**body)).outcome == "accepted"
        await stage.passes(1)
        assert (await rig.post(**body)).outcome == outcome

    play(script)


def test_settings_change_while_it_runs() -> None:
    """New settings count from the next message on; memory and what is under way stay (EX-1307)."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage)
        body = rig.body()
        await rig.post(body)
        changed = replace(rig.settings, allowlist=("10.0.0.0/8",), max_age_s=5, rhythms=(Rhythm(3_600),))
        assert await stage.ask("gateway", ApplySettings(2, changed)) == SettingsTaken(2)
        assert await rig.outcome(address="8.8.8.8") == (403, "SourceNotAllowed")
        assert await rig.outcome(age_s=6) == (422, "StaleSignal")
        assert await rig.outcome(body) == (200, "duplicate_ignored")

    play(script)
