"""The statements of a writer, and a batch as the arguments of one; ``{s}`` stands for the schema."""

from __future__ import annotations

from typing import Any, Final

from store.batch import Batch

__all__ = ["ATTACH", "ENDS", "KEEP_NEWER", "OPEN", "call_of_append", "columns_of"]

KEEP_NEWER: Final = """INSERT INTO {s}.snapshots VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (stream) DO UPDATE SET
    seq = excluded.seq, version = excluded.version, position = excluded.position, checksum = excluded.checksum,
    state = excluded.state WHERE excluded.seq >= snapshots.seq"""

ATTACH: Final = """UPDATE {s}.head SET session = session + 1 WHERE opening = $1 RETURNING session, position, checksum"""

ENDS: Final = """SELECT s.id, s.name, (SELECT coalesce(max(e.seq), 0) FROM {s}.events e WHERE e.stream = s.id)
    FROM {s}.streams s ORDER BY s.id DESC LIMIT $1"""

OPEN: Final = """UPDATE {s}.head SET opening = opening + 1, session = session + 1
    RETURNING opening, session, position, checksum"""


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
