"""One line of the event log."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final, NamedTuple, TypeAlias

__all__ = ["ERROR", "GOOD", "INFO", "WARNING", "Category", "Line", "LineOf", "LineSeverity", "Source", "Tag"]


class Source(StrEnum):
    """Where a line comes from (EX-1403)."""

    WEBHOOK = "webhook"
    ORDER = "order"
    RISK_ENGINE = "risk_engine"
    PRECISION = "precision"
    SYSTEM = "system"


class LineSeverity(StrEnum):
    """How a line is coloured; the letters are E, W, I, R and O (EX-1402)."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    RISK = "risk"
    ORDER = "order"


class Category(StrEnum):
    """The filters of EX-1403: the first three go by severity, the others by source."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    WEBHOOK = "webhook"
    ORDER = "order"
    RISK_ENGINE = "risk_engine"
    PRECISION = "precision"
    SYSTEM = "system"

    @property
    def severity(self) -> LineSeverity | None:
        """The severity it stands for; None for those that name a source."""
        return LineSeverity(self.value) if self.value in ("error", "warning", "info") else None

    @property
    def source(self) -> Source | None:
        """The source it stands for; None for those that name a severity."""
        return Source(self.value) if self.severity is None else None


class Tag(StrEnum):
    """What a line is about (EX-1403)."""

    ENTRY = "entry"
    EXIT = "exit"
    DCA = "dca"
    TP = "tp"
    REDUCE = "reduce"
    RISK_CLOSE = "risk_close"
    QUEUE = "queue"
    CONFIG = "config"
    API_REJECT = "api_reject"
    RATE_LIMIT = "rate_limit"
    RECOVERY = "recovery"
    OPERATOR = "operator"


ERROR: Final = LineSeverity.ERROR
WARNING: Final = LineSeverity.WARNING
INFO: Final = LineSeverity.INFO
GOOD: Final = LineSeverity.ORDER


class Line(NamedTuple):
    """One line of the log; ``code`` is stable, ``text`` is for people. The ids are empty where there is none.

    ``pinned`` lines stay in the alert strip until an operator has acknowledged them (EX-1406).
    """

    source: Source
    severity: LineSeverity
    code: str
    text: str
    group_id: str = ""
    client_order_id: str = ""
    signal_id: str = ""
    pinned: bool = False


LineOf: TypeAlias = Callable[[Any], Line | None]
"""Makes the line of one event type, None where another line says the same."""
