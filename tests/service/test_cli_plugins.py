"""Commands that rooms above the command line bring: found when they are called, harmless when they are broken."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from typer.main import get_command

from service.cli import app, plugins
from service.cli.failures import CommandFailed


def brings(monkeypatch: pytest.MonkeyPatch, **points: Callable[[], Any]) -> list[str]:
    """Have entry points of these names stand there; return the names of those that were loaded."""
    loaded: list[str] = []

    def point(name: str, load: Callable[[], Any]) -> Any:
        def noted() -> Any:
            loaded.append(name)
            return load()

        return SimpleNamespace(name=name, value=f"room.{name}:register", load=noted)

    monkeypatch.setattr(plugins, "entry_points", lambda group: [point(name, load) for name, load in points.items()])
    return loaded


def adds(name: str) -> Callable[[], Any]:
    """Return the loading of a plugin with one command."""

    def command() -> None:
        """Do what it does."""

    def register(to: typer.Typer) -> None:
        to.command(name)(command)

    return lambda: register


def fails() -> Any:
    """Fail to load."""
    raise ModuleNotFoundError("No module named 'room'")


def test_a_brought_command_is_listed_and_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command of another room stands beside those of this one."""
    brings(monkeypatch, prove=adds("prove"))
    root = get_command(app)
    assert "prove" in root.list_commands(None)
    assert root.get_command(None, "prove").name == "prove"


def test_no_other_command_pays_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Entry points are not even looked at when a command of this room is called."""
    loaded = brings(monkeypatch, prove=adds("prove"))
    root = get_command(app)
    assert root.get_command(None, "status").name == "status"
    assert loaded == []
    assert root.get_command(None, "nonsense") is None
    assert loaded == ["prove"]


def test_a_broken_plugin_says_so_when_it_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be loaded is listed with the reason, refuses with a code, and breaks no other command."""
    brings(monkeypatch, prove=fails, other=adds("other"))
    root = get_command(app)
    assert {"prove", "other", "status"} <= set(root.list_commands(None))
    broken = root.get_command(None, "prove")
    assert "No module named 'room'" in broken.help
    with pytest.raises(CommandFailed) as caught:
        broken.main(["--seeds", "3"], standalone_mode=False)
    assert caught.value.failure.code == "CommandNotLoaded"
    assert "room.prove:register" in caught.value.failure.message


def test_a_command_of_this_room_is_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin cannot take the place of a command that is there."""
    loaded = brings(monkeypatch, status=adds("status"))
    root = get_command(app)
    own = root.get_command(None, "status")
    root.list_commands(None)
    assert root.get_command(None, "status") is own
    assert loaded == []


def test_the_simulator_is_brought() -> None:
    """``bulkhead simulate`` is an entry point of this installation."""
    found = [each for each in plugins.entry_points(group=plugins.GROUP) if each.name == "simulate"]
    assert [each.value for each in found] == ["simulation.cli:register"]
    assert isinstance(found[0], EntryPoint)
    assert "simulate" in get_command(app).list_commands(None)
