"""Bring the configuration into force when a daemon starts, and give it its keeper."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from protocol.configuration import CONFIG_STORE
from runtime.journal import StreamReader
from service.active import ActiveConfig
from service.applying import Applying
from service.config import Config
from service.config.history import History
from service.config.sources import Sources, Start, start_from
from service.config_store import ConfigStore
from service.input_recording import note_config
from service.open_groups import open_before, open_now
from service.process_log import running_log
from service.settings import concerns, coordinator
from supervision.child import ChildSpec

if TYPE_CHECKING:
    from service.house import Plan

__all__ = ["begin_with", "config_keeper"]


def begin_with(journal: StreamReader, sources: Sources, boot: Config) -> Start:
    """Return what this daemon begins with: the version in force, or an edited file as the next one.

    Raises ``ConfigError`` with every mistake of a file that is to be the first version.
    """
    history = History()
    for record in journal.read(CONFIG_STORE):
        history.fold(record.event)
    return start_from(history, sources, boot, partial(open_before, journal))


def config_keeper(
    plan: Callable[[], Plan], active: ActiveConfig, sources: Sources, start: Start, *, watch: bool
) -> ChildSpec:
    """Return the recipe of the config store; ``plan`` is asked for when the first version is applied."""

    def swapped(config: Config) -> None:
        _set_log_level(config)
        note_config(plan().system, active)

    applying = Applying(
        active,
        sources,
        lambda: concerns(plan()),
        start.config,
        swapped=swapped,
        held=lambda account: open_now(plan().system.bus, account),
    )
    store = partial(ConfigStore, applying=applying, start=start, watch=watch, risk=coordinator())
    return ChildSpec(CONFIG_STORE.rpartition("/")[2], store)


def _set_log_level(config: Config) -> None:
    logging.getLogger().setLevel(config.app.log_level.value.upper())
    if (running := running_log()) is not None:
        running.apply(config)
