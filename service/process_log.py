"""The process's own log: what modules say through ``logging`` or structlog, as JSON lines in rotated files.

Each line carries the actor that spoke and its correlation id; secrets are taken out by their value and by the names they
stand behind. What child processes log comes in as well (``runtime.child_log``). A thread of its own renders and writes, so
that nothing that trades waits for a disk; what it cannot write it counts and goes on. Files lie in
``<data_dir>/logs/process`` and are rotated and kept as those of the event log are.

What must not live here: what an operator is told. That is the event log, which is made of the journal.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread, get_ident, main_thread
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TextIO

from protocol.legible import legible
from rules.notation import iso_exact, legible_json
from rules.signals.redaction import redact_known, redact_text
from runtime.threads import thread_envelope
from service.config import Config
from service.config.venue_access import secrets_of
from service.log_files import LogFiles
from service.logs import log_folder, log_settings
from store.log.lines import without_secrets
from store.log.settings import LogSettings

if TYPE_CHECKING:
    from runtime.system import ActorSystem

__all__ = ["MOST_WAITING", "ProcessLog", "begin_process_log", "process_folder", "running_log"]

MOST_WAITING: Final = 10_000
"""Lines that wait to be written at most; those beyond are counted and left out."""

_CLOSE_S: Final = 5.0
_LOOK_UP_S: Final = 5.0
_PLAIN: Final = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
_OWN: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}

_Secrets = Callable[[], Sequence[str]]


class _Line(NamedTuple):
    """What is known of a record in the moment it is made."""

    record: logging.LogRecord
    event: str
    fields: dict[str, Any]
    correlation_id: int
    actor: str


class ProcessLog(logging.Handler):
    """Takes what is logged, from any thread, and writes it on its own; ``left_out`` counts what could not be kept."""

    def __init__(
        self, folder: Path, settings: LogSettings, *, secrets: Sequence[str] = (), console: TextIO | None = None
    ) -> None:
        super().__init__()
        self.files = LogFiles(folder, settings)
        self.left_out = 0
        self._console = console
        self._waiting: SimpleQueue[_Line | None] = SimpleQueue()
        self._system: ActorSystem | None = None
        self._hidden: _Secrets = lambda: secrets
        self._look_up: Callable[[], object] = tuple
        self._looked_at = 0.0
        self._ended = False
        self._thread = Thread(target=self._write, name="process-log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Note a record with whoever speaks; never waits, never raises."""
        if self._waiting.qsize() >= MOST_WAITING:
            self.left_out += 1
            return
        try:
            event, fields = _said(record)
            self._waiting.put(_Line(record, event, fields, *self.speaker()))
        except Exception:  # noqa: BLE001 - as every handler of logging does: who logs is not to fall over it
            self.handleError(record)

    def speaker(self) -> tuple[int, str]:
        """Return the causal chain and the actor that the present thread works for."""
        system = self._system
        if system is None:
            return 0, ""
        if get_ident() == system.thread_id:
            envelope, path = system.current, system.current_path
        else:
            envelope, path = thread_envelope()
        return (envelope.correlation_id if envelope is not None else 0), path

    @contextmanager
    def of_house(self, system: ActorSystem, secrets: _Secrets, look_up: Callable[[], object] = tuple) -> Iterator[None]:
        """Know actors and secrets of a house for as long as the block lasts.

        ``secrets`` is asked for each line, on whatever thread it is said; ``look_up`` has more of them known, from the disk,
        and is called now and then on our own.
        """
        self._system, self._hidden, self._look_up, self._looked_at = system, secrets, look_up, 0.0
        try:
            yield
        finally:
            self._system, self._look_up = None, tuple  # its secrets are known until the end

    def apply(self, config: Config) -> None:
        """Go on under another configuration."""
        self.files.settings = log_settings(config)

    def close(self) -> None:
        """Write what is left, and end the thread."""
        if self._thread.is_alive():
            self._waiting.put(None)
            self._thread.join(_CLOSE_S)
        super().close()

    # --- on the thread -------------------------------------------------------------------------------------------------

    def _write(self) -> None:
        render, settled = None, False
        while (lines := self._batch()) is not None:
            # What colours lines takes a while to load: here nobody waits for it, with the first line not even a start.
            render = render or _renderers(self._console)
            # Somebody else's code may speak through it; ours does not, and does without it.
            if not settled and (structlog := sys.modules.get("structlog")) is not None:
                _settle_structlog(structlog)
                settled = True
            self._look(lines[-1].record.created)
            data = [render(_document(line, self.hidden())) for line in lines]
            if self._console is not None:
                self._show([text for text, _ in data])
            times = (line.record.created for line in lines)
            self.left_out += self.files.write([(at, each) for at, (_, each) in zip(times, data, strict=True)])
            if self._ended:
                break
        self.files.close()

    def _batch(self) -> list[_Line] | None:
        """Wait for lines; return all that wait, None when there will be none."""
        found: list[_Line] = []
        line = self._waiting.get()
        while line is not None:
            found.append(line)
            try:
                line = self._waiting.get_nowait()
            except Empty:
                return found
        self._ended = True
        return found or None

    def hidden(self) -> Sequence[str]:
        """Return the secrets that stand in no line; on any thread."""
        return self._hidden()

    def _look(self, at: float) -> None:
        """Have secrets known that were made since; a line of this second is the first to be without them."""
        if 0 <= at - self._looked_at <= _LOOK_UP_S:
            return
        self._looked_at = at
        with suppress(Exception):  # whatever is wrong with them: those that are known stay so, and names take most out
            self._look_up()

    def _show(self, lines: Sequence[str]) -> None:
        assert self._console is not None
        try:
            self._console.write("".join(f"{line}\n" for line in lines))
            self._console.flush()
        except (OSError, ValueError):
            self._console = None  # the terminal has gone


