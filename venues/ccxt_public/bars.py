"""Pass on finished bars once each and in order; fetch the ones that were missed while the connection was away."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

from protocol.market import Bar

__all__ = ["BAR_S", "Bars"]

BAR_S: Final = 60
"""Length of the bars that the stream carries, in seconds."""

_NS: Final = 1_000_000_000


class Bars:
    """The bars of all symbols on their way to ``tell``. ``fetch`` returns bars of a symbol since an instant, oldest first.

    While the missing bars of a symbol are being fetched its newer ones wait, so that order holds.
    """

    def __init__(
        self,
        tell: Callable[[Bar], None],
        start: Callable[[Coroutine[Any, Any, None]], None],
        fetch: Callable[[str, int], Awaitable[tuple[Bar, ...]]],
    ) -> None:
        self._tell = tell
        self._start = start
        self._fetch = fetch
        self._newest: dict[str, int] = {}
        self._waiting: dict[str, list[Bar]] = {}

    def finished(self, bar: Bar) -> None:
        """Take a finished bar; tell it now, or after the ones before it have been fetched."""
        newest = self._newest.get(bar.symbol)
        if bar.symbol in self._waiting:
            self._waiting[bar.symbol].append(bar)
        elif newest is not None and bar.at > newest + BAR_S * _NS:
            self._waiting[bar.symbol] = [bar]
            self._start(self._fill(bar.symbol, newest + BAR_S * _NS))
        else:
            self._pass_on(bar)

    def _pass_on(self, bar: Bar) -> None:
        if bar.at > self._newest.get(bar.symbol, -1):
            self._newest[bar.symbol] = bar.at
            self._tell(bar)

    async def _fill(self, symbol: str, since: int) -> None:
        missed: tuple[Bar, ...] = ()
        try:
            missed = await self._fetch(symbol, since)
        finally:
            waiting = self._waiting.pop(symbol)
            for bar in sorted((*missed, *waiting), key=lambda bar: bar.at):
                self._pass_on(bar)
