"""One seed, one run: in every process, for every interleaving the same trades, months of them in seconds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from actors.sender import Alert
from runtime.memory_journal import MemoryJournal
from service.config import Config
from service.replaying import ReplayResult, run_replay
from tests.house.sources import ROOT
from tests.system.accounts import check_no_order_twice, trades_of
from tests.system.recorded import FIVE_MINUTES, SECRETS, alerts_for, configured, need_data

pytestmark = pytest.mark.slow(seconds=35)

DAY = 86_400_000_000_000
SPAN = 40 * DAY
"""How much of the recording the comparing runs replay."""


def eventful(folder: Path) -> Config:
    """Return a configuration in which orders take time, fill in parts, cost spread and slip: all that chance may touch."""
    config = configured(FIVE_MINUTES, data_dir=folder, latency_ms=150)
    change = {"jitter_ms": 400, "smallest_share": config.accounts[0].smallest_share / 3}
    return msgspec.structs.replace(config, accounts=(msgspec.structs.replace(config.accounts[0], **change),))


def run(folder: Path, seed: int | None, *, span: int = SPAN) -> tuple[ReplayResult, MemoryJournal]:
    """Replay a part of the recording with its alerts, which do not travel over HTTP: nothing of this machine is in it."""
    need_data()
    alerts: list[Alert] = alerts_for(FIVE_MINUTES, each=60)
    journal = MemoryJournal()
    until = alerts[0].at + span
    due = [alert for alert in alerts if alert.at < until]
    return run_replay(eventful(folder), alerts=due, secrets=SECRETS, journal=journal, until=until, seed=seed), journal


def test_one_seed_is_one_journal_in_every_process(tmp_path: Path) -> None:
    """The same seed gives the same journal, byte for byte, in processes that hash differently."""
    need_data()
    found = []
    for hash_seed in ("1", "2", "random"):
        command = [sys.executable, "-m", "tests.system.test_determinism", str(tmp_path), "5"]
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        out = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True, timeout=120).stdout
        found.append(json.loads(out))
    assert found[0] == found[1] == found[2]
    assert found[0]["orders"] > 100


def test_every_interleaving_trades_the_same(tmp_path: Path) -> None:
    """Whoever is served first, as the seed draws it, every fill is the same; the journals differ, so the seeds did."""
    plain, journal = run(tmp_path, None)
    trades = trades_of(journal.read_all())
    assert len(trades) > 100
    check_no_order_twice(journal.read_all())
    digests = {plain.digest}
    for seed in range(1, 6):
        result, other = run(tmp_path, seed)
        assert trades_of(other.read_all()) == trades, f"seed {seed} trades otherwise"
        check_no_order_twice(other.read_all())
        digests.add(result.digest)
    assert len(digests) == 6


def test_eight_months_take_seconds(tmp_path: Path) -> None:
    """Eight months of three coins run through the whole house tens of thousands of times as fast as they happened."""
    result, journal = run(tmp_path, 3, span=250 * DAY)
    span_s = (result.ended_at - result.started_at) / 1e9
    speed = span_s / result.seconds
    print(f"{span_s / 86_400:.0f} days, {result.prices} prices in {result.seconds:.1f} s")  # noqa: T201
    assert span_s > 230 * 86_400
    assert result.prices > 190_000
    assert speed > 50_000
    assert result.dead_letters == 0
    assert len(result.summary.closed) > 20
    check_no_order_twice(journal.read_all())


def main(folder: Path, seed: int) -> None:
    """Print what a run came to."""
    result, journal = run(folder, seed)
    trades = trades_of(journal.read_all())
    print(json.dumps({"digest": result.digest, "events": result.events, "orders": len(trades)}))  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
