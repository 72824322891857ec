"""Bring the black box's incidents to their folder: beside the loop, with secrets taken out, named by run and version."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final

import msgspec

from protocol.errors import BulkheadError
from protocol.incident_files import IncidentFile
from rules.signals.redaction import redact_known, redact_text
from runtime.black_box import EVENTS_SHOWN, event_line
from runtime.clock import NANOS
from service.config import Config
from service.journals import open_live_reader
from store.incident_folder import IncidentFolder

__all__ = ["MEMORY_MOST", "MORE_EVERY", "IncidentKeeper", "incidents_folder", "newest_events", "stamp", "unread"]

MEMORY_MOST: Final = 20
"""Newest incidents that wait in memory for a disk that takes them."""

MORE_EVERY: Final = 50
"""Incidents that were only counted between two notes of their number in the file."""

log = logging.getLogger("bulkhead")


def incidents_folder(data_dir: Path) -> Path:
    """Return where an installation's incident files lie."""
    return data_dir / "incidents"


def newest_events(config: Config, stream: str, sequence: int) -> list[dict[str, Any]]:
    """Return the newest events of a stream up to ``sequence`` from the journal; raises what opening and reading it does."""
    with closing(open_live_reader(config, check=False)) as reader:
        after = max(0, sequence - EVENTS_SHOWN)
        return [event_line(record) for record in islice(reader.read(stream, after), EVENTS_SHOWN)]


def unread(data_dir: Path) -> list[str]:
    """Return the ids of the incident files that nobody has looked at, newest first."""
    return IncidentFolder(incidents_folder(data_dir)).unread()


def stamp(at: int) -> str:
    """Return an instant as the beginning of a file's name."""
    moment = datetime.fromtimestamp(at // NANOS, UTC)
    return f"{moment:%Y%m%dT%H%M%S}{at % NANOS // 1_000_000:03d}Z"


class IncidentKeeper:
    """Writes on a thread of its own. ``told`` is what every incident is told besides: run, versions."""

    def __init__(
        self,
        folder: Path,
        told: Callable[[], dict[str, object]],
        secrets: Callable[[], Sequence[str]] = tuple,
        history: Callable[[str, int], Sequence[Any]] | None = None,
    ) -> None:
        self.folder = IncidentFolder(folder)
        self._told = told
        self._secrets = secrets
        self._history = history
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="incidents")
        self._waiting: deque[IncidentFile] = deque(maxlen=MEMORY_MOST)
        self._more: dict[str, int] = {}
        self._noted: dict[str, int] = {}
        self.dropped = 0

    def take(self, incident: IncidentFile) -> None:
        """Have an incident written soon; never waits, never raises."""
        told = msgspec.structs.replace(incident, **self._told())
        log.warning("incident %s: %s %s: %s", told.id, told.kind.value, told.path, told.error.text)
        self._soon(lambda: self._write(told))

    def count(self, ident: str, more: int) -> None:
        """Note how many like an incident came that are not written; in the file only now and then."""
        self._more[ident] = more
        if more == 1 or more - self._noted.get(ident, 0) >= MORE_EVERY:
            self._noted[ident] = more
            self._soon(lambda: self.folder.count_more(ident, more))

    def close(self) -> None:
        """Write what is left, and end the thread."""
        for ident, more in self._more.items():
            self._soon(lambda ident=ident, more=more: self.folder.count_more(ident, more))  # type: ignore[misc]
        self._pool.shutdown(wait=True)

    def _soon(self, work: Callable[[], None]) -> None:
        try:
            self._pool.submit(self._contained, work)
        except RuntimeError:
            self.dropped += 1  # the thread has ended, and so has the daemon

    def _contained(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception:
            log.exception("an incident could not be written")

    def _with_history(self, incident: IncidentFile) -> IncidentFile:
        """Add the newest events of a stream that was quiet for long: what is at hand in memory has forgotten them."""
        stream, sequence = incident.facts.get("stream"), incident.facts.get("sequence")
        if self._history is None or not stream or not sequence or len(incident.events) >= EVENTS_SHOWN:
            return incident
        try:
            return msgspec.structs.replace(incident, events=tuple(self._history(stream, sequence)))
        except (BulkheadError, OSError) as error:
            log.warning("incident %s goes without the events of %s: %s", incident.id, stream, error)
            return incident

    def _write(self, incident: IncidentFile) -> None:
        self.dropped += len(self._waiting) == MEMORY_MOST
        self._waiting.append(self._with_history(incident))
        hide = partial(_without, tuple(self._secrets()))
        while self._waiting:
            oldest = self._waiting[0]
            if not self.folder.write(oldest, stamp(oldest.at), hide):
                log.warning("incident %s stays in memory: its folder takes no more at present", oldest.id)
                return
            self._waiting.popleft()


def _without(secrets: Sequence[str], text: str) -> str:
    """Return text without these secrets, and without whatever stands behind a name that says it is one."""
    return redact_text(redact_known(text, secrets))
