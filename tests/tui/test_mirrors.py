"""Every action of the cockpit in the command line, those marked T on the phone: the same addresses (EX-1601)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, NamedTuple

import pytest
from typer.main import get_command

from rules.telegram.commands import HOUSE
from service.api.client import Client
from service.cli.commands import app
from tests.service.command_line import CliRunner
from tests.tui.rig import Clock
from tui.commands import COMMANDS, named
from tui.demo import DemoLink
from tui.link import LinkRefused
from tui.panels import PANELS
from tui.panels.inject_fields import Draft
from tui.seat import Sent
from tui.state import State
from tui.topics import TOPICS

GROUP: Final = "g00btcq7aq"


class Mirror(NamedTuple):
    """How the command line does what the cockpit does: both with arguments that mean the same; ``phone`` where T."""

    given: tuple[str, ...]
    line: tuple[str, ...]
    phone: str = ""


MIRRORS: Final[Mapping[str, Mirror]] = {
    "pause": Mirror(("lunch",), ("pause",), "/pause"),
    "resume": Mirror((), ("resume",), "/resume"),
    "pause-account": Mirror(("main",), ("pause", "--account", "main"), "/pause"),
    "resume-account": Mirror(("main",), ("resume", "--account", "main"), "/resume"),
    "close": Mirror((GROUP,), ("group", "close", GROUP, "--yes"), "/close"),
    "close-leg": Mirror((GROUP, "p0.l1"), ("group", "close", GROUP, "--leg", "p0.l1", "--yes"), "/closeleg"),
    "cancel-unfilled": Mirror((GROUP,), ("group", "edit", GROUP, "--cancel-layers", "all", "--yes")),
    "run-now": Mirror((GROUP,), ("risk", "run-now", GROUP, "--yes"), "/run"),
    "skip-once": Mirror((GROUP,), ("risk", "skip-once", GROUP)),
    "block": Mirror((GROUP,), ("risk", "block", GROUP)),
    "unblock": Mirror((GROUP,), ("risk", "unblock", GROUP)),
    "promote": Mirror(("q31",), ("queue", "promote", "q31", "--account", "main"), "/promote"),
    "force-add": Mirror(("q31",), ("queue", "force-add", "q31", "--account", "main", "--yes"), "/forceadd"),
    "remove": Mirror(("q31",), ("queue", "remove", "q31", "--account", "main"), "/remove"),
    "ack": Mirror((), ("alerts", "ack", "--all"), "/ack"),
    "ack-line": Mirror(("1",), ("alerts", "ack", "1")),
    "log-prune": Mirror((), ("log", "prune")),
    "log-keep": Mirror(("events-1.jsonl",), ("log", "keep", "events-1.jsonl")),
    "replay-live": Mirror(("s1", "BTC/USDT"), ("signal", "replay", "s1", "--live", "--confirm", "BTC/USDT")),
    "replay": Mirror(("s1",), ("signal", "replay", "s1")),
    "set": Mirror(("ui.theme", "light"), ("config", "set", "ui.theme", "light")),
    "unset": Mirror(("ui.theme",), ("config", "unset", "ui.theme")),
    "config-edit": Mirror(('{"ui.theme": "light"}',), ("config", "set", "ui.theme", "light")),
    "config-apply": Mirror((), ("config", "apply"), "/apply"),
    "config-discard": Mirror((), ("config", "discard")),
    "config-reset": Mirror((), ("config", "reset")),
    "config-load": Mirror(("3",), ("config", "reapply", "3")),
    "config-restore": Mirror(("FILE",), ("config", "restore", "FILE")),
    "full-backup": Mirror(("friday",), ("backups", "make", "friday")),
    "backup-prune": Mirror((), ("backups", "prune")),
    "backup-keep": Mirror(("b",), ("backups", "keep", "b")),
    "restart": Mirror(("/risk",), ("restart", "/risk")),
    "quarantine": Mirror(("/risk",), ("quarantine", "/risk")),
    "release": Mirror(("/risk",), ("release", "/risk")),
    "reconnect": Mirror(("main",), ("restart", "/venues/main/session")),
    "precision": Mirror(("main",), ("venue", "refresh", "--account", "main")),
    "reconcile": Mirror(("main",), ("venue", "reconcile", "--account", "main")),
    "allow-entries": Mirror(("main",), ("venue", "allow-entries", "main")),
    "replay-letter": Mirror(("d1",), ("dead-letters", "replay", "d1")),
    "dismiss": Mirror(("3",), ("notifications", "dismiss", "3")),
    "dismiss-all": Mirror((), ("notifications", "dismiss", "--all")),
    "read-notices": Mirror(("3",), ("notifications", "read", "3")),
    "send-draft": Mirror((), ("send", "/risk/coordinator", '{"type": "GetStatus"}')),
}
"""Commands that change something."""

SAME: Final = {
    "/v1/notifications/dismiss-all": "/v1/notifications/dismiss",
    "/v1/notifications/read": "/v1/notifications/read",
}
"""Addresses that take one thing, or all that a list shows: the bodies name them in another way."""

OF_THE_ASKER: Final = frozenset(
    {"author", "version", "request_id", "digest", "expected_version", "reason", "operator", "check"}
)

WITHOUT_A_DAEMON: Final[Mapping[str, str]] = {
    "test-connection": "venue test",
    "log-export": "export",
    "config-backup": "config backup",
    "take": "export",
}
"""What the command line does by itself: it needs no daemon for it, or asks it for the same in another form."""


ASKS: Final = re.compile(r"^(ask-|go$|sort$|filter$|columns$|density$|theme$|toggle$)")
"""Commands of the screen itself, those that begin a line, and what is one of two others."""


class House(DemoLink):
    """The made-up house with what it is told written down; it refuses nothing, so that every command gets there."""

    def __init__(self) -> None:
        super().__init__(Clock())
        self.told: list[tuple[str, Mapping[str, Any]]] = []
        self.world.draft = {"ui.theme": "light"}
        self.world.backups = [
            {"name": f"b{day:02}.bulkhead", "size": 1, "written_at": day, "kept": False} for day in range(16, 0, -1)
        ]

    async def post(self, path: str, body: Any = None, **more: Any) -> Any:
        """Write it down, and do what can be done."""
        looks = isinstance(body, Mapping) and body.get("preview")
        if not looks:
            self.told.append((path.partition("?")[0], json.loads(body) if isinstance(body, str) else body or {}))
        try:
            return await super().post(path, body, **more)
        except Exception as error:
            raise Told from error


class Told(Exception):
    """The house was told; what it answers is of no interest here."""


class Operator:
    """Stands for the screen: says yes to everything, and sends what commands send."""

    served = read_only = False

    def __init__(self, house: House) -> None:
        self.house = house
        self.state = State(house, house._clock)
        draft = Draft({"type": "GetStatus"}, {})
        nothing = lambda *_: None  # noqa: E731 - a panel that takes everything
        self._panel = SimpleNamespace(
            draft=lambda: draft,
            is_signal=False,
            to="/risk/coordinator",
            type_name="GetStatus",
            took=nothing,
            remember=nothing,
            draw=nothing,
        )

    async def read(self) -> None:
        """Know what a screen knows that looks at everything."""
        self.state.want(TOPICS.keys() - {"decisions"})
        await self.state.round()

    async def confirm(self, question: Any) -> bool:
        """Say yes."""
        del question
        return True

    async def send(self, sent: Sent) -> Any:
        """Tell the house."""
        return await self.house.post(sent.path, sent.body)

    async def ask(self, path: str, given: Any = None, **query: Any) -> Any:
        """Ask the house."""
        with contextlib.suppress(LinkRefused):
            return await (self.house.get(path, **query) if given is None else DemoLink.post(self.house, path, given))

    def open_panel(self, ident: str) -> Any:
        """Return a panel that takes everything."""
        del ident
        return self._panel

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None


async def _told_by_cockpit(name: str, given: tuple[str, ...]) -> list[tuple[str, Mapping[str, Any]]]:
    house = House()
    operator = Operator(house)
    await operator.read()
    command = named(name)
    assert command is not None
    with contextlib.suppress(Told):
        await command.run(operator, given)  # type: ignore[arg-type]
    return house.told


def _told_by_line(line: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Mapping[str, Any]]]:
    house = House()

    def get(_: Client, path: str, **query: Any) -> Any:
        return asyncio.run(house.get(path, **query))

    def post(_: Client, path: str, body: Any = None, **__: Any) -> Any:
        return asyncio.run(house.post(path, body))

    monkeypatch.setattr(Client, "get", get)
    monkeypatch.setattr(Client, "post", post)
    CliRunner().invoke(app, list(line), env={"COLUMNS": "200"})
    return house.told


def _meant(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a command is about, without who gave it and what it was looked at under."""
    return {name: value for name, value in body.items() if value and name not in OF_THE_ASKER}


