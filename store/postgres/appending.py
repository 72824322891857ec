"""The one statement of an append, and a batch as its arguments."""

from __future__ import annotations

from typing import Any

from store.batch import Batch

__all__ = ["call_of_append", "columns_of"]


def columns_of(batch: Batch) -> list[Any]:
    """Return what ``append`` takes after the leases: new streams, new types, and the rows turned into columns."""
    _, streams, seqs, types, ats, messages, correlations, causations, checksums, payloads = zip(
        *batch.rows, strict=True
    )
    return [
        [new.id for new in batch.new_streams],
        [new.name for new in batch.new_streams],
        [new.id for new in batch.new_types],
        [new.name for new in batch.new_types],
        [new.version for new in batch.new_types],
        *(streams, seqs, types, ats, messages, correlations, causations, checksums, payloads),
    ]


def call_of_append(schema: str) -> str:
    """Return the call of the function ``append``: session, head, leases, tokens, then the columns of a batch."""
    return f"SELECT {schema}.append({', '.join(f'${number}' for number in range(1, 20))})"
