"""Two daemons on one database, one exchange outside of both: whatever happens to the one that trades, the other goes on.

The old one may be dead, asleep for longer than its lease (the hard case: it wakes with orders in its hands), cut off from
the database, or on a host whose cable was pulled out. No order is doubled, none is lost, and what wakes can neither
journal nor send.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from protocol.event_log import OperatorActed
from tests.servers.cut_line import CutLine
from tests.servers.netns import Host, a_host
from tests.servers.postgres import postgres_url, shared_server, until
from tests.servers.practice import Practice, practising
from tests.system.takeover import LEASE_S, Books, Node, alerts, books_of, post_all

pytestmark = pytest.mark.slow(seconds=40)
__all__ = ["postgres_url"]

WITHIN_S = 60.0
BURST = 12


class Pair(NamedTuple):
    """The daemon that trades, the one that stands by, the exchange, and the first one's line to the database."""

    first: Node
    second: Node
    practice: Practice
    line: CutLine
    host: Host | None = None
    """The host of the first, where it has one of its own."""


@pytest.fixture
def pair(tmp_path: Path, postgres_url: str) -> Iterator[Pair]:
    """Have both on this machine."""
    with two_daemons(tmp_path, postgres_url, None) as made:
        yield made


@pytest.fixture
def pair_of_hosts(tmp_path: Path, postgres_url: str) -> Iterator[Pair]:
    """Have the first on a host of its own, with one cable to the database, the exchange and whoever sends alerts."""
    with a_host() as host, two_daemons(tmp_path, postgres_url, host) as made:
        yield made


@contextmanager
def two_daemons(tmp_path: Path, postgres_url: str, host: Host | None) -> Iterator[Pair]:
    """Start both, one after the other."""
    here = host.outside if host is not None else "127.0.0.1"
    line = CutLine(shared_server().socket, host=here)
    database = f"postgresql://postgres@{here}:{line.port}{urlsplit(postgres_url).path}"
    with practising(here) as practice:
        first = Node(tmp_path / "a", database=database, exchange=practice.url, host=host)
        second = Node(tmp_path / "b", database=postgres_url, exchange=practice.url)
        try:
            first.launch()
            first.await_ready()
            second.launch()
            until(lambda: "standing by" in second.log_text(), WITHIN_S)
            yield Pair(first, second, practice, line, host)
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
def test_the_other_takes_over(pair: Pair, fault: str, record_property: Callable[[str, object], None]) -> None:
    """Orders of a burst are under way when it happens: in the end each leg has one order, and both sides know the same."""
    take_over(pair, fault, record_property)


def test_a_host_that_is_partitioned_is_taken_over(
    pair_of_hosts: Pair, record_property: Callable[[str, object], None]
) -> None:
    """The cable of the first is pulled out and plugged in again: what TCP still delivers then doubles nothing."""
    take_over(pair_of_hosts, "partitioned", record_property)


def take_over(pair: Pair, fault: str, record_property: Callable[[str, object], None]) -> None:
    """Let it happen in the middle of a burst of alerts, and look at both sides' books after it and after its end."""
    first, second, practice, line, host = pair
    url = first.webhook
    assert post_all(url, alerts(6)) == []
    said = first.client.post("/v1/resume", {}, request_id="r-1")
    burst = alerts(BURST, first=6)
    missed = post_all(url, burst[: BURST // 2])
    _strike(fault, first, line, host)
    struck = time.monotonic()
    missed += post_all(url, burst[BURST // 2 :]) if fault not in ("asleep", "partitioned") else burst[BURST // 2 :]
    taken_after = second.await_ready() - struck
    assert second.client.post("/v1/resume", {}, request_id="r-1") == said
    assert post_all(second.webhook, missed) == []
    books = in_order(second, practice, legs=(6 + BURST) * 5)
    before = len(practice.history())
    _wake(fault, first, line, host)
    assert books_of(second, practice).balance
    assert post_all(second.webhook, alerts(3, first=6 + BURST)) == []
    books = in_order(second, practice, legs=(9 + BURST) * 5)
    assert len(practice.history()) > before
    acted = [each.event for each in second.records() if isinstance(each.event, OperatorActed)]
    assert [each.command for each in acted] == ["POST /v1/resume"], "sent again to the other one, and done once"
    record_property("takeover_s", round(taken_after, 1))
    record_property("legs", books.legs)
    limit = 5.0 if fault == "told to stop" else LEASE_S
    assert taken_after < limit + 20.0


def _strike(fault: str, first: Node, line: CutLine, host: Host | None) -> None:
    match fault:
        case "kill -9":
            first.process.kill()
            first.process.wait()
        case "asleep":
            first.process.send_signal(signal.SIGSTOP)
        case "cut off":
            line.down = True
            line.cut()
        case "partitioned":
            assert host is not None
            host.pull_out()
        case _:
            first.process.terminate()


def _wake(fault: str, first: Node, line: CutLine, host: Host | None) -> None:
    """Let the old one go on, and wait until it has found out that it has no say any more."""
    match fault:
        case "asleep":
            first.process.send_signal(signal.SIGCONT)
            until(lambda: "this one stands by" in first.log_text(), WITHIN_S)
        case "cut off":
            until(lambda: "this one stands by" in first.log_text(), WITHIN_S)
            line.down = False
        case "partitioned":
            assert host is not None
            host.plug_in()
            until(lambda: "this one stands by" in first.log_text(), WITHIN_S)
        case "told to stop":
            assert first.process.wait(WITHIN_S) == 0
