"""The approval desk: entries wait for a word, the first answer counts, exits never wait, restarts change nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from actors.approvals import ApprovalDesk, ApprovalSettings
from actors.gateway_handing import handed_to
from actors.gateway_settings import GatewaySettings, HeldEntries
from protocol.approvals import (
    APPROVAL_DESK,
    AnswerApproval,
    ApprovalAnswer,
    ApprovalEnded,
    ApprovalPrompt,
    HoldEntry,
    ListApprovals,
    WithdrawHeld,
)
from protocol.signals import EntryRequest, ExitRequest, Signal, SignalKind, SignalOutcome, SignalSource
from protocol.values import Side
from tests.actors.cast import START, FailingJournal, Stage, kinds, of, play

PATH = "/house/desk"


def signal(name: str, **more: Any) -> Signal:
    """Return an entry."""
    given: dict[str, Any] = {
        "signal_id": name,
        "user": "u",
        "source": SignalSource.TRADINGVIEW,
        "received_at": START,
        "fired_at": START,
        "venue": "binance",
        "symbol": "BTC/USDT",
        "timeframe": "1h",
        "kind": SignalKind.ENTRY,
        "side": Side.LONG,
        "entry_price": Decimal(100),
        "trade_id": name,
        **more,
    }
    return Signal(**given)


def add(stage: Stage, timeout_s: float = 300.0) -> tuple[list[Any], list[Any]]:
    """Start the desk between a pool and a gateway; return what these hear."""
    pool, gateway = stage.probe("pool"), stage.probe("gateway")
    stage.add("desk", lambda: ApprovalDesk(ApprovalSettings(timeout_s), "/house/gateway"))
    return pool, gateway


def hold(name: str, **more: Any) -> HoldEntry:
    return HoldEntry(signal(name, **more), "main", "/house/pool")


async def waiting(stage: Stage) -> tuple[ApprovalPrompt, ...]:
    found: tuple[ApprovalPrompt, ...] = (await stage.ask("desk", ListApprovals())).prompts
    return found


async def answer(stage: Stage, prompt: ApprovalPrompt, *, approve: bool = True, **more: Any) -> ApprovalAnswer:
    given = {"version": prompt.version, "token": prompt.token, **more}
    said: ApprovalAnswer = await stage.ask(
        "desk", AnswerApproval(prompt_id=prompt.prompt_id, approve=approve, by="ann", **given)
    )
    return said


@pytest.mark.parametrize("approve", [True, False])
def test_nothing_is_routed_before_the_word(approve: bool) -> None:
    """DK-152: an entry waits; approved it goes to its pool, rejected the gateway hears why, each once."""

    async def script(stage: Stage) -> None:
        pool, gateway = add(stage)
        await stage.told("desk", hold("s1"), hold("s1"))
        (prompt,) = await waiting(stage)
        assert pool == gateway == []
        assert (await answer(stage, prompt, approve=approve)).code == ""
        assert (await answer(stage, prompt, approve=not approve)).code == "NotFound"
        assert kinds(pool) == (["EntryRequest"] if approve else [])
        assert [each.outcome for each in of(gateway, SignalOutcome)] == (
            [] if approve else ["rejected:ApprovalRefused"]
        )

    play(script)


def test_a_stale_tap_changes_nothing() -> None:
    """DK-155: another token or version is refused, what waits goes on waiting."""

    async def script(stage: Stage) -> None:
        pool, gateway = add(stage)
        await stage.told("desk", hold("s1"))
        (prompt,) = await waiting(stage)
        assert (await answer(stage, prompt, token="other")).code == "StaleApproval"
        assert (await answer(stage, prompt, version=2)).code == "StaleApproval"
        assert pool == gateway == []
        assert await waiting(stage) == (prompt,)

    play(script)


def test_without_an_answer_it_is_refused_in_time_also_over_a_restart() -> None:
    """DK-158: a prompt outlives crash and restart, its time goes on meanwhile, and then it is refused."""
    journal = FailingJournal()

    async def first(stage: Stage) -> None:
        add(stage)
        await stage.told("desk", hold("s1"))
        before = await waiting(stage)
        await stage.crash("desk")
        assert await waiting(stage) == before

    async def second(stage: Stage) -> None:
        _, gateway = add(stage)
        await stage.passes(1)
        assert len(await waiting(stage)) == 1
        await stage.passes(200)
        assert [each.outcome for each in of(gateway, SignalOutcome)] == ["rejected:ApprovalTimeout"]

    play(first, journal=journal)
    play(second, journal=journal, start=START + 150 * 10**9)


def test_a_newer_entry_takes_the_place_of_an_older_one() -> None:
    """EX-911: of one identity only the newest entry waits; another identity is another prompt."""

    async def script(stage: Stage) -> None:
        pool, gateway = add(stage)
        await stage.told("desk", hold("s1"), hold("s2"), hold("s3", symbol="ETH/USDT"))
        assert [each.prompt_id for each in await waiting(stage)] == ["a2", "a3"]
        assert [(each.signal_id, each.outcome) for each in of(gateway, SignalOutcome)] == [
            ("s1", "rejected:ApprovalSuperseded")
        ]
        await stage.told("desk", WithdrawHeld(signal("s3", symbol="ETH/USDT").group_key))
        assert [each.prompt_id for each in await waiting(stage)] == ["a2"]
        assert of(gateway, SignalOutcome)[-1].outcome == "rejected:ApprovalWithdrawn"
        assert pool == []

    play(script)


def test_what_was_decided_is_told_again_to_who_asks_again() -> None:
    """EX-253: a gateway that hands over again after a crash hears the same end; an approved entry goes to its pool again."""

    async def script(stage: Stage) -> None:
        pool, gateway = add(stage)
        await stage.told("desk", hold("s1"))
        await answer(stage, (await waiting(stage))[0])
        await stage.told("desk", hold("s2"))
        await answer(stage, (await waiting(stage))[0], approve=False)
        await stage.crash("desk")
        await stage.told("desk", hold("s1"), hold("s2"))
        assert [each.signal.signal_id for each in of(pool, EntryRequest)] == ["s1", "s1"]
        assert [each.signal_id for each in of(gateway, SignalOutcome)] == ["s2", "s2"]
        assert len(stage.events(PATH, ApprovalEnded)) == 2

    play(script)


def test_only_entries_wait() -> None:
    """Exits go to the pool at once and take back what waits; a reversal closes at once, and what it opens waits."""
    settings = GatewaySettings("u", {}, held=HeldEntries(("main",), ("trend",)))

    def told(**more: Any) -> list[tuple[str, str]]:
        given = signal("s1", **{"alert_name": "trend", **more})
        return [(path, type(message).__name__) for path, message in handed_to(settings, "main", "pool", given)]

    assert told() == [(APPROVAL_DESK, "HoldEntry")]
    assert told(alert_name="other") == [("pool", "EntryRequest")]
    assert told(kind=SignalKind.EXIT, fraction=Decimal(1)) == [("pool", "ExitRequest"), (APPROVAL_DESK, "WithdrawHeld")]
    assert told(kind=SignalKind.REDUCE, fraction=Decimal("0.5")) == [("pool", "ReduceRequest")]
    turned = handed_to(settings, "main", "pool", signal("s1", alert_name="trend", kind=SignalKind.REVERSE))
    assert [type(message).__name__ for _, message in turned] == ["ExitRequest", "WithdrawHeld", "HoldEntry"]
    closing = turned[0][1]
    assert isinstance(closing, ExitRequest)
    assert closing.group_key.endswith("|short")
    free = GatewaySettings("u", {})
    assert [type(m).__name__ for _, m in handed_to(free, "main", "pool", signal("s1"))] == ["EntryRequest"]
