"""Run the matrix, print its table and write its page."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from tests.servers.venues.faults import Fault
from tests.venues.matrix.cell import Cell, run_cell
from tests.venues.matrix.page import page_of, table_of
from tests.venues.rigs import RIGS

AT_ONCE = 6
"""Cells that run side by side: most of a cell is waiting."""


async def _run(venues: Iterable[str], faults: Iterable[Fault]) -> list[Cell]:
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(venue: str, fault: Fault) -> Cell:
        async with slots:
            cell = await run_cell(RIGS[venue], fault)
            sys.stderr.write(f"{venue:17} {fault.value:14} {cell.trouble or f'{cell.agreed_s:.1f} s'}\n")
            return cell

    # One venue after the other: each has its own library, which a second adapter finds warm.
    return list(await asyncio.gather(*[one(venue, fault) for venue in venues for fault in faults]))


def main() -> int:
    """Return 0 when every venue came through every fault."""
    asked = argparse.ArgumentParser(prog="python -m tests.venues.matrix", description=__doc__)
    asked.add_argument("--page", type=Path, help="write the table into this page too")
    asked.add_argument("--venues", nargs="*", choices=sorted(RIGS), default=list(RIGS))
    asked.add_argument("--faults", nargs="*", choices=[each.value for each in Fault], default=list(Fault))
    options = asked.parse_args()
    began = time.monotonic()
    cells = asyncio.run(_run(options.venues, [Fault(each) for each in options.faults]))
    sys.stdout.write(table_of(cells) + "\n")
    if options.page is not None:
        options.page.write_text(page_of(cells, time.monotonic() - began))
    return 0 if all(cell.good for cell in cells) else 1


if __name__ == "__main__":
    sys.exit(main())
