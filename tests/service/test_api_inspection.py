"""One actor looked at closely, what can be sent to it, its quarantine; and the system console (EX-1622, EX-1623)."""

from __future__ import annotations

from typing import Any

import pytest

from protocol.control import ActorStanding
from protocol.risk import EngineTrouble
from service.api.client import DaemonRefused
from service.api.console import HOURS, activity
from store.views.rows import SignalRow
from tests.service.api_rig import Rig, run

HOUR = 3_600_000_000_000
TROUBLE = EngineTrouble("test", "boom")


def test_an_actor_tells_everything_about_itself() -> None:
    """Its row, what it takes, what it wrote last and every failure that is known are one answer."""

    async def script(rig: Rig) -> None:
        rig.host.system.durability.listeners.append(rig.host.system.black_box.committed)  # as a daemon does
        await rig.post("/v1/pause", {"reason": "news"})
        found = await rig.get("/v1/actor", actor="/risk/coordinator")
        assert (found["actor"]["kind"], found["actor"]["state"]) == ("RiskCoordinator", "running")
        assert {"PauseEngine", "ResumeEngine"} <= set(found["takes"])
        assert any("news" in each["text"] for each in found["events"])
        assert all(each["type"] for each in found["events"])
        with pytest.raises(DaemonRefused) as refused:
            await rig.get("/v1/actor", actor="/risk/coordinatr")
        assert (refused.value.code, "/risk/coordinator" in str(refused.value)) == ("NotFound", True)

    run(script)


def test_a_crash_is_found_with_its_actor() -> None:
    """Reports of its supervisor and its dead letters stand with an actor."""

    async def script(rig: Rig) -> None:
        rig.host.system.tell("/trading/fragile", TROUBLE)
        await rig.until("/v1/actor?actor=/trading/fragile", lambda said: bool(said["letters"] and said["reports"]))

    run(script)


def test_messages_are_those_an_actor_takes() -> None:
    """Types come with fields, defaults and the words that a field can be; unnamed: all there are."""

    async def script(rig: Rig) -> None:
        taken = {each["name"]: each for each in (await rig.get("/v1/messages", actor="/risk/coordinator"))["messages"]}
        everything = {each["name"]: each for each in (await rig.get("/v1/messages"))["messages"]}
        assert set(taken) < set(everything)
        reason, account = taken["PauseEngine"]["fields"]
        assert (account["name"], account["required"]) == ("account", False)
        assert (reason["name"], reason["type"], reason["required"]) == ("reason", "text", False)
        side = next(each for each in everything["InjectSignal"]["fields"] if each["name"] == "side")
        assert (side["choices"], side["required"]) == (["long", "short"], True)

    run(script)


def test_quarantine_and_release() -> None:
    """A quarantined actor stands still until it is released; what carries the API is refused."""

    async def script(rig: Rig) -> None:
        said = await rig.post("/v1/quarantine", {"path": "/risk/pool"})
        assert said == {"path": "/risk/pool", "state": "quarantined", "restarts": 0}
        assert isinstance(ActorStanding(**said), ActorStanding)
        assert (await rig.get("/v1/actor", actor="/risk/pool"))["actor"]["state"] == "quarantined"
        assert (await rig.post("/v1/release", {"path": "/risk/pool"}))["state"] == "up"
        for path in ("/operators/api", "/operators", "/"):
            with pytest.raises(DaemonRefused) as refused:
                await rig.post("/v1/quarantine", {"path": path})
            assert refused.value.code == "NoSupervisor"

    run(script)


def test_the_console_says_what_the_house_needs() -> None:
    """Storage, version and the hours of the webhook; a signal that came counts in this hour."""

    async def script(rig: Rig) -> None:
        found = await rig.get("/v1/console")
        assert len(found["webhook"]["hours"]) == HOURS
        parts = {each["name"]: each["bytes"] for each in found["storage"]["parts"]}
        assert set(parts) == {"journal", "read models", "log", "inputs", "incidents"}
        assert found["storage"]["disk_free"] <= found["storage"]["disk_total"]
        assert found["venues"][0]["rules"]["symbols"] >= 0

    run(script)


def test_webhook_activity_is_counted_by_hour() -> None:
    """Accepted, duplicates, and rejections by code; what is older than a day is not counted (EX-1622)."""
    now = 400_000 * HOUR + 5
    rows = [
        _row(now - 1, "accepted"),
        _row(now - 2, "replacement"),
        _row(now - 3, "duplicate_ignored"),
        _row(now - HOUR, "rejected:InvalidSecret"),
        _row(now - HOUR, "rejected:InvalidSecret"),
        _row(now - HOURS * HOUR, "accepted"),
    ]
    this, before, *rest = activity(rows, now)
    assert (this["accepted"], this["duplicates"], this["rejected"]) == (2, 1, 0)
    assert (before["accepted"], before["rejected"], before["codes"]) == (0, 2, {"InvalidSecret": 2})
    assert len(rest) == HOURS - 2
    assert not any(each["accepted"] for each in rest)


_GIVEN = (
    "signal_id",
    "position",
    "correlation_id",
    "user",
    "received_at",
    "source_address",
    "body",
    "outcome",
    "problems",
)


def _row(at: int, outcome: str) -> SignalRow:
    rest: dict[str, Any] = {name: None for name in SignalRow.__struct_fields__ if name not in _GIVEN}
    given = dict(zip(_GIVEN, ("s1", 1, 1, "u", at, "", "", outcome, ()), strict=True))
    return SignalRow(**{**rest, **given})
