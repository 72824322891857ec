"""The recovery contract, editing and adoption on a real daemon: killed without warning, stopped in order, started again."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from protocol.groups import CloseReason, GroupClosed
from protocol.groups.editing import GroupEdited
from protocol.groups.recovery import DaemonStarted, DaemonStopped, GroupRecovered
from runtime.clock import WallClock
from service.api.client import DaemonRefused
from tests.system.process import CONFIG, DaemonProcess, daemon_in

pytestmark = pytest.mark.slow

WITHIN_NS = 20_000_000_000
FLATTEN = CONFIG + '[grid_strategy]\non_recovery = "flatten"\n'


def with_daemon(text: str) -> Iterator[DaemonProcess]:
    """Yield a daemon that is not started, in a folder whose path is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="bh") as name, daemon_in(Path(name), text) as found:
        yield found


@pytest.fixture
def resuming() -> Iterator[DaemonProcess]:
    """Return a daemon whose groups go on after an unclean end."""
    yield from with_daemon(CONFIG)


@pytest.fixture
def flattening() -> Iterator[DaemonProcess]:
    """Return a daemon whose groups close themselves after an unclean end."""
    yield from with_daemon(FLATTEN)


def eventually(look: Callable[[], Any], what: str) -> Any:
    """Look until something is there; each look is a request, which takes its time."""
    clock = WallClock()
    until = clock.now() + WITHIN_NS
    while not (found := look()):
        assert clock.now() < until, f"not within {WITHIN_NS / 1e9} s: {what}"
    return found


def events(daemon: DaemonProcess, *kinds: type) -> list[Any]:
    """Return the events of some types in the journal."""
    return [record.event for record in daemon.records() if isinstance(record.event, kinds)]


def shown(daemon: DaemonProcess, ident: str) -> dict[str, Any]:
    """Return what ``group show`` shows."""
    return dict(daemon.client.get(f"/v1/group/{ident}"))


def opened(daemon: DaemonProcess) -> str:
    """Open a group whose first layer fills; return its id."""
    order = {"symbol": "BTC/USDT", "side": "long", "kind": "entry", "size": "1000", "timeframe": "1h"}
    eventually(lambda: _sent(daemon, order), "a price to open a group at")
    (group,) = eventually(lambda: daemon.client.get("/v1/groups", open=1)["groups"], "an open group")
    ident = str(group["group_id"])
    eventually(lambda: shown(daemon, ident)["group"]["state"] == "partially_filled", "a first fill")
    return ident


def _sent(daemon: DaemonProcess, order: dict[str, str]) -> bool:
    try:
        said = daemon.client.post("/v1/signal?wait=3", {**order, "size_type": "quote", "price": "60100"})
    except DaemonRefused:
        return False
    return bool(said["routed"] == "opened")


def test_a_killed_daemon_resumes(resuming: DaemonProcess) -> None:
    """After kill -9 a group with contract resume goes on with its position and targets (EX-1204)."""
    assert resuming.up()
    assert resuming.status()["start"] == {"run": 1, "clean": True, "down_s": 0}
    ident = opened(resuming)
    held = shown(resuming, ident)["group"]["open_qty"]
    resuming.end(signal.SIGKILL)
    resuming.up()
    start = resuming.status()["start"]
    assert (start["run"], start["clean"]) == (2, False)
    (back,) = eventually(lambda: events(resuming, GroupRecovered), "the group to come back")
    assert (back.group_id, back.flattens) == (ident, False)
    group = shown(resuming, ident)["group"]
    assert (group["state"], group["open_qty"]) == ("partially_filled", held)


def test_a_killed_daemon_flattens(flattening: DaemonProcess) -> None:
    """After kill -9 a group with contract flatten closes itself at once, with the reason recovery."""
    flattening.up()
    ident = opened(flattening)
    flattening.end(signal.SIGKILL)
    flattening.up()
    (closed,) = eventually(lambda: events(flattening, GroupClosed), "the group to close")
    assert (closed.group_id, closed.reason) == (ident, CloseReason.RECOVERY)
    (back,) = events(flattening, GroupRecovered)
    assert back.flattens


