"""Recorded candles and alerts over HTTP become groups, ladders, fills, take-profits and closed trades that add up."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from protocol.groups import GroupClosed, LegFilled, TargetFilled
from runtime.memory_journal import MemoryJournal
from service.replaying import ReplayResult, run_replay
from tests.system.accounts import cash_by_group, check_no_order_twice, trades_of
from tests.system.recorded import FIVE_MINUTES, MINUTE, SECRETS, alerts_for, configured, free_port, need_data

pytestmark = pytest.mark.slow

CASES = [
    ("the 1-minute month of one perpetual", MINUTE, 60),
    ("eight 5-minute months of three coins", FIVE_MINUTES, 24),
]


def replayed(
    files: dict[str, tuple[str, str]],
    each: int,
    folder: Path,
    *,
    seed: int | None = 1,
    http: bool = True,
    port: int = 0,
) -> tuple[ReplayResult, MemoryJournal]:
    """Run the recording with its alerts; return the result and the journal."""
    need_data()
    journal = MemoryJournal()
    config = configured(files, data_dir=folder, port=port)
    alerts = alerts_for(files, each=each)
    return run_replay(config, alerts=alerts, secrets=SECRETS, journal=journal, http=http, seed=seed), journal


@pytest.mark.parametrize(("name", "files", "each"), CASES, ids=[case[0] for case in CASES])
def test_signals_become_closed_trades_whose_profit_equals_their_fills(
    name: str, files: dict[str, tuple[str, str]], each: int, tmp_path: Path
) -> None:
    """P&L of every closed group equals an independent recomputation from its fills, to the last digit."""
    result, journal = replayed(files, each, tmp_path)
    summary = result.summary
    assert summary.signals == each * len(files) >= 50, name
    assert sum(summary.outcomes.values()) == summary.signals, "every signal has an outcome"
    assert result.dead_letters == 0
    assert len(summary.closed) >= 20

    records = list(journal.read_all())
    check_no_order_twice(records)
    cash = cash_by_group(records)
    closed = {record.event.group_id: record.event for record in records if isinstance(record.event, GroupClosed)}
    for group_id, event in closed.items():
        if group_id not in cash:
            assert event.realized_quote == 0
            continue
        assert cash[group_id].left == event.dust == 0
        assert cash[group_id].realized == event.realized_quote
    fills = [record.event for record in records if isinstance(record.event, LegFilled)]
    targets = [record.event for record in records if isinstance(record.event, TargetFilled)]
    assert fills
    assert targets
    assert {event.reason.value for event in closed.values()} >= {"take_profit", "exit_signal"}
    assert result.prices > 45_000


def test_two_runs_with_one_seed_give_one_journal(tmp_path: Path) -> None:
    """The same seed gives the same journal, byte for byte; another interleaving gives the same trades."""
    port = free_port()  # the address stands in the stored headers of every alert
    first, journal = replayed(MINUTE, 60, tmp_path, seed=7, port=port)
    second, _ = replayed(MINUTE, 60, tmp_path, seed=7, port=port)
    other, other_journal = replayed(MINUTE, 60, tmp_path, seed=8, port=port)
    assert first.digest == second.digest
    assert first.digest != other.digest
    assert trades_of(journal.read_all()) == trades_of(other_journal.read_all())


def test_alerts_by_http_and_by_hand_over_trade_the_same(tmp_path: Path) -> None:
    """The door a signal comes through changes nothing about what is traded."""
    _, by_http = replayed(MINUTE, 60, tmp_path, http=True)
    _, direct = replayed(MINUTE, 60, tmp_path, http=False)
    assert trades_of(by_http.read_all()) == trades_of(direct.read_all())


def test_every_fee_is_what_the_venue_charges(tmp_path: Path) -> None:
    """Fees are the rate times the notional of each fill, and the summary counts all of them."""
    result, journal = replayed(MINUTE, 10, tmp_path)
    trades = trades_of(journal.read_all())
    for _, _, _, qty, price, fee, _ in trades:
        assert abs(fee - qty * price * Decimal("0.001")) <= Decimal("1e-12")
    assert result.summary.fees == {"USDT": sum((trade[5] for trade in trades), Decimal(0))}
