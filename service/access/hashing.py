"""How secrets are kept: Argon2id, so that the file gives none of them away (EX-1507).

Passwords are guessable and get the full cost; secrets of 256 random bits are not and get a small one, because a daemon that
restarts checks every one of them anew. Hashing takes a tenth of a second and 64 MiB: never on the event loop, one at a time.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from argon2 import PasswordHasher

__all__ = ["NOBODY", "hash_password", "hash_secret", "matches"]

NOBODY: Final = ""
"""In place of the hash of a name that nobody has: ``matches`` takes as long as for one that somebody has."""


@cache
def _passwords() -> PasswordHasher:
    # Imported where it is used: a daemon that no one logs in to does without. The defaults are those of RFC 9106.
    from argon2 import PasswordHasher

    return PasswordHasher()


@cache
def _secrets() -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1)


@cache
def _decoy() -> str:
    return _passwords().hash("nobody has this password")


def hash_password(password: str) -> str:
    """Return the hash of a password: half a second of a guesser's machine each."""
    return _passwords().hash(password)


def hash_secret(secret: str) -> str:
    """Return the hash of a secret that was drawn at random."""
    return _secrets().hash(secret)


def matches(kept: str, given: str) -> bool:
    """Tell whether ``given`` is what ``kept`` is the hash of; takes as long for ``NOBODY``, and says no."""
    from argon2.exceptions import VerificationError

    try:
        _passwords().verify(kept or _decoy(), given)
    except VerificationError:
        return False
    return kept != NOBODY
