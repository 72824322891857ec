"""The command line without a daemon: help, exit codes, errors in two lines, JSON, files."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from protocol.errors import ValidationError
from runtime.journal import Entry, JournalTooNew, JournalUnavailable
from service.api.client import DaemonNotRunning, DaemonRefused, DaemonTimeout
from service.cli import app
from service.cli.codes import EXIT_CODES, ExitCode
from service.cli.failures import CommandFailed, Failure, failure_of
from service.cli.reference import reference_page
from service.cli.views import _accounts_text
from service.config import default_toml
from store.errors import JournalLocked
from store.sqlite_journal import open_journal
from tests.house.sources import ROOT
from tests.service import recorded
from tests.service.command_line import CliRunner

COMMANDS = (
    *("up", "down", "status", "cockpit", "signal", "ps", "tail", "trace", "explain", "pause", "resume"),
    *("dead-letters", "release", "restart", "send", "replay", "config", "journal", "version"),
)


def call(*arguments: str) -> Any:
    """Run a command in this process."""
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"})


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder: no configuration, no daemon."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


# --- help -------------------------------------------------------------------------------------------------------------


def test_the_version_is_told_either_way() -> None:
    """``--version`` says what the command says: whoever tries the one need not know the other."""
    said = [CliRunner().invoke(app, [word]) for word in ("--version", "version")]
    assert [each.exit_code for each in said] == [0, 0]
    assert said[0].stdout == said[1].stdout != ""


def test_help_lists_every_command_and_the_exit_codes() -> None:
    """The first page names all commands and what each exit code means."""
    text = call("--help").stdout
    for name in COMMANDS:
        assert f" {name} " in text
    for meaning in EXIT_CODES.values():
        assert meaning in " ".join(text.split())


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_exit_codes(command: str) -> None:
    """Each help page ends with the exit codes."""
    result = call(command, "--help")
    assert result.exit_code == 0
    assert "Exit codes" in result.stdout


def test_the_help_of_send_lists_the_message_types() -> None:
    """``send --help`` shows what can be sent, with fields."""
    text = call("send", "--help").stdout
    assert "InjectSignal" in text
    assert "PauseEngine" in text
    assert "OrderSent" not in text


def test_help_imports_nothing_heavy() -> None:
    """The command line starts fast because libraries of venues, HTTP and data are not imported for it."""
    heavy = ("ccxt", "pyarrow", "aiohttp", "anyio", "pykka", "sqlite3", "actors", "rules", "venues", "service.daemon")
    code = f"import sys, service.cli.commands; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_completion_works() -> None:
    """A shell that asks gets the names of commands."""
    done = subprocess.run(
        [sys.executable, "-c", "from service.cli import app; app(prog_name='bulkhead')"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={
            "_BULKHEAD_COMPLETE": "complete_bash",
            "COMP_WORDS": "bulkhead sta",
            "COMP_CWORD": "1",
            "PATH": "/usr/bin",
        },
    )
    assert done.stdout.split() == ["status"]


def test_the_reference_page_is_current() -> None:
    """docs/reference/cli.md says what the commands say: ``python -m service.cli.reference docs/reference/cli.md``."""
    assert (ROOT / "docs/reference/cli.md").read_text() == reference_page()


# --- exit codes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("trace",),
        ("signal", "entry", "BTC/USDT", "--size", "1"),
        ("signal", "entry", "BTC/USDT", "--side", "up", "--size", "1"),
        ("signal", "reduce", "BTC/USDT", "--side", "long"),
        ("signal", "reduce", "BTC/USDT", "--side", "long", "--fraction", "1", "--size", "1"),
        ("send", "/a"),
        ("send", "/a", "{"),
        ("send", "--list", "InjectSignl"),
        ("replay", "--data", "BTC"),
        ("replay", "--data", "BTC/USDT=/nowhere.parquet"),
        ("replay", "--from", "yesterday"),
        ("explain", "/a/path", "--journal", "x.db"),
    ],
)
def test_a_wrong_command_line_is_exit_code_2(elsewhere: Path, arguments: tuple[str, ...]) -> None:
    """What was typed wrongly is told as such and reaches no daemon."""
    result = call(*arguments)
    assert result.exit_code == ExitCode.USAGE
    assert result.stdout == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ("status",),
        ("down",),
        ("ps",),
        ("tail", "--no-follow"),
        ("trace", "x"),
        ("explain", "x"),
        ("dead-letters",),
        ("dead-letters", "replay", "1"),
        ("release", "/x"),
        ("restart", "/x"),
        ("pause",),
        ("resume",),
        ("send", "/x", "{}"),
        ("signal", "exit", "BTC/USDT", "--side", "long"),
    ],
)
def test_without_a_daemon_it_is_exit_code_3(elsewhere: Path, arguments: tuple[str, ...]) -> None:
    """Every command that needs a daemon says that none runs and how to start one."""
    result = call(*arguments)
    assert result.exit_code == ExitCode.NOT_RUNNING
    assert "bulkhead up" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_error_is_one_line_of_what_and_one_of_what_to_do(elsewhere: Path) -> None:
    """Standard error has the reason and the advice, standard output nothing."""
    result = call("status")
    what, then = result.stderr.strip().split("\n")
    assert what.startswith("error: no daemon answers on")
    assert then == "try:   start it with: bulkhead up"
    assert result.stdout == ""


def test_with_json_an_error_is_one_object(elsewhere: Path) -> None:
    """``--json`` gives the error in the one shape on standard error."""
    found = json.loads(call("status", "--json").stderr)
    assert found.keys() >= {"code", "path", "message", "value"}
    assert found["code"] == "NotRunning"


@pytest.mark.parametrize(
    ("error", "code", "named"),
    [
        (DaemonNotRunning(Path("/x"), "gone"), 3, "bulkhead up"),
        (DaemonTimeout("late"), 5, "look before"),
        (DaemonRefused(404, {"code": "NotFound", "message": "no"}), 4, "no"),
        (DaemonRefused(409, {"code": "NotQuarantined", "message": "it runs"}), 1, "bulkhead ps"),
        (DaemonRefused(422, {"code": "Invalid", "path": "$.a", "message": "bad"}), 1, "$.a"),
        (ValidationError("$.a", "is wrong"), 1, "is wrong"),
        (OSError(errno.ENOSPC, "No space left on device", "/data/x"), 1, "free space"),
        (OSError(errno.EADDRINUSE, "Address already in use"), 1, "webhook.port"),
        (PermissionError(errno.EACCES, "Permission denied", "/data/x"), 1, "permissions"),
        (JournalLocked("locked by 7", pid=7), 1, "bulkhead down"),
        (JournalTooNew("of tomorrow"), 1, "version"),
        (JournalUnavailable("disk I/O error"), 1, "disk"),
        (RuntimeError("our bug"), 1, "BULKHEAD_TRACEBACK"),
        (CommandFailed(Failure(ExitCode.TIMEOUT, "X", "slow", "wait")), 5, "wait"),
    ],
)
def test_every_error_has_an_exit_code_and_advice(error: Exception, code: int, named: str) -> None:
    """A full disk, a taken port, a locked journal, our own bugs: each says what to do."""
    found = failure_of(error)
    assert found[0].exit == code
    assert named in " ".join(map(str, found[0]))


def test_a_signal_with_several_problems_shows_them_all() -> None:
    """A refusal with problems becomes one line a problem."""
    problems = [{"code": "A", "path": "a", "message": "x"}, {"code": "B", "path": "b", "message": "y"}]
    found = failure_of(DaemonRefused(422, {"code": "A", "problems": problems}))
    assert [(each.code, each.path) for each in found] == [("A", "a"), ("B", "b")]


# --- configuration ----------------------------------------------------------------------------------------------------


def test_config_check_shows_all_mistakes(elsewhere: Path) -> None:
    """Each mistake has its key and the near name; the exit code is 2."""
    (elsewhere / "bad.toml").write_text("[webhook]\nprt = 1\nport = 'x'\n")
    result = call("config", "check", "bad.toml")
    assert result.exit_code == ExitCode.USAGE
    assert "webhook.prt" in result.stderr
    assert "did you mean port" in result.stderr
    assert "webhook.port" in result.stderr
    found = json.loads(call("config", "check", "bad.toml", "--json").stderr)
    assert {each["path"] for each in found} == {"webhook.prt", "webhook.port"}


def test_config_check_shows_effective_values(elsewhere: Path) -> None:
    """``--show`` prints every value that holds, with secrets masked."""
    (elsewhere / "config.toml").write_text("[webhook]\nport = 1234\n")
    result = call("config", "check", "--show")
    assert result.exit_code == 0
    assert "webhook.port = 1234" in result.stdout.splitlines()
    values = json.loads(call("config", "check", "--show", "--json").stdout)["values"]
    assert values["webhook"]["port"] == 1234


def test_secrets_are_never_shown(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret of the environment is masked in the effective values."""
    monkeypatch.setenv("BULKHEAD_SECURITY__WEBHOOK_SECRET", "hush-hush-hush-hush-hush")
    assert "hush" not in call("config", "check", "--show").stdout
    assert "hush" not in call("config", "check", "--show", "--json").stdout


