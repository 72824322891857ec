"""Show how far a replay is, on a terminal only."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from service.cli.views import instant

if TYPE_CHECKING:
    from service.config import Config
    from service.replaying import ReplayProgress

__all__ = ["rows_in", "watched"]


@contextmanager
def watched(config: Config, *, whole: bool) -> Iterator[Callable[[ReplayProgress], None] | None]:
    """Show a bar on standard error while the block runs; ``whole`` says that every row of the files is replayed."""
    if not sys.stderr.isatty():
        yield None
        return
    rows = sum(rows_in(file.path) for file in config.market.replay.values()) if whole else 0
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=rows or None, rate="")

        def show(progress: ReplayProgress) -> None:
            rate = progress.prices / progress.seconds if progress.seconds else 0.0
            text = f"{rate:,.0f} bars/s"
            bar.update(task, completed=progress.prices, description=instant(progress.at)[:16], rate=text)

        yield show


def rows_in(path: Path) -> int:
    """Return how many rows a recorded file holds, 0 when that is not known cheaply."""
    try:
        if path.suffix == ".parquet":
            from pyarrow.parquet import read_metadata

            return int(read_metadata(path).num_rows)
        with path.open("rb") as file:
            return max(0, sum(1 for _ in file) - 1)
    except (OSError, ValueError):
        return 0
