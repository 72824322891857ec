"""A config store on the virtual clock, with actors that take settings, refuse them or never answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from protocol.configuration import ApplyDraft, ApplySettings, ConfigAnswer, EditDraft, SettingsTaken
from protocol.messages import Event
from protocol.risk import EngineTroubleOver
from runtime.actor import NO_ANSWER, Actor, handles
from runtime.memory_journal import MemoryJournal
from service.active import ActiveConfig
from service.applying import Applying
from service.config.document import Config
from service.config.history import History
from service.config.sources import Sources, start_from
from service.config.venue_changes import Held
from service.config_store import ConfigStore
from service.settings import Concern
from tests.actors.cast import FailingJournal, Stage, play

STREAM = "/house/config"
POOL = "/house/pool"
ENGINE = "/house/engine"
TOML = """\
# Mine.
[app]
data_dir = "data"   # here

[execution_pool]
# Few.
max_open_groups = 4
"""


class Taker(Actor):
    """Takes its settings, except those that ``mood`` names: ``crash`` or ``silent``."""

    def __init__(self, taken: list[tuple[int, Any]], mood: Callable[[Any], str]) -> None:
        self._taken = taken
        self._mood = mood

    @handles
    def settings(self, msg: ApplySettings) -> SettingsTaken | Any:
        """Note what it is told."""
        mood = self._mood(msg.settings)
        assert mood != "crash", "these settings cannot be taken"
        if mood == "silent":
            return NO_ANSWER
        self._taken.append((msg.version, msg.settings))
        return SettingsTaken(msg.version)


class Hearer(Actor):
    """Notes that a cause of an Error is over."""

    def __init__(self, heard: list[EngineTroubleOver]) -> None:
        self._heard = heard

    @handles
    def over(self, msg: EngineTroubleOver) -> None:
        """Note it."""
        self._heard.append(msg)


class Rig:
    """One life of a house with a store, a pool that takes the slots, and an engine that takes the loss threshold."""

    def __init__(self, stage: Stage, file: Path, mood: Callable[[Any], str], env: dict[str, str], held: Held) -> None:
        self.stage = stage
        self.file = file
        self.pool: list[tuple[int, Any]] = []
        self.engine: list[tuple[int, Any]] = []
        sources = Sources.of(file, env)
        history = History()
        for record in stage.journal.read(STREAM):
            history.fold(record.event)
        boot = sources.guess()
        start = start_from(history, sources, boot, held)
        self.active = ActiveConfig(start.config, start.version, start.trouble)
        concerns = [
            Concern(POOL, ("execution_pool.",), lambda: self.active.config.execution_pool.max_open_groups),
            Concern(ENGINE, ("risk_engine.",), lambda: self.active.config.risk_engine.loss_threshold_percent),
        ]
        applying = Applying(self.active, sources, lambda: concerns, start.config, held=held)
        self.risk: list[EngineTroubleOver] = []
        stage.add("risk", lambda: Hearer(self.risk))
        stage.add("pool", lambda: Taker(self.pool, mood))
        stage.add("engine", lambda: Taker(self.engine, mood))
        stage.add("config", lambda: ConfigStore(applying=applying, start=start, risk="/house/risk"))

    @property
    def config(self) -> Config:
        """What factories read."""
        return self.active.config

    async def set(self, **values: Any) -> ConfigAnswer:
        """Edit the draft; ``__`` stands for the dot."""
        named = {name.replace("__", "."): value for name, value in values.items()}
        answer: ConfigAnswer = await self.stage.ask("config", EditDraft(values=json.dumps(named), author="anna"))
        return answer

    async def apply(self, version: int, author: str = "anna") -> ConfigAnswer:
        """Apply the draft."""
        answer: ConfigAnswer = await self.stage.ask("config", ApplyDraft(version=version, author=author), 120.0)
        return answer

    def events(self, kind: type[Event] | None = None) -> list[Any]:
        """Return what the store journalled."""
        return self.stage.events(STREAM, kind)


def life(
    scenario: Callable[[Rig], Coroutine[Any, Any, Any]],
    file: Path,
    *,
    journal: MemoryJournal | None = None,
    mood: Callable[[Any], str] = lambda _: "",
    env: dict[str, str] | None = None,
    held: Held = lambda _: (),
) -> MemoryJournal:
    """Run a scenario on a store whose config.toml is ``file``; return the journal for the next life."""
    kept = journal if journal is not None else FailingJournal()

    async def run(stage: Stage) -> None:
        rig = Rig(stage, file, mood, env or {}, held)
        await stage.settle()
        await scenario(rig)

    play(run, journal=kept)
    return kept


def codes(answer: Any) -> list[str]:
    """Return the codes of an answer's mistakes."""
    return [mistake.code for mistake in answer.mistakes]
