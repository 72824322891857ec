"""The client ids of the part of the log that lies before this connection's ledger."""

from __future__ import annotations

from typing import Any, Final

from venues.errors import NetworkTimeout
from venues.oanda.calls import PAGE
from venues.oanda.line import Line

__all__ = ["PAGES_A_CALL", "Archive"]

PAGES_A_CALL: Final = 20
"""Pages that one question reads at most: it must end before its caller gives up. The next one goes on from there."""


class Archive:
    """Reads the log from its beginning up to where the ledger begins, when somebody asks for an id of that time."""

    def __init__(self, end: int) -> None:
        self._end = end
        self._read = 0
        self._numbers: dict[str, str] = {}

    @property
    def complete(self) -> bool:
        """Whether every transaction before the ledger was read."""
        return self._read >= self._end

    async def find(self, client_order_id: str, line: Line) -> str:
        """Return the venue's number of an order of that time, empty when none was found (or not all was read yet)."""
        for _ in range(PAGES_A_CALL):
            if client_order_id in self._numbers or self.complete:
                break
            last = min(self._read + PAGE, self._end)
            answer = await line.ask(line.calls.between(self._read + 1, last))
            self._take(answer, line.venue)
            self._read = last
        return self._numbers.get(client_order_id, "")

    def _take(self, answer: Any, venue: str) -> None:
        try:
            for each in answer["transactions"]:
                key = (each.get("clientExtensions") or {}).get("id")
                if key and str(each["type"]).endswith("_ORDER"):
                    self._numbers[str(key)] = str(each["id"])
        except (KeyError, TypeError, AttributeError) as error:
            raise NetworkTimeout(venue, f"the log cannot be read: {error!r}") from error
