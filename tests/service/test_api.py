"""The control API over a real unix socket, against real actors."""

from __future__ import annotations

import stat
from decimal import Decimal
from typing import Any

import anyio
import pytest

from protocol.orders import OrderRequest, PlaceAtVenue
from protocol.risk import PauseEngine
from protocol.values import OrderSide, OrderType
from runtime.dead_letters import DeadLetter
from runtime.envelope import Envelope
from service.api.answers import plain
from service.api.client import Client, DaemonNotRunning, DaemonRefused
from tests.service.api_rig import Rig, run

ENTRY = {"symbol": "BTC/USDT", "side": "long", "timeframe": "1h", "kind": "entry", "size": "100", "price": "50000.5"}


async def refusal(asked: Any) -> DaemonRefused:
    """Return the refusal that a request is answered with."""
    with pytest.raises(DaemonRefused) as caught:
        await asked
    return caught.value


def test_status_says_who_runs_on_what() -> None:
    """Status names version, market source, engine, journal, counts and memory."""

    async def work(rig: Rig) -> None:
        found = await rig.until("/v1/status", lambda said: said["engine"]["status"] == "running")
        assert found["source"] == "SYNTHETIC"
        assert found["scope"] == "paper"
        assert found["accounts"] == ["paper"]
        assert found["journal"]["error"] == ""
        assert found["counts"]["slots"] == 10
        assert found["memory_bytes"] > 1_000_000

    run(work)


def test_only_the_owner_can_open_the_socket() -> None:
    """The socket file has mode 0600 and is gone after the daemon."""

    async def work(rig: Rig) -> Any:
        path = rig.host.socket_path
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        return path

    assert not run(work).exists()


def test_ps_lists_every_actor() -> None:
    """Each actor has a row, parents before children."""

    async def work(rig: Rig) -> None:
        rows = (await rig.get("/v1/ps"))["actors"]
        paths = [row["path"] for row in rows]
        assert paths[0] == "/"
        assert "/trading/gateway" in paths
        assert {row["state"] for row in rows} == {"running"}

    run(work)


def test_a_signal_is_answered_with_what_became_of_it() -> None:
    """An operator's entry is accepted by the gateway and its outcome comes with the answer."""

    async def work(rig: Rig) -> None:
        said = await rig.post("/v1/signal?wait=10", ENTRY)
        assert said["outcome"] == "accepted"
        assert said["routed"] == "opened"
        assert said["reasons"] == ["by the stand-in"]
        listed = await rig.until("/v1/signals", lambda found: len(found["signals"]) == 1)
        assert listed["signals"][0]["signal_id"] == said["signal_id"]
        assert listed["signals"][0]["entry_price"] == "50000.5"
        counts = (await rig.get("/v1/status"))["counts"]
        assert (counts["signals"], counts["open_groups"], counts["working_orders"]) == (1, 0, 0)

    run(work)


@pytest.mark.parametrize(
    ("changes", "code", "named"),
    [
        ({"symbol": "BTC/USTD"}, "UnknownSymbol", "BTC/USDT"),
        ({"price": ""}, "Invalid", "price"),
        ({"price": None}, "NoPrice", "BTC/USDT"),
        ({"side": "up"}, "Invalid", "side"),
        ({"sise": "1"}, "UnknownField", "size"),
        ({"venue": "kraken"}, "UnsupportedVenue", "kraken"),
    ],
)
def test_a_wrong_signal_is_refused_in_the_one_error_shape(changes: dict[str, Any], code: str, named: str) -> None:
    """Every refusal has code, path, message and value, and names what is wrong."""

    async def work(rig: Rig) -> None:
        error = await refusal(rig.post("/v1/signal", {**ENTRY, **changes}))
        assert {"code", "path", "message", "value"} <= error.body.keys()
        assert error.code == code
        assert named in f"{error.body['path']} {error.body['message']} {error.body['value']}"

    run(work)


