"""The process that writes the log, as the daemon starts it: its settings, and its trouble in the log."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from typing import Any

from actors.event_log import EventLog
from actors.projector import Committed, ReadModelProcess
from protocol.configuration import ApplySettings
from protocol.event_log import EVENT_LOG, EventLogged
from rules.event_log.segments import RetentionMode
from runtime.journal import Entry
from runtime.memory_journal import MemoryJournal
from runtime.system import ActorSystem
from service.config import parse
from service.logs import log_folder, log_settings
from store.log.settings import MEGABYTE, AutoExport, LogSettings
from supervision.child import ChildSpec
from supervision.tree import supervisor

# Answers each call with a position, and with trouble for as long as its settings keep exactly seven days.
_STAND_IN = """
import sys
trouble = ""
for line in sys.stdin:
    if line.strip():
        trouble = " no room left" if '"keep_days":7' in line else ""
    print(f"1{trouble}", flush=True)
"""


def test_trouble_with_the_log_is_a_line_of_the_log() -> None:
    """A log that cannot be written is a pinned warning, said once; that it is written again is said too (EX-1406)."""

    async def main() -> list[EventLogged]:
        found: list[EventLogged] = []
        first, both = asyncio.Event(), asyncio.Event()

        def heard(batch: Sequence[Entry]) -> None:
            new = [entry.event for entry in batch if isinstance(entry.event, EventLogged)]
            found.extend(new)
            if new:
                (first if len(found) == 1 else both).set()

        async with ActorSystem(journal=MemoryJournal()) as system:
            system.durability.listeners.append(heard)
            command = [sys.executable, "-u", "-c", _STAND_IN]
            writer = ChildSpec("projector", lambda: ReadModelProcess(command, LogSettings(keep_days=7)))
            system.start_root(supervisor("root", supervisor("store", ChildSpec("events", EventLog), writer)))
            await system.ready()
            process: Any = system.lookup("/store/projector")
            process.tell(Committed())
            await asyncio.wait_for(first.wait(), 10)
            assert (await process.ask(ApplySettings(2, LogSettings()), 5.0)).version == 2
            await asyncio.wait_for(both.wait(), 10)
        return found

    trouble, over = asyncio.run(main())
    assert (trouble.code, trouble.severity, trouble.pinned) == ("LogNotWritten", "warning", True)
    assert "no room left" in trouble.text
    assert (over.code, over.severity, over.pinned) == ("LogWritten", "info", False)
    assert EVENT_LOG == "/store/events"


def test_settings_of_the_log_come_from_the_configuration() -> None:
    """EX-1302: every key of ``logging`` and ``app.log_level`` reaches the log, sizes in bytes."""
    text = """
[app]
data_dir = "/tmp/somewhere"
log_level = "warning"
[logging]
rotate_daily = false
retention_mode = "size"
keep_days = 9
max_file_mb = 2
max_files = 3
prune_above_mb = 500
auto_export = "daily_json"
"""
    config = parse(text, {})
    assert log_settings(config) == LogSettings(
        rotate_daily=False,
        mode=RetentionMode.SIZE,
        keep_days=9,
        max_file_bytes=2 * MEGABYTE,
        max_files=3,
        prune_above_bytes=500 * MEGABYTE,
        auto_export=AutoExport.DAILY_JSON,
        least="warning",
    )
    assert log_settings(config).retention.max_total == 6 * MEGABYTE
    assert log_folder(config).name == "logs"
