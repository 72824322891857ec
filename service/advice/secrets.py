"""What the vault of secrets can end with."""

from __future__ import annotations

from typing import Final

from service.advice.area import Area, Word

__all__ = ["SECRETS"]

SECRETS: Final = Area(
    "The vault of secrets",
    "Where the vault does not open, accounts without credentials stay disabled and everything else goes on "
    "([keep secrets](../how-to/keep-secrets.md)).",
    (
        Word(
            ("SecretsNotDecryptable",),
            "bring its key and machine, or enter the credentials again: `bulkhead secrets set ACCOUNT FIELD --new-vault`",
        ),
        Word(
            ("MasterKeyUnsafe",), "make the key readable by you alone (`chmod 600`), then `bulkhead secrets rotate-key`"
        ),
        Word(
            ("MasterKeyFixed",),
            "put the new key into BULKHEAD_MASTER_KEY and the present one into BULKHEAD_MASTER_KEY_FORMER, then try again",
        ),
        Word(("VaultUnwritable",), "see that the disk has room and the folder of the vault may be written; try again"),
        Word(("UnknownSecret",), "`bulkhead secrets list` shows the names"),
    ),
)
