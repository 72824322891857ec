"""The vault on the disk: keys in three places, changes that are whole or not at all, the change of the key."""

from __future__ import annotations

import os
import shutil
import sys
import types
from pathlib import Path

import pytest

from protocol.errors import FeatureUnavailable
from service.vault.errors import MasterKeyFixed, MasterKeyUnsafe, SecretsNotDecryptable, VaultUnwritable
from service.vault.files import shred
from service.vault.store import Vault
from tests.service.vault.rig import Killed, a_key, breaking, full, killed, plain, put, vault_in

HELD = {"api_key": "k7Qw9ZxLr2m0PpA4B19Kyyy", "api_secret": "hunter22-hunter22"}


def test_a_vault_begins_with_a_key_of_its_own(tmp_path: Path) -> None:
    """The first secret makes key and vault, both readable by their owner alone, whatever the umask; nothing else is left."""
    before = os.umask(0)
    try:
        put(vault_in(tmp_path), **HELD)
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.rglob("*") if path.is_file()}
    assert modes == {"secrets.vault": 0o600, ".lock": 0o600, "master_key": 0o600}
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o700}
    assert plain(vault_in(tmp_path)) == HELD


def test_no_vault_keeps_nothing(tmp_path: Path) -> None:
    """Looking makes nothing."""
    assert vault_in(tmp_path).read() == {}
    assert not vault_in(tmp_path).standing().exists
    assert list(tmp_path.iterdir()) == []


def test_changes_add_replace_and_take_away(tmp_path: Path) -> None:
    """A change leaves every other secret as it was."""
    vault = vault_in(tmp_path)
    put(vault, **HELD)
    put(vault, api_secret="another", passphrase="third")
    vault.change(lambda kept: [kept.pop(name) for name in list(kept) if name.field == "api_key"])  # type: ignore[arg-type]
    assert plain(vault) == {"api_secret": "another", "passphrase": "third"}


@pytest.mark.parametrize("what", ["machine", "name", "key", "no key"])
def test_copied_elsewhere_it_stays_shut(tmp_path: Path, what: str) -> None:
    """On another machine, under another name, with another key or without one the vault does not open (EX-1502)."""
    named = {"binding_id": "box-1"} if what == "name" else {}
    put(vault_in(tmp_path, **named), **HELD)
    elsewhere = {"machine": {"machine": "machine-b"}, "name": {"binding_id": "box-2"}}.get(what, {})
    key = tmp_path / "secrets" / "master_key"
    if what == "key":
        key.write_text(a_key())
    if what == "no key":
        key.unlink()
    held = vault_in(tmp_path).path.read_bytes()
    vault = vault_in(tmp_path, **elsewhere)
    with pytest.raises(SecretsNotDecryptable):
        vault.read()
    with pytest.raises(SecretsNotDecryptable):
        put(vault, api_key="other")
    assert vault.standing().trouble
    assert vault.path.read_bytes() == held


def test_entered_again_the_old_vault_is_set_aside(tmp_path: Path) -> None:
    """Credentials that are entered again begin a new vault; the one that does not open is kept beside it (EX-1502)."""
    put(vault_in(tmp_path), **HELD)
    raw = vault_in(tmp_path).path.read_bytes()
    there = vault_in(tmp_path, machine="machine-b")
    there.change(lambda kept: kept.update(vault_in(tmp_path).read()), now=3 * 10**9, afresh=True)
    assert plain(there) == HELD
    assert (there.place.folder / "secrets.vault.before-3").read_bytes() == raw


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    """A key file that group or world may read or write is not used; the error says what to do."""
    put(vault_in(tmp_path), **HELD)
    (tmp_path / "secrets" / "master_key").chmod(mode)
    with pytest.raises(MasterKeyUnsafe, match="chmod 600"):
        vault_in(tmp_path).read()


