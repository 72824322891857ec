"""Whether it lives and is ready is told to everybody, how it stands to who may look, figures to Prometheus."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from protocol.control import ActorRow
from runtime.journal import JournalUnavailable
from service.access.roles import Scope
from service.api.health import compartments
from tests.service.access.network_rig import Network, network

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "watch-with-prometheus.md"


def row(path: str, state: str = "running", restarts: int = 0) -> ActorRow:
    return ActorRow(
        path=path,
        kind="x",
        state=state,
        restarts=restarts,
        mailbox=1,
        oldest_ms=2.0,
        handled=0,
        failed=0,
        parked=0,
        handle_p99_ms=0.0,
    )


def test_a_health_check_without_a_token_has_no_details() -> None:
    """Only whether it lives and is ready is told to everybody (EX-1504)."""

    async def work(net: Network) -> None:
        assert (await net.ask("GET", "/health/live")).body == {"status": "ok"}
        ready = await net.ask("GET", "/health/ready")
        assert ready.body == {"status": "not ready"}, "the small tree of this test has no venues"
        assert ready.status == 503
        assert (await net.ask("GET", "/v1/health")).code == "NotAuthenticated"

    network(work)


def test_each_compartment_stands_for_itself() -> None:
    """A supervisor is ok while all below it runs, degraded while some does not, down when it does not run itself."""
    found = compartments(
        [
            row("/"),
            row("/risk"),
            row("/risk/pool"),
            row("/trading", restarts=1),
            row("/trading/gateway", "waiting", restarts=2),
            row("/venues"),
            row("/venues/paper", "quarantined"),
        ]
    )
    assert [(each.name, each.status) for each in found] == [
        ("risk", "ok"),
        ("trading", "degraded"),
        ("venues", "degraded"),
        ("venues/paper", "down"),
    ]
    assert (found[1].restarts, found[1].waiting, found[1].trouble[0].path) == (3, 2, "/trading/gateway")


def test_figures_are_read_with_a_token_for_them_alone() -> None:
    """A metrics token reads /metrics and nothing else; what it reads is what Prometheus' own parser understands."""

    async def work(net: Network) -> None:
        token = await net.token(Scope.METRICS)
        await net.ask("POST", "/v1/pause", await net.token(Scope.TRADE), json={"account": "paper"})
        assert (await net.ask("GET", "/metrics")).code == "NotAuthenticated"
        assert (await net.ask("GET", "/v1/status", token)).code == "NotAllowed"
        async with net.session.get(net.url + "/metrics", headers={"Authorization": f"Bearer {token}"}) as response:
            text = await response.text()
            assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        families = {family.name: family for family in text_string_to_metric_families(text)}
        lines = text.splitlines()
        assert 'bulkhead_entries_allowed{account="paper"} 0' in lines
        assert 'bulkhead_engine_status{status="running"} 1' in lines
        assert 'bulkhead_compartment_up{compartment="trading"} 1' in lines
        assert 'bulkhead_api_answers_total{status="401"} 1' in lines
        assert {family.type for family in families.values()} == {"counter", "gauge"}
        assert all(family.documentation and family.samples for family in families.values())
        assert len(families) == sum(line.startswith("# TYPE") for line in lines)
        page = PAGE.read_text()
        told = {name for name in families if not name.startswith("bulkhead_compartment_")}
        assert [name for name in sorted(told) if name not in page] == []

    network(work)


def test_health_tells_who_may_look_how_each_compartment_stands() -> None:
    """The answer names the compartments of the tree and what of them does not run."""

    async def work(net: Network) -> None:
        found = (await net.ask("GET", "/v1/health", await net.token(Scope.READ))).body
        assert {each["name"] for each in found["compartments"]} == {"store", "risk", "trading", "operators"}
        assert (found["status"], found["ready"], found["journal"]) == ("ok", False, "")

    network(work)


def test_figures_are_told_while_the_read_models_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is away takes the counts along, not what says that nothing can be written, nor the room on the disk."""

    async def work(net: Network) -> None:
        def away(*_: object) -> None:
            raise JournalUnavailable("the server is away")

        token = await net.token(Scope.METRICS)
        monkeypatch.setattr(net.shared.counted, "_counted", away)
        monkeypatch.setattr(net.shared.counted, "_known", None)
        said = await net.ask("GET", "/metrics", token)
        assert said.status == 200
        assert "bulkhead_groups_open" not in said.body
        assert "bulkhead_journal_failing 0" in said.body
        families = {family.name: family for family in text_string_to_metric_families(said.body)}
        assert families["bulkhead_disk_free_bytes"].samples[0].value > 0

    network(work)
