"""The tree that a configuration asks for."""

from __future__ import annotations

from typing import Any, cast

import msgspec

from actors.groups import GroupHouse
from service.active import ActiveConfig
from service.config import parse
from service.house import Plan, build_house
from supervision.child import ChildSpec
from supervision.tree import SupervisorSpec, outline
from tests.system.running import synthetic

TWO = '[[accounts]]\nname = "desk"\n[[accounts]]\nname = "lab"\nscope = "simulation"\n'


def plan(text: str = "") -> Plan:
    """Return a plan that nothing is started of."""
    config = parse(text, {})
    market = synthetic(step_ns=1_000_000_000, at=0)
    return Plan(
        active=ActiveConfig(config),
        system=cast("Any", None),
        tag="test",
        secrets=None,
        markets={account.name: market for account in config.accounts},
        operators=[ChildSpec("api", cast("Any", object))],
    )


def test_each_account_has_actors_of_its_own() -> None:
    """EX-113: pool, loss offset, venue connection, precision cache and groups are each account's own."""
    paths = {path for path, _ in outline(build_house(plan(TWO)))}
    for account in ("desk", "lab"):
        own = {path for path in paths if path.endswith((f"-{account}", f"/{account}")) or f"/{account}/" in path}
        assert {f"/risk/pool-{account}", f"/risk/offset-{account}", f"/trading/groups/{account}"} <= own
        assert {f"/venues/{account}/{name}" for name in ("exchange", "desk", "session", "feed", "precision")} <= own


def test_who_waits_for_an_operator_when_restarts_are_off() -> None:
    """EX-1302: app.auto_restart holds from the next crash on for all that trades; operators always come back."""
    made = plan()
    specs = {path: spec for path, spec in outline(build_house(made)) if not isinstance(spec, SupervisorSpec)}
    actors = {path: spec for path, spec in specs.items() if not path.startswith("/operators/")}
    groups = next(spec for path, spec in outline(build_house(made)) if path == "/trading/groups/paper").factory()
    assert isinstance(groups, GroupHouse)
    assert len(actors) >= 10
    for wanted in (True, False):
        app = msgspec.structs.replace(made.config.app, auto_restart=wanted)
        made.active.config = msgspec.structs.replace(made.config, app=app)
        assert {spec.by_itself() for spec in actors.values()} == {wanted}
        assert groups._by_itself() is wanted
        assert specs["/operators/api"].by_itself()