@pytest.mark.parametrize("text", ["", "short", "x" * 64, a_key()[:-4]])
def test_a_key_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    """What is not 32 bytes in base64 or hexadecimal is no key, in a file or in the environment; it is never shown."""
    put(vault_in(tmp_path), **HELD)
    (tmp_path / "secrets" / "master_key").write_text(text)
    with pytest.raises(MasterKeyUnsafe) as caught:
        vault_in(tmp_path).read()
    assert not text or text not in str(caught.value)
    if text:
        with pytest.raises(MasterKeyUnsafe):
            put(vault_in(tmp_path / "other", master=text), **HELD)


def test_the_environment_gives_the_key(tmp_path: Path) -> None:
    """With BULKHEAD_MASTER_KEY no file is made; in hexadecimal it is the same key."""
    vault = vault_in(tmp_path, master=a_key())
    put(vault, **HELD)
    assert not (tmp_path / "secrets").exists()
    assert plain(vault_in(tmp_path, master=("01" * 32))) == HELD
    assert vault.standing().key_from == "environment"
    with pytest.raises(SecretsNotDecryptable, match="no master key"):
        vault_in(tmp_path).read()


# --- rotation ----------------------------------------------------------------------------------------------------------


def test_a_new_key_opens_and_the_former_one_does_not(tmp_path: Path) -> None:
    """After a rotation the former key is gone from the disk and opens nothing; secrets are what they were."""
    vault = vault_in(tmp_path)
    put(vault, **HELD)
    former = (tmp_path / "secrets" / "master_key").read_text()
    assert vault.rotate_key() == "file"
    assert plain(vault) == HELD
    assert (tmp_path / "secrets" / "master_key").read_text() != former
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == [
        ".lock",
        "master_key",
        "secrets.vault",
    ]
    (tmp_path / "secrets" / "master_key").write_text(former)
    with pytest.raises(SecretsNotDecryptable):
        vault.read()


def test_a_rotation_binds_to_the_best_there_is(tmp_path: Path) -> None:
    """A vault of before security.binding_id was set opens all the same, and is bound to it with the next key."""
    put(vault_in(tmp_path), **HELD)
    named = vault_in(tmp_path, binding_id="box-1")
    assert plain(named) == HELD
    assert named.standing().binding == "machine-id"
    named.rotate_key()
    assert named.standing().binding == "security.binding_id"
    with pytest.raises(SecretsNotDecryptable, match="bound to"):
        vault_in(tmp_path).read()


def test_the_environment_is_rotated_with_two_keys(tmp_path: Path) -> None:
    """The new key in BULKHEAD_MASTER_KEY, the former in BULKHEAD_MASTER_KEY_FORMER; with one alone it is refused."""
    put(vault_in(tmp_path, master=a_key(1)), **HELD)
    with pytest.raises(MasterKeyFixed, match="BULKHEAD_MASTER_KEY_FORMER"):
        vault_in(tmp_path, master=a_key(1)).rotate_key()
    both = vault_in(tmp_path, master=a_key(2), former=a_key(1))
    assert plain(both) == HELD
    assert both.rotate_key() == "environment"
    assert plain(vault_in(tmp_path, master=a_key(2))) == HELD


def test_a_key_moves_from_file_to_environment_and_back(tmp_path: Path) -> None:
    """A rotation brings the vault under the key that is configured, and erases the one of the file."""
    put(vault_in(tmp_path), **HELD)
    moved = vault_in(tmp_path, master=a_key())
    assert plain(moved) == HELD
    moved.rotate_key()
    assert not (tmp_path / "secrets" / "master_key").exists()
    back = vault_in(tmp_path, former=a_key())
    assert back.rotate_key() == "file"
    assert plain(vault_in(tmp_path)) == HELD


def _writes_of(vault: Vault, work: str, error: object, at: int) -> list[str]:
    with breaking(at, error) as called:  # type: ignore[arg-type]
        if work == "rotate":
            vault.rotate_key()
        else:
            put(vault, api_key="new-value")
    return called


