"""Export a table of the read models to a file, whole or not at all, or to standard output."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from protocol.errors import BulkheadError
from service.config import Config
from service.journals import views_of
from store.tables.catalogue import table
from store.tables.opening import read_tables
from store.transfer.exporting import TableForm, export_table

__all__ = ["ExportRefused", "export_to"]


class ExportRefused(BulkheadError):
    """The export was asked for in a way that cannot be."""


def export_to(config: Config, name: str, form: str, output: Path | None, told: Callable[[int], None]) -> int:
    """Write all rows of a table; return how many.

    Raises ``ExportRefused`` for an unknown form, and for Parquet on a terminal's stream.
    """
    if form not in list(TableForm):
        raise ExportRefused(f"{form} is none of {', '.join(TableForm)}")
    if output is None and form == TableForm.PARQUET:
        raise ExportRefused("Parquet is written to a file: name one with --output")
    with closing(read_tables(views_of(config))) as tables:
        if output is None:
            return export_table(tables, table(name), TableForm(form), sys.stdout.buffer, told)
        draft = output.with_name(f".{output.name}.{os.getpid()}")
        try:
            draft.unlink(missing_ok=True)  # whoever may write there could have left a link to elsewhere
            with draft.open("xb") as file:
                rows = export_table(tables, table(name), TableForm(form), file, told)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(output)
        finally:
            draft.unlink(missing_ok=True)
        return rows