def _said(record: logging.LogRecord) -> tuple[str, dict[str, Any]]:
    """Return what a record says, and its fields: those of structlog, or given as ``extra``."""
    extra = {name: value for name, value in record.__dict__.items() if name not in _OWN and not name.startswith("_")}
    if isinstance(record.msg, dict):  # structlog's own loggers hand over a dictionary
        fields = {**record.msg, **extra}
        fields.pop("level", None)
        return str(fields.pop("event", "")), fields
    return record.getMessage(), extra


def _document(line: _Line, hidden: Sequence[str]) -> dict[str, Any]:
    """Return a line's fields in the order they are read, without secrets."""
    clean = partial(_clean, hidden=hidden)
    record = line.record
    found: dict[str, Any] = {
        "level": record.levelname.lower(),
        "logger": record.name,
        "event": clean(line.event),
    }
    if line.actor:
        found["actor"] = line.actor
    if line.correlation_id:
        found["correlation_id"] = line.correlation_id
    if record.threadName not in (None, main_thread().name):
        found["thread"] = record.threadName
    fields = without_secrets({name: value if _plain(value) else repr(value) for name, value in line.fields.items()})
    for name, value in fields.items():
        found.setdefault(name, clean(value) if isinstance(value, str) else value)
    if record.exc_info and record.exc_info[1] is not None:
        found["exception"] = clean("".join(traceback.format_exception(record.exc_info[1])).rstrip())
    elif record.exc_text:  # a child's, who could not send the exception itself
        found["exception"] = clean(record.exc_text)
    return {"timestamp": record.created, **found}


def _plain(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float | bool)


def _renderers(console: TextIO | None) -> Callable[[dict[str, Any]], tuple[str, bytes]]:
    """Return what makes of a line its text for the console, and its JSON."""
    from msgspec import json

    pretty = _pretty() if console is not None else None

    def render(document: dict[str, Any]) -> tuple[str, bytes]:
        document = {**document, "timestamp": iso_exact(int(document["timestamp"] * 1_000) * 1_000_000)}
        shown = _indented(str(pretty(None, "", dict(document)))) if pretty is not None else ""
        return shown, legible_json(json.encode(document).decode()).encode() + b"\n"

    return render


def _pretty() -> Callable[[Any, str, dict[str, Any]], object]:
    """Return what colours a line; loaded on a terminal only: a daemon would hold it, and Rich with it, for weeks."""
    from structlog.dev import ConsoleRenderer

    return ConsoleRenderer(colors=True, sort_keys=False)


def _settle_structlog(structlog: Any) -> None:
    """Have structlog's own loggers speak through ``logging``, so that there is one way out."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.filter_by_level,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


# --- beginning ----------------------------------------------------------------------------------------------------------


def process_folder(config: Config) -> Path:
    """Return where the files of the process's log lie."""
    return log_folder(config) / "process"


def begin_process_log(config: Config, stream: TextIO) -> ProcessLog:
    """Log to files from here on, and to a stream: pretty on a terminal, plain lines into a file or pipe."""
    on_terminal = stream.isatty()
    console, known = stream if on_terminal else None, secrets_of(config)
    made = ProcessLog(process_folder(config), log_settings(config), secrets=known, console=console)
    handlers: list[logging.Handler] = [made]
    if not on_terminal:
        # Written at once: what a process said last stands there when it is killed.
        plain = logging.StreamHandler(stream)
        plain.setFormatter(_Redacting(_PLAIN, made))
        handlers.append(plain)
    logging.basicConfig(level=config.app.log_level.value.upper(), handlers=handlers, force=True)
    return made


def running_log() -> ProcessLog | None:
    """Return the log of this process; None where nobody began one."""
    return next((each for each in logging.getLogger().handlers if isinstance(each, ProcessLog)), None)


class _Redacting(logging.Formatter):
    """Plain lines without secrets."""

    def __init__(self, form: str, of: ProcessLog) -> None:
        super().__init__(form)
        self._of = of

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, with the actor and the causal chain it belongs to."""
        correlation_id, actor = self._of.speaker()
        actor = actor or getattr(record, "actor", "")
        correlation_id = correlation_id or getattr(record, "correlation_id", 0)
        line, newline, trace = super().format(record).partition("\n")
        about = f" [{actor}{f' #{correlation_id}' if correlation_id else ''}]" if actor else ""
        return _indented(_clean(f"{line}{about}{newline}{trace}", self._of.hidden()))


def _clean(text: str, hidden: Sequence[str]) -> str:
    """Return a text without secrets and without anything that a terminal would obey."""
    return legible(redact_text(redact_known(text, hidden)), lines=True)


def _indented(text: str) -> str:
    """Return lines of which only the first begins at the edge: what strangers wrote is no line of its own."""
    return text.replace("\n", "\n    ")
