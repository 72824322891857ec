"""Gives the daemon its nightly self-check."""

from __future__ import annotations

from functools import partial

from actors.self_check import SelfCheck, When
from protocol.self_check import SelfChecked
from service.active import ActiveConfig
from service.config import open_webhook_secrets
from service.day_process import check_beside, newest_outcome, task_of
from service.input_recording import inputs_folder
from service.journals import journal_of
from store.inputs.files import path_of
from supervision.backoff import Backoff
from supervision.child import ChildSpec

__all__ = ["nightly_check"]


def nightly_check(active: ActiveConfig) -> list[ChildSpec]:
    """Return who checks each day the night after, nobody where days are not recorded."""
    if not active.config.self_check.record:
        return []
    folder = inputs_folder(active.config)
    make = partial(
        SelfCheck,
        when=lambda: _when(active),
        check=lambda day: _check(active, day),
        recorded=lambda day: path_of(folder, day).exists(),
        newest=lambda: newest_outcome(folder),
    )
    return [ChildSpec("self_check", make, backoff=Backoff(1.0, limit_s=60.0), on_exhausted="quarantine")]


def _when(active: ActiveConfig) -> When:
    settings = active.config.self_check
    hours, _, minutes = settings.at.partition(":")
    return When(settings.nightly, int(hours) * 3_600 + int(minutes) * 60)


async def _check(active: ActiveConfig, day: str) -> SelfChecked:
    config = active.config
    secrets = open_webhook_secrets(config)
    return await check_beside(task_of(day, inputs_folder(config), journal_of(config), secrets))
