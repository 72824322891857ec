"""Killed without warning at random moments and started again, a run ends where the uninterrupted one ends."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.journal import Record
from store.opening import open_reader
from tests.system.accounts import cash_by_group, check_no_order_twice, last_states, trades_of
from tests.system.recorded import need_data

pytestmark = pytest.mark.slow

KILLS = 50
ROOT = Path(__file__).resolve().parents[2]


def life(folder: Path, kind: str, amount: int) -> subprocess.CompletedProcess[str]:
    """Run one life of the child to its end or its death."""
    command = [sys.executable, "-m", "tests.system.kill_child", str(folder), kind, str(amount)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def records_of(folder: Path) -> list[Record]:
    """Read the journal that the child left."""
    reader = open_reader(folder / "journal.db")
    try:
        reader.verify()
        return list(reader.read_all())
    finally:
        reader.close()


def test_fifty_kills_change_nothing(tmp_path: Path) -> None:
    """No order is sent twice, none is lost, and every fill equals that of the uninterrupted run."""
    need_data()
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    whole.mkdir()
    torn.mkdir()
    assert "done" in life(whole, "never", 0).stdout
    rng = random.Random(20)
    kills = 0
    while True:
        kind = rng.choice(("before", "after", "before", "after", "time"))
        amount = rng.randint(1, 16) if kind != "time" else rng.randint(5, 40)
        ended = life(torn, kind if kills < KILLS else "never", amount)
        if "done" in ended.stdout:
            break
        assert ended.returncode == -9, ended.stderr[-2000:]
        kills += 1
    assert kills == KILLS

    before, after = records_of(whole), records_of(torn)
    check_no_order_twice(after)
    assert trades_of(after) == trades_of(before)
    assert cash_by_group(after) == cash_by_group(before)
    unfinished = set(last_states(after).values()) - {"filled", "cancelled", "rejected", "open"}
    assert not unfinished, "an order was forgotten"
    lost = [key for key, state in last_states(after).items() if state == "rejected"]
    resent = {key[:-3] for key in last_states(after)} if lost else set()
    assert all(key[:-3] in resent for key in lost)
