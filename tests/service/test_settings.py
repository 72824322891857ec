"""The table of an apply: whoever a key is for hears of it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from service.account_paths import AccountPaths
from service.config import Config
from service.config.catalogue import catalogue
from service.settings import concerns, later

READ_WHEN_NEEDED = {
    "api.requests_per_minute": "read for each request",
    "app.auto_restart": "asked at each crash",
    "app.timezone": "read for each answer",
    "backups.": "read for each backup",
    "security.secret_rotation_grace_hours": "read when a secret is rotated",
    "performance.": "read for each answer",
    "self_check.": "read each night",
    "ui.": "the cockpit's",
}
"""Keys that nobody keeps, and why."""


def table() -> list[Any]:
    """Return the table for the default configuration."""
    return concerns(cast("Any", SimpleNamespace(config=Config(), paths=AccountPaths)))


def test_every_key_that_holds_at_once_reaches_somebody() -> None:
    """A key that applies now or to new groups is told to an actor, or is read whenever it is needed (EX-1307)."""
    unheard = [
        name
        for name, entry in catalogue().items()
        if entry.field.key.applies != "restart"
        and not any(concern.is_about([name]) for concern in table())
        and not name.startswith(tuple(READ_WHEN_NEEDED))
    ]
    assert unheard == []


def test_keys_that_wait_for_the_next_start() -> None:
    """What no restart of an actor can change is named, so that apply and preview can say so (EX-1307)."""
    waiting = later(catalogue(), table())
    assert {"accounts", "market.source", "journal.durability", "app.data_dir"} <= set(waiting)
    assert not {"webhook.port", "execution_pool.max_open_groups", "grid_strategy.tp_mode"} & set(waiting)


def test_every_beginning_means_a_key() -> None:
    """No entry of the table is about nothing, as after a renamed key."""
    for concern in table():
        for beginning in concern.prefixes:
            assert any(name.startswith(beginning) for name in catalogue()), (concern.path, beginning)
