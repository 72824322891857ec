"""A daemon that is started without the command line: the same daemon, which holds less."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from service.cli import app, starting
from service.cli.bare import BareStart, bare_start, run
from service.cli.codes import ExitCode
from tests.house.sources import ROOT
from tests.service.command_line import CliRunner


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("up --no-view", BareStart(None)),
        ("up --no-view --json --config a.toml", BareStart(Path("a.toml"), as_json=True)),
        ("up --with-parent --ready-fd 4 --config a.toml", BareStart(Path("a.toml"), 4, with_parent=True)),
        ("up --no-view --ready-fd 4", BareStart(None, 4)),
        *(
            (words, None)
            for words in ("", "up", "up --json", "up --view", "up -d --no-view", "up --no-view --help", "status")
        ),
        *(
            (words, None)
            for words in ("up --no-view --config", "up --no-view --config --json", "up --no-view --ready-fd x")
        ),
        *((words, None) for words in ("up --no-view --config=a.toml", "up --no-view extra", "--url x up --no-view")),
    ],
)
def test_only_plain_starts_go_without_the_command_line(words: str, wanted: BareStart | None) -> None:
    """What is written in another way, or wrongly, is for the command line to understand or to refuse."""
    assert bare_start(words.split()) == wanted


@pytest.mark.parametrize("words", ["up --no-view", "up --no-view --json", "up --no-view --ready-fd 4 --with-parent"])
@pytest.mark.parametrize("named", ["--config", "BULKHEAD_CONFIG"])
def test_it_is_the_daemon_that_the_command_line_starts(
    words: str, named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same words start the same configuration in the same way, however the file is named."""
    file = tmp_path / "config.toml"
    file.write_text('[app]\ndata_dir = "here"\n')
    started: list[Any] = []

    def noted(config: Any, sources: Any, *given: Any, **more: Any) -> int:
        started.append((config, sources.file, given, more))
        return 7

    for way in ("in_foreground", "as_child"):
        monkeypatch.setattr(starting, way, noted)
    arguments = words.split()
    if named == "BULKHEAD_CONFIG":
        monkeypatch.setenv(named, str(file))
    else:
        arguments += [named, str(file)]
    wanted = bare_start(arguments)
    assert wanted is not None
    assert CliRunner().invoke(app, arguments).exit_code == 7
    assert run(wanted) == 7
    by_command_line, bare = started
    assert by_command_line == bare
    assert bare[1] == file


def test_a_start_that_cannot_be_is_told_as_on_the_command_line(tmp_path: Path) -> None:
    """One line of what is wrong and one of what to do, or JSON; the exit code is that of the command line."""
    file = tmp_path / "config.toml"
    file.write_text("[webhook]\nprot = 1\n")
    command = [sys.executable, "-m", "service.cli", "up", "--no-view", "--config", str(file)]
    for more in ((), ("--json",)):
        said = subprocess.run([*command, *more], cwd=ROOT, capture_output=True, text=True, check=False)
        shown = CliRunner().invoke(app, [*command[3:], *more])
        assert (said.returncode, said.stderr) == (ExitCode.USAGE, shown.stderr)
        assert "webhook.prot" in said.stderr
        assert not more or json.loads(said.stderr)["path"] == "webhook.prot"


def test_a_daemon_holds_nothing_of_the_command_line() -> None:
    """What reads commands and colours text would be 17 MB of the 91 that an idle daemon held."""
    heavy = ("typer", "pydantic", "rich", "structlog", "pygments")
    code = (
        "import sys, service.cli.bare, service.cli.starting, service.daemon, service.api.server, service.process_log;"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
