"""``bulkhead cockpit``: what it hands to the room, and what it refuses before a screen is opened."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import tui.launch
from service.cli.codes import ExitCode
from service.cli.commands import app
from service.cli.parts import remote
from tests.service.command_line import CliRunner
from tui.link import DaemonLink
from tui.options import Options


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Options]]:
    """Have options noted instead of a screen opened; what a command says of a daemon elsewhere ends with the test."""
    found: list[Options] = []

    def note(options: Options, *_: Any) -> int:
        found.append(options)
        return 0

    monkeypatch.setattr(tui.launch, "run", note)
    monkeypatch.setattr("service.cli.cockpit.no_screen", str)
    yield found
    remote()


def cockpit(*arguments: str) -> Any:
    """Run the command."""
    return CliRunner().invoke(app, ["cockpit", *arguments], env={"COLUMNS": "200", "XDG_STATE_HOME": "/nowhere"})


def test_the_socket_is_used_unless_an_address_is_given(opened: list[Options], tmp_path: Any) -> None:
    """The daemon of the configuration is shown, or one elsewhere with a token; preferences are the operator's (EX-1604)."""
    assert cockpit("--socket", str(tmp_path / "s.sock"), "--read-only", "--theme", "light").exit_code == 0
    assert cockpit("--url", "https://desk.example:8787", "--token", "tok").exit_code == 0
    here, elsewhere = opened
    assert here.link.where == str(tmp_path / "s.sock")
    assert (here.read_only, here.theme) == (True, "light")
    assert str(here.preferences) == "/nowhere/bulkhead/cockpit.json"
    assert isinstance(elsewhere.link, DaemonLink)
    assert elsewhere.link.where == "https://desk.example:8787"
    assert here.advice("NotRunning")
    assert here.request_id() != here.request_id()


def test_the_demo_keeps_nothing(opened: list[Options]) -> None:
    """A made-up house needs no daemon and remembers nothing."""
    assert cockpit("--demo", "--panel", "positions").exit_code == 0
    assert opened[0].link.where == "the demo"
    assert opened[0].preferences is None
    assert opened[0].panel == "positions"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--demo", "--panel", "nope"), "nope is none of dashboard"),
        (("--demo", "--theme", "pink"), "pink is none of dark, light"),
        (("--token", "tok"), "--token goes with --url"),
        (("--url", "http://desk.example", "--token", "tok"), "[UnsafeAddress]"),
    ],
)
def test_what_cannot_be_is_refused_before_a_screen_opens(
    opened: list[Options], arguments: tuple[str, ...], words: str
) -> None:
    """A wrong panel, theme or address is an error with what to do; a token never leaves unencrypted (EX-1506)."""
    done = cockpit(*arguments)
    assert done.exit_code != 0
    assert words in done.stderr
    assert opened == []


@pytest.mark.parametrize("arguments", [("cockpit", "--demo"), ("up", "--view")])
def test_a_screen_needs_a_terminal(arguments: tuple[str, ...]) -> None:
    """In a pipe no screen is drawn and no daemon started: the error says how else to look (EX-1603)."""
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == ExitCode.USAGE
    assert "NoTerminal" in done.stderr
    assert "--serve" in done.stderr
    assert done.stdout == ""