@pytest.mark.parametrize("name", MIRRORS)
def test_the_command_line_does_what_the_cockpit_does(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are carried out against the same house: they tell the same address (EX-1601)."""
    (tmp_path / "FILE").write_text('{"version": 1, "author": "anna", "document": {"ui.theme": "light"}}')
    monkeypatch.chdir(tmp_path)
    mirror = MIRRORS[name]
    cockpit = asyncio.run(_told_by_cockpit(name, mirror.given))
    line = _told_by_line(mirror.line, monkeypatch)
    assert cockpit, f"{name} tells the daemon nothing"
    address, body = cockpit[-1]
    told = [_meant(each) for path, each in line if path == SAME.get(address, address)]
    assert _meant(body) in told or (told and address in SAME)
    assert mirror.phone in ("", *HOUSE)


def test_no_action_is_left_out() -> None:
    """Every command that changes something stands in the table, every key of a panel runs a command (EX-1601)."""
    writes = {each.name for each in COMMANDS if each.writes and not ASKS.match(each.name)}
    assert writes - WITHOUT_A_DAEMON.keys() == MIRRORS.keys() - {"replay", "read-notices"}
    keys = {key.command for panel in PANELS for key in panel.keys}
    assert [each for each in keys if named(each) is None] == []
    known = {" ".join(path) for path in _lines(get_command(app), ())}
    assert [each for each in WITHOUT_A_DAEMON.values() if each not in known] == []


def _lines(command: Any, path: tuple[str, ...]) -> list[tuple[str, ...]]:
    if not hasattr(command, "commands"):
        return [path]
    return [path, *(found for name, each in command.commands.items() for found in _lines(each, (*path, name)))]
