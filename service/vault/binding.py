"""What a vault is bound to: the machine it was made on, or the name given to an installation (EX-1502)."""

from __future__ import annotations

import subprocess
import sys
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

__all__ = ["Binding", "BindingKind", "bindings", "machine_id"]

_FILES: Final = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))
_IOREG: Final = ("/usr/sbin/ioreg", "-rd1", "-c", "IOPlatformExpertDevice")


class BindingKind(StrEnum):
    """Where a binding comes from; the vault says which it was made with."""

    NAMED = "security.binding_id"
    MACHINE = "machine-id"
    NONE = "none"
    """Neither exists: only the master key keeps others out, and the list of secrets says so."""


class Binding(NamedTuple):
    """What goes into the key beside the master key."""

    kind: BindingKind
    value: str


def bindings(binding_id: str | None, machine: str) -> tuple[Binding, ...]:
    """Return what there is to bind to, the one to be used first.

    A name somebody gave goes before the machine's id: in containers that id may be there and change with each of them.
    """
    found = []
    if binding_id:
        found.append(Binding(BindingKind.NAMED, f"id:{binding_id}"))
    if machine:
        found.append(Binding(BindingKind.MACHINE, machine))
    return (*found, Binding(BindingKind.NONE, ""))


@cache
def machine_id() -> str:
    """Return the id of this machine, empty where it has none."""
    for path in _FILES:
        try:
            text = path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            continue
        if text and text != "uninitialized":
            return text
    return _of_mac() if sys.platform == "darwin" else ""


def _of_mac() -> str:
    try:
        found = subprocess.run(_IOREG, capture_output=True, text=True, timeout=5, check=False).stdout  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return ""
    _, _, rest = found.partition('"IOPlatformUUID" = "')
    return rest.partition('"')[0]