def test_config_default_is_the_shipped_file() -> None:
    """``config default`` prints config.toml."""
    assert call("config", "default").stdout == default_toml()


def test_a_broken_configuration_stops_up_before_anything_starts(elsewhere: Path) -> None:
    """``up`` refuses a broken file with exit code 2 and makes no data folder."""
    (elsewhere / "config.toml").write_text("[app\n")
    result = call("up", "--no-view")
    assert result.exit_code == ExitCode.USAGE
    assert not (elsewhere / "data").exists()


def test_version(elsewhere: Path) -> None:
    """The version is printed, as JSON on request."""
    assert call("version").stdout.startswith("bulkhead ")
    assert json.loads(call("version", "--json").stdout)["version"]


# --- messages ---------------------------------------------------------------------------------------------------------


def test_send_list_explains_a_type() -> None:
    """Fields come with types and defaults, and with near names for a wrong type."""
    text = call("send", "--list", "InjectSignal").stdout
    for word in ("symbol", "one of long, short", "required", "answered with SignalAnswer"):
        assert word in text
    assert "InjectSignal" in call("send", "--list", "InjectSignl").stderr
    listed = json.loads(call("send", "--list", "--json").stdout)
    fields = {
        field["name"]: field for field in next(each for each in listed if each["name"] == "PauseEngine")["fields"]
    }
    assert fields["reason"]["required"] is False


