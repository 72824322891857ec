"""What the made-up house has closed, and the figures of it; sums of a few hundred trades, for the eye alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from itertools import pairwise
from math import sqrt
from statistics import fmean, stdev
from typing import Any, Final

from tui.demo.prices import noise, text_of
from tui.demo.world import World

__all__ = ["days", "exported", "figures", "trades"]

_Query = Mapping[str, Any]
_Trade = dict[str, Any]

_SECOND: Final = 1_000_000_000
_DAY: Final = 86_400 * _SECOND
_COUNT: Final = 240
_START: Final = 50_000.0
_DEPOSIT: Final = 200.0
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


def _stats(found: Sequence[_Trade]) -> dict[str, Any]:
    nets = [_net(each) for each in found]
    won, lost = [net for net in nets if net > 0], [net for net in nets if net < 0]
    gain, loss = sum(won), -sum(lost)
    return {
        "trades": len(nets),
        "wins": len(won),
        "losses": len(lost),
        "breakeven": len(nets) - len(won) - len(lost),
        "win_rate_percent": 100 * len(won) / len(nets) if nets else None,
        "gross_profit": gain,
        "gross_loss": loss,
        "net_pnl": gain - loss,
        "average_win": gain / len(won) if won else None,
        "average_loss": -loss / len(lost) if lost else None,
        "rr_ratio": (gain / len(won)) / (loss / len(lost)) if won and lost else None,
        "profit_factor": gain / loss if loss else None,
        "expectancy": (gain - loss) / len(nets) if nets else None,
    }


def _rows(found: Sequence[_Trade], key: Callable[[_Trade], str], **more: Any) -> list[dict[str, Any]]:
    return [
        {"key": name, "realized": sum(map(_net, made)), "stats": _stats(made), **more}
        for name, made in sorted(_grouped(found, key).items())
    ]


def _field(name: str) -> Callable[[_Trade], str]:
    return lambda trade: str(trade[name])


def _form(form: str) -> Callable[[_Trade], str]:
    return lambda trade: f"{datetime.fromtimestamp(trade['closed_at'] / _SECOND, UTC):{form}}"


def _curves(world: World, found: Sequence[_Trade], unrealized: float) -> dict[str, Any]:
    """Return equity from trade to trade without any deposit; what was open and taken in between is made up."""
    oldest = found[::-1]
    start = oldest[0]["opened_at"] if oldest else world.now - _DAY
    total, under, peak = [[start, _START]], [[start, 0.0]], _START
    closed = _summed(start, ((each["closed_at"], _net(each)) for each in oldest))
    for number, (at, value) in enumerate(closed[1:]):
        equity = value + 70 * noise(91, number) * noise(92, number // 5)
        total.append([at, equity])
        peak = max(peak, equity)
        under.append([at, 100 * (equity / peak - 1)])
    total.append([world.now, closed[-1][1] + unrealized])
    under.append([world.now, min(0.0, 100 * (total[-1][1] / peak - 1))])
    realized = _summed(start, sorted(part for each in oldest for part in _taken(each)))
    return {"total": total, "realized": realized, "closed": closed, "drawdown": under, "flows": []}


def _summed(start: int, found: Iterable[tuple[int, float]]) -> list[list[float]]:
    points: list[list[float]] = [[start, _START]]
    for at, net in found:
        points.append([at, points[-1][1] + net])
    return points


def _taken(trade: _Trade) -> list[tuple[int, float]]:
    """Return when a trade booked what: one in three took most of it half-way."""
    at, net = trade["closed_at"], _net(trade)
    if trade["pyramids"] < 3 or net < 0:
        return [(at, net)]
    return [((trade["opened_at"] + at) // 2, 0.7 * net), (at, 0.3 * net)]


def _with_deposit(curves: Mapping[str, Any]) -> dict[str, Any]:
    """Return curves as they are when money came a third of the way; it is no profit, so how far they fell stays."""
    (first, _), (last, _) = curves["total"][0], curves["total"][-1]
    came = first + (last - first) // 3
    lifted = {
        name: [[at, value + (_DEPOSIT if at >= came else 0.0)] for at, value in curves[name]]
        for name in ("total", "realized", "closed")
    }
    return {**curves, **lifted, "flows": [[came, _DEPOSIT]]}


def _ratios(total: Sequence[Sequence[float]], now: int) -> dict[str, float | None]:
    """Return what the days until today were worth their risk, a year."""
    ends = {int(at) // _DAY: value for at, value in total}
    first, today = min(ends), now // _DAY
    values = [_START]
    for day in range(first, today):
        values.append(ends.get(day, values[-1]))
    returns = [after / before - 1 for before, after in pairwise(values)]
    if len(returns) < 2:
        return {"sharpe": None, "sortino": None}
    below = sqrt(fmean(min(each, 0.0) ** 2 for each in returns))
    mean, deviation = fmean(returns) * sqrt(365), stdev(returns)
    return {"sharpe": mean / deviation if deviation else None, "sortino": mean / below if below else None}


def _histogram(found: Sequence[_Trade]) -> dict[str, Any]:
    if not found:
        return {"edges": [], "counts": []}
    values = [float(each["return_percent"]) for each in found]
    low, high = min(values), max(values)
    wide = (high - low) / _BINS or 1.0
    counts = [0] * _BINS
    for value in values:
        counts[min(_BINS - 1, int((value - low) / wide))] += 1
    return {"edges": [low + number * wide for number in range(_BINS + 1)], "counts": counts}


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
    plain = _curves(world, found, unrealized)
    curves = _with_deposit(plain)
    ordered = sorted(found, key=_net)
    equity = curves["total"][-1][1]

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
        "net_flows": _DEPOSIT,
        "unvalued_fees": {},
        "unrealized": unrealized,
        "unrealized_complete": True,
        "total_pnl": net + unrealized,
        "total_pnl_percent": 100 * (net + unrealized) / (_START + _DEPOSIT),
        "open_groups": len(world.groups),
        "dashboard": {
            "pnl": {"day": since(1), "week": since(7), "month": since(30), "all": net},
            "stats": _stats(found),
            "long": _stats([each for each in found if each["side"] == "long"]),
            "short": _stats([each for each in found if each["side"] == "short"]),
            "histogram": _histogram(found),
            "heatmap": _heatmap(found),
            "drawdown": {
                "max_drawdown_percent": min(each[1] for each in curves["drawdown"]),
                "current_drawdown_percent": curves["drawdown"][-1][1],
            },
            **_ratios(plain["total"], world.now),
        },
        "allocation": _allocation(world, equity),
        "breakdown": keys,
        "periods": {unit: _rows(found, _form(form)) for unit, form in _UNITS.items()},
        "curves": curves,
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
