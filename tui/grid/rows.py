"""Which rows are shown, in which order, and which of them changed: no drawing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tui.grid.column import Column, Row

__all__ = ["Rows"]


class Rows:
    """Rows by id, filtered by a text and sorted by a column.

    ``shown`` holds the ids in order. The order of rows whose keys are equal is that in which they came.
    """

    def __init__(self, columns: Sequence[Column], *, ident: str) -> None:
        self.columns = {column.name: column for column in columns}
        self.ident = ident
        self.shown: list[str] = []
        self.sort = ""
        self.descending = False
        self.text = ""
        self._rows: dict[str, Row] = {}

    def __len__(self) -> int:
        return len(self.shown)

    @property
    def total(self) -> int:
        """Return how many rows there are, shown or not."""
        return len(self._rows)

    def row(self, ident: str) -> Row | None:
        """Return a row by its id."""
        return self._rows.get(ident)

    def at(self, index: int) -> Row | None:
        """Return the row at a place on screen."""
        return self._rows[self.shown[index]] if 0 <= index < len(self.shown) else None

    def index_of(self, ident: str) -> int | None:
        """Return where a row stands, None when it is not shown."""
        try:
            return self.shown.index(ident)
        except ValueError:
            return None

    def take(self, rows: Iterable[Row]) -> set[str]:
        """Take all rows anew; return the ids of those that are new or changed."""
        before, self._rows = self._rows, {str(row[self.ident]): row for row in rows}
        self.arrange()
        return {ident for ident, row in self._rows.items() if before.get(ident) != row}

    def arrange(self) -> None:
        """Filter and sort again."""
        found = [ident for ident, row in self._rows.items() if self._matches(row)]
        column = self.columns.get(self.sort)
        if column is not None:
            keys = {ident: column.sort_key(self._rows[ident]) for ident in found}
            known = [ident for ident in found if keys[ident][0] == 0]
            known.sort(key=keys.__getitem__, reverse=self.descending)
            found = known + [ident for ident in found if keys[ident][0]]
        self.shown = found

    def order_by(self, name: str, *, descending: bool) -> None:
        """Sort by a column; an unknown name gives back the order in which rows came."""
        self.sort, self.descending = name, descending
        self.arrange()

    def search(self, text: str) -> None:
        """Show only rows in which each word of a text occurs, in whatever column, without regard to case."""
        self.text = text
        self.arrange()

    def _matches(self, row: Row) -> bool:
        if not self.text:
            return True
        said = " ".join(column.cell(row).text for column in self.columns.values()).casefold()
        return all(word in said for word in self.text.casefold().split())