def test_a_request_is_asked_and_a_message_is_told() -> None:
    """``send`` returns the answer of a request, and of a message that it was told."""

    async def work(rig: Rig) -> None:
        signal = {"type": "InjectSignal", "user": "trader", "venue": "binance", **ENTRY}
        asked = await rig.post("/v1/send", {"path": "/trading/gateway", "message": signal})
        assert asked["answer"]["outcome"] == "accepted"
        told = await rig.post("/v1/send", {"path": "/risk/coordinator", "message": {"type": "RenewPermit"}})
        assert told["answer"] is None
        paused = await rig.post("/v1/pause", {"reason": "x"})
        assert (paused["status"], paused["reason"]) == ("paused", "x")
        found = await rig.until("/v1/status", lambda said: said["engine"]["status"] == "paused")
        assert found["engine"]["reason"] == "x"

    run(work)


@pytest.mark.parametrize(
    ("path", "message", "status", "code", "named"),
    [
        ("/risk/coordinato", {"type": "PauseEngine"}, 404, "NotFound", "/risk/coordinator"),
        ("coordinator", {"type": "PauseEngine"}, 404, "NotFound", "/risk/coordinator"),
        ("/risk/coordinator", {"type": "PauseEngin"}, 422, "UnknownType", "PauseEngine"),
        ("/risk/coordinator", {"type": "PauseEngine", "raison": ""}, 422, "UnknownField", "reason"),
        ("/risk/coordinator", {"type": "EngineStatusChanged"}, 422, "MissingField", "number"),
        ("/risk/coordinator", {"type": "Slow"}, 422, "NotInjectable", "Slow"),
        ("/trading/gateway", {"type": "PauseEngine"}, 422, "Unhandled", "InjectSignal"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_what_was_meant(
    path: str, message: dict[str, Any], status: int, code: str, named: str
) -> None:
    """Unknown paths, types and fields are answered with near ones; private messages and facts cannot be sent."""

    async def work(rig: Rig) -> None:
        error = await refusal(rig.post("/v1/send", {"path": path, "message": message}))
        assert (error.status, error.code) == (status, code)
        assert named in str(error.body)

    run(work)


def test_a_quarantined_actor_is_released_by_its_path() -> None:
    """A child that crashed too often is quarantined, explained with its reasons, and released on an operator's word."""

    async def work(rig: Rig) -> None:
        poke = {"path": "/trading/fragile", "message": {"type": "EngineTrouble", "cause": "x", "text": "noise"}}
        await rig.post("/v1/send", poke)
        state = {"/trading/fragile": ""}

        def quarantined(found: Any) -> bool:
            state.update({row["path"]: row["state"] for row in found["actors"]})
            return state["/trading/fragile"] == "quarantined"

        await rig.until("/v1/ps", quarantined)
        story = await rig.get("/v1/explain/" + Client.part("/trading/fragile"))
        text = " ".join(each["text"] for each in story["sentences"])
        assert "cannot bear 'noise'" in text
        assert "quarantined" in text
        said = await rig.post("/v1/release", {"path": "/trading/fragile"})
        assert said["state"] == "up"
        error = await refusal(rig.post("/v1/release", {"path": "/trading/fragile"}))
        assert (error.status, error.code) == (409, "NotQuarantined")

    run(work)


def test_an_actor_is_restarted_on_request() -> None:
    """``restart`` answers when the actor is up again; the root and unknown paths are refused."""

    async def work(rig: Rig) -> None:
        said = await rig.post("/v1/restart", {"path": "/risk/coordinator"})
        assert (said["path"], said["state"], said["restarts"]) == ("/risk/coordinator", "up", 1)
        assert (await refusal(rig.post("/v1/restart", {"path": "/"}))).code == "NoSupervisor"
        assert (await refusal(rig.post("/v1/restart", {"path": "/risk/x"}))).status == 404

    run(work)


def test_a_dead_letter_is_listed_and_replayed_once() -> None:
    """Dead letters carry their reason; a replayed one is gone from the list."""

    async def work(rig: Rig) -> None:
        system = rig.host.system
        envelope = Envelope(PauseEngine("late"), "/somebody", 7, 7, 0, system.now())
        system.dead_letters.add(DeadLetter(7, "/risk/coordinator", envelope, "because", "", poison=True, at=5))
        letters = (await rig.get("/v1/dead-letters"))["dead_letters"]
        assert [(each["event"]["id"], each["event"]["reason"]) for each in letters] == [("7", "because")]
        assert (await rig.post("/v1/dead-letters/7/replay"))["to"] == "/risk/coordinator"
        assert (await refusal(rig.post("/v1/dead-letters/7/replay"))).status == 404
        assert (await refusal(rig.post("/v1/dead-letters/seven/replay"))).status == 404

    run(work)


def test_an_order_on_its_way_is_neither_replayed_nor_sent_by_an_operator() -> None:
    """EX-105: a dead PlaceAtVenue stays dead, and nobody sends one past the desk: NotReplayable, NotInjectable."""

    async def work(rig: Rig) -> None:
        system = rig.host.system
        wanted = OrderRequest(
            client_order_id="bhtest0001", symbol="BTC/USDT", side=OrderSide.BUY, type=OrderType.MARKET, qty=Decimal(1)
        )
        envelope = Envelope(PlaceAtVenue(wanted, system.now() + 10**18), "/desk", 9, 9, 0, system.now())
        system.dead_letters.add(DeadLetter(9, "/risk/coordinator", envelope, "because", "", poison=True, at=5))
        error = await refusal(rig.post("/v1/dead-letters/9/replay"))
        assert (error.status, error.code) == (409, "NotReplayable")
        assert "its desk asks the venue" in str(error)
        assert len((await rig.get("/v1/dead-letters"))["dead_letters"]) == 1
        body = {"type": "PlaceAtVenue", "request": plain(wanted), "valid_until": 10**18}
        error = await refusal(rig.post("/v1/send", {"path": "/risk/coordinator", "message": body}))
        assert error.code == "NotInjectable"

    run(work)


def test_a_signal_can_be_traced_and_explained() -> None:
    """Trace and explain find a signal by its id; an unknown id is a 404 in the one shape."""

    async def work(rig: Rig) -> None:
        said = await rig.post("/v1/signal", ENTRY)
        await rig.until("/v1/signals", lambda found: found["signals"] and found["signals"][0]["routed"] == "opened")
        chain = await rig.get(f"/v1/trace/{said['signal_id']}")
        assert chain["kind"] == "signal"
        assert chain["trace"][0]["kind"] == "operator"
        story = await rig.get(f"/v1/explain/{said['signal_id']}")
        assert "It opened a new position group. (by the stand-in)" in [each["text"] for each in story["sentences"]]
        assert (await refusal(rig.get("/v1/explain/nothing"))).status == 404

    run(work)


@pytest.mark.parametrize("limit", ["0", "-1", "x", "10001", "1e3", "\u0663"])
def test_an_absurd_limit_is_refused(limit: str) -> None:
    """Lists are bounded; a limit that is no sane number is refused by name."""

    async def work(rig: Rig) -> None:
        error = await refusal(rig.get("/v1/orders", limit=limit))
        assert (error.code, error.body["path"]) == ("OutOfRange", "limit")

    run(work)


@pytest.mark.parametrize("body", ["", "{", "[]", '{"path": 1, "message": {}}', '{"path": "/", "message": {}, "x": 1}'])
def test_broken_bodies_never_reach_an_actor(body: str) -> None:
    """What is not the expected JSON is answered 4xx in the one shape, and the daemon goes on."""

    async def work(rig: Rig) -> None:
        error = await refusal(rig.post("/v1/send", body))
        assert 400 <= error.status < 500
        assert error.body["message"]
        assert (await refusal(rig.get("/v1/nothing"))).status == 404
        assert (await refusal(rig.get("/v1/send"))).status == 405

    run(work)


def test_stop_asks_the_daemon_to_stop() -> None:
    """The stop request is answered and the host is told."""

    async def work(rig: Rig) -> None:
        assert (await rig.post("/v1/stop")) == {"stopping": True}
        with anyio.fail_after(5):
            await rig.host.stopped.wait()

    run(work)


def test_nobody_answers_after_the_end() -> None:
    """A client of a daemon that has ended hears that none runs."""

    async def work(rig: Rig) -> Client:
        return rig.client

    client = run(work)
    with pytest.raises(DaemonNotRunning):
        client.get("/v1/status")


def test_the_overview_holds_what_the_live_view_draws() -> None:
    """One request brings status, tree, groups, orders, events and results."""

    async def work(rig: Rig) -> None:
        found = await rig.get("/v1/overview")
        assert found.keys() >= {"status", "ps", "groups", "orders", "events", "pnl", "equity"}

    run(work)
