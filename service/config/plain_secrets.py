"""Secrets in plain files, as they were kept before there was a vault, or as somebody puts them there to be taken in."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Final

from protocol.errors import ValidationError
from service.config.errors import ConfigError
from service.vault.files import shred
from service.vault.names import SecretName

__all__ = ["FILES", "erase_taken", "plain_secrets", "unsafe"]

_WEBHOOK: Final = {
    "webhook_token": SecretName("webhook", "token"),
    "webhook_secret": SecretName("webhook", "secret"),
    "webhook_hmac_key": SecretName("webhook", "hmac_key"),
}
_FORMER: Final = {f"{name}.former": kept.former for name, kept in _WEBHOOK.items() if kept.field != "token"}
_TELEGRAM: Final = "telegram_token"

FILES: Final = {**_WEBHOOK, **_FORMER, _TELEGRAM: SecretName("telegram", "token")}
"""Files of ``<data_dir>/secrets``, and what they are called in the vault."""

_SHORTEST: Final = 32


def plain_secrets(folder: Path) -> dict[SecretName, str]:
    """Return what stands in plain files; raise ``ConfigError`` for one that others can read, or that is damaged."""
    found = {}
    for name, kept in FILES.items():
        path = folder / name
        if not path.is_file():
            continue
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            if name == _TELEGRAM:
                continue  # the bridge says what is wrong with it; trading goes on
            raise unsafe(path, f"others can read it (mode {mode:o}); remove it: a new secret is made")
        text = path.read_text(encoding="utf-8").strip()
        if text and not text.strip("\0"):
            continue  # it was taken, and a kill came before it was gone
        if name in _WEBHOOK and len(text) < _SHORTEST:
            raise unsafe(path, f"holds fewer than {_SHORTEST} characters; remove it: a new secret is made")
        if name in _FORMER and not text.partition("\n")[2].isdigit():
            raise unsafe(path, "is damaged; remove it")
        if text:
            found[kept] = text
    return found


def erase_taken(folder: Path, values: dict[SecretName, str]) -> None:
    """Overwrite and remove the files whose content the vault has; one with another content stays."""
    for name, kept in FILES.items():
        path = folder / name
        if path.is_file() and kept in values:
            text = path.read_text(encoding="utf-8").strip()
            if text == values[kept] or (text and not text.strip("\0")):
                shred(path)


def unsafe(path: Path, message: str) -> ConfigError:
    """Return the error of a secret that cannot be used."""
    return ConfigError([ValidationError(str(path), message, code="UnsafeSecret")], source="secrets")
