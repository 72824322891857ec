"""Vaults in folders of their own, and a disk that breaks at any moment."""

from __future__ import annotations

import base64
import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from service.vault.names import SecretName
from service.vault.sealing import Kept
from service.vault.store import Place, Values, Vault

KEY = SecretName("main", "api_key")
SECRET = SecretName("main", "api_secret")
CALLS = ("open", "write", "fsync", "link", "replace", "unlink", "close")


def place_in(folder: Path, **changes: Any) -> Place:
    """Return the place of a vault whose key is in a file beside it."""
    given = {"user": "trader", "machine": "machine-a", **changes}
    return Place(folder=folder / "vault", key_file=folder / "secrets" / "master_key", **given)


def vault_in(folder: Path, **changes: Any) -> Vault:
    """Return a vault."""
    return Vault(place_in(folder, **changes))


def put(vault: Vault, **values: str) -> None:
    """Put secrets of the account ``main`` in."""

    def edit(kept: Values) -> None:
        for field, value in values.items():
            kept[SecretName("main", field)] = Kept(value, "trader", 7)

    vault.change(edit)


def plain(vault: Vault) -> dict[str, str]:
    """Return what a vault keeps, by field."""
    return {name.field: kept.value for name, kept in vault.read().items()}


def a_key(byte: int = 1) -> str:
    """Return a master key as it stands in the environment."""
    return base64.b64encode(bytes([byte]) * 32).decode()


class Killed(BaseException):
    """The process ends here."""


def killed() -> Killed:
    return Killed()


def full() -> OSError:
    return OSError(errno.ENOSPC, "No space left on device")


@contextmanager
def breaking(at: int, error: Callable[[], BaseException]) -> Iterator[list[str]]:
    """Have the ``at``-th call that changes a disk fail before it does anything; close always works."""
    called: list[str] = []

    def wrapped(name: str) -> Callable[..., Any]:
        real = getattr(os, name)

        def call(*args: Any, **more: Any) -> Any:
            if name == "close" or (name == "open" and args[1] & (os.O_WRONLY | os.O_RDWR) == 0):
                return real(*args, **more)
            called.append(name)
            if len(called) == at:
                raise error()
            return real(*args, **more)

        return call

    with mock.patch.multiple(os, **{name: wrapped(name) for name in CALLS}):
        yield called
