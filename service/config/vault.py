"""Where a configuration has its vault."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from service.config.daemon import MasterKeyFrom
from service.config.document import Config
from service.vault.binding import machine_id
from service.vault.store import Place, Vault

__all__ = ["MASTER_KEY", "PLAIN_FOLDER", "master_key_file", "vault_of"]

PLAIN_FOLDER: Final = "secrets"
"""Folder in app.data_dir for what no backup holds."""

MASTER_KEY: Final = "master_key"


def master_key_file(config: Config) -> Path:
    """Return where the key of the vault is when it is in a file."""
    return config.security.master_key_file or config.app.data_dir / PLAIN_FOLDER / MASTER_KEY


def vault_of(config: Config) -> Vault:
    """Return the vault of an installation; nothing is read yet."""
    security = config.security
    return Vault(
        Place(
            folder=config.vault_path,
            key_file=master_key_file(config),
            user=config.webhook.user,
            binding_id=security.binding_id,
            machine=machine_id(),
            master=security.master_key.reveal() if security.master_key is not None else "",
            former=security.former_master_key.reveal() if security.former_master_key is not None else "",
            in_keyring=security.master_key_from is MasterKeyFrom.KEYRING,
        )
    )
