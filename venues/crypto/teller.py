"""Tell the sink what happened, from whichever way it is heard: each fill once, and before the state it led to."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from decimal import Decimal
from typing import Any, Final

from protocol.messages import Message
from protocol.orders import FillReport, OrderReport
from venues.access import Tools
from venues.contract import Sink
from venues.crypto.account import Account
from venues.crypto.dialect import Dialect, Row
from venues.crypto.memory import Bounded, Memory
from venues.crypto.translate import Translator
from venues.errors import VenueError

__all__ = ["Teller"]

_PATIENCE_S: Final = 1.0
"""How long an order may be later than its fill before the venue is asked whose fill it is."""
_LOOK_BACK_NS: Final = 600 * 1_000_000_000
"""How much older than the state that speaks of it a fill may be; what is older, the next comparison finds."""


class Teller:
    """The facts of one connection on their way to ``sink``."""

    def __init__(
        self,
        sink: Sink,
        dialect: Dialect,
        words: Translator,
        memory: Memory,
        account: Account,
        tools: Tools,
        *,
        start: Callable[[Coroutine[Any, Any, None], str], None],
        now: Callable[[], int],
    ) -> None:
        self._sink = sink
        self._dialect = dialect
        self._words = words
        self._memory = memory
        self._account = account
        self._tools = tools
        self._start = start
        self._now = now
        self._last: Bounded[str, OrderReport] = Bounded()
        self._held: dict[str, OrderReport] = {}
        self._nameless: dict[str, list[Row]] = {}
        self.open: dict[str, str] = {}
        """Client id -> symbol of the orders that can still fill, as far as was told."""

    # --- from the streams ----------------------------------------------------------------------------------------------

    def order(self, row: Row) -> None:
        """Hear of an order from a stream."""
        report = self._account.report(row)
        self._named(report.venue_order_id)
        self.report(report)

    def trade(self, row: Row) -> None:
        """Hear of a trade from a stream; whose order it was may have to be found out."""
        number = str(row.get("order") or "")
        if named := self._dialect.client_id_of_trade(row):
            self.fill(self._words.fill(row, self._words.own_of(named, number)))
        elif number in self._memory.numbers:
            self.fill(self._words.fill(row, self._memory.numbers[number]))
        else:
            waiting = self._nameless.setdefault(number, [])
            waiting.append(row)
            if len(waiting) == 1:
                self._start(self._find_owner(number), "whose trade")

    def _named(self, number: str) -> None:
        for row in self._nameless.pop(number, ()):
            self.fill(self._words.fill(row, self._memory.numbers[number]))

    async def _find_owner(self, number: str) -> None:
        await self._tools.sleep(_PATIENCE_S)
        waiting = self._nameless.pop(number, [])
        if not waiting:
            return
        try:
            owner = await self._account.owner(waiting[0])
        except VenueError:
            return  # the next comparison with the venue's history finds them
        for row in waiting:
            self.fill(self._words.fill(row, owner))

    def tell(self, fact: Message) -> None:
        """Tell something else."""
        self._sink(fact)

    # --- to the sink ---------------------------------------------------------------------------------------------------

    @property
    def holds(self) -> bool:
        """Whether a state waits for the fills that it speaks of."""
        return bool(self._held)

    def knows(self, fill: FillReport) -> bool:
        """Whether a fill was told."""
        return (fill.symbol, fill.trade_id) in self._memory.told

    def fill(self, fill: FillReport) -> None:
        """Tell a fill, once; then what had to wait for it."""
        if self.knows(fill):
            return
        memory, key = self._memory, fill.client_order_id
        memory.told[fill.symbol, fill.trade_id] = None
        memory.told_qty[key] = memory.told_qty.get(key, Decimal(0)) + fill.qty
        memory.newest_fill = max(memory.newest_fill, fill.at)
        memory.symbols.add(fill.symbol)
        self._sink(fill)
        held = self._held.get(key)
        if held is not None and not self._short(held):
            del self._held[key]
            self._tell(held)

    def report(self, report: OrderReport) -> None:
        """Tell how an order stands, once the fills that it speaks of were told."""
        key = report.client_order_id
        if self._stale(report):
            return
        if not report.state.final:
            self.open[key] = report.symbol
        if not self._short(report):
            self._held.pop(key, None)
            self._tell(report)
            return
        waits = key in self._held
        if not waits or not self._held[key].state.final or report.state.final:
            self._held[key] = report
        if not waits:
            self._start(self._fetch_fills(key), "fills of an order")

    def _stale(self, report: OrderReport) -> bool:
        """Whether an order is known to be further: streams repeat themselves, and are overtaken."""
        last = self._last.get(report.client_order_id)
        if last is None:
            return False
        if last.state.final and not report.state.final:
            return True
        same = (last.state, last.filled_qty) == (report.state, report.filled_qty)
        return same or (report.filled_qty < last.filled_qty and not report.state.final)

    def _short(self, report: OrderReport) -> bool:
        return bool(report.filled_qty and self._memory.told_qty.get(report.client_order_id, 0) < report.filled_qty)

    def _tell(self, report: OrderReport) -> None:
        self._last[report.client_order_id] = report
        if report.state.final:
            self.open.pop(report.client_order_id, None)
        self._sink(report)

    async def _fetch_fills(self, key: str) -> None:
        """Ask for the fills of an order whose state came without them; then its state is told in any case."""
        for pause_s in self._dialect.fill_looks_s:
            await self._tools.sleep(pause_s)
            held = self._held.get(key)
            if held is None:
                return
            since = held.at - _LOOK_BACK_NS
            try:
                for fill in await self._account.fills_since(since, (held.symbol,)):
                    self.fill(fill)
            except VenueError:
                continue  # the state is told below; the fills come with the next comparison
        held = self._held.pop(key, None)
        if held is not None:
            self._tell(held)
