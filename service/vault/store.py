"""The vault itself: what it keeps, every change of it, and the change of its key.

A change is one new file in the place of the old one. Two processes, a daemon and a command line, change it one after the
other; whoever reads never waits.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from service.vault.binding import Binding, bindings
from service.vault.errors import MasterKeyFixed, SecretsNotDecryptable, VaultUnwritable
from service.vault.files import locked, write_private
from service.vault.master_keys import ENVIRONMENT, FILE, KEYRING, FileKey, Found, KeyHolder, KeyringKey, decoded_key
from service.vault.names import SecretName
from service.vault.sealing import Kept, Sealed, decoded, key_id, opened, sealed

__all__ = ["VAULT_FILE", "Place", "Standing", "Values", "Vault"]

VAULT_FILE: Final = "secrets.vault"

Values = dict[SecretName, Kept]

_FORMER_VARIABLE: Final = "BULKHEAD_MASTER_KEY_FORMER"
_VARIABLE: Final = "BULKHEAD_MASTER_KEY"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Place:
    """Where a vault is, who its secrets belong to, and where its key may be; ``master`` and ``former`` beat the others."""

    folder: Path
    key_file: Path
    user: str
    binding_id: str | None = None
    machine: str = ""
    master: str = ""
    former: str = ""
    in_keyring: bool = False


class Standing(NamedTuple):
    """How a vault stands; ``trouble`` says why it cannot be opened, empty when it can."""

    path: Path
    exists: bool
    key_from: str
    binding: str
    trouble: str


class _Opened(NamedTuple):
    """What an opened vault holds, and what it was opened with."""

    file: Sealed
    values: Values
    master: Found
    binding: Binding


class Vault:
    """One vault. Every method goes to the disk; call them beside the event loop, or before it runs."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.path = place.folder / VAULT_FILE

    # --- looking -------------------------------------------------------------------------------------------------------

    def read(self) -> Values:
        """Return everything it keeps, nothing when there is none; raise ``SecretsNotDecryptable`` when it does not open."""
        found = self._found()
        return self._opened(found).values if found is not None else {}

    def names(self) -> tuple[SecretName, ...]:
        """Return what it says it keeps, without being opened; raise ``SecretsNotDecryptable`` when that cannot be read."""
        found = self._found()
        return found.names if found is not None else ()

    def standing(self) -> Standing:
        """Return how it stands; never raises."""
        key_from, binding, trouble, exists = self._key_from(), bindings(*self._bound())[0].kind, "", True
        try:
            found = self._found()
            exists = found is not None
            if found is not None:
                key_from, binding = found.key_from, found.binding
                self._opened(found)
        except SecretsNotDecryptable as error:
            trouble = str(error)
        return Standing(self.path, exists, key_from, binding.value, trouble)

    def _found(self) -> Sealed | None:
        try:
            return decoded(self.path.read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise SecretsNotDecryptable(f"the vault {self.path} cannot be read: {error.strerror or error}") from error

    def _opened(self, found: Sealed) -> _Opened:
        binding = next((each for each in bindings(*self._bound()) if each.kind is found.binding), None)
        if binding is None:
            raise SecretsNotDecryptable(f"the vault is bound to {found.binding.value}, and there is none here")
        for each in self._keys(found):
            if key_id(each.key) == found.key_id:
                return _Opened(found, opened(found, master=each.key, binding=binding), each, binding)
        message = f"no master key here opens the vault; the one that it was made with was in the {found.key_from}"
        raise SecretsNotDecryptable(message)

    def _keys(self, found: Sealed) -> Iterator[Found]:
        """Yield every key there is, the likelier ones first; the keyring is asked only where a key of it is in use."""
        for text, variable in ((self.place.master, _VARIABLE), (self.place.former, _FORMER_VARIABLE)):
            if text:
                yield Found(decoded_key(text, variable), ENVIRONMENT)
        if found.key_from == KEYRING or self.place.in_keyring:
            yield from KeyringKey(found.installation).candidates()
        yield from FileKey(self.place.key_file).candidates()

    def _bound(self) -> tuple[str | None, str]:
        return self.place.binding_id, self.place.machine

    def _key_from(self) -> str:
        return ENVIRONMENT if self.place.master else KEYRING if self.place.in_keyring else FILE

    def _holder(self, where: str, installation: str) -> KeyHolder | None:
        """Return who keeps the master key there; nobody does for one from the environment."""
        if where == ENVIRONMENT:
            return None
        return KeyringKey(installation) if where == KEYRING else FileKey(self.place.key_file)

    # --- changing ------------------------------------------------------------------------------------------------------

    def change(self, edit: Callable[[Values], None], *, now: int = 0, afresh: bool = False) -> Values:
        """Change what it keeps, all at once or not at all; return what it keeps then.

        A vault that cannot be opened is left alone (``SecretsNotDecryptable``); ``afresh`` sets it aside, named by ``now``,
        and begins a new one. Raises ``VaultUnwritable`` when the disk does not take it.
        """
        with self._changing():
            try:
                found = self._found()
                before = self._opened(found) if found is not None else None
            except SecretsNotDecryptable:
                if not afresh:
                    raise
                os.link(self.path, self.path.with_name(f"{VAULT_FILE}.before-{now // 10**9}"))
                before = None
            values = dict(before.values) if before is not None else {}
            edit(values)
            if before is None:
                self._begin(values)
            elif values != before.values:
                if before.master.is_next and (holder := self._holder(before.master.where, before.file.installation)):
                    holder.settle()
                self._write(values, before.master, before.file.installation, before.binding)
            return values

    def rotate_key(self) -> str:
        """Encrypt everything anew under another master key and the best binding there is; return where the new key is.

        The former key is erased when the vault is under the new one; after a kill in between, the same command goes on.
        Raises ``MasterKeyFixed`` for a key that only the environment can change.
        """
        with self._changing():
            found = self._found()
            if found is None:
                self._begin({})
                return self._key_from()
            before = self._opened(found)
            binding = bindings(*self._bound())[0]
            former = self._holder(before.master.where, found.installation)
            if former is not None and before.master.is_next:
                former.settle()
            if self.place.master:
                self._to_environment(before, binding, former)
                return ENVIRONMENT
            holder = self._holder(self._key_from(), found.installation)
            assert holder is not None, "only the environment has no holder"
            self._under_new_key(before, binding, holder)
            if former is not None and former.where != holder.where:
                former.erase()
            return holder.where

    def _to_environment(self, before: _Opened, binding: Binding, former: KeyHolder | None) -> None:
        key = decoded_key(self.place.master, _VARIABLE)
        if key == before.master.key:
            message = (
                f"{_VARIABLE} gives the key: put a new one there, the present one into {_FORMER_VARIABLE}, try again"
            )
            raise MasterKeyFixed(message)
        self._write(before.values, Found(key, ENVIRONMENT), before.file.installation, binding)
        if former is not None:
            former.erase()

    def _under_new_key(self, before: _Opened, binding: Binding, holder: KeyHolder) -> None:
        made = holder.prepare()
        try:
            self._write(before.values, made, before.file.installation, binding)
        except OSError:
            # What failed may have come after the vault was replaced: then the new key is the only one that opens it.
            now = self._found()
            if now is not None and now.key_id != key_id(made.key):
                with suppress(OSError):
                    holder.drop_prepared()
            raise
        holder.settle()

    def _begin(self, values: Values) -> None:
        """Write the first file, under a key that is there already or a new one."""
        installation = str(uuid.uuid4())  # house: two installations must not share a key
        holder = self._holder(self._key_from(), installation)
        if holder is None:
            master = Found(decoded_key(self.place.master, _VARIABLE), ENVIRONMENT)
        else:
            master = next((each for each in holder.candidates() if not each.is_next), None) or holder.prepare()
            holder.settle()
        self._write(values, master, installation, bindings(*self._bound())[0])

    def _write(self, values: Values, master: Found, installation: str, binding: Binding) -> None:
        data = sealed(values, master=master.key, key_from=master.where, installation=installation, binding=binding)
        write_private(self.path, data)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        try:
            with locked(self.place.folder / ".lock"):
                yield
        except OSError as error:
            where = error.filename or self.path
            raise VaultUnwritable(f"the vault was not changed: {where}: {error.strerror or error}") from error
