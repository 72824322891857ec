"""A Diffie-Hellman group from a PEM file as ``openssl dhparam`` writes it: its prime and its generator.

The library that reads our keys gives this kind of file up, and there is little in it: a sequence of two numbers (PKCS #3).
"""

from __future__ import annotations

import base64
import binascii
from typing import Final

__all__ = ["read_group"]

_BEGIN, _END = "-----BEGIN DH PARAMETERS-----", "-----END DH PARAMETERS-----"
_SEQUENCE, _INTEGER = 0x30, 0x02
_LONG: Final = 0x80
_LEAST_BITS: Final = 1024


def read_group(pem: str) -> tuple[int, int]:
    """Return prime and generator; raises ValueError for anything else."""
    _, begin, rest = pem.partition(_BEGIN)
    text, end, _ = rest.partition(_END)
    if not (begin and end):
        raise ValueError("no Diffie-Hellman parameters")
    try:
        content, _ = _element(base64.b64decode("".join(text.split()), validate=True), _SEQUENCE)
        prime, left = _element(content, _INTEGER)
        generator, _ = _element(left, _INTEGER)
    except (IndexError, binascii.Error) as error:
        raise ValueError("Diffie-Hellman parameters that are cut off") from error
    found = int.from_bytes(prime), int.from_bytes(generator)
    if found[0].bit_length() < _LEAST_BITS or not 1 < found[1] < found[0]:
        raise ValueError("Diffie-Hellman parameters that are none")
    return found


def _element(data: bytes, kind: int) -> tuple[bytes, bytes]:
    """Return the content of the first element, which must be of a kind, and what follows it."""
    if data[0] != kind:
        raise ValueError("Diffie-Hellman parameters of another form")
    length, start = data[1], 2
    if length >= _LONG:
        start += length - _LONG
        length = int.from_bytes(data[2:start])
    if len(data) < start + length:
        raise IndexError(length)
    return data[start : start + length], data[start + length :]
