"""What a child process says in its log: JSON lines on its standard error, which the parent takes into the log of the house.

So there is one log, with the same fields, rotated and kept alike, and one place where secrets are taken out: a child knows
few of them. What is no such line (the interpreter's own last words) is taken as it is.
"""

from __future__ import annotations

import logging
import os
import traceback
from asyncio import StreamReader
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

import msgspec

__all__ = ["LONGEST", "child_environment", "hear", "heard", "speak"]

LONGEST: Final = 65_536
"""Bytes of one line; what is beyond is not logged."""

_PASSED_ON: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")
_FAMILIES: Final = ("PYTHON", "LD_", "DYLD_")
_UNHEARD: Final = "bulkhead.child"


class _Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    level: int
    logger: str
    event: str
    at: float
    exception: str = ""
    correlation_id: int = 0


def child_environment(more: Mapping[str, str] | None = None, *, families: tuple[str, ...] = ()) -> dict[str, str]:
    """Return all that a child process gets of our environment; the keys of venues and vault are not among it (EX-1501).

    ``families`` are further beginnings of names it gets.
    """
    begins = _FAMILIES + families
    kept = {name: value for name, value in os.environ.items() if name in _PASSED_ON or name.startswith(begins)}
    return {**kept, **(more or {})}


def speak(chain: Callable[[], int] = int) -> None:
    """Have everything this process logs said to its parent; ``chain`` is the causal chain at work."""
    logging.basicConfig(level=logging.INFO, handlers=[_Said(chain)], force=True)


class _Said(logging.Handler):
    def __init__(self, chain: Callable[[], int]) -> None:
        super().__init__()
        self._chain = chain

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record as one line; whoever logs is not to fall over a parent that has gone."""
        trace = record.exc_info
        line = _Line(
            level=record.levelno,
            logger=record.name,
            event=record.getMessage(),
            at=record.created,
            exception="".join(traceback.format_exception(trace[1])).rstrip() if trace and trace[1] else "",
            correlation_id=self._chain(),
        )
        with suppress(OSError):
            os.write(2, msgspec.json.encode(line) + b"\n")


async def hear(said: StreamReader, actor: str) -> None:
    """Log what a child says until it ends, in the name of the actor that has it."""
    rest = b""
    while data := await said.read(LONGEST):
        whole, newline, last = data.rpartition(b"\n")
        if newline:
            heard(rest + whole, actor)
            rest = b""
        rest = (rest + last)[:LONGEST]
    heard(rest, actor)


def heard(said: bytes, actor: str) -> None:
    """Log what a child has said, in the name of the actor that has it."""
    for line in said.split(b"\n"):
        if line.strip():
            _take(line[:LONGEST], actor)


def _take(raw: bytes, actor: str) -> None:
    try:
        line = msgspec.json.decode(raw, type=_Line)
    except msgspec.DecodeError:
        logging.getLogger(_UNHEARD).warning("%s", raw.decode("utf-8", "replace"), extra={"actor": actor})
        return
    about: dict[str, Any] = {"actor": actor}
    if line.correlation_id:
        about["correlation_id"] = line.correlation_id
    logger = logging.getLogger(line.logger)
    if not logger.isEnabledFor(line.level):
        return
    record = logger.makeRecord(line.logger, line.level, "", 0, line.event, (), None, extra=about)
    record.created = line.at
    record.exc_text = line.exception or None
    logger.handle(record)
