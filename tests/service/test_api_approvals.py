"""Approvals and stopped accounts over the control socket."""

from __future__ import annotations

import pytest

from protocol.approvals import APPROVAL_DESK, HoldEntry
from service.api.client import DaemonRefused
from tests.actors.test_approvals import signal
from tests.service.api_rig import Rig, run


async def held(rig: Rig) -> str:
    """Have an entry wait; return its prompt's id."""
    rig.host.system.tell(APPROVAL_DESK, HoldEntry(signal("s1"), "paper", "/risk/pool"))
    found = await rig.until("/v1/approvals", lambda said: said["approvals"])
    return str(found["approvals"][0]["prompt_id"])


def test_the_first_answer_wins() -> None:
    """DK-154: approved once; whoever comes later is told that it was dealt with."""

    async def script(rig: Rig) -> None:
        ident = await held(rig)
        with pytest.raises(DaemonRefused) as stale:
            await rig.post(f"/v1/approvals/{ident}/approve", {"version": 9, "token": "x"})
        assert stale.value.code == "StaleApproval"
        assert (await rig.post(f"/v1/approvals/{ident}/approve", {}))["how"] == "approved"
        with pytest.raises(DaemonRefused) as late:
            await rig.post(f"/v1/approvals/{ident}/reject", {})
        assert (late.value.status, late.value.code) == (404, "NotFound")
        assert (await rig.get("/v1/approvals"))["approvals"] == []

    run(script)


def test_an_account_is_stopped_and_armed() -> None:
    """An account that is stopped says so until it is armed; resuming the engine does not arm it."""

    async def script(rig: Rig) -> None:
        assert (await rig.post("/v1/accounts/paper/stop", {"reason": "odd fills"}))["stopped"] is True
        await rig.post("/v1/resume")
        assert (await rig.post("/v1/accounts/paper/stop", {}))["reason"] == "odd fills"
        assert (await rig.post("/v1/accounts/paper/arm", {}))["stopped"] is False
        with pytest.raises(DaemonRefused):
            await rig.post("/v1/accounts/nobody/stop", {})

    run(script)


def test_an_account_is_paused_and_resumed() -> None:
    """ML-1080: beside the engine's pause, seen in the status; an unknown account is told so."""

    async def script(rig: Rig) -> None:
        said = await rig.post("/v1/pause", {"account": "paper", "reason": "news"})
        assert (said["status"], said["reason"], said["account"]) == ("paused", "account paused: news", "paper")
        await rig.post("/v1/resume")
        engine = (await rig.get("/v1/status"))["engine"]
        assert engine["status"] == "running"
        assert engine["held"] == [{"account": "paper", "code": "AccountPaused", "why": "news"}]
        for path in ("/v1/pause", "/v1/resume"):
            with pytest.raises(DaemonRefused) as unknown:
                await rig.post(path, {"account": "papier"})
            assert unknown.value.code == "NotFound"
        assert (await rig.post("/v1/resume", {"account": "paper"}))["status"] == "running"
        assert (await rig.get("/v1/status"))["engine"]["held"] == []

    run(script)
