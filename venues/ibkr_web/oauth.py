"""OAuth 1.0a as the broker speaks it: RSA-SHA256 for the live session token, HMAC-SHA256 with that token for the rest.

Base strings are made as the broker's own examples make them: the values of the sorted parameters stand as they are, and the
list is percent-encoded once. The first one has the decrypted access token secret before it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import quote_plus

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from protocol.secret import Secret
from venues.access import Access
from venues.errors import AuthFailed
from venues.ibkr_web.dhparam import read_group

__all__ = ["DH_FILE", "ENCRYPTION_FILE", "SIGNATURE_FILE", "Challenge", "Keys", "Signer", "base_string", "header"]

SIGNATURE_FILE: Final = "private_signature.pem"
ENCRYPTION_FILE: Final = "private_encryption.pem"
DH_FILE: Final = "dhparam.pem"
"""The files as the broker's own instructions name them."""

_REALM: Final = "limited_poa"
_TEST_CONSUMER: Final = "TESTCONS"
_RANDOM_BITS: Final = 256


class Keys(NamedTuple):
    """What an account signs with. ``prepend`` is the decrypted access token secret, hexadecimal."""

    consumer: str
    token: str
    signature: RSAPrivateKey
    prepend: str
    prime: int
    generator: int

    def __repr__(self) -> str:
        return "Keys(...)"

    @classmethod
    def load(cls, access: Access) -> Keys:
        """Read the key files and decrypt the access token secret; raises AuthFailed naming what is missing or wrong."""
        lacking = [
            word
            for word, value in (
                ("api_key (consumer key)", access.key.reveal()),
                ("api_secret (access token secret)", access.secret.reveal()),
                ("passphrase (access token)", access.passphrase.reveal()),
                ("keys_dir", access.keys_folder),
            )
            if not value
        ]
        if lacking:
            raise AuthFailed(access.venue, f"{', '.join(lacking)} not set; without keys, url must name a gateway")
        folder = Path(access.keys_folder)
        try:
            signature = load_pem_private_key(_pem(access.signature_key, folder / SIGNATURE_FILE), None)
            encryption = load_pem_private_key(_pem(access.encryption_key, folder / ENCRYPTION_FILE), None)
            prime, generator = read_group((folder / DH_FILE).read_text())
        except OSError as error:
            raise AuthFailed(access.venue, f"{error.filename} cannot be read: {error.strerror}") from error
        except (ValueError, TypeError) as error:
            message = f"a file in {folder}, or a key of the vault, is no PEM of the kind that its name says"
            raise AuthFailed(access.venue, message) from error
        if not (isinstance(signature, RSAPrivateKey) and isinstance(encryption, RSAPrivateKey)):
            raise AuthFailed(access.venue, f"the keys in {folder} are no RSA keys")
        try:
            secret = encryption.decrypt(base64.b64decode(access.secret.reveal(), validate=True), PKCS1v15())
        except (ValueError, binascii.Error):
            raise AuthFailed(access.venue, f"api_secret was not encrypted for {folder / ENCRYPTION_FILE}") from None
        consumer, token = access.key.reveal(), access.passphrase.reveal()
        return cls(consumer, token, signature, secret.hex(), prime, generator)


def _pem(kept: Secret, file: Path) -> bytes:
    """Return a private key: the one that the vault keeps, else that of a file."""
    return kept.reveal().encode() if kept else file.read_bytes()


class Challenge(NamedTuple):
    """Our half of the Diffie-Hellman exchange: what is sent, and the number behind it."""

    sent: str
    number: int

    def __repr__(self) -> str:
        return "Challenge(...)"


class Signer:
    """Signs requests of one connection. ``now_s`` is the clock that stamps them; ``token`` the live session token."""

    def __init__(self, keys: Keys, now_s: Callable[[], int]) -> None:
        self._keys = keys
        self._now_s = now_s
        self.token = b""

    @property
    def access_token(self) -> str:
        """Return the access token, for the address of the stream."""
        return self._keys.token

    def challenge(self) -> Challenge:
        """Return a new challenge."""
        number = secrets.randbits(_RANDOM_BITS)  # house: a key must not come from a seed
        return Challenge(f"{pow(self._keys.generator, number, self._keys.prime):x}", number)

    def for_token(self, url: str, challenge: Challenge) -> str:
        """Return the Authorization header of the request for a live session token."""
        asked = self._parameters("RSA-SHA256") | {"diffie_hellman_challenge": challenge.sent}
        text = self._keys.prepend + base_string("POST", url, asked)
        signed = self._keys.signature.sign(text.encode(), PKCS1v15(), SHA256())
        return header(asked, signed, self._realm)

    def take(self, challenge: Challenge, response: str, proof: str) -> bool:
        """Compute the live session token from the broker's half; return whether its proof is right."""
        shared = pow(int(response, 16), challenge.number, self._keys.prime)
        # As a signed big-endian number: a leading zero byte where the highest bit is set.
        key = shared.to_bytes(shared.bit_length() // 8 + 1)
        token = hmac.digest(key, bytes.fromhex(self._keys.prepend), hashlib.sha1)
        if not hmac.compare_digest(hmac.new(token, self._keys.consumer.encode(), hashlib.sha1).hexdigest(), proof):
            return False
        self.token = token
        return True

    def authorization(self, method: str, url: str, params: Mapping[str, str]) -> str:
        """Return the Authorization header of a request; ``url`` without query, its parameters apart."""
        asked = self._parameters("HMAC-SHA256")
        signed = hmac.digest(self.token, base_string(method, url, {**asked, **params}).encode(), hashlib.sha256)
        return header(asked, signed, self._realm)

    @property
    def _realm(self) -> str:
        return "test_realm" if self._keys.consumer == _TEST_CONSUMER else _REALM

    def _parameters(self, method: str) -> dict[str, str]:
        return {
            "oauth_consumer_key": self._keys.consumer,
            "oauth_nonce": secrets.token_hex(16),  # house: a nonce must not come from a seed
            "oauth_signature_method": method,
            "oauth_timestamp": str(self._now_s()),
            "oauth_token": self._keys.token,
        }


def base_string(method: str, url: str, params: Mapping[str, str]) -> str:
    """Return what is signed."""
    listed = "&".join(f"{key}={value}" for key, value in sorted(params.items()))
    return f"{method}&{quote_plus(url)}&{quote_plus(listed)}"


def header(params: Mapping[str, str], signature: bytes, realm: str) -> str:
    """Return the Authorization header."""
    told = {**params, "oauth_signature": quote_plus(base64.b64encode(signature).decode())}
    return f'OAuth realm="{realm}", ' + ", ".join(f'{key}="{value}"' for key, value in sorted(told.items()))
