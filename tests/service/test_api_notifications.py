"""Notifications over the control socket and on the command line's way to them."""

from __future__ import annotations

import pytest

from protocol.event_log import EVENT_LOG, LogEvent
from protocol.notifications import NOTIFIER
from service.api.client import DaemonRefused
from tests.service.api_rig import Rig, run


async def alert(rig: Rig, *codes: str) -> None:
    """Have pinned lines journalled, and wait until they are notices."""
    for code in codes:
        rig.host.system.tell(EVENT_LOG, LogEvent(code=code, text=code, pinned=True))
    await rig.until(
        "/v1/notifications", lambda said: [each["title"] for each in said["notifications"]][-len(codes) :] == [*codes]
    )


def test_list_read_and_dismiss() -> None:
    """DS-721, DS-722: listed after a sequence, oldest first; reading and dismissing are answered with what is left."""

    async def script(rig: Rig) -> None:
        assert rig.host.system.lookup(NOTIFIER) is not None
        await alert(rig, "One", "Two", "Three")
        found = await rig.get("/v1/notifications", after=1)
        assert [each["title"] for each in found["notifications"]] == ["Two", "Three"]
        assert (await rig.post("/v1/notifications/read", {"seqs": [1]}))["unread"] == 2
        left = await rig.post("/v1/notifications/dismiss", {"seqs": [2]})
        assert [each["seq"] for each in left["notifications"]] == [1, 3]
        assert (await rig.post("/v1/notifications/dismiss-all"))["notifications"] == []

    run(script)


def test_what_cannot_be_asked() -> None:
    """DS-722: a read without names and a sequence that is no number are refused with a code."""

    async def script(rig: Rig) -> None:
        with pytest.raises(DaemonRefused) as missing:
            await rig.post("/v1/notifications/read", {})
        assert missing.value.status == 422
        with pytest.raises(DaemonRefused):
            await rig.get("/v1/notifications", after="x")
        with pytest.raises(DaemonRefused):
            await rig.get("/v1/notifications", limit=0)

    run(script)