@pytest.mark.parametrize("work", ["rotate", "change", "begin"])
@pytest.mark.parametrize("how", [killed, full])
def test_broken_off_anywhere_nothing_is_lost(tmp_path: Path, work: str, how: object) -> None:
    """Killed, or without room on the disk, at each write of a change: the vault opens and the next try works."""
    made = tmp_path / "made"
    if work != "begin":
        put(vault_in(made), **HELD)
    made.mkdir(exist_ok=True)
    allowed = [{}, {"api_key": "new-value"}] if work == "begin" else [HELD, {**HELD, "api_key": "new-value"}]
    tried = 0
    for at in range(1, 100):
        folder = tmp_path / f"{at}"
        shutil.copytree(made, folder)
        vault = vault_in(folder)
        try:
            called = _writes_of(vault, work, how, at)
        except (Killed, VaultUnwritable):
            tried += 1
        else:
            assert len(called) == at - 1, "every write was broken off once"
            break
        assert plain(vault) in allowed, at
        for again in ("rotate", "change"):
            _writes_of(vault, again, how, 0)
        assert plain(vault) == {**(HELD if work != "begin" else {}), "api_key": "new-value"}, at
        left = sorted(path.name for path in folder.rglob("*") if path.is_file())
        assert left == [".lock", "master_key", "secrets.vault"], at
    assert tried >= {"rotate": 10, "change": 5, "begin": 10}[work]


def test_overwritten_before_it_goes(tmp_path: Path) -> None:
    """What is erased is overwritten first: another name of the same file shows zeros."""
    path, other = tmp_path / "key", tmp_path / "other"
    path.write_text("a secret")
    os.link(path, other)
    shred(path)
    assert not path.exists()
    assert other.read_bytes() == bytes(8)
    shred(path)


# --- keyring -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Return the entries of a keyring that lives in memory, under the interface of the library ``keyring``."""
    entries: dict[str, str] = {}
    library, errors = types.ModuleType("keyring"), types.ModuleType("keyring.errors")
    errors.KeyringError = type("KeyringError", (Exception,), {})  # type: ignore[attr-defined]
    library.get_password = lambda _, name: entries.get(name)  # type: ignore[attr-defined]
    library.set_password = lambda _, name, text: entries.__setitem__(name, text)  # type: ignore[attr-defined]
    library.delete_password = lambda _, name: entries.pop(name)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", library)
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)
    return entries


def test_the_keyring_gives_the_key(tmp_path: Path, keyring: dict[str, str]) -> None:
    """With the keyring configured the key is there and in no file; a rotation leaves one new entry."""
    vault = vault_in(tmp_path, in_keyring=True)
    put(vault, **HELD)
    (first,) = keyring.values()
    assert not (tmp_path / "secrets").exists()
    assert vault.rotate_key() == "keyring"
    (second,) = keyring.values()
    assert first != second
    assert plain(vault) == HELD
    assert plain(vault_in(tmp_path)) == HELD, "the vault itself says where its key is"


def test_a_key_moves_into_the_keyring(tmp_path: Path, keyring: dict[str, str]) -> None:
    """A rotation moves the key from its file into the keyring once that is configured."""
    put(vault_in(tmp_path), **HELD)
    assert vault_in(tmp_path, in_keyring=True).rotate_key() == "keyring"
    assert len(keyring) == 1
    assert not (tmp_path / "secrets" / "master_key").exists()
    assert plain(vault_in(tmp_path)) == HELD


def test_a_keyring_that_is_locked_leaves_the_vault_shut(tmp_path: Path, keyring: dict[str, str]) -> None:
    """A keyring that does not answer is a vault that does not open, not a crash."""
    vault = vault_in(tmp_path, in_keyring=True)
    put(vault, **HELD)

    def locked(*_: str) -> None:
        raise sys.modules["keyring.errors"].KeyringError("locked")

    sys.modules["keyring"].get_password = locked  # type: ignore[attr-defined]
    with pytest.raises(MasterKeyUnsafe, match="does not answer"):
        vault.read()


def test_without_the_library_the_keyring_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A keyring that is configured without its library is a feature that is missing; files work without it."""
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(FeatureUnavailable, match="keyring"):
        put(vault_in(tmp_path, in_keyring=True), **HELD)
    put(vault_in(tmp_path), **HELD)
    assert plain(vault_in(tmp_path)) == HELD
