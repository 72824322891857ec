"""Carry out a version: have factories, file, actors and restarts go on under it, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from anyio import to_thread

from protocol.configuration import ApplySettings
from protocol.control import RestartActor
from protocol.errors import BulkheadError
from runtime.clock import VirtualClock
from runtime.system import ActorSystem
from service.active import ActiveConfig
from service.config import Config
from service.config.catalogue import catalogue, value_at, with_values
from service.config.sources import Sources
from service.config.venue_changes import Held
from service.settings import Concern, later
from supervision.tree import supervisor_of

__all__ = ["ACKNOWLEDGE_S", "Applying", "Failure"]

ACKNOWLEDGE_S: Final = 10.0
"""Seconds an actor has to take its settings, or to come up again (EX-1307)."""


class Failure(NamedTuple):
    """What stopped an apply: ``actor`` is a path, or config.toml."""

    actor: str
    cause: str


@dataclass(frozen=True, slots=True)
class Applying:
    """All that has to go on under a new version; ``swapped`` hears of the configuration that is in force from now on."""

    active: ActiveConfig
    sources: Sources
    concerns: Callable[[], Sequence[Concern]]
    boot: Config
    """What this process began with: keys that hold only from the next start keep these values."""
    swapped: Callable[[Config], None] = lambda _: None
    held: Held = lambda _: ()

    async def carry_out(
        self, system: ActorSystem, version: int, document: Mapping[str, Any], keys: Sequence[str], *, write: bool
    ) -> Failure | None:
        """Go on under a version in which these keys differ; return the first failure, None when all went well."""
        config = self.sources.completed(self._held(self.sources.effective(document)[0]))
        self.active.config, self.active.version = config, version
        self.swapped(config)
        try:
            if write:
                await self._write(system, document)
        except (OSError, BulkheadError) as error:
            return Failure("config.toml", str(error))
        for concern in self.concerns():
            if concern.is_about(keys) and (cause := await _tell(system, concern, version)):
                return Failure(concern.path, cause)
        return None

    async def _write(self, system: ActorSystem, document: Mapping[str, Any]) -> None:
        """Write the file beside the event loop: reading and changing a long one takes tens of milliseconds."""
        if isinstance(system.clock, VirtualClock):
            self.sources.write(document)  # virtual time would run on while a thread works
        else:
            await to_thread.run_sync(self.sources.write, document)

    def _held(self, config: Config) -> Config:
        """Return the configuration with the running values of keys that only a start of bulkhead can change."""
        waiting = later(catalogue(), self.concerns())
        return with_values(config, {name: value_at(self.boot, catalogue()[name]) for name in waiting})


async def _tell(system: ActorSystem, concern: Concern, version: int) -> str:
    """Have one actor go on under a version; return why it did not, empty when it did or does not live."""
    ref = system.lookup(concern.path)
    above = supervisor_of(system, concern.path) if ref is not None else None
    try:
        if ref is None:
            return ""  # whoever is down begins under the version in force
        if concern.settings is None and above is not None:
            await above.ask(RestartActor(concern.path), ACKNOWLEDGE_S)
        elif concern.settings is not None:
            await ref.ask(ApplySettings(version, concern.settings()), ACKNOWLEDGE_S)
    except BulkheadError as error:
        return f"{type(error).__name__}: {error}"
    return ""
