"""Sources of alerts: close to TradingView's limit, silent for too long, out of step with our positions."""

from __future__ import annotations

from typing import Any

import pytest

from actors.gateway import Rhythm
from actors.topics import pool_topic
from protocol.groups import GroupState
from protocol.incidents import ClearIncident, IncidentCleared, IncidentList, IncidentRaised, ListIncidents, Severity
from protocol.pool import PoolIdentities
from tests.actors.cast import START, FailingJournal, S, Stage, play
from tests.actors.gateway_rig import PATH, GatewayRig
from tests.actors.groups import Standing, group_fact

SOURCE = "ann|BTC Long Entry|BTC/USDT|15m"
KEY = "ann|paper|BTC/USDT|15m|long"
OUT = {"execution_intent__type": "exit", "execution_intent__side": None, "tv__action": "sell"}
# No position before: these tests are not about missed signals.
QUIET: dict[str, Any] = {"tv__prev_market_position": None, "tv__prev_market_position_size": None}


def raised(stage: Stage, kind: str) -> list[IncidentRaised]:
    return [each for each in stage.events(PATH, IncidentRaised) if each.kind == kind]


async def many(rig: GatewayRig, count: int, *, gap_s: float = 0.0, **changes: Any) -> None:
    for n in range(count):
        ident = f"{rig.stage.now}-{n}-{len(rig.received())}"
        answer = await rig.post(strategy_info__trade_id=ident, **QUIET, **changes)
        assert answer.outcome == "accepted"
        await rig.stage.passes(gap_s)


# --- near the limit -----------------------------------------------------------------------------------------------------


def test_fourteen_alerts_in_three_minutes_are_a_warning() -> None:
    """The 14th of one source within 3 minutes raises AlertsNearLimit, once; 3 quiet minutes end it (section 4)."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage)
        await many(rig, 13, gap_s=12)
        assert raised(stage, "AlertsNearLimit") == []
        await many(rig, 4)
        (incident,) = raised(stage, "AlertsNearLimit")
        assert (incident.subject, incident.severity) == (SOURCE, Severity.WARNING)
        assert "15 times in 3 minutes" in incident.text
        await stage.passes(179)
        assert stage.events(PATH, IncidentCleared) == []
        await stage.passes(2)
        assert [each.kind for each in stage.events(PATH, IncidentCleared)] == ["AlertsNearLimit"]

    play(script)


def test_other_sources_and_slow_ones_are_no_warning() -> None:
    """14 alerts of two sources, or of one over a longer time, are ordinary; resends do not count."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage)
        await many(rig, 10)
        await many(rig, 10, strategy_info__alert_name="other")
        await many(rig, 20, gap_s=14, strategy_info__alert_name="slow")
        body = rig.body(strategy_info__alert_name="again", **QUIET)
        for _ in range(15):
            await rig.post(body)
        assert raised(stage, "AlertsNearLimit") == []

    play(script)


# --- silence ------------------------------------------------------------------------------------------------------------


def test_silence_beyond_the_rhythm_is_an_incident() -> None:
    """A source that is silent beyond its rhythm raises SourceSilent at that very instant; its next word ends it."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage, rhythms=(Rhythm(3_600, alert_name="BTC Long Entry"),))
        await many(rig, 1)
        await stage.passes(3_599)
        assert raised(stage, "SourceSilent") == []
        await stage.passes(1)
        (incident,) = raised(stage, "SourceSilent")
        assert (incident.subject, incident.severity) == (SOURCE, Severity.ERROR)
        assert incident.at == START + 3_600 * S
        assert "DEGRADED" in incident.text
        await many(rig, 1)
        assert [each.kind for each in stage.events(PATH, IncidentCleared)] == ["SourceSilent"]
        await stage.passes(3_600)
        assert len(raised(stage, "SourceSilent")) == 2

    play(script)


def test_a_silence_may_keep_back_entries_but_never_exits() -> None:
    """With block_entries the silent source's entries are refused (SourceSilent) until an operator resumes it."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage, rhythms=(Rhythm(600, block_entries=True),))
        await many(rig, 1)
        await stage.passes(600)
        answer = await rig.post(strategy_info__trade_id="late", **QUIET)
        assert (answer.status, answer.outcome) == (422, "SourceSilent")
        assert f"bulkhead signal resume '{SOURCE}'" in answer.problems[0].message
        assert (await rig.post(strategy_info__trade_id="out", **{**QUIET, **OUT})).outcome == "accepted"
        left = await stage.ask("gateway", ClearIncident("SourceSilent", SOURCE, "ann"))
        assert left == IncidentList()
        await many(rig, 1)

    play(script)


