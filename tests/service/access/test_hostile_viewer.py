"""What somebody who may only look can do to a disk: nothing."""

from __future__ import annotations

from contextlib import closing

from protocol.event_log import OperatorActed
from service.access.roles import Scope
from service.api import gate as gate_module
from store.opening import open_reader
from tests.service.access.network_rig import Network, network


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

        def acted() -> list[OperatorActed]:
            with closing(open_reader(config.journal_path, check=False)) as reader:
                return [each.event for each in reader.read_all(before) if isinstance(each.event, OperatorActed)]

        await net.rig.until("/v1/status", lambda _: any(each.request_id == "t" for each in acted()))
        theirs = [each for each in acted() if each.operator == "read-program"]
        assert 1 <= len(theirs) <= gate_module._REFUSALS_PER_MINUTE + 2, "and one more each few seconds"
        assert {each.outcome for each in theirs} == {"refused: NotAllowed"}
        assert len(acted()) == len(theirs) + 1

    network(work)
