"""What the event log needs of a configuration."""

from __future__ import annotations

from pathlib import Path

from rules.event_log.segments import RetentionMode
from service.config import Config
from store.log.settings import MEGABYTE, AutoExport, LogSettings

__all__ = ["log_folder", "log_settings"]


def log_folder(config: Config) -> Path:
    """Return where the log's segments lie."""
    return config.app.data_dir / "logs"


def log_settings(config: Config) -> LogSettings:
    """Return how segments are rotated, kept and exported (``logging.*``, ``app.log_level``)."""
    wanted = config.logging
    return LogSettings(
        rotate_daily=wanted.rotate_daily,
        mode=RetentionMode(wanted.retention_mode.value),
        keep_days=wanted.keep_days,
        max_file_bytes=wanted.max_file_mb * MEGABYTE,
        max_files=wanted.max_files,
        prune_above_bytes=wanted.prune_above_mb * MEGABYTE,
        auto_export=AutoExport(wanted.auto_export.value),
        least=config.app.log_level.value,
    )
