"""Sections about what is kept, measured and shown: log, backups, performance figures, cockpit, installation."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

import msgspec

from service.config.keys import Key, Section

__all__ = ["AutoExport", "Backups", "Density", "Deployment", "Logging", "Performance", "RetentionMode", "Theme", "Ui"]


class RetentionMode(StrEnum):
    """What is pruned of the event log (EX-1405)."""

    DAYS = "days"
    SIZE = "size"
    INFINITE = "infinite"


class AutoExport(StrEnum):
    """Scheduled export of the event log."""

    OFF = "off"
    DAILY_CSV = "daily_csv"
    DAILY_JSON = "daily_json"


class Theme(StrEnum):
    """Colours of the cockpit."""

    DARK = "dark"
    LIGHT = "light"


class Density(StrEnum):
    """Spacing of rows in the cockpit."""

    COMPACT = "compact"
    NORMAL = "normal"
    WIDE = "wide"


class Logging(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The event log: segments, retention, export."""

    audit_log_enabled: Annotated[
        bool,
        Key(
            doc="Record commands of operators; cannot be false in live mode. All else that happens is in the journal, which "
            "is always kept.",
            applies="now",
        ),
    ] = True
    rotate_daily: Annotated[bool, Key(doc="Begin a segment at midnight UTC.", applies="now")] = True
    retention_mode: Annotated[RetentionMode, Key(doc="What decides which segments are pruned.", applies="now")] = (
        RetentionMode.DAYS
    )
    keep_days: Annotated[
        int, Key(doc="Age of the oldest segment in mode days.", unit="days", applies="now", at_least=1, at_most=3650)
    ] = 30
    max_file_mb: Annotated[
        int, Key(doc="A segment of this size is rotated.", unit="MB", applies="now", at_least=1, at_most=10_240)
    ] = 100
    max_files: Annotated[
        int, Key(doc="Segments kept in mode size.", unit="files", applies="now", at_least=1, at_most=1000)
    ] = 20
    prune_above_mb: Annotated[
        int,
        Key(doc="Size above which mode infinite prunes.", unit="MB", applies="now", at_least=100, at_most=10_485_760),
    ] = 10_240
    auto_export: Annotated[AutoExport, Key(doc="Scheduled export.", applies="now")] = AutoExport.OFF


class Backups(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Full backups that the daemon makes."""

    keep_newest: Annotated[
        int,
        Key(
            doc="Full backups that stay in <data_dir>/backups once another one was made and read back; marked ones stay "
            "besides. 0: all of them.",
            unit="archives",
            applies="now",
            at_least=0,
            at_most=10_000,
        ),
    ] = 14


class Performance(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Equity snapshots and the figures drawn from them."""

    snapshot_interval_sec: Annotated[
        int, Key(doc="Time between two equity snapshots.", unit="s", applies="now", at_least=5, at_most=3600)
    ] = 60
    risk_free_annual_percent: Annotated[
        Decimal, Key(doc="Hurdle of Sharpe and Sortino ratios.", unit="%", applies="now", at_least=-10, at_most=50)
    ] = Decimal(0)
    annualization_days: Annotated[
        int, Key(doc="Days of a year for ratios.", unit="days", applies="now", at_least=1, at_most=366)
    ] = 365
    histogram_bins: Annotated[
        int, Key(doc="Bins of the histogram of returns.", unit="bins", applies="now", at_least=2, at_most=200)
    ] = 20
    starting_equity: Annotated[
        Decimal | None,
        Key(
            doc="First point of the equity curves. Unset: the first snapshot.",
            unit="USD",
            applies="now",
            above=0,
            example=Decimal(10_000),
        ),
    ] = None


class Ui(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the cockpit looks; every key is used by the cockpit."""

    theme: Annotated[Theme, Key(doc="Colours. Used by the cockpit.", applies="now")] = Theme.DARK
    realtime_update_ms: Annotated[
        int, Key(doc="Refresh period. Used by the cockpit.", unit="ms", applies="now", at_least=100, at_most=10_000)
    ] = 500
    font_size: Annotated[
        int,
        Key(
            doc="Size of letters in a browser; a terminal has its own. Used by the cockpit.",
            unit="px",
            applies="now",
            at_least=8,
            at_most=32,
        ),
    ] = 14
    density: Annotated[Density, Key(doc="Spacing of rows. Used by the cockpit.", applies="now")] = Density.NORMAL
    column_visibility: Annotated[
        dict[str, tuple[str, ...]],
        Key(
            doc="Columns shown, panel to list of columns. Used by the cockpit.",
            applies="now",
            example={"positions": ("symbol", "side", "pnl")},
        ),
    ] = msgspec.field(default_factory=dict)
    autosave_config: Annotated[
        bool,
        Key(doc="Save the draft while editing; it is never applied by itself. Used by the cockpit.", applies="now"),
    ] = False


class Deployment(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How an installation is built and updated."""

    docker_enabled: Annotated[
        bool, Key(doc="Build as a container, of docker/Dockerfile. The daemon itself does nothing with it.")
    ] = True
    auto_update: Annotated[
        bool,
        Key(
            doc="Update by itself. This version knows no source of releases: it installs nothing, and says so at each start "
            "while this is true."
        ),
    ] = False
