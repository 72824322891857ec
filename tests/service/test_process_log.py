"""The process's own log: JSON lines with actor and correlation id, without secrets, rotated and kept; a pretty console."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import logging
import os
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import structlog

from protocol.messages import Message, Request
from rules.event_log.segments import RetentionMode
from runtime.actor import Actor, handles
from runtime.child_log import heard
from runtime.system import ActorSystem
from service.config import parse
from service.log_files import LogFiles
from service.process_log import ProcessLog, begin_process_log, process_folder, running_log
from store.log.files import segments_in
from store.log.settings import LogSettings
from supervision.child import ChildSpec
from supervision.tree import supervisor

DAY_S = 86_400
NOON_S = 1_769_947_200.0
"""2026-02-01T12:00Z."""


def lines_in(folder: Path) -> list[dict[str, Any]]:
    """Return all lines of a folder, oldest first."""
    found = []
    for each in segments_in(folder):
        data = each.path.read_bytes() if each.open else gzip.decompress(each.path.read_bytes())
        found += [json.loads(line) for line in data.splitlines()]
    return found


@contextmanager
def logging_to(
    folder: Path, console: io.StringIO | None = None, **more: Any
) -> Iterator[tuple[logging.Logger, ProcessLog]]:
    """Log to a folder by a logger of its own; what was logged is in its files when the block is over."""
    made = ProcessLog(folder, LogSettings(**more), console=console)
    logger = logging.getLogger("bulkhead.tests.process_log")
    logger.setLevel("INFO")
    logger.propagate = False
    logger.addHandler(made)
    try:
        yield logger, made
    finally:
        made.close()
        logger.removeHandler(made)


def eventually(holds: Callable[[], bool]) -> bool:
    """Wait until the writing thread has come so far."""
    deadline = time.monotonic() + 60
    while not holds() and time.monotonic() < deadline:
        os.sched_yield()
    return holds()


class Said(Message, frozen=True, tag=True):
    """The answer."""


class Say(Request[Said], frozen=True, tag=True):
    """Not a message of ``protocol``."""


class Talker(Actor):
    """Logs when it is told to."""

    @handles
    def say(self, msg: Say) -> Said:
        """Log."""
        logging.getLogger("bulkhead.tests.process_log").warning("heard %s", "it")
        return Said()


def test_a_line_is_json_with_what_it_is_about(tmp_path: Path) -> None:
    """A line has time, level, logger, text and fields; an exception comes with its trace."""
    with logging_to(tmp_path) as (log, _):
        log.info("took %d orders", 3, extra={"account": "main"})
        try:
            raise ValueError("no such leg")
        except ValueError:
            log.exception("could not go on")
        log.debug("below the level")
    first, second = lines_in(tmp_path)
    assert (first["level"], first["event"], first["account"]) == ("info", "took 3 orders", "main")
    assert first["logger"] == "bulkhead.tests.process_log"
    assert first["timestamp"].endswith("Z")
    assert "ValueError: no such leg" in second["exception"]
    assert "Traceback" in second["exception"]


def test_a_line_names_who_spoke_and_in_which_chain(tmp_path: Path) -> None:
    """Each line of an actor carries its path and the correlation id of the message it handles; others carry none."""

    async def work(made: ProcessLog) -> None:
        async with ActorSystem() as system:
            with made.of_house(system, tuple):
                system.start_root(supervisor("root", ChildSpec("talker", Talker)))
                await system.ready()
                talker = system.lookup("/talker")
                assert talker is not None
                await talker.ask(Say(), 5)

    with logging_to(tmp_path) as (log, made):
        log.info("outside")
        asyncio.run(work(made))
    outside, inside = lines_in(tmp_path)
    assert "actor" not in outside
    assert "correlation_id" not in outside
    assert inside["actor"] == "/talker"
    assert inside["correlation_id"] > 0


def test_secrets_are_in_no_line(tmp_path: Path) -> None:
    """EX-1508: a secret is taken out wherever it stands by its value, and what stands behind a secret's name by that."""
    with logging_to(tmp_path) as (log, made):
        made._hidden = lambda: ("hunter2hunter2",)
        log.warning("refused hunter2hunter2 of %s", "somebody", extra={"api_key": "abc", "venue": "hunter2hunter2"})
        try:
            raise ValueError("password=swordfish, hunter2hunter2")
        except ValueError:
            log.exception("failed")
    text = json.dumps(lines_in(tmp_path))
    for secret in ("hunter2hunter2", "swordfish", '"abc"'):
        assert secret not in text
    assert "somebody" in text


def test_secrets_that_were_known_stay_so(tmp_path: Path) -> None:
    """Trouble with looking secrets up uncovers none; a line that came before the look is without them as well (EX-1508)."""
    found: list[str] = []
    looked: list[int] = []

    def look_up() -> None:
        looked.append(1)
        found.append("hunter2hunter2")
        raise RuntimeError("the vault is away")

    async def work(made: ProcessLog) -> None:
        async with ActorSystem() as system:
            with made.of_house(system, lambda: found, look_up):
                logging.getLogger("bulkhead.tests.process_log").warning("refused hunter2hunter2")
                assert eventually(lambda: bool(looked))

    with logging_to(tmp_path) as (log, made):
        asyncio.run(work(made))
        log.warning("late hunter2hunter2")
    assert [line["event"] for line in lines_in(tmp_path)] == ["refused ***", "late ***"]


