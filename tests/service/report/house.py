"""A made-up history behind the real routes: no daemon, its read models and an API on a unix socket."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import anyio
from aiohttp import web

from benchmarks.trade_history import BEGIN, DAY, make_history
from service.api.answers import errors_in_one_shape
from service.api.client import Client
from service.api.past import Figures
from service.api.performance import register as register_figures
from service.api.reports import register as register_reports
from service.config import Config, parse
from store.queries import Views, open_views
from store.tables.opening import write_tables
from tests.servers.closing import no_more_guests

T = TypeVar("T")

__all__ = ["DAYS", "NOW", "House", "history_of", "house", "run"]

DAYS = 90
NOW = BEGIN + DAYS * DAY


class _Bus:
    """No price is known."""

    def kept(self, topic: Any) -> Any:
        return None


class _System(SimpleNamespace):
    def now(self) -> int:
        return NOW


class House:
    """What the routes ask of a server, and ways to ask them."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.host = SimpleNamespace(config=config, system=_System(bus=_Bus()))
        self.figures = Figures(self.host)  # type: ignore[arg-type]  # all that it uses of a host
        self.socket = config.app.data_dir / "api.sock"
        self.client = Client(self.socket, timeout_s=60)

    async def get(self, path: str, **query: Any) -> Any:
        return await anyio.to_thread.run_sync(lambda: self.client.get(path, **query))

    async def fetched(self, path: str, **query: Any) -> tuple[bytes, str]:
        """Return what is fetched, and the name that it is offered under."""

        def work() -> tuple[bytes, str]:
            with tempfile.TemporaryFile() as out:
                name = self.client.fetch(path, out, query)
                out.seek(0)
                return out.read(), name

        return await anyio.to_thread.run_sync(work)


@contextmanager
def history_of(folder: Path, *, trades: int = 120, days: int = DAYS, **more: Any) -> Iterator[Views]:
    """Make a history in a folder and open it."""
    with closing(write_tables(folder / "views.db")) as made:
        make_history(made, trades=trades, days=days, marks_a_day=6, flows=((40, 2_500.0),), **more)
    with closing(open_views(folder / "views.db")) as views:
        yield views


@asynccontextmanager
async def house(trades: int = 120) -> AsyncIterator[House]:
    """Serve a history on a unix socket."""
    with tempfile.TemporaryDirectory(prefix="bh") as name:
        config = parse("", {"BULKHEAD_APP__DATA_DIR": name})
        if trades:
            with history_of(Path(name), trades=trades):
                pass
        else:
            write_tables(Path(name) / "views.db").close()
        made = House(config)
        app = web.Application(middlewares=[errors_in_one_shape])
        for register in (register_figures, register_reports):
            register(app, made)  # type: ignore[arg-type]  # all that they use of a server
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            await web.UnixSite(runner, str(made.socket)).start()
            yield made
        finally:
            await no_more_guests(runner)
            await runner.cleanup()
            made.figures.reading.close()


def run(work: Callable[[House], Awaitable[T]], trades: int = 120) -> T:
    """Run a test's work against a house of its own."""

    async def main() -> T:
        async with house(trades) as ready:
            return await work(ready)

    return asyncio.run(main())
