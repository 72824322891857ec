"""The format of the vault: what goes in comes out, under the right key on the right machine, and no bit may change."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.vault.binding import Binding, BindingKind, bindings
from service.vault.errors import SecretsNotDecryptable
from service.vault.names import SecretName
from service.vault.sealing import Kept, decoded, key_id, opened, sealed
from tests.service.vault.rig import KEY, SECRET

VECTORS = Path(__file__).parents[4] / "shared" / "vectors" / "execution" / "security.json"
HERE = Binding(BindingKind.MACHINE, "machine-a")
MASTER = bytes(31) + b"\1"
VALUES = {KEY: Kept("k7Qw9ZxLr2m0PpA4B19Kyyy", "trader", 5), SECRET: Kept("hunter22-hunter22", "trader", 6)}

names = st.builds(SecretName, st.text(max_size=12), st.sampled_from(("api_key", "api_secret", "token")))
kept = st.builds(Kept, st.text(min_size=1, max_size=60), st.text(max_size=8), st.integers(0, 2**62))


def written(values: dict[SecretName, Kept] = VALUES, *, master: bytes = MASTER, binding: Binding = HERE) -> bytes:
    return sealed(values, master=master, key_from="file", installation="inst-1", binding=binding)


@given(values=st.dictionaries(names, kept, max_size=6), master=st.binary(min_size=32, max_size=32))
def test_what_goes_in_comes_out(values: dict[SecretName, Kept], master: bytes) -> None:
    """Every set of secrets is read back as it was put in, whatever letters they are made of (EX-1501)."""
    assert opened(decoded(written(values, master=master)), master=master, binding=HERE) == values


def test_no_value_is_in_the_file() -> None:
    """Neither a value nor the master key is in the bytes, in plain, in hexadecimal or in base64 (EX-1501)."""
    raw = written()
    for each in (*(kept.value.encode() for kept in VALUES.values()), MASTER):
        assert each not in raw
        assert each.hex().encode() not in raw
        assert b64encode(each)[:-4] not in raw


def test_the_same_value_never_looks_the_same() -> None:
    """Each value has a nonce of its own, also the same value in the next file (EX-1501: fresh 96-bit nonce per value)."""
    same = {KEY: Kept("same", "trader", 1), SECRET: Kept("same", "trader", 1)}
    entries = [each for raw in (written(same), written(same)) for each in json.loads(raw)["entries"]]
    assert len({each["nonce"] for each in entries}) == len({each["sealed"] for each in entries}) == 4
    assert {len(b64decode(each["nonce"])) for each in entries} == {12}


def test_the_key_is_the_one_of_the_specification() -> None:
    """A value is AES-256-GCM under the key that HKDF makes of master key, installation and binding (EX-1501, EX-1502)."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    if not VECTORS.exists():
        pytest.skip("the shared vectors are not beside the repository")
    cases = [each for each in json.loads(VECTORS.read_text())["cases"] if each["function"] == "derive_data_key"]
    assert cases
    for case in cases:
        given, key = case["input"], bytes.fromhex(case["expected"]["key_hex"])
        raw = sealed(
            {KEY: Kept("value", "trader", 1)},
            master=bytes.fromhex(given["master_key_hex"]),
            key_from="file",
            installation=given["deployment_id"],
            binding=Binding(BindingKind.MACHINE, given["binding"]),
        )
        (entry,) = json.loads(raw)["entries"]
        about = b'["trader","main","api_key"]'
        assert AESGCM(key).decrypt(b64decode(entry["nonce"]), b64decode(entry["sealed"]), about) == b"value"


def test_any_bit_that_changes_is_found() -> None:
    """Whichever byte of the file is changed, and however, nothing of it is believed (EX-1502)."""
    raw = written({KEY: Kept("value", "trader", 1)})
    for at in range(len(raw)):
        for bit in (1, 32, 128):
            changed = bytearray(raw)
            changed[at] ^= bit
            with pytest.raises(SecretsNotDecryptable):
                opened(decoded(bytes(changed)), master=MASTER, binding=HERE)


@pytest.mark.parametrize("cut", [0, 1, 50, -1])
def test_a_file_that_lost_its_end_is_found(cut: int) -> None:
    """Half a file is no vault."""
    with pytest.raises(SecretsNotDecryptable):
        decoded(written()[:cut])


def test_values_cannot_change_places() -> None:
    """A value that is put under the name of another, or of another user, is refused even under a seal of its own."""
    document = json.loads(written())
    for field, other in (("holder", "other"), ("user", "somebody"), ("field", "passphrase")):
        entries = [{**document["entries"][0], field: other}, document["entries"][1]]
        raw = json.dumps({**document, "entries": entries}, indent=1, ensure_ascii=False).encode() + b"\n"
        with pytest.raises(SecretsNotDecryptable, match="damaged"):
            opened(decoded(raw), master=MASTER, binding=HERE)


def test_a_value_that_was_taken_out_is_missed() -> None:
    """A file without one of its secrets is not a vault that never had it."""
    document = json.loads(written())
    raw = json.dumps({**document, "entries": document["entries"][:1]}, indent=1, ensure_ascii=False).encode() + b"\n"
    with pytest.raises(SecretsNotDecryptable, match="damaged"):
        opened(decoded(raw), master=MASTER, binding=HERE)


@given(other=st.text(max_size=20).filter(lambda text: text != HERE.value))
def test_another_machine_does_not_open_it(other: str) -> None:
    """With the right master key on another machine the vault stays shut, and the error says so (EX-1502)."""
    with pytest.raises(SecretsNotDecryptable, match="made elsewhere"):
        opened(decoded(written()), master=MASTER, binding=Binding(BindingKind.MACHINE, other))


def test_another_key_has_another_fingerprint() -> None:
    """The fingerprint tells keys apart and is not part of the key."""
    assert key_id(MASTER) != key_id(bytes(32))
    assert key_id(MASTER) not in MASTER.hex()


def test_a_newer_file_is_refused() -> None:
    """A file of a newer bulkhead is left alone rather than misread."""
    raw = written().replace(b'"version": 1', b'"version": 2')
    with pytest.raises(SecretsNotDecryptable, match="newer"):
        decoded(raw)


@pytest.mark.parametrize(
    ("named", "machine", "kinds"),
    [
        ("box-1", "m", [BindingKind.NAMED, BindingKind.MACHINE, BindingKind.NONE]),
        (None, "m", [BindingKind.MACHINE, BindingKind.NONE]),
        ("box-1", "", [BindingKind.NAMED, BindingKind.NONE]),
        (None, "", [BindingKind.NONE]),
    ],
)
def test_a_given_name_goes_before_the_machine(named: str | None, machine: str, kinds: list[BindingKind]) -> None:
    """security.binding_id is used where it is set, the machine's id else (EX-1502)."""
    assert [each.kind for each in bindings(named, machine)] == kinds
