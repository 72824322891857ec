"""How the log's segments are rotated, kept and exported (``logging.*``, ``app.log_level``)."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from protocol.messages import Value
from rules.event_log.line import LineSeverity
from rules.event_log.segments import Retention, RetentionMode

__all__ = ["MEGABYTE", "AutoExport", "LogSettings"]

MEGABYTE: Final = 1_000_000

_LEAST: Final = {
    "warning": frozenset({LineSeverity.ERROR, LineSeverity.WARNING}),
    "error": frozenset({LineSeverity.ERROR}),
}


class AutoExport(StrEnum):
    """Form of the export of each finished day."""

    OFF = "off"
    DAILY_CSV = "daily_csv"
    DAILY_JSON = "daily_json"


class LogSettings(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """The settings of one moment; sizes in bytes. ``least`` is the least severe line that is written to a segment."""

    rotate_daily: bool = True
    mode: RetentionMode = RetentionMode.DAYS
    keep_days: int = 30
    max_file_bytes: int = 100 * MEGABYTE
    max_files: int = 20
    prune_above_bytes: int = 10_240 * MEGABYTE
    auto_export: AutoExport = AutoExport.OFF
    least: str = "info"

    @property
    def retention(self) -> Retention:
        """The rule by which segments are removed."""
        total = self.max_file_bytes * self.max_files if self.mode is RetentionMode.SIZE else self.prune_above_bytes
        return Retention(mode=self.mode, keep_days=self.keep_days, max_total=total)

    def wants(self, severity: LineSeverity) -> bool:
        """Tell whether a line of this severity is written; orders and risk decisions count as information."""
        least = _LEAST.get(self.least)
        return least is None or severity in least
