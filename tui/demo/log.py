"""The made-up log: what happened before the demo began, and the questions that the log's addresses take."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from typing import Any, Final

from tui.demo.prices import MARKETS, noise
from tui.demo.world import World

__all__ = ["SEGMENTS", "exported", "found", "log_segments", "past"]

_SECOND: Final = 1_000_000_000
_LINES: Final = 260
_KINDS: Final = (
    # severity, source, code, text, tags
    ("order", "order", "OrderFilled", "entry P0 DCA{n} filled {q} at the limit", ("entry", "dca")),
    ("info", "webhook", "SignalAccepted", "entry taken from the webhook in 41 ms", ("entry",)),
    ("order", "order", "TargetFilled", "target of P0 DCA{n} filled {q}: +{q}", ("tp", "exit")),
    ("risk", "risk_engine", "CycleEnded", "no plan: the timer of every losing group still runs", ("risk_close",)),
    ("info", "system", "Reconciled", "books compared with the venue: no difference", ("recovery",)),
    ("info", "precision", "RulesFetched", "rules of 18 markets fetched", ()),
    ("info", "webhook", "SignalDuplicate", "the same alert came again and was ignored", ("entry",)),
    ("order", "order", "OrderPlaced", "limit order P0 DCA{n} placed", ("entry",)),
    ("info", "system", "EntryQueued", "entry waits for a slot: the pool is full", ("queue",)),
    ("risk", "risk_engine", "TimerStarted", "the risk timer of this group runs: 60 minutes", ("risk_close",)),
)

SEGMENTS: Final = (
    ("2026-11-21", 11, 1_482_331, True, False),
    ("2026-11-20", 10, 611_204, False, False),
    ("2026-11-19", 9, 590_877, False, True),
    ("2026-11-18", 8, 642_119, False, False),
    ("2026-11-17", 7, 603_442, False, False),
)
"""Day, number, bytes, open, kept."""


def past(world: World) -> list[dict[str, Any]]:
    """Return lines of the hours before, oldest first; the same for the same beginning."""
    names = list(MARKETS)
    lines = []
    for place in range(_LINES):
        severity, source, code, text, tags = _KINDS[int((noise(place, 11) + 1) * 4.99)]
        symbol = names[int((noise(place, 5) + 1) * 8.99)]
        quiet = source in ("system", "precision")
        lines.append(
            {
                "position": 40_000 + place,
                "at": world.began - (_LINES - place) * 31 * _SECOND + int(noise(place, 2) * 9) * _SECOND,
                "source": source,
                "severity": severity,
                "code": code,
                "identity": "" if quiet else f"{symbol} 15m long",
                "symbol": "" if quiet else symbol,
                "timeframe": "" if quiet else "15m",
                "group_id": "",
                "client_order_id": "",
                "signal_id": f"s{place + 600:08d}" if source == "webhook" else "",
                "text": text.format(n=place % 5, q=f"{1 + abs(noise(place, 8)) * 9:.2f}"),
                "tags": list(tags),
                "pinned": False,
                "acknowledged_at": None,
                "acknowledged_by": "",
                "correlation_id": 90_000 + place // 3,
                "stream": "/store/events",
            }
        )
    return lines


def found(world: World, query: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what a search finds, newest first."""
    lines = sorted([*past(world), *world.log], key=lambda line: int(line["at"]))
    return [line for line in reversed(lines) if _fits(line, query)][: int(query.get("limit") or 200)]


def _fits(line: Mapping[str, Any], query: Mapping[str, Any]) -> bool:
    def given(name: str) -> str:
        return str(query.get(name) or "")

    def words(name: str) -> set[str]:
        return set(filter(None, given(name).split(",")))

    categories = words("category")
    said = f"{line['text']} {line['identity']} {line['code']}".casefold()
    return all(
        (
            not categories or line["source"] in categories or line["severity"] in categories,
            not words("severity") or line["severity"] in words("severity"),
            words("tag") <= set(line["tags"]),
            given("pair").replace("/", "").casefold() in str(line["symbol"]).replace("/", "").casefold(),
            given("timeframe") in ("", line["timeframe"]),
            given("code") in ("", line["code"]),
            given("group") in ("", line["group_id"]),
            given("correlation") in ("", str(line["correlation_id"])),
            line["at"] >= int(given("since") or 0),
            line["at"] < int(given("until") or 1 << 62),
            line["position"] < int(given("before") or 1 << 62),
            given("pinned") != "1" or line["pinned"],
            all(word in said for word in given("text").casefold().split()),
        )
    )


def exported(world: World, query: Mapping[str, Any]) -> bytes:
    """Return what a search finds as a file."""
    rows = found(world, {**query, "limit": 10_000})[::-1]
    if query.get("format") == "json":
        return json.dumps(rows).encode()
    if query.get("format") == "txt":
        return "".join(f"{row['at']} {row['severity']} {row['text']}\n" for row in rows).encode()
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(("at", "severity", "code", "symbol", "text"))
    writer.writerows((row["at"], row["severity"], row["code"], row["symbol"], row["text"]) for row in rows)
    return out.getvalue().encode()


def log_segments() -> list[dict[str, Any]]:
    """Return the files of the log."""
    return [
        {
            "segment": f"log-{day}.{number}.jsonl",
            "number": number,
            "day": day,
            "bytes": size,
            "kept": kept,
            "open": opened,
        }
        for day, number, size, opened, kept in reversed(SEGMENTS)
    ]
