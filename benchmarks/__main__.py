"""Run the benchmarks and print one table: ``python -m benchmarks [NAME ...] [--json FILE] [--quick]``.

Nothing is asserted: a figure is worth what its machine is, so the machine stands above the table.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from benchmarks import (
    actors,
    api,
    cache,
    cockpit,
    journal,
    journal_postgres,
    log_search,
    performance,
    recovery,
    replay,
    rules,
    signal_to_order,
    startup,
    venue_orders,
    venue_ticks,
)
from benchmarks.measure import Row, table

__all__ = ["BENCHMARKS", "main"]

QUICK_ROUNDS: Final = {1: 60, 10: 60, 100: 30, 1000: 12}


def _journal(*, quick: bool) -> list[Row]:
    rounds = QUICK_ROUNDS if quick else journal.ROUNDS
    with tempfile.TemporaryDirectory() as folder:
        lines = journal.measure(Path(folder), rounds=rounds)
    rows = [
        Row(
            f"journal appends, {line.batch} a commit",
            line.journal,
            "/s",
            line.spread_percent,
            line.journal / line.same_rows,
            "executemany of the same rows",
        )
        for line in lines
    ]
    return rows + [
        Row(
            f"journal on PostgreSQL, {line.batch} a commit",
            line.journal,
            "/s",
            line.spread_percent,
            line.journal / line.same_rows,
            "asyncpg's executemany of the same rows",
        )
        for line in journal_postgres.measure_here(rounds)
    ]


BENCHMARKS: Final[Mapping[str, Callable[..., list[Row]]]] = {
    "actors": lambda *, quick: actors.measure(3, share=0.2) if quick else actors.measure(),
    "journal": _journal,
    "rules": lambda *, quick: rules.rows(2) if quick else rules.rows(),
    "replay": lambda *, quick: replay.rows(2) if quick else replay.rows(),
    "signal_to_order": lambda *, quick: signal_to_order.rows(rounds=1, seconds=5) if quick else signal_to_order.rows(),
    "startup": lambda *, quick: startup.rows(2, 1.0) if quick else startup.rows(),
    "log_search": lambda *, quick: log_search.rows(50_000, 3) if quick else log_search.rows(),
    "performance": lambda *, quick: performance.rows(5_000, 40, 1) if quick else performance.rows(),
    "cache": lambda *, quick: cache.rows(2, 0.1) if quick else cache.rows(),
    "venue_ticks": lambda *, quick: venue_ticks.rows(seconds=2, rounds=1) if quick else venue_ticks.rows(),
    "venue_orders": lambda *, quick: venue_orders.rows(20, 2) if quick else venue_orders.rows(),
    "api": lambda *, quick: api.rows(800, 2, 100) if quick else api.rows(),
    "cockpit": lambda *, quick: cockpit.rows(3.0, 5) if quick else cockpit.rows(),
    "recovery": lambda *, quick: recovery.rows(2, 200) if quick else recovery.rows(),
}


def machine() -> dict[str, Any]:
    """Return what the figures were measured on."""
    return {
        "machine": f"{platform.system()} {platform.machine()}",
        "cpus": os.cpu_count(),
        "load": [round(each, 2) for each in os.getloadavg()],
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was named, everything by default; return 0 when all of them ran."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="measure against floors and peers")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one or more of {', '.join(BENCHMARKS)}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the rows to a file")
    parser.add_argument("--quick", action="store_true", help="few and short rounds: to see that they run")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"no benchmark is called {', '.join(unknown)}; there is: {', '.join(BENCHMARKS)}")
    facts = machine()
    print(", ".join(f"{name} {value}" for name, value in facts.items()), flush=True)
    rows: list[Row] = []
    for name in options.names or BENCHMARKS:
        print(f"{name} ...", file=sys.stderr, flush=True)
        rows += partial(BENCHMARKS[name], quick=options.quick)()
    print(table(rows))
    if options.json is not None:
        document = {**facts, "quick": options.quick, "rows": [row._asdict() for row in rows]}
        options.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