def test_an_orderly_restart_flattens_nothing(flattening: DaemonProcess) -> None:
    """``down`` and ``up`` is no unclean end: the group goes on, and the journal says that the run before ended in order."""
    flattening.up()
    ident = opened(flattening)
    assert flattening.end(signal.SIGTERM) == 0
    assert isinstance(flattening.records()[-1].event, DaemonStopped)
    flattening.up()
    assert flattening.status()["start"]["clean"] is True
    assert [event.clean for event in events(flattening, DaemonStarted)] == [True, True]
    assert shown(flattening, ident)["group"]["state"] == "partially_filled"
    assert events(flattening, GroupRecovered, GroupClosed) == []


def test_a_running_group_is_edited_as_it_was_shown(resuming: DaemonProcess) -> None:
    """Preview, version, conflict, history and the journal over the API; a restart keeps what was edited."""
    resuming.up()
    ident = opened(resuming)
    client, address = resuming.client, f"/v1/group/{ident}/edit"
    changes = {"tp_mode": "aggregate", "stop_price": "1000", "cancel_layers": ["p0.l4"]}
    preview = client.post(address, {"changes": changes, "preview": True})
    assert [effect["step"] for effect in preview["effects"]][:2] == ["cancel", "cancel"]
    assert events(resuming, GroupEdited) == []
    agreed = {"expected_version": 1, "digest": preview["digest"], "request_id": "one"}
    made = client.post(address, {"changes": changes, "preview": False, **agreed})
    assert (made["applied"], made["version"]) == (True, 2)
    assert client.post(address, {"changes": changes, "preview": False, **agreed})["version"] == 2
    with pytest.raises(DaemonRefused) as refused:
        client.post(address, {"changes": {"max_pyramids": 2}, "preview": False, "expected_version": 1})
    assert refused.value.body["problems"][0]["code"] == "EditConflict"
    resuming.end(signal.SIGKILL)
    resuming.up()
    group = shown(resuming, ident)["group"]
    assert (group["version"], group["stop_price"], group["config"]["tp_mode"]) == (2, "1000", "aggregate")
    versions = [entry["version"] for entry in client.get(f"/v1/group/{ident}/history")["history"]]
    assert versions[:2] == [1, 2]
    client.post(f"/v1/group/{ident}/close", {})
    eventually(lambda: shown(resuming, ident)["group"]["state"] == "closed", "the group to close")


def test_a_position_opened_by_hand_is_adopted(resuming: DaemonProcess) -> None:
    """What the account does not hold is ``PositionNotThere`` with both numbers; what it holds becomes a group and closes."""
    resuming.file.write_text(resuming.file.read_text() + ACCOUNT)
    resuming.up()
    client = resuming.client
    wanted = {
        "account": "paper",
        "symbol": "BTC/USDT",
        "timeframe": "4h",
        "side": "long",
        "avg_price": "59000",
        "tp_percent": "50",
        "request_id": "a1",
    }
    eventually(lambda: _quoted(resuming), "prices")
    with pytest.raises(DaemonRefused) as refused:
        client.post("/v1/adopt", {**wanted, "qty": "3"})
    (problem,) = refused.value.body["problems"]
    assert problem["code"] == "PositionNotThere"
    assert "holds 2" in problem["message"]
    shown_ = client.post("/v1/adopt", {**wanted, "qty": "0.5", "preview": True})
    assert [effect["step"] for effect in shown_["effects"]] == ["place", "state"]
    made = client.post("/v1/adopt", {**wanted, "qty": "0.5"})
    assert made["adopted"]
    ident = made["group_id"]
    assert client.post("/v1/adopt", {**wanted, "qty": "0.5"})["group_id"] == ident
    eventually(lambda: _state(resuming, ident) == "active", "the adopted group")
    group = shown(resuming, ident)["group"]
    assert (group["open_qty"], group["avg_entry"]) == ("0.5", "59000")
    resuming.end(signal.SIGKILL)
    resuming.up()
    assert shown(resuming, ident)["group"]["state"] == "active"
    client.post(f"/v1/group/{ident}/close", {})
    eventually(lambda: _state(resuming, ident) == "closed", "the adopted group to close")
    (closed,) = events(resuming, GroupClosed)
    assert closed.realized_quote > 0


ACCOUNT = """
[[accounts]]
name = "paper"
exchange = "binance"
balances = { USDT = 100000, BTC = 2 }
"""


def _quoted(daemon: DaemonProcess) -> bool:
    return any(feed["detail"] for feed in daemon.status()["feeds"])


def _state(daemon: DaemonProcess, ident: str) -> str:
    try:
        return str(shown(daemon, ident)["group"]["state"])
    except DaemonRefused:
        return ""
