"""A command with an id is done once, however often it is sent and whatever dies in between."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from runtime.journal import JournalUnavailable
from service.access.requests import RequestStore, State
from service.access.roles import Scope
from service.api.once import REPEATED, digest_of
from tests.house.sources import ROOT
from tests.service.access.network_rig import Network, network

ENTRY: Final = {
    "symbol": "BTC/USDT",
    "side": "long",
    "timeframe": "1h",
    "kind": "entry",
    "size": "100",
    "price": "50000",
}
NOW: Final = 1_800_000_000 * 10**9


def with_id(ident: str, **more: str) -> dict[str, Any]:
    return {"headers": {"X-Request-Id": ident, **more}}


async def signals(net: Network) -> int:
    return len((await net.rig.get("/v1/signals"))["signals"])


def test_a_command_that_is_sent_again_is_answered_and_not_done_again() -> None:
    """The same id with the same content gets the first answer; one order is placed, not two."""

    async def work(net: Network) -> None:
        token = await net.token(Scope.TRADE)
        first = await net.ask("POST", "/v1/signal?wait=10", token, json=ENTRY, **with_id("order-1"))
        assert first.body["routed"] == "opened"
        assert REPEATED not in first.headers
        for _ in range(3):
            again = await net.ask("POST", "/v1/signal?wait=10", token, json=ENTRY, **with_id("order-1"))
            assert (again.status, again.body) == (first.status, first.body)
            assert again.headers[REPEATED] == "true"
        await net.rig.until("/v1/signals", lambda said: said["signals"])
        assert await signals(net) == 1

    network(work)


def test_an_id_belongs_to_one_request_and_one_caller() -> None:
    """Under a known id other content is refused; another caller's id is another id."""

    async def work(net: Network) -> None:
        token, other = await net.token(Scope.TRADE), await net.token(Scope.TRADE, "other")
        await net.ask("POST", "/v1/pause", token, json={"reason": "a"}, **with_id("x"))
        refused = await net.ask("POST", "/v1/pause", token, json={"reason": "b"}, **with_id("x"))
        assert (refused.status, refused.code) == (409, "RequestIdReused")
        assert (await net.ask("POST", "/v1/resume", token, **with_id("x"))).code == "RequestIdReused"
        assert (await net.ask("POST", "/v1/pause", other, json={"reason": "b"}, **with_id("x"))).status == 200
        bad = await net.ask("POST", "/v1/pause", token, json={}, **with_id("no blanks"))
        assert (bad.status, bad.code) == (422, "BadRequestId")

    network(work)


def test_a_refusal_is_the_first_answer_too() -> None:
    """What was refused stays refused under its id, in the same words."""

    async def work(net: Network) -> None:
        token = await net.token(Scope.TRADE)
        wrong = {**ENTRY, "symbol": "BTC/USTD"}
        first = await net.ask("POST", "/v1/signal", token, json=wrong, **with_id("r"))
        again = await net.ask("POST", "/v1/signal", token, json=wrong, **with_id("r"))
        assert first.status == again.status == 422
        assert first.body == again.body

    network(work)


def test_a_secret_is_not_kept_for_a_second_answer() -> None:
    """A token is shown once: sent again, its making is neither repeated nor told."""

    async def work(net: Network) -> None:
        admin = await net.token(Scope.ADMIN)
        new = {"name": "t", "scope": "read"}
        made = await net.ask("POST", "/v1/tokens", admin, json=new, **with_id("t"))
        assert made.body["token"]
        assert (await net.ask("POST", "/v1/tokens", admin, json=new, **with_id("t"))).code == "ShownOnce"
        secret = made.body["token"][17:]
        folder = net.rig.host.config.app.data_dir
        assert not [each for each in folder.rglob("*") if each.is_file() and secret.encode() in each.read_bytes()]

    network(work)


def test_why_a_command_was_sent_is_written_down() -> None:
    """The audit log has who, from where, under which id, and the reason that was given (EX-1405)."""

    async def work(net: Network) -> None:
        token = await net.token(Scope.TRADE, "desk")
        await net.ask("POST", "/v1/pause", token, json={}, **with_id("id-7", **{"X-Reason": "news%20at%20noon"}))
        found = await net.rig.until("/v1/log?code=OperatorActed", lambda said: said["events"])
        text = found["events"][0]["text"]
        assert text.startswith("desk from token ")
        assert "127.0.0.1" in text
        assert text.endswith("because news at noon")

    network(work)


