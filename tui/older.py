"""Pages of what was before: rows that were asked for once stay beneath the newest until something else is looked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tui.state import State

__all__ = ["Older"]


class Older:
    """Older rows of one topic; ``ident`` is the field that tells rows apart. An answer says in ``before`` where it ends."""

    def __init__(self, topic: str, ident: str) -> None:
        self._topic = topic
        self._ident = ident
        self._rows: list[dict[str, Any]] = []
        self._for: Mapping[str, str] = {}
        self._before: Any = ""

    def beneath(self, state: State, newest: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the newest rows with the older ones beneath; these go when another question is asked."""
        wanted = state.narrowed(self._topic)
        if wanted != self._for:
            self._rows, self._for = [], dict(wanted)
        known = {row[self._ident] for row in newest}
        return [*newest, *(row for row in self._rows if row[self._ident] not in known)]

    def before(self, state: State) -> Any:
        """Return where the next page begins, empty when there is none."""
        if self._rows:
            return self._before
        return (state.get(self._topic) or {}).get("before", "")

    def add(self, page: Mapping[str, Any], rows: Sequence[dict[str, Any]]) -> None:
        """Take a page that was asked for."""
        self._rows = [*self._rows, *rows]
        self._before = page["before"]
