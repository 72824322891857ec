"""What somebody who may only look can do to a disk: nothing."""

from __future__ import annotations

from contextlib import closing

import pytest

from protocol.event_log import OperatorActed
from service.access.roles import Scope
from service.api import gate as gate_module
from service.api.client import DaemonRefused
from store.opening import open_reader
from tests.service.access.network_rig import Network, network


def acted(net: Network, after: int) -> list[OperatorActed]:
    """Return what the audit log says was done after a position."""
    with closing(open_reader(net.rig.host.config.journal_path, check=False)) as reader:
        return [each.event for each in reader.read_all(after) if isinstance(each.event, OperatorActed)]


def test_who_only_looks_fills_no_disk() -> None:
    """Checks and previews are not journalled and their answers not kept; refusals are, so many a minute (EX-1505)."""

    async def work(net: Network) -> None:
        viewer, trader = await net.token(Scope.READ), await net.token(Scope.TRADE)
        system, config = net.rig.host.system, net.rig.host.config
        before = system.journal.head()
        for number in range(3 * gate_module._REFUSALS_PER_MINUTE):
            headers = {"X-Request-Id": f"v{number}"}
            looked = await net.ask("POST", "/v1/signals/check", viewer, json={}, headers=headers)
            assert looked.status != 403
            refused = await net.ask("POST", "/v1/pause", viewer, json={"reason": "x" * 300}, headers=headers)
            assert (refused.status, refused.code) == (403, "NotAllowed")
        assert not config.requests_path.exists()
        done = await net.ask("POST", "/v1/pause", trader, json={}, headers={"X-Request-Id": "t"})
        assert done.status == 200

        await net.rig.until("/v1/status", lambda _: any(each.request_id == "t" for each in acted(net, before)))
        theirs = [each for each in acted(net, before) if each.operator == "read-program"]
        assert 1 <= len(theirs) <= gate_module._REFUSALS_PER_MINUTE + 2, "and one more each few seconds"
        assert {each.outcome for each in theirs} == {"refused: NotAllowed"}
        assert len(acted(net, before)) == len(theirs) + 1

    network(work)


def test_a_login_at_a_browser_is_no_command_of_the_owner() -> None:
    """It comes by his socket, and is neither his nor to be told: a stranger would write into the audit log (EX-1405)."""

    async def work(net: Network) -> None:
        before = net.rig.host.system.journal.head()
        given = {"name": "call +1 555 0199 at once", "password": "x"}
        with pytest.raises(DaemonRefused):
            await net.rig.post("/v1/login", given)
        await net.rig.post("/v1/pause", {"reason": "news"})
        await net.rig.until("/v1/status", lambda _: acted(net, before))
        assert [each.command for each in acted(net, before)] == ["POST /v1/pause"]

    network(work)
