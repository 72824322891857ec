"""Two daemons on one database, one exchange outside of both: whatever happens to the one that trades, the other goes on.

The old one may be dead, asleep for longer than its lease (the hard case: it wakes with orders in its hands), or cut off from
the database. No order is doubled, none is lost, and what wakes can neither journal nor send.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from tests.servers.cut_line import CutLine
from tests.servers.postgres import postgres_url, shared_server, until
from tests.servers.practice import Practice, practising
from tests.system.takeover import LEASE_S, Books, Node, alerts, books_of, post_all

pytestmark = pytest.mark.slow
__all__ = ["postgres_url"]

WITHIN_S = 60.0
BURST = 12


class Pair(NamedTuple):
    """The daemon that trades, the one that stands by, the exchange, and the first one's line to the database."""

    first: Node
    second: Node
    practice: Practice
    line: CutLine


@pytest.fixture
def pair(tmp_path: Path, postgres_url: str) -> Iterator[Pair]:
    """Start both, one after the other."""
    line = CutLine(shared_server().socket)
    database = urlsplit(postgres_url).path
    with practising() as practice:
        first = Node(
            tmp_path / "a", database=f"postgresql://postgres@127.0.0.1:{line.port}{database}", exchange=practice.url
        )
        second = Node(tmp_path / "b", database=postgres_url, exchange=practice.url)
        try:
            first.launch()
            first.await_ready()
            second.launch()
            until(lambda: "standing by" in second.log_text(), WITHIN_S)
            yield Pair(first, second, practice, line)
        finally:
            first.end_for_good()
            second.end_for_good()
            line.close()


def in_order(node: Node, practice: Practice, legs: int) -> Books:
    """Wait until the journal and the exchange agree and every leg has its order; return what they say."""
    last: list[Books] = []

    def agree() -> bool:
        last[:] = [books_of(node, practice)]
        return last[0].balance and last[0].legs == legs

    try:
        until(agree, WITHIN_S)
    except AssertionError:
        raise AssertionError(f"{last}\n{node.log_text()[-2000:]}") from None
    return last[0]


@pytest.mark.parametrize("fault", ["kill -9", "asleep", "cut off", "told to stop"])
def test_the_other_takes_over(pair: Pair, fault: str, record_property: pytest.RecordProperty) -> None:
    """Orders of a burst are under way when it happens: in the end each leg has one order, and both sides know the same."""
    first, second, practice, line = pair
    url = first.webhook
    assert post_all(url, alerts(6)) == []
    burst = alerts(BURST, first=6)
    missed = post_all(url, burst[: BURST // 2])
    _strike(fault, first, line)
    struck = time.monotonic()
    missed += post_all(url, burst[BURST // 2 :]) if fault != "asleep" else burst[BURST // 2 :]
    taken_after = second.await_ready() - struck
    assert post_all(second.webhook, missed) == []
    books = in_order(second, practice, legs=(6 + BURST) * 5)
    before = len(practice.history())
    _wake(fault, first, line)
    assert books_of(second, practice).balance
    assert post_all(second.webhook, alerts(3, first=6 + BURST)) == []
    books = in_order(second, practice, legs=(9 + BURST) * 5)
    assert len(practice.history()) > before
    record_property("takeover_s", round(taken_after, 1))
    record_property("legs", books.legs)
    limit = 5.0 if fault == "told to stop" else LEASE_S
    assert taken_after < limit + 20.0


def _strike(fault: str, first: Node, line: CutLine) -> None:
    match fault:
        case "kill -9":
            first.process.kill()
            first.process.wait()
        case "asleep":
            first.process.send_signal(signal.SIGSTOP)
        case "cut off":
            line.down = True
            line.cut()
        case _:
            first.process.terminate()


def _wake(fault: str, first: Node, line: CutLine) -> None:
    """Let the old one go on, and wait until it has found out that it has no say any more."""
    match fault:
        case "asleep":
            first.process.send_signal(signal.SIGCONT)
            until(lambda: "this one stands by" in first.log_text(), WITHIN_S)
        case "cut off":
            until(lambda: "this one stands by" in first.log_text(), WITHIN_S)
            line.down = False
        case "told to stop":
            assert first.process.wait(WITHIN_S) == 0