def test_a_silence_while_we_were_away_counts_from_our_start() -> None:
    """While the house was down nobody could be heard: silence counts from the later of last word and start."""
    journal = FailingJournal()
    rhythm = (Rhythm(3_600),)

    async def first(stage: Stage) -> None:
        await many(GatewayRig(stage, rhythms=rhythm), 1)

    async def second(stage: Stage) -> None:
        GatewayRig(stage, rhythms=rhythm)
        await stage.passes(3_599)
        assert raised(stage, "SourceSilent") == []
        await stage.passes(2)
        assert len(raised(stage, "SourceSilent")) == 1

    async def third(stage: Stage) -> None:
        GatewayRig(stage, rhythms=rhythm)
        await stage.passes(7_200)
        assert len(raised(stage, "SourceSilent")) == 1
        assert len((await stage.ask("gateway", ListIncidents("SourceSilent"))).incidents) == 1

    play(first, journal=journal)
    play(second, journal=journal, start=START + 86_400 * S)
    play(third, journal=journal, start=START + 2 * 86_400 * S)


# --- missed signals -----------------------------------------------------------------------------------------------------


def hold(stage: Stage, *keys: str) -> None:
    """Have the pool say which identities are live."""
    stage.system.bus.publish(pool_topic("acc"), PoolIdentities("acc", keys, (), True), keep=True)


@pytest.mark.parametrize(
    ("held", "before", "changes", "says", "proposal"),
    [
        (False, "long", {}, "an entry was missed; this signal opens one", ""),
        (
            True,
            "flat",
            {},
            "an exit was missed",
            "bulkhead signal exit BTC/USDT --side long --timeframe 15m --venue paper",
        ),
        (
            False,
            "long",
            {
                "tv__action": "sell",
                "execution_intent__side": None,
                "tv__market_position_size": "2",
                "tv__prev_market_position_size": "5",
            },
            "an entry was missed",
            "bulkhead signal entry BTC/USDT --side long --timeframe 15m --venue paper --size 2 --size-type base",
        ),
    ],
)
def test_a_position_that_disagrees_is_a_missed_signal(
    held: bool, before: str, changes: dict[str, Any], says: str, proposal: str
) -> None:
    """When the sender's position before is not ours SignalMissed says so and proposes; nothing is traded on it (7.1)."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage)
        hold(stage, *([KEY] if held else []))
        assert (await rig.post(tv__prev_market_position=before, **changes)).outcome == "accepted"
        (incident,) = raised(stage, "SignalMissed")
        assert incident.subject == KEY
        assert says in incident.text
        assert incident.proposal == proposal
        assert len(rig.pool) == 1
        assert (await stage.ask("gateway", ListIncidents("SignalMissed"))).incidents == (incident,)

    play(script)


@pytest.mark.parametrize(("held", "before"), [(True, "long"), (False, "flat"), (False, "short"), (True, None)])
def test_positions_that_agree_are_no_incident(held: bool, before: str | None) -> None:
    """In step, on the other side, or not said: nothing is missed."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage)
        hold(stage, *([KEY] if held else []))
        await rig.post(tv__prev_market_position=before)
        assert raised(stage, "SignalMissed") == []

    play(script)


def test_a_group_that_closes_is_no_missed_exit_in_a_later_life() -> None:
    """A group that closes by itself is neither held nor gone: a new life of the gateway asks for it and says nothing."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage)
        hold(stage, KEY)
        closing = group_fact(key=KEY, state=GroupState.CLOSING)
        stage.add("closing", lambda: Standing(lambda: closing))
        await stage.crash("gateway")
        await rig.post(tv__prev_market_position="flat")
        assert raised(stage, "SignalMissed") == []

    play(script)


def test_a_position_that_we_closed_ourselves_is_no_missed_signal() -> None:
    """A target, an offset or an operator may end a group before the strategy does: its alerts follow on one another."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage)
        hold(stage)
        await rig.post(strategy_info__trade_id="a")
        further = {"tv__prev_market_position": "long", "tv__prev_market_position_size": "2.5"}
        await rig.post(**further, tv__market_position_size="5", strategy_info__trade_id="b")
        assert raised(stage, "SignalMissed") == []

    play(script)


