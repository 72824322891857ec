"""A toy house: it breaks a rule exactly when a disconnect comes after two posts of one symbol, within three hours."""

from __future__ import annotations

from decimal import Decimal

from runtime.clock import NANOS
from simulation.scenario import Act, Fault, FaultKind, Item, OperatorAction, PathKind, Post, PricePath, Rest, Scenario
from simulation.verdict import Moment, Verdict, Violation

__all__ = ["HOUR", "START", "scenario", "toy_run"]

START = 1_760_000_000 * NANOS
HOUR = 3_600 * NANOS


def scenario(*, seed: int = 7, hours: float = 24.0) -> Scenario:
    """Return a day with much in it that the toy house does not care for."""
    items: list[Item] = []
    for hour in range(24):
        at = START + hour * HOUR
        items.append(Post(at + 17, "BTC" if hour % 3 == 0 else f"noise {hour}"))
        items.append(Fault(at + 18, FaultKind.DISK_LOCKED, count=3, seconds=40.0))
        items.append(Act(at + 19, OperatorAction.RECONCILE))
        if hour % 4 == 3:
            items.append(Fault(at + 20, FaultKind.DISCONNECT, target="paper", seconds=55.5, amount=0.123))
        if hour % 8 == 7:
            items.append(Rest(at + 21))
    paths = tuple(
        PricePath(symbol=name, kind=PathKind.TREND, seed=1, start_price=Decimal(100))
        for name in ("BTC/USDT", "ETH/USDT")
    )
    return Scenario(
        seed=seed, start_at=START, hours=hours, settings={"a.b": 1, "c.d": "x"}, paths=paths, items=tuple(items)
    )


def toy_run(given: Scenario) -> Verdict:
    """Break ``two-and-a-break`` at the first disconnect that comes after two posts of BTC."""
    verdict = Verdict(given.seed, hours=given.hours)
    posts = 0
    for item in given.items:
        if item.at > given.end_at:
            break
        posts += isinstance(item, Post) and item.body == "BTC"
        if isinstance(item, Fault) and item.kind is FaultKind.DISCONNECT and posts >= 2:
            verdict.violations.append(Violation("two-and-a-break", item.at, f"after {posts} posts"))
            verdict.timeline.append(Moment(item.at, "fault", "disconnect"))
            break
    return verdict
