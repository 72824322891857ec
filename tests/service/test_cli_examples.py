"""Every help page teaches: an example each, which the command line understands."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command

from service.cli import app
from service.cli.examples import EXAMPLES, ORDER

ROOT = get_command(app)
ROOT.list_commands(None)  # brings the commands of the rooms above


def commands(group: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every command with its path, groups included."""
    for name in group.list_commands(None):
        command = group.commands[name]
        here = f"{path} {name}".strip()
        yield here, command
        if hasattr(command, "commands"):
            yield from commands(command, here)


def test_every_command_has_an_example_and_every_example_a_command() -> None:
    """No command is without a line that can be typed, and no example is of a command that is gone."""
    assert {path for path, _ in commands(ROOT)} == set(EXAMPLES)


def test_the_first_page_is_in_chapters() -> None:
    """Each command of the first page stands in a chapter, in the order they are met."""
    assert tuple(ROOT.list_commands(None)) == ORDER
    assert all(getattr(command, "rich_help_panel", "") for name, command in ROOT.commands.items())


@pytest.mark.parametrize(
    ("path", "line"), [(path, line) for path, lines in EXAMPLES.items() for line in lines], ids=lambda text: text[:40]
)
def test_an_example_is_understood(path: str, line: str) -> None:
    """An example names a command and options that there are, with values of the right kind; nothing is run."""
    typed = line.removeprefix("pbpaste | bulkhead ").partition(" | ")[0].partition(" > ")[0]
    words = shlex.split(typed, comments=True)
    command, context = ROOT, None
    while hasattr(command, "commands") and words and words[0] in command.commands:
        command = command.commands[words.pop(0)]
    assert typed.startswith(path), "an example stands under the command it is of"
    context = command.make_context("bulkhead", words)
    assert context.command is command


def test_examples_stand_on_the_help_page() -> None:
    """The page shows the examples above the exit codes."""
    said = dict(commands(ROOT))["queue promote"].epilog
    assert said.startswith("Example:\n  bulkhead queue promote q3\n\nExit codes: 0 done")
