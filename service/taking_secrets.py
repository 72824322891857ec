"""Have a running daemon go on under what its vault keeps now, without a restart where that is possible."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

import anyio

from protocol.control import RestartActor
from protocol.webhook import SecretsChanged
from runtime.system import ActorSystem
from service.account_paths import AccountPaths
from service.active import ActiveConfig
from service.config import Config
from service.config.kept import read_kept
from service.config.market import Account
from service.config.sources import Sources
from service.venues import is_outside
from supervision.tree import supervisor_of

__all__ = ["RESTART_S", "SECRET_KEEPER", "beside", "newest", "take_secrets"]

T = TypeVar("T")

SECRET_KEEPER: Final = "/operators/secrets"  # noqa: S105 - the path of an actor
RESTART_S: Final = 60.0
"""Seconds the session of an account has to come up again."""


async def beside(system: ActorSystem, work: Callable[[], T]) -> T:
    """Return what some work on the disk comes to; the loop goes on meanwhile, virtual time does not."""
    with system.hold():
        return await anyio.to_thread.run_sync(work)


def newest(active: ActiveConfig, sources: Sources) -> Config:
    """Return the configuration that holds now; a vault that did not open is tried again, so that a restart is enough."""
    if sources.kept(active.config).trouble:
        sources.memory.now = read_kept(active.config)
        active.config = sources.completed(active.config)
    return active.config


async def take_secrets(system: ActorSystem, active: ActiveConfig, sources: Sources, holder: str) -> tuple[str, ...]:
    """Take over what the vault keeps; return the accounts whose sessions began anew because ``holder``'s secrets changed.

    An account whose credentials went away ends its session in order and stays disabled; its orders stay at the venue.
    """
    sources.memory.now = await beside(system, lambda: read_kept(active.config))
    active.config = sources.completed(active.config)
    keeper = system.lookup(SECRET_KEEPER)
    if holder == "webhook" and keeper is not None:
        keeper.tell(SecretsChanged())
    concerned = [each.name for each in active.config.accounts if _is_about(each, holder)]
    return tuple([name for name in concerned if await _restarted(system, name)])


def _is_about(account: Account, holder: str) -> bool:
    if not is_outside(account):
        return False
    return holder == account.name or holder == f"exchange.{account.venue.value}"


async def _restarted(system: ActorSystem, account: str) -> bool:
    path = AccountPaths(account, outside=True).session
    above = supervisor_of(system, path) if system.lookup(path) is not None else None
    if above is None:
        return False  # whoever is down begins with the new ones
    await above.ask(RestartActor(path), RESTART_S)
    return True