BEGIN_AND_DIE: Final = """
import os, signal, sys
from pathlib import Path
from service.access.requests import RequestStore
store = RequestStore(Path(sys.argv[1]), 1_800_000_000 * 10**9)
assert store.begin("session ada", "order-1", b"digest", 1_800_000_000 * 10**9) is None
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow
def test_what_was_begun_before_a_kill_is_known_after_it(tmp_path: Path) -> None:
    """A daemon that is killed between the begin and the answer does not begin it again: nobody knows whether it was done."""
    path = tmp_path / "requests.db"
    ended = subprocess.run([sys.executable, "-c", BEGIN_AND_DIE, str(path)], cwd=ROOT, check=False)
    assert ended.returncode == -signal.SIGKILL
    store = RequestStore(path, NOW)
    known = store.begin("session ada", "order-1", b"digest", NOW)
    assert known is not None
    assert known.state is State.BEGUN
    store.close()


def test_an_unknown_outcome_is_said_and_not_tried() -> None:
    """A request of an earlier life without an answer is refused under its id, whatever it was."""

    async def work(net: Network) -> None:
        token = await net.token(Scope.TRADE, "desk")
        await net.ask("POST", "/v1/pause", token, json={}, **with_id("known"))
        forget_answer(net.rig.host.config.requests_path)
        unknown = await net.ask("POST", "/v1/pause", token, json={}, **with_id("known"))
        assert (unknown.status, unknown.code) == (409, "OutcomeUnknown")

    network(work)


def test_an_answer_that_cannot_be_kept_is_given_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was done is said to be done; sent again nobody knows, and it is not done again."""

    def away(*_: object) -> None:
        raise JournalUnavailable("the server is away")

    async def work(net: Network) -> None:
        token = await net.token(Scope.TRADE, "desk")
        monkeypatch.setattr(RequestStore, "finish", away)
        assert (await net.ask("POST", "/v1/pause", token, json={}, **with_id("p"))).status == 200
        assert (await net.ask("POST", "/v1/pause", token, json={}, **with_id("p"))).code == "OutcomeUnknown"

    network(work)


def test_a_request_under_way_is_not_begun_again() -> None:
    """Of many who send the same at once one acts; the others get its answer, or are asked to wait."""

    async def work(net: Network) -> None:
        token = await net.token(Scope.TRADE, "desk")
        asked = [net.ask("POST", "/v1/signal?wait=10", token, json=ENTRY, **with_id("twice")) for _ in range(8)]
        said = await asyncio.gather(*asked)
        assert {each.code for each in said if each.status != 200} <= {"RequestUnderWay"}
        assert sum(each.status == 200 and REPEATED not in each.headers for each in said) == 1
        await net.rig.until("/v1/signals", lambda found: found["signals"])
        assert await signals(net) == 1

    network(work)


def forget_answer(path: Path) -> None:
    """Put every request back to where it was before its answer."""
    import sqlite3

    with sqlite3.connect(path) as connection:
        connection.execute("update requests set state = 'begun', answer = x''")
    connection.close()


def test_ids_are_forgotten_after_a_week(tmp_path: Path) -> None:
    """The file does not grow for ever."""
    path = tmp_path / "requests.db"
    store = RequestStore(path, NOW)
    store.begin("a", "old", b"d", NOW)
    store.close()
    later = RequestStore(path, NOW + 8 * 86_400 * 10**9)
    assert later.begin("a", "old", b"other", NOW) is None
    later.close()


def test_a_password_in_a_request_is_recognised_by_a_slow_hash() -> None:
    """What is kept to recognise a request with a password is no quick way to guess it."""
    asked = b"POST /v1/people\n{}"
    slow = digest_of(asked, "id", slow=True)
    assert slow != digest_of(asked, "id", slow=False)
    assert slow != digest_of(asked, "another", slow=True), "salted with the id"
    assert slow == digest_of(asked, "id", slow=True)