def test_a_childs_line_is_one_of_ours(tmp_path: Path) -> None:
    """What a process of ours logs has its actor and causal chain here, and no secret (EX-1508)."""
    said = {"level": 40, "logger": "bulkhead.tests.process_log", "event": "hunter2hunter2", "at": NOON_S}
    raw = json.dumps({**said, "exception": "ValueError: hunter2hunter2", "correlation_id": 7}).encode()
    with logging_to(tmp_path) as (_, made):
        made._hidden = lambda: ("hunter2hunter2",)
        heard(raw, "/store/projector")
    (line,) = lines_in(tmp_path)
    assert (line["event"], line["exception"]) == ("***", "ValueError: ***")
    assert (line["actor"], line["correlation_id"], line["timestamp"][:10]) == ("/store/projector", 7, "2026-02-01")


def test_structlog_speaks_through_the_same_log(tmp_path: Path) -> None:
    """A structlog logger's fields are fields of the line; what is bound to the context comes along."""
    with logging_to(tmp_path) as (log, _):
        log.info("first")  # structlog is settled by the thread that writes
        assert eventually(structlog.is_configured)
        with structlog.contextvars.bound_contextvars(job="night"):
            structlog.get_logger("bulkhead.tests.process_log").warning("slow", seconds=3)
    slow = lines_in(tmp_path)[1]
    assert (slow["event"], slow["seconds"], slow["job"], slow["level"]) == ("slow", 3, "night", "warning")


def test_a_console_is_pretty(tmp_path: Path) -> None:
    """On a terminal a line is coloured text with its fields; without secrets as well."""
    console = io.StringIO()
    with logging_to(tmp_path, console) as (log, _):
        log.warning("stands by", extra={"holder": "other", "token": "abc"})
    shown = console.getvalue()
    assert "stands by" in shown
    assert "other" in shown
    assert "abc" not in shown
    assert "\x1b[" in shown


def test_files_are_rotated_packed_and_removed(tmp_path: Path) -> None:
    """Files end at midnight UTC and when they are full, are compressed then, and the oldest go (logging.*)."""
    files = LogFiles(tmp_path, LogSettings(keep_days=2, max_file_bytes=100))
    line = b"x" * 59 + b"\n"
    for day in range(5):
        assert files.write([(NOON_S + day * DAY_S, line)] * 3) == 0
    files.close()
    found = segments_in(tmp_path)
    assert [(str(each.day), each.open) for each in found] == [
        ("2026-02-03", False),
        ("2026-02-03", False),
        ("2026-02-04", False),
        ("2026-02-04", False),
        ("2026-02-05", False),
        ("2026-02-05", True),
    ]
    size = LogFiles(tmp_path, LogSettings(mode=RetentionMode.SIZE, max_file_bytes=100, max_files=1))
    size.write([(NOON_S + 9 * DAY_S, line)])
    size.close()
    assert sum(each.size for each in segments_in(tmp_path) if not each.open) <= 100


def test_a_later_process_goes_on_with_the_newest_file(tmp_path: Path) -> None:
    """A restart within the day appends; one on a later day begins a file and packs what the former left open."""
    for at, text in ((NOON_S, b"a\n"), (NOON_S + 60, b"b\n"), (NOON_S + DAY_S, b"c\n")):
        files = LogFiles(tmp_path, LogSettings())
        files.write([(at, text)])
        files.close()
    first, second = segments_in(tmp_path)
    assert gzip.decompress(first.path.read_bytes()) == b"a\nb\n"
    assert (second.open, second.path.read_bytes()) == (True, b"c\n")


def test_a_disk_that_is_full_stops_nobody(tmp_path: Path) -> None:
    """What cannot be written is counted; who logs hears nothing of it, and later lines are written again."""
    (tmp_path / "log").write_text("in the way")
    with logging_to(tmp_path / "log") as (log, made):
        log.info("lost")
        assert eventually(lambda: made.left_out > 0)
        (tmp_path / "log").unlink()
        log.info("kept")
    assert made.left_out == 1
    assert [line["event"] for line in lines_in(tmp_path / "log")] == ["kept"]


def test_a_line_that_finds_room_for_its_half_is_taken_back(tmp_path: Path) -> None:
    """A disk that is full in the middle of a line ends neither the writer nor, later, the lines that follow."""
    files = LogFiles(tmp_path, LogSettings())
    assert files.write([(NOON_S, b"a" * 9 + b"\n")]) == 0
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (15, before[1]))  # as much as the disk has
    try:
        assert files.write([(NOON_S, b"b" * 9 + b"\n")] * 2) == 2
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert files.trouble
    assert files.write([(NOON_S, b"c" * 9 + b"\n")]) == 0
    files.close()
    assert segments_in(tmp_path)[0].path.read_bytes().split() == [b"a" * 9, b"c" * 9]


def test_a_daemon_logs_plain_lines_into_a_file(tmp_path: Path) -> None:
    """Into a file or pipe lines are plain and written at once; the level is the configuration's, and so are the files."""
    variables = {"BULKHEAD_APP__DATA_DIR": str(tmp_path), "BULKHEAD_SECURITY__WEBHOOK_SECRET": "hunter2hunter2hu"}
    config = parse("[app]\nlog_level = 'warning'", variables)
    root, stream = logging.getLogger(), io.StringIO()
    before = root.handlers[:], root.level
    try:
        made = begin_process_log(config, stream)
        assert running_log() is made
        logging.getLogger("bulkhead.tests.plain").info("not this")
        logging.getLogger("bulkhead.tests.plain").warning("this, secret=swordfish")
        logging.getLogger("bulkhead.tests.plain").error("hunter2hunter2hu", extra={"actor": "/a", "correlation_id": 7})
        assert "WARNING bulkhead.tests.plain: this" in stream.getvalue()
        assert stream.getvalue().endswith("ERROR   bulkhead.tests.plain: *** [/a #7]\n")
        assert "swordfish" not in stream.getvalue()
        made.close()
        assert [line["event"] for line in lines_in(process_folder(config))] == ["this, secret=***", "***"]
    finally:
        root.handlers[:], level = before
        root.setLevel(level)