# --- journals ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Return a journal file with the recorded run."""
    path = tmp_path / "run.db"
    opened = open_journal(path, durability="off")
    opened.append([Entry(*record[1:]) for record in recorded.records()])
    opened.close()
    return path


def test_trace_and_explain_work_on_a_file(journal: Path) -> None:
    """Without a daemon both read a journal; the JSON is the daemon's."""
    text = call("trace", recorded.GROUP_A, "--journal", str(journal)).stdout
    assert "webhook from replay" in text
    assert "take profit P0 DCA0: limit order to sell" in text
    found = json.loads(call("trace", recorded.GROUP_A, "--journal", str(journal), "--json").stdout)
    assert found["kind"] == "signal"
    text = call("explain", recorded.GROUP_A, "--journal", str(journal)).stdout
    assert "The pool admitted it: 0 of 10 slots were taken" in text
    result = call("explain", "nothing", "--journal", str(journal))
    assert result.exit_code == ExitCode.NOT_FOUND


def test_journal_verify_checks_every_record(journal: Path) -> None:
    """A good journal is said to be good, with its digest; a missing one is exit code 1."""
    found = json.loads(call("journal", "verify", "--journal", str(journal), "--json").stdout)
    assert found["records"] == len(recorded.records())
    assert len(found["digest"]) == 64
    assert call("journal", "verify", "--journal", str(journal) + "x").exit_code == ExitCode.FAILED


def damage(journal: Path, position: int) -> None:
    """Break a record and all after it."""
    import sqlite3

    with sqlite3.connect(journal) as connection:
        connection.execute("UPDATE events SET payload = zeroblob(50) WHERE position >= ?", [position])
    connection.close()


def test_a_damaged_tail_is_cut_only_with_the_printed_words(journal: Path) -> None:
    """``cut`` says what would be lost, does nothing without the words, and keeps the whole file aside."""
    damage(journal, 100)
    assert call("journal", "verify", "--journal", str(journal)).exit_code == ExitCode.FAILED
    before = journal.read_bytes()
    refused = call("journal", "cut", "--journal", str(journal), "--json")
    assert refused.exit_code == ExitCode.FAILED
    failure = json.loads(refused.stderr)
    assert "keeps the 99 records before it" in failure["message"]
    assert journal.read_bytes() == before
    assert call("journal", "cut", "--journal", str(journal), "--confirm", "yes").exit_code == ExitCode.FAILED
    assert journal.read_bytes() == before
    done = json.loads(call("journal", "cut", "--journal", str(journal), "--confirm", failure["value"], "--json").stdout)
    assert (done["records"], done["cut"]) == (99, True)
    assert Path(done["side_file"]).exists()
    assert call("journal", "verify", "--journal", str(journal)).exit_code == ExitCode.OK


def test_there_is_nothing_to_cut_from_a_good_journal(journal: Path) -> None:
    """A good journal is left alone."""
    assert "nothing to cut" in call("journal", "cut", "--journal", str(journal)).stdout


@pytest.mark.parametrize(
    ("reason", "shown"), [("no answer", "paper (paper) venue down: no answer"), ("", "paper (paper) venue down")]
)
def test_a_venue_that_is_down_for_no_known_reason_is_not_followed_by_nothing(reason: str, shown: str) -> None:
    """EX-1207: the reason stands behind a colon where there is one."""
    venue = {"account": "paper", "scope": "paper", "text": "venue down", "reason": reason, "code": ""}
    assert _accounts_text({"mode": "paper", "venues": [venue], "engine": {"held": []}}).plain == shown
