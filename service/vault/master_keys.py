"""Where the master key is: in the environment, in a file of its own, or in the system's keyring (EX-1502).

A vault says which key it was made with, by the key's fingerprint: while the key is being changed there are two, and the
right one opens it. A new key is on the disk before the vault is written under it, and the former one is erased only after
that; a kill in between leaves both.
"""

from __future__ import annotations

import base64
import binascii
import importlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

from protocol.errors import FeatureUnavailable
from rules.security import KEY_BYTES
from service.vault.errors import MasterKeyUnsafe
from service.vault.files import open_to_others, promote, shred, write_private

__all__ = [
    "ENVIRONMENT",
    "FILE",
    "KEYRING",
    "FileKey",
    "Found",
    "KeyHolder",
    "KeyringKey",
    "decoded_key",
    "encoded_key",
]

ENVIRONMENT: Final = "environment"
FILE: Final = "file"
KEYRING: Final = "keyring"

_SERVICE: Final = "bulkhead"


class Found(NamedTuple):
    """A master key, and where it was found."""

    key: bytes
    where: str
    is_next: bool = False

    def __repr__(self) -> str:
        return f"Found(where={self.where!r}, is_next={self.is_next})"


class KeyHolder(Protocol):
    """A place that keeps a master key, and another one while that is being changed."""

    where: str

    def candidates(self) -> Iterator[Found]:
        """Yield what is there; raises ``MasterKeyUnsafe`` for a key that others can read."""
        ...

    def prepare(self) -> Found:
        """Make a new key and keep it beside the present one."""
        ...

    def settle(self) -> None:
        """Put the prepared key in the place of the present one, which is erased; harmless when there is none."""
        ...

    def drop_prepared(self) -> None:
        """Erase a prepared key that no vault was written under."""
        ...

    def erase(self) -> None:
        """Erase every key here: the vault is under one that is elsewhere."""
        ...


def decoded_key(text: str, where: str) -> bytes:
    """Return a key that is written as 64 hexadecimal digits or in base64; raise ``MasterKeyUnsafe`` for anything else."""
    text = text.strip()
    try:
        found = bytes.fromhex(text) if len(text) == 2 * KEY_BYTES else base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        found = b""
    if len(found) != KEY_BYTES:
        message = (
            f"{where} holds no master key: it is {KEY_BYTES} random bytes in base64, as `openssl rand -base64 32` makes"
        )
        raise MasterKeyUnsafe(message)
    return found


def encoded_key(key: bytes) -> str:
    """Return a key as it is written down."""
    return base64.b64encode(key).decode()


def _fresh() -> bytes:
    return secrets.token_bytes(KEY_BYTES)  # house: a key must not come from a seed


class FileKey:
    """A key in a file that only its owner reads."""

    where = FILE

    def __init__(self, path: Path) -> None:
        self.path = path
        self._next = path.with_name(f"{path.name}.next")

    def candidates(self) -> Iterator[Found]:
        """Yield the key and, after it, one that was being brought in when something broke off."""
        for path, is_next in ((self.path, False), (self._next, True)):
            try:
                mode = open_to_others(path)
                if mode and os.name == "posix":
                    message = f"others can read the master key {path} (mode {mode:o}): chmod 600 {path}, then rotate it"
                    raise MasterKeyUnsafe(message)
                text = path.read_text(encoding="ascii", errors="replace")
            except FileNotFoundError:
                continue
            except OSError as error:
                raise MasterKeyUnsafe(f"the master key {path} cannot be read: {error.strerror or error}") from error
            yield Found(decoded_key(text, str(path)), FILE, is_next)

    def prepare(self) -> Found:
        """Write a new key beside the present one."""
        key = _fresh()
        write_private(self._next, encoded_key(key).encode() + b"\n")
        return Found(key, FILE, is_next=True)

    def settle(self) -> None:
        """Put the new key in place; the former one is overwritten."""
        promote(self._next, self.path)

    def drop_prepared(self) -> None:
        """Overwrite and remove the new key."""
        shred(self._next)

    def erase(self) -> None:
        """Overwrite and remove both."""
        shred(self._next)
        shred(self.path)


class KeyringKey:
    """A key in the system's keyring, under the name of the installation."""

    where = KEYRING

    def __init__(self, installation: str) -> None:
        self._name = installation
        self._next = f"{installation}.next"

    def candidates(self) -> Iterator[Found]:
        """Yield the key and, after it, one that was being brought in when something broke off."""
        for name, is_next in ((self._name, False), (self._next, True)):
            text = _asked("get_password", name)
            if text:
                yield Found(decoded_key(text, f"the keyring's entry {name}"), KEYRING, is_next)

    def prepare(self) -> Found:
        """Put a new key beside the present one."""
        key = _fresh()
        _asked("set_password", self._next, encoded_key(key))
        return Found(key, KEYRING, is_next=True)

    def settle(self) -> None:
        """Put the new key in place."""
        text = _asked("get_password", self._next)
        if text:
            _asked("set_password", self._name, text)
            _asked("delete_password", self._next)

    def drop_prepared(self) -> None:
        """Remove the new key."""
        if _asked("get_password", self._next):
            _asked("delete_password", self._next)

    def erase(self) -> None:
        """Remove both."""
        for name in (self._next, self._name):
            if _asked("get_password", name):
                _asked("delete_password", name)


def _asked(call: str, name: str, *more: str) -> Any:
    try:
        keyring = importlib.import_module("keyring")
        failed = importlib.import_module("keyring.errors").KeyringError
    except ImportError as error:
        raise FeatureUnavailable("keyring", "a master key in the keyring") from error
    try:
        return getattr(keyring, call)(_SERVICE, name, *more)
    except failed as error:
        raise MasterKeyUnsafe(f"the system's keyring does not answer: {error}") from error
