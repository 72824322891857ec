"""What a replay came to, as a table or as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from service.cli.output import table
from service.cli.views import duration, instant
from service.explain.words import number

if TYPE_CHECKING:
    from service.replaying import ReplayResult
    from service.summary import GroupResult

__all__ = ["as_dict", "summary_view"]


def as_dict(result: ReplayResult, *, groups: bool) -> dict[str, Any]:
    """Return the result as plain data; money is decimal text."""
    run = result.summary
    found: dict[str, Any] = {
        "prices": result.prices,
        "seconds": round(result.seconds, 3),
        "prices_a_second": round(result.prices / result.seconds) if result.seconds else 0,
        "from": instant(result.started_at),
        "to": instant(result.ended_at),
        "signals": run.signals,
        "outcomes": dict(sorted(run.outcomes.items())),
        "mechanisms": dict(sorted(run.mechanisms.items())),
        "groups_opened": len(run.groups),
        "groups_closed": len(run.closed),
        "orders": run.orders,
        "fills": run.fills,
        "fees": {currency: number(amount) for currency, amount in sorted(run.fees.items())},
        "realized_quote": number(run.realized_quote),
        "max_drawdown_quote": number(run.max_drawdown_quote),
        "events": result.events,
        "dead_letters": result.dead_letters,
        "journal_digest": result.digest,
    }
    if groups:
        found["groups"] = [_group(each) for each in run.groups.values()]
    return found


def _group(group: GroupResult) -> dict[str, Any]:
    return {
        "group_id": group.group_id,
        "key": group.key,
        "opened_at": instant(group.opened_at),
        "closed_at": instant(group.closed_at) if group.closed_at is not None else None,
        "reason": group.reason,
        "fills": group.fills,
        "fees": {currency: number(amount) for currency, amount in sorted(group.fees.items())},
        "realized_quote": number(group.realized_quote),
    }


def summary_view(result: ReplayResult, *, groups: bool) -> RenderableType:
    """Return the result as a table."""
    run = result.summary
    outcomes = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in sorted(run.outcomes.items()))
    rate = result.prices / result.seconds if result.seconds else 0
    fees = ", ".join(f"{number(amount)} {currency}" for currency, amount in sorted(run.fees.items())) or "none"
    rows: list[tuple[str, str | Text]] = [
        ("prices", f"{result.prices:,} in {duration(result.seconds)} ({rate:,.0f} a second)"),
        ("from, to", f"{instant(result.started_at)}, {instant(result.ended_at)}"),
        ("signals", f"{run.signals}" + (f": {outcomes}" if outcomes else "")),
        (
            "groups",
            f"{len(run.groups)} opened, {len(run.closed)} closed, {len(run.groups) - len(run.closed)} still open",
        ),
        ("orders, fills", f"{run.orders}, {run.fills}"),
        ("fees", fees),
        ("realised", _money(run.realized_quote)),
        ("max drawdown", f"{number(run.max_drawdown_quote)} of what was realised"),
        ("events", f"{result.events:,}"),
        ("journal digest", result.digest),
    ]
    if result.dead_letters:
        rows.append(("dead letters", Text(str(result.dead_letters), style="yellow")))
    grid = Table.grid(padding=(0, 2))
    for name, value in rows:
        grid.add_row(Text(name, style="bold"), value if isinstance(value, Text) else Text(value))
    shown = [grid, _mechanisms_view(run.mechanisms)] if run.mechanisms else [grid]
    return Group(*shown, _groups_view(list(run.groups.values()))) if groups else Group(*shown)


def _mechanisms_view(used: Mapping[str, int]) -> RenderableType:
    """Show what the engine did, area by area, the most frequent first."""
    areas: dict[str, list[tuple[int, str]]] = {}
    for name, count in used.items():
        area, _, what = name.partition(": ")
        areas.setdefault(area, []).append((count, what.replace("_", " ")))
    grid = Table.grid(padding=(0, 2))
    for area, found in sorted(areas.items()):
        text = ", ".join(f"{count} {what}" for count, what in sorted(found, key=lambda each: (-each[0], each[1])))
        grid.add_row(Text(area, style="bold"), Text(text))
    return grid


def _money(amount: Decimal) -> Text:
    return Text(
        f"{number(amount)} by closed groups, before fees", style="green" if amount > 0 else "red" if amount < 0 else ""
    )


def _groups_view(groups: list[GroupResult]) -> RenderableType:
    columns = ("group", "what", "opened", "closed", "why", "fills", "realised")
    return table(columns, (_group_row(each) for each in groups), right=("fills", "realised"))


def _group_row(group: GroupResult) -> tuple[Any, ...]:
    closed = instant(group.closed_at)[:19] if group.closed_at is not None else "open"
    what = " ".join(group.key.split("|")[1:])
    style = "green" if group.realized_quote > 0 else "red" if group.realized_quote < 0 else ""
    result = Text(number(group.realized_quote), style=style)
    return group.group_id, what, instant(group.opened_at)[:19], closed, group.reason, str(group.fills), result
