"""What strangers wrote, where it is shown: on a terminal, in a log, in a file that is opened later."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from rich.text import Text

from protocol.event_log import EventLogged
from service.cli import output
from service.cli.codes import ExitCode
from service.cli.failures import CommandFailed, Failure, report
from service.cli.signals import show_report
from service.cli.views import event_line
from service.cli.whole_file import whole_file
from service.config import parse
from service.process_log import begin_process_log
from store.log.lines import ExportForm, exported, json_line
from store.views.rows import EventRow
from tests.examples import example
from tests.house.sources import ROOT
from tests.rules.test_hostile_texts import TRAP
from tui.files import write_whole

FORGED = "2026-01-01 all is well"


def harmless(text: str) -> bool:
    """Tell whether nothing in a text is obeyed, and no line of it was written by a stranger."""
    lines = text.split("\n")
    return all(line.isprintable() for line in lines) and not any(line.startswith(FORGED) for line in lines)


def test_the_command_line_prints_nothing_that_is_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    """EX-1508: tables, lines of events, sentences and errors show a trap as text, on either stream."""
    trap = TRAP.replace("\n", " ")
    output.show(output.table(("name",), [(trap,)]))
    output.show(Text(trap))
    output.show("[red]not[/red] [/nonsense] :smile:")
    output.print_line(trap)
    output.note(trap)
    item = {"kind": "event", "at": 1, "severity": "info", "text": TRAP}
    output.print_text(event_line({**item, "client_order_id": "", "group_id": "", "signal_id": ""}))
    step = {"name": "validation", "outcome": "ok", "details": [f"trade id {TRAP}"]}
    show_report({"steps": [step], "signal_id": "s1", "outcome": "ok"}, as_json=False)
    report(CommandFailed(Failure(ExitCode.FAILED, "Refused", trap)), as_json=False)
    said, noted = capsys.readouterr()
    assert harmless(said), said
    assert harmless(noted), noted
    assert "[red]not[/red] [/nonsense] :smile:" in said


def test_json_for_programs_means_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    """What a terminal would obey is escaped, as JSON may write any character: a program reads what was there."""
    output.print_json({"name": TRAP, "é": ["ü"]})
    said = capsys.readouterr().out
    assert harmless(said)
    assert json.loads(said) == {"name": TRAP, "é": ["ü"]}
    assert '"é"' in said


def test_the_files_of_the_log_hold_nothing_that_is_obeyed() -> None:
    """EX-1407, EX-1409: a segment and a text that are shown with `cat` do nothing; a sheet takes no text for a formula."""
    row = msgspec.structs.replace(example(EventRow), text=f"-2+3+cmd|' /C calc'!A0 {TRAP}".replace("\ud800", ""))
    event = msgspec.structs.replace(example(EventLogged), text=TRAP.replace("\ud800", ""))
    line = json_line(row, event).decode()
    assert harmless(line)
    assert json.loads(line)["data"]["text"] == event.text
    assert harmless("".join(exported([row], ExportForm.TXT)))
    first = msgspec.structs.replace(row, text="-2+3+cmd|' /C calc'!A0")
    assert ",'-2+3+cmd" in "".join(exported([first], ExportForm.CSV))


@pytest.mark.parametrize("terminal", [True, False])
def test_the_console_of_the_daemon_is_not_written_by_strangers(tmp_path: Path, *, terminal: bool) -> None:
    """A text with line breaks begins no line of its own, one with escapes does nothing; also in the trace of an error."""

    class Stream(io.StringIO):
        def isatty(self) -> bool:
            return terminal

    stream, root = Stream(), logging.getLogger()
    before, level = root.handlers[:], root.level
    made = begin_process_log(parse("", {"BULKHEAD_APP__DATA_DIR": str(tmp_path)}), stream)
    try:
        logging.getLogger("bulkhead.tests.hostile").warning("a venue says %s", TRAP)
        try:
            raise ValueError(TRAP)
        except ValueError:
            logging.getLogger("bulkhead.tests.hostile").exception("it failed: %s", TRAP)
    finally:
        made.close()
        root.handlers[:] = before
        root.setLevel(level)
    said = stream.getvalue()
    assert FORGED in said
    assert not any(line.startswith(FORGED) for line in said.splitlines())
    assert "\x1b]52" not in said
    assert not set(TRAP) & set("\x07\x9b\u202e\u2066\u200b\u2028\x85\r\x7f") & set(said)


def test_a_link_that_somebody_laid_is_not_followed(tmp_path: Path) -> None:
    """A file is written beside its place first: who may write there, and guesses that name, gets nothing overwritten."""
    kept = tmp_path / "kept"
    kept.write_text("mine")
    for name in (f".x.csv.{os.getpid()}.part", ".x.csv.part"):
        (tmp_path / name).symlink_to(kept)
    with whole_file(tmp_path / "x.csv") as file:
        file.write(b"exported")
    assert not (tmp_path / "x.csv").is_symlink()
    write_whole(tmp_path / "x.csv", b"again")
    assert (tmp_path / "x.csv").read_bytes() == b"again"
    assert (tmp_path / "x.csv").stat().st_mode & 0o077 == 0
    assert kept.read_text() == "mine"


def test_a_daemon_that_dies_leaves_no_memory_on_the_disk() -> None:
    """EX-1501, EX-1508: what is in plain text in memory is in no core file, nor with a program that catches them."""
    ask = "import resource; from service.cli.starting import _keep_to_ourselves as keep"
    tell = "keep(); print(resource.getrlimit(resource.RLIMIT_CORE)[0])"
    allowed = "resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)"
    said = subprocess.run(
        [sys.executable, "-c", f"{ask}; {allowed}; {tell}"], capture_output=True, check=True, cwd=ROOT
    )
    assert int(said.stdout) in (0, 1)
