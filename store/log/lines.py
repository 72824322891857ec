"""The forms of a line of the log: JSON of a segment, and text, CSV or JSON of an export (EX-1407, EX-1409)."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

import msgspec

from protocol.codec import encode_json
from protocol.legible import legible
from protocol.messages import Event
from rules.notation import iso_ms, legible_json
from rules.signals.redaction import REDACTED, redact_text
from store.views.rows import EventRow

__all__ = ["COLUMNS", "ExportForm", "exported", "harmless", "json_line", "plain_row", "without_secrets"]


class ExportForm(StrEnum):
    """Forms of an export."""

    TXT = "txt"
    CSV = "csv"
    JSON = "json"


COLUMNS: Final = (
    *("time", "severity", "category", "code", "pair", "timeframe", "side", "text", "tags", "pinned", "acknowledged_by"),
    *("group_id", "client_order_id", "signal_id", "actor", "correlation_id", "position"),
)
"""The columns of an export, and the fields of a line."""

_LETTERS: Final = {"error": "E", "warning": "W", "info": "I", "risk": "R", "order": "O"}
_BEGINS_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_NEGATIVE: Final = re.compile(r"-[0-9]+(\.[0-9]+)?")
_SECRET: Final = re.compile(r"secret|passphrase|password|api[_-]?key|private[_-]?key|hmac[_-]?key|token", re.IGNORECASE)


@lru_cache(maxsize=1_024)
def _names_secret(name: str) -> bool:
    """Whether a field is named as a secret; events name the same few hundred fields over and over."""
    return _SECRET.search(name) is not None


def without_secrets(value: Any, name: str = "") -> Any:
    """Return plain data with the values of all fields that name a secret, and secrets within texts, taken out (EX-1508)."""
    if isinstance(value, str):
        return REDACTED if value and _names_secret(name) else redact_text(value)
    if isinstance(value, dict):
        return {key: without_secrets(each, str(key)) for key, each in value.items()}
    if isinstance(value, (list, tuple)):  # not a union of types: that is made anew each time
        return [without_secrets(each, name) for each in value]
    return REDACTED if value and _names_secret(name) and not isinstance(value, bool) else value


def plain_row(row: EventRow) -> dict[str, Any]:
    """Return a line's fields by the names of ``COLUMNS``."""
    side = row.identity.rpartition(" ")[2] if row.symbol else ""
    values = (
        *(iso_ms(row.at), row.severity.value, row.source.value, row.code, row.symbol, row.timeframe, side),
        *(redact_text(row.text), [tag.value for tag in row.tags], row.pinned, row.acknowledged_by),
        *(row.group_id, row.client_order_id, row.signal_id, row.stream, row.correlation_id, row.position),
    )
    return dict(zip(COLUMNS, values, strict=True))


def json_line(row: EventRow, event: Event | None) -> bytes:
    """Return the line of a segment: what an operator reads, and the event's own fields."""
    data = without_secrets(msgspec.json.decode(encode_json(event))) if event is not None else {}
    line = encode_json({**plain_row(row), "data": data}) + b"\n"
    return line if line.isascii() else legible_json(line.decode()).encode()


def exported(rows: Iterable[EventRow], form: ExportForm) -> Iterator[str]:
    """Yield an export piece by piece: text, RFC 4180 CSV with a header, or one JSON array."""
    if form is ExportForm.CSV:
        yield from _csv(rows)
    elif form is ExportForm.JSON:
        yield from _json(rows)
    else:
        for row in rows:
            line = plain_row(row)
            mark = _LETTERS.get(row.severity.value, "?")
            about = f"{row.identity} " if row.identity else ""
            ident = row.client_order_id or row.group_id or row.signal_id
            yield f"{line['time']} {mark} {row.source.value:<11} {about}{row.code}: {legible(line['text'])}" + (
                f"  [{ident}]\n" if ident else "\n"
            )


def _csv(rows: Iterable[EventRow]) -> Iterator[str]:
    yield _csv_line(COLUMNS)
    for row in rows:
        line = plain_row(row)
        line["tags"] = " ".join(line["tags"])
        line["pinned"] = "true" if row.pinned else "false"
        yield _csv_line([harmless(str(line[name])) for name in COLUMNS])


def _csv_line(cells: Iterable[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()


def harmless(cell: str) -> str:
    """Keep a spreadsheet from taking a text that came from outside for a formula; a number stays one."""
    return f"'{cell}" if cell[:1] in _BEGINS_FORMULA and not _NEGATIVE.fullmatch(cell) else cell


def _json(rows: Iterable[EventRow]) -> Iterator[str]:
    first = True
    for row in rows:
        yield ("[\n" if first else ",\n") + json.dumps(plain_row(row), ensure_ascii=False)
        first = False
    yield "[]\n" if first else "\n]\n"
