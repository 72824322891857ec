"""What the made-up house has closed, and the figures of it; sums of a few hundred trades, for the eye alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from msgspec import to_builtins

from rules.performance import EquityCourse, Snapshot, Tally, distributed, ratios
from tui.demo.prices import noise, text_of
from tui.demo.world import World

__all__ = ["days", "exported", "figures", "trades"]

_Query = Mapping[str, Any]
_Trade = dict[str, Any]

_SECOND: Final = 1_000_000_000
_DAY: Final = 86_400 * _SECOND
_COUNT: Final = 240
_START: Final = 50_000.0
_BINS: Final = 16
_PAIRS: Final = (
    *(("BTC/USDT", 66_000.0), ("ETH/USDT", 3_480.0), ("SOL/USDT", 168.0), ("AVAX/USDT", 38.0), ("LINK/USDT", 17.6)),
    *(("BNB/USDT", 602.0), ("XRP/USDT", 0.62), ("DOGE/USDT", 0.16), ("NEAR/USDT", 6.8), ("ARB/USDT", 1.05)),
)
_FRAMES: Final = ("5m", "15m", "1h", "4h")
_STRATEGIES: Final = ("breakout", "reversal", "trend")
_WON: Final = (
    "take_profit",
    "take_profit",
    "take_profit",
    "aggregate_tp",
    "exit_signal",
    "operator",
    "risk_close",
    "reduce",
)
_LOST: Final = ("stop", "stop", "exit_signal", "risk_close")
_SAID: Final = ("symbol", "timeframe", "side", "account", "venue", "strategy", "reason", "group_id")
_RANGES: Final = {"7d": 7, "30d": 30, "month": 30, "year": 365, "today": 1}
_ZERO: Final = {"open": 0, "unrealized": 0.0}


@cache
def _all(began: int) -> tuple[_Trade, ...]:
    """Return every closed group, the newest first."""
    return tuple(_trade(began, number) for number in range(_COUNT))


def _trade(began: int, number: int) -> _Trade:
    symbol, price = _PAIRS[int(abs(noise(71, number)) * 997) % len(_PAIRS)]
    long = noise(72, number) > -0.35
    percent = noise(73, number) * 1.5 + 0.32 + 0.6 * noise(74, number // 9)
    closed = began - int((number + 0.3 * abs(noise(75, number))) * 0.37 * _DAY) - 1_800 * _SECOND
    opened = closed - int((600 + 40_000 * abs(noise(76, number))) * _SECOND)
    cost = 400 + round(1_600 * abs(noise(77, number)))
    entry = price * (1 + 0.08 * noise(78, number // 7))
    net = cost * percent / 100
    places = 2 if price > 100 else 4
    reasons = _WON if net > 0 else _LOST
    return {
        "group_id": f"h{_COUNT - number:04d}{symbol[:3].lower()}",
        "position": 40_000 - number * 11,
        "scope": "paper",
        "account": "main" if long else "perp",
        "venue": "paper",
        "symbol": symbol,
        "timeframe": _FRAMES[int(abs(noise(79, number)) * 991) % len(_FRAMES)],
        "side": "long" if long else "short",
        "strategy": _STRATEGIES[int(abs(noise(80, number)) * 983) % len(_STRATEGIES)],
        "quote": "USDT",
        "reason": reasons[int(abs(noise(81, number)) * 977) % len(reasons)],
        "pyramids": 1 + number % 3,
        "opened_at": opened,
        "first_fill_at": opened + 3 * _SECOND,
        "closed_at": closed,
        "qty": f"{cost / entry:.4f}",
        "entry_price": text_of(entry, places),
        "exit_price": text_of(entry * (1 + (percent if long else -percent) / 100), places),
        "entry_cost_quote": f"{cost:.2f}",
        "realized_quote": f"{net + cost * 0.0015:.4f}",
        "fees_quote": f"{cost * 0.0015:.4f}",
        "net_quote": f"{net:.4f}",
        "return_percent": percent,
        "worst_percent": f"{min(percent, 0.0) - abs(noise(82, number)) * 1.2:.4f}",
        "best_percent": f"{max(percent, 0.0) + abs(noise(83, number)) * 0.6:.4f}",
    }


def _wanted(world: World, query: _Query) -> list[_Trade]:
    since = world.now - _RANGES[query["range"]] * _DAY if query.get("range") in _RANGES else 0
    names = ("scope", "account", "venue", "symbol", "timeframe", "strategy", "side", "reason")
    first, last = str(query.get("from") or ""), str(query.get("to") or "9999")
    words = str(query.get("text") or "").casefold().split()
    return [
        each
        for each in _all(world.began)
        if each["closed_at"] >= since
        and first <= _day(each) <= last
        and all(not query.get(name) or each[name] == query[name] for name in names)
        and all(word in " ".join(str(each[name]) for name in _SAID).casefold() for word in words)
    ]


def _day(trade: _Trade) -> str:
    return f"{datetime.fromtimestamp(trade['closed_at'] / _SECOND, UTC):%Y-%m-%d}"


def _net(trade: _Trade) -> float:
    return float(trade["net_quote"])


def trades(world: World, query: _Query) -> Any:
    """Answer ``/v1/performance/trades``."""
    limit = int(query.get("limit") or 100)
    found = _wanted(world, query)
    before = str(query.get("before") or "")
    if before:
        found = [each for each in found if each["closed_at"] < int(before.partition("/")[0])]
    more = f"{found[limit - 1]['closed_at']}/{found[limit - 1]['group_id']}" if len(found) > limit else ""
    return {"scope": "paper", "trades": found[:limit], "before": more}


def days(world: World, query: _Query) -> Any:
    """Answer ``/v1/performance/days``."""
    found = []
    for day, made in sorted(_grouped(_wanted(world, query), _day).items(), reverse=True):
        sums = {pair: sum(map(_net, each)) for pair, each in _grouped(made, lambda trade: trade["symbol"]).items()}
        found.append(
            {
                "day": day,
                "scope": "paper",
                "groups_closed": len(made),
                "fills": 7 * len(made),
                "volume_usd": 2 * sum(float(each["entry_cost_quote"]) for each in made),
                "net_pnl": sum(map(_net, made)),
                "best_symbol": max(sums, key=lambda pair: sums[pair]),
                "worst_symbol": min(sums, key=lambda pair: sums[pair]),
            }
        )
    return {"days": found[:60]}


def _grouped(found: Iterable[_Trade], key: Callable[[_Trade], str]) -> dict[str, list[_Trade]]:
    groups: dict[str, list[_Trade]] = {}
    for each in found:
        groups.setdefault(key(each), []).append(each)
    return groups


def _stats(found: Iterable[_Trade]) -> dict[str, Any]:
    tally = Tally()
    for each in found:
        tally.add(_net(each))
    return dict(to_builtins(tally.stats()))


def _rows(found: Sequence[_Trade], key: Callable[[_Trade], str], **more: Any) -> list[dict[str, Any]]:
    return [
        {"key": name, "realized": sum(map(_net, made)), "stats": _stats(made), **more}
        for name, made in sorted(_grouped(found, key).items())
    ]


def _field(name: str) -> Callable[[_Trade], str]:
    return lambda trade: str(trade[name])


def _form(form: str) -> Callable[[_Trade], str]:
    return lambda trade: f"{datetime.fromtimestamp(trade['closed_at'] / _SECOND, UTC):{form}}"


def _course(world: World, found: Sequence[_Trade], unrealized: float) -> tuple[EquityCourse, list[list[float]]]:
    """Return equity from trade to trade, with what was open between them made up, and what was realized."""
    oldest = found[::-1]
    start = oldest[0]["opened_at"] if oldest else world.now - _DAY
    realized, value = [[start, _START]], _START
    marks = [Snapshot(at=start, total_equity=_START)]
    for number, each in enumerate(oldest):
        value += _net(each)
        realized.append([each["closed_at"], value])
        opened = 70 * noise(91, number) * noise(92, number // 5)
        marks.append(Snapshot(at=each["closed_at"], total_equity=value + opened))
    marks.append(Snapshot(at=world.now, total_equity=value + unrealized))
    return EquityCourse(UTC, marks), realized


def _heatmap(found: Sequence[_Trade]) -> dict[str, Any]:
    return {
        pair: {
            frame: {key: _stats(each)[key] for key in ("trades", "net_pnl", "win_rate_percent")}
            for frame, each in _grouped(made, lambda trade: trade["timeframe"]).items()
        }
        for pair, made in _grouped(found, lambda trade: trade["symbol"]).items()
    }


def figures(world: World, query: _Query) -> Any:
    """Answer ``/v1/performance`` whole."""
    found = _wanted(world, query)
    unrealized = sum(group.result(world.now) for group in world.groups)
    net = sum(map(_net, found))
    course, realized = _course(world, found, unrealized)
    earned = ratios([each for _, each in course.returns(world.now)])
    ordered = sorted(found, key=_net)
    equity = _START + net + unrealized

    def since(count: int) -> float:
        return sum(_net(each) for each in found if each["closed_at"] >= world.now - count * _DAY)

    keys = {name: _rows(found, _field(name), **_ZERO) for name in _BY}
    return {
        "scope": "paper",
        "at": world.now,
        "range": {"name": str(query.get("range") or "all")},
        "equity_basis": "total",
        "starting_equity": _START,
        "equity": equity,
        "net_flows": 0.0,
        "unrealized": unrealized,
        "unrealized_complete": True,
        "total_pnl": net + unrealized,
        "total_pnl_percent": 100 * (net + unrealized) / _START,
        "open_groups": len(world.groups),
        "dashboard": {
            "pnl": {"day": since(1), "week": since(7), "month": since(30), "all": net},
            "stats": _stats(found),
            "long": _stats([each for each in found if each["side"] == "long"]),
            "short": _stats([each for each in found if each["side"] == "short"]),
            "histogram": to_builtins(distributed(sorted(each["return_percent"] for each in found), _BINS)),
            "heatmap": _heatmap(found),
            "drawdown": to_builtins(course.drawdown),
            "sharpe": earned.sharpe,
            "sortino": earned.sortino,
        },
        "allocation": _allocation(world, equity),
        "breakdown": keys,
        "periods": {unit: _rows(found, _form(form)) for unit, form in _UNITS.items()},
        "curves": {
            "total": list(map(list, course.total.pairs())),
            "realized": realized,
            "closed": realized,
            "drawdown": list(map(list, course.under.pairs())),
            "flows": [],
        },
        "trades": {"best": _shown(ordered[::-1][:10]), "worst": _shown(ordered[:10])},
    }


_BY: Final = ("symbol", "timeframe", "strategy", "side", "account", "venue")
_UNITS: Final = {"day": "%Y-%m-%d", "week": "%G-W%V", "month": "%Y-%m"}


def _shown(found: Sequence[_Trade]) -> list[dict[str, Any]]:
    return [{**each, "id": each["group_id"], "net_pnl": _net(each)} for each in found]


def _allocation(world: World, equity: float) -> dict[str, Any]:
    held = {
        group.market.symbol: {"usd": group.cost, "percent": 100 * group.cost / equity}
        for group in world.groups
        if group.cost
    }
    deployed = sum(each["usd"] for each in held.values())
    locked = sum(leg.qty * leg.price for group in world.groups for leg in group.legs if leg.state == "open")
    return {
        "exposure": held,
        "deployed_usd": deployed,
        "locked_usd": locked,
        "pool_used_percent": 92.3,
        "locked_dca_percent": 100 * locked / equity,
        "gauge_committed_usd": deployed + locked,
        "gauge_free_usd": max(0.0, equity - deployed - locked),
        "gauge_percent": 100 * (deployed + locked) / equity,
    }


def exported(world: World, query: _Query) -> bytes:
    """Answer an export with the closed groups as CSV: the demo draws no pictures."""
    rows = _wanted(world, query)
    names = ("group_id", "symbol", "timeframe", "side", "reason", "net_quote", "return_percent", "closed_at")
    return "\n".join([",".join(names), *(",".join(str(row[name]) for name in names) for row in rows), ""]).encode()
