"""Killed without warning at random moments and started again, a run ends where the uninterrupted one ends."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from protocol.orders import OrderSent
from protocol.paper import PaperOrderAccepted
from runtime.journal import Record
from store.opening import open_reader
from tests.system.accounts import cash_by_group, check_no_order_twice, last_states, trades_of
from tests.system.recorded import need_data

pytestmark = pytest.mark.slow(seconds=100)

KILLS = 50
ENOUGH = 16
"""Commits in which a life has certainly brought its open orders to the venue."""
ROOT = Path(__file__).resolve().parents[2]


class Nursery:
    """Starts lives of the child."""

    def __init__(self, errors: Path) -> None:
        self._errors = errors
        command = [sys.executable, "-m", "tests.system.kill_child"]
        pipe = subprocess.PIPE
        with errors.open("w") as written:
            self._process = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=written, text=True)

    def life(self, folder: Path, kind: str, amount: int) -> bool:
        """Run one life; return whether it came to the recording's end, and fail unless it did or was killed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(kind, amount, folder, file=self._process.stdin, flush=True)
        ended = self._process.stdout.readline().strip()
        assert ended in ("0", str(-signal.SIGKILL)), self._errors.read_text()[-2000:]
        return ended == "0"

    def close(self) -> None:
        """Have it end."""
        self._process.communicate(timeout=60)


def records_of(folder: Path) -> list[Record]:
    """Read the journal that the child left."""
    reader = open_reader(folder / "journal.db")
    try:
        reader.verify()
        return list(reader.read_all())
    finally:
        reader.close()


def lost_twice(records: list[Record]) -> bool:
    """Whether an order has twice not reached the venue: a third time would be its end (EX-426)."""
    accepted = {each.event.request.client_order_id for each in records if isinstance(each.event, PaperOrderAccepted)}
    sent = [each.event for each in records if isinstance(each.event, OrderSent)]
    newest = {(order.group_id, order.leg_id, order.purpose): order for order in sent}
    return any(order.attempt >= 2 and order.request.client_order_id not in accepted for order in newest.values())


def deaths(torn: Path, nursery: Nursery, seed: int) -> int:
    """Run and kill until the run has come to its end; return how often it was killed."""
    rng = random.Random(seed)
    for kills in range(KILLS):
        kind = rng.choice(("before", "after", "before", "after", "time"))
        amount = rng.randint(1, 16) if kind != "time" else rng.randint(5, 40)
        if kills and lost_twice(records_of(torn)):
            kind, amount = "after", ENOUGH
        if nursery.life(torn, kind, amount):
            return kills
    assert nursery.life(torn, "never", 0)
    return KILLS


@pytest.fixture
def nursery(tmp_path: Path) -> Iterator[Nursery]:
    """Return a nursery that ends with the test."""
    nursery = Nursery(tmp_path / "errors")
    yield nursery
    nursery.close()


def test_fifty_kills_change_nothing(tmp_path: Path, nursery: Nursery) -> None:
    """EX-426, EX-1204: no order is sent twice, none is lost, and every fill equals that of the uninterrupted run."""
    need_data()
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    whole.mkdir()
    torn.mkdir()
    assert nursery.life(whole, "never", 0)
    assert deaths(torn, nursery, 20) == KILLS

    before, after = records_of(whole), records_of(torn)
    check_no_order_twice(after)
    assert trades_of(after) == trades_of(before)
    assert cash_by_group(after) == cash_by_group(before)
    unfinished = set(last_states(after).values()) - {"filled", "cancelled", "rejected", "open"}
    assert not unfinished, "an order was forgotten"
    lost = [key for key, state in last_states(after).items() if state == "rejected"]
    resent = {key[:-3] for key in last_states(after)} if lost else set()
    assert all(key[:-3] in resent for key in lost)
