"""The format of the vault's file: each secret encrypted for itself, and the whole under one seal.

AES-256-GCM with a fresh 96-bit nonce a value; user, holder and field are proven along with it, so that no value can be put
under another name. The seal covers every byte: a value that was taken out, put back from an older file, or changed in any
bit is found. What is not secret stands open: whose secrets there are, where the master key is, what it is bound to.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from rules.security import derive_data_key
from service.vault.binding import Binding, BindingKind
from service.vault.errors import SecretsNotDecryptable
from service.vault.names import SecretName

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

__all__ = ["NONCE", "Kept", "Sealed", "decoded", "key_id", "opened", "sealed"]

NONCE: Final = 12
"""Bytes of a nonce: 96 bits."""

_VERSION: Final = 1
_CHECK: Final = 8
_Chance = Callable[[int], bytes]


class Kept(NamedTuple):
    """One secret in the open: its value, whose it is, and when it was put in (nanoseconds UTC)."""

    value: str
    user: str
    at: int

    def __repr__(self) -> str:
        return f"Kept(user={self.user!r}, at={self.at})"


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    user: str
    holder: str
    field: str
    at: int
    nonce: bytes
    sealed: bytes


class Sealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file as it is on the disk."""

    version: int
    installation: str
    binding: BindingKind
    key_from: str
    key_id: str
    key_check: str
    entries: tuple[_Entry, ...]
    nonce: bytes
    seal: bytes

    @property
    def names(self) -> tuple[SecretName, ...]:
        """What it keeps, as far as the file says without being opened."""
        return tuple(SecretName(each.holder, each.field) for each in self.entries)


def key_id(master: bytes) -> str:
    """Return what tells one master key from another and nothing else of it."""
    return hmac.digest(master, b"bulkhead.secrets.key", sha256)[:_CHECK].hex()


def sealed(
    values: Mapping[SecretName, Kept],
    *,
    master: bytes,
    key_from: str,
    installation: str,
    binding: Binding,
    chance: _Chance = os.urandom,  # house: a nonce must not come from a seed
) -> bytes:
    """Return the file that keeps these values; every call takes fresh nonces."""
    cipher, data_key = _cipher(master, installation, binding)
    entries = []
    for name, kept in sorted(values.items()):
        nonce = chance(NONCE)
        text = cipher.encrypt(nonce, kept.value.encode(), _about(kept.user, name))
        entries.append(_Entry(kept.user, name.holder, name.field, kept.at, nonce, text))
    nonce = chance(NONCE)
    made = Sealed(
        version=_VERSION,
        installation=installation,
        binding=binding.kind,
        key_from=key_from,
        key_id=key_id(master),
        key_check=_check(data_key),
        entries=tuple(entries),
        nonce=nonce,
        seal=b"",
    )
    seal = cipher.encrypt(nonce, b"", _written(made))
    return _written(msgspec.structs.replace(made, seal=seal))


def decoded(raw: bytes) -> Sealed:
    """Return a file as it stands; raise ``SecretsNotDecryptable`` for one that we did not write so."""
    try:
        found = msgspec.json.decode(raw, type=Sealed)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SecretsNotDecryptable("the vault is damaged: it is not what was written") from error
    if found.version > _VERSION:
        raise SecretsNotDecryptable("a newer bulkhead wrote the vault")
    if _written(found) != raw:
        raise SecretsNotDecryptable("the vault is damaged: it is not what was written")
    return found


def opened(found: Sealed, *, master: bytes, binding: Binding) -> dict[SecretName, Kept]:
    """Return what a file keeps; raise ``SecretsNotDecryptable`` for another machine, and for any bit that was changed."""
    from cryptography.exceptions import InvalidTag

    cipher, data_key = _cipher(master, found.installation, binding)
    if not hmac.compare_digest(found.key_check, _check(data_key)):
        raise SecretsNotDecryptable(f"the vault was made elsewhere: its {found.binding} is not the one of this place")
    values = {}
    try:
        bare = _written(msgspec.structs.replace(found, seal=b""))
        cipher.decrypt(found.nonce, found.seal, bare)
        for each in found.entries:
            name = SecretName(each.holder, each.field)
            text = cipher.decrypt(each.nonce, each.sealed, _about(each.user, name))
            values[name] = Kept(text.decode(), each.user, each.at)
    except (InvalidTag, ValueError) as error:
        raise SecretsNotDecryptable("the vault is damaged: a byte is not what was written") from error
    return values


def _cipher(master: bytes, installation: str, binding: Binding) -> tuple[AESGCM, bytes]:
    # Imported where it is used: a start without a vault does without it.
    from cryptography.hazmat.primitives.ciphers import aead

    data_key = derive_data_key(master, installation, binding.value)
    return aead.AESGCM(data_key), data_key


def _about(user: str, name: SecretName) -> bytes:
    """Return what is proven along with a value; encoded so that no two triples are the same bytes."""
    return msgspec.json.encode([user, name.holder, name.field])


def _check(data_key: bytes) -> str:
    return hmac.digest(data_key, b"bulkhead.secrets.check", sha256)[:_CHECK].hex()


def _written(document: Sealed) -> bytes:
    return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"