def test_a_gap_between_two_alerts_is_a_missed_signal() -> None:
    """An alert that does not begin where the one before it ended says that one between them never came; sizes count."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage)
        hold(stage, KEY)
        sized = {"tv__market_position": "long", "tv__prev_market_position": "long"}
        await rig.post(
            **sized, tv__prev_market_position_size="1", tv__market_position_size="2", strategy_info__trade_id="a"
        )
        assert raised(stage, "SignalMissed") == []
        await rig.post(
            **sized, tv__prev_market_position_size="3", tv__market_position_size="4", strategy_info__trade_id="b"
        )
        (incident,) = raised(stage, "SignalMissed")
        assert "left the strategy long 2, this one says long 3" in incident.text

    play(script)


def test_what_is_not_known_is_not_missed() -> None:
    """Before the pool has said what is live nothing is claimed."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage)
        await rig.post(tv__prev_market_position="long")
        assert raised(stage, "SignalMissed") == []

    play(script)


def test_the_next_signal_in_step_ends_it() -> None:
    """A missed signal stands once, and is over when sender and house agree again."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage)
        hold(stage)
        for ident in ("a", "b"):
            await rig.post(tv__prev_market_position="long", strategy_info__trade_id=ident)
        assert len(raised(stage, "SignalMissed")) == 1
        hold(stage, KEY)
        await rig.post(
            tv__prev_market_position="long", tv__prev_market_position_size="2.5", strategy_info__trade_id="c"
        )
        assert [each.kind for each in stage.events(PATH, IncidentCleared)] == ["SignalMissed"]

    play(script)


def test_names_that_never_come_again_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sender that names each alert anew fills neither memory nor snapshot: the newest sources are kept."""
    from actors import gateway_memory, gateway_watch

    monkeypatch.setattr(gateway_memory, "_MOST_SOURCES", 5)
    monkeypatch.setattr(gateway_watch, "_MOST_COUNTED", 5)

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage)
        for n in range(20):
            await many(rig, 1, strategy_info__alert_name=f"name {n}", tv__bar_time="2023-11-14T22:00:00Z")
        gateway = stage.actor("gateway")
        assert list(gateway._state.heard) == list(gateway._state.bars)
        assert [key.split("|")[1] for key in gateway._state.heard] == [f"name {n}" for n in range(15, 20)]
        assert len(gateway._watch._times) <= 6

    play(script)


def test_a_snapshot_keeps_incidents_and_what_is_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rebuilt from a snapshot, the gateway knows incidents, pending signals and sources as from its events."""
    from actors.gateway import Gateway

    monkeypatch.setattr(Gateway, "SNAPSHOT_EVERY", 1)
    journal = FailingJournal()

    async def first(stage: Stage) -> None:
        rig = GatewayRig(stage, rhythms=(Rhythm(60),))
        hold(stage)
        await rig.post(tv__prev_market_position="long", tv__bar_time="2023-11-14T22:00:00Z")
        await stage.passes(61)

    async def second(stage: Stage) -> None:
        rig = GatewayRig(stage, rhythms=(Rhythm(60),))
        await stage.settle()
        assert rig.routed() == ["s00000001"]
        kinds = [each.kind for each in (await stage.ask("gateway", ListIncidents())).incidents]
        assert kinds == ["SignalMissed", "SourceSilent"]
        state = stage.actor("gateway")._state
        assert (list(state.heard), list(state.bars)) == ([SOURCE], [SOURCE])

    play(first, journal=journal)
    snapshot = journal.load_snapshot(PATH)
    assert snapshot is not None
    assert snapshot.seq == 2  # a large state is written the less often: the silence comes from the events after it
    play(second, journal=journal, start=START + 3_600 * S)
