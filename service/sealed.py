"""A file that only a key opens: AES-256-GCM in chunks, whose order and number are part of what is proven.

The key is made of a passphrase, or of a key file's content, by scrypt. A header tells salt and costs; its own tag tells a
wrong key from damage. Each chunk's nonce holds its number and whether it is the last: chunks that change places, are missing
or are cut off at the end are found, wherever reading begins.

::

    BulkheadError
    ├─ BackupKeyMissing     the archive is encrypted and no key was given
    ├─ BackupKeyWrong       another key made it; nothing was read
    ├─ BackupKeyRefused     a key that is too short to keep anything secret
    └─ BackupCorrupt        a byte is not what was written, or the end is missing
"""

from __future__ import annotations

import hashlib
import io
import os
import struct
from pathlib import Path
from typing import BinaryIO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from protocol.errors import BulkheadError

__all__ = [
    "CHUNK",
    "LEAST_KEY",
    "BackupCorrupt",
    "BackupKeyMissing",
    "BackupKeyRefused",
    "BackupKeyWrong",
    "SealedReader",
    "SealedWriter",
    "is_sealed",
]

CHUNK: Final = 1 << 20
"""Bytes that are encrypted together."""

LEAST_KEY: Final = 12
"""Characters that a passphrase has at least."""

_MAGIC: Final = b"BULKSEAL"
_VERSION: Final = 1
_TAG: Final = 16
_COST: Final = (15, 8, 1)
"""log2 of n, r, p of scrypt: 32 MiB and a tenth of a second a guess."""

_FIELDS: Final = struct.Struct(">8sBBBBI16s7s")
"""Magic, version, log2 n, r, p, chunk, salt, first bytes of each nonce."""

_HEADER: Final = _FIELDS.size + 8 + _TAG
_CHECKED: Final = 0xFFFF_FFFF


class BackupCorrupt(BulkheadError):
    """The archive is damaged or no archive of ours; nothing was changed."""


class BackupKeyMissing(BulkheadError):
    """The archive is encrypted and no key was given."""


class BackupKeyWrong(BulkheadError):
    """Another key made the archive; nothing was read."""


class BackupKeyRefused(BulkheadError):
    """The key is too short to keep anything secret."""


def is_sealed(path: Path) -> bool:
    """Whether a file is encrypted, by its first bytes."""
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


class SealedWriter(io.RawIOBase):
    """Encrypts what is written to it; only ``finish`` makes the file whole."""

    def __init__(self, file: BinaryIO, key: str) -> None:
        if len(key) < LEAST_KEY:
            raise BackupKeyRefused(f"a key has at least {LEAST_KEY} characters, this one has {len(key)}")
        salt, self._nonces = os.urandom(16), os.urandom(7)  # house: a key must not come from a seed
        fields = _FIELDS.pack(_MAGIC, _VERSION, *_COST, CHUNK, salt, self._nonces)
        self._cipher = _cipher(key, salt, *_COST)
        self._header = fields + hashlib.sha256(fields).digest()[:8]
        self._file = file
        self._waiting = bytearray()
        self._number = 0
        file.write(self._header + self._cipher.encrypt(_nonce(self._nonces, _CHECKED, 2), b"", self._header))

    def writable(self) -> bool:
        """Say that it can be written."""
        return True

    def write(self, data: object) -> int:
        """Take bytes; whole chunks go to the file."""
        taken = memoryview(data).cast("B")  # type: ignore[arg-type]  # whatever has a buffer
        self._waiting += taken
        # One chunk always waits, because only ``finish`` knows that it is the last.
        while len(self._waiting) > CHUNK:
            self._seal(bytes(self._waiting[:CHUNK]), last=False)
            del self._waiting[:CHUNK]
        return len(taken)

    def finish(self) -> None:
        """Write the last chunk."""
        self._seal(bytes(self._waiting), last=True)
        self._waiting.clear()

    def _seal(self, chunk: bytes, *, last: bool) -> None:
        nonce = _nonce(self._nonces, self._number, int(last))
        self._file.write(self._cipher.encrypt(nonce, chunk, self._header))
        self._number += 1


class SealedReader(io.RawIOBase):
    """Decrypts a file as it is read, from any place in it. Its end is checked at the opening, each chunk when it is read."""

    def __init__(self, path: Path, key: str) -> None:
        self._path = path
        self._file = path.open("rb")
        try:
            self._open(key)
        except BaseException:
            self._file.close()
            raise

    def _open(self, key: str) -> None:
        raw = self._file.read(_HEADER)
        self._header = raw[: _FIELDS.size + 8]
        if len(raw) < _HEADER or hashlib.sha256(raw[: _FIELDS.size]).digest()[:8] != raw[_FIELDS.size :][:8]:
            raise self._damaged("its first bytes are damaged")
        _, version, log_n, r, p, self._chunk, salt, self._nonces = _FIELDS.unpack(raw[: _FIELDS.size])
        if version != _VERSION or not (self._chunk and 10 <= log_n <= 20 and 0 < r <= 16 and 0 < p <= 4):
            raise self._damaged("it was written by a newer bulkhead")
        self._cipher = _cipher(key, salt, log_n, r, p)
        try:
            self._cipher.decrypt(_nonce(self._nonces, _CHECKED, 2), raw[-_TAG:], self._header)
        except InvalidTag as error:
            raise BackupKeyWrong(f"{self._path}: the key is not the one that it was made with") from error
        body = self._path.stat().st_size - _HEADER
        self._count = -(-body // (self._chunk + _TAG))
        self.size = body - self._count * _TAG
        self._at, self._held = 0, (-1, b"")
        if body < _TAG or body - (self._count - 1) * (self._chunk + _TAG) < _TAG:
            raise self._damaged("its end is missing")
        self._piece(self._count - 1)

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def seekable(self) -> bool:
        """Say that any place can be gone to."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a place in what was encrypted."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        """Return the place in what was encrypted."""
        return self._at

    def readinto(self, buffer: object, /) -> int:
        """Read up to the end of a chunk."""
        room = memoryview(buffer).cast("B")  # type: ignore[arg-type]  # whatever has a buffer
        if self._at >= self.size or not len(room):
            return 0
        number, offset = divmod(self._at, self._chunk)
        data = self._piece(number)[offset : offset + len(room)]
        room[: len(data)] = data
        self._at += len(data)
        return len(data)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()

    def _piece(self, number: int) -> bytes:
        if self._held[0] != number:
            last = number == self._count - 1
            self._file.seek(_HEADER + number * (self._chunk + _TAG))
            sealed = self._file.read(self._chunk + _TAG)
            try:
                plain = self._cipher.decrypt(_nonce(self._nonces, number, int(last)), sealed, self._header)
            except InvalidTag as error:
                where = "its end is missing or damaged" if last else f"it is damaged near byte {number * self._chunk}"
                raise self._damaged(where) from error
            self._held = (number, plain)
        return self._held[1]

    def _damaged(self, why: str) -> BackupCorrupt:
        return BackupCorrupt(f"{self._path}: {why}: take another copy of it")


def _cipher(key: str, salt: bytes, log_n: int, r: int, p: int) -> AESGCM:
    return AESGCM(Scrypt(salt=salt, length=32, n=1 << log_n, r=r, p=p).derive(key.encode()))


def _nonce(prefix: bytes, number: int, last: int) -> bytes:
    return prefix + struct.pack(">IB", number, last)
