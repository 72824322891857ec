"""What can be wrong with the vault.

::

    BulkheadError
    ├─ SecretsNotDecryptable   this installation cannot open the vault: another key, another machine, or damage
    │   └─ MasterKeyUnsafe     the master key is readable by others, or is none
    ├─ MasterKeyFixed          the environment gives the master key: only there it can be changed
    ├─ VaultUnwritable         the disk took no change; the vault is as it was
    └─ UnknownSecret           there is no such secret, or nothing of that name can be kept
"""

from __future__ import annotations

from protocol.errors import BulkheadError

__all__ = ["MasterKeyFixed", "MasterKeyUnsafe", "SecretsNotDecryptable", "UnknownSecret", "VaultUnwritable"]


class SecretsNotDecryptable(BulkheadError):
    """The vault cannot be opened here; accounts that need it stay disabled, nothing was deleted (EX-1502)."""


class MasterKeyUnsafe(SecretsNotDecryptable):
    """Others can read the master key, or what stands in its place is no key."""


class MasterKeyFixed(BulkheadError):
    """The environment gives the master key, so that it cannot be changed here; nothing was changed."""


class VaultUnwritable(BulkheadError):
    """The disk did not take a change; the vault is as it was before."""


class UnknownSecret(BulkheadError):
    """No secret of this name is kept, or can be."""
