"""How secrets are kept."""

from __future__ import annotations

from service.access import hashing
from tests.service.access.conftest import REAL


def test_a_password_is_kept_as_argon2id_at_full_cost() -> None:
    """Argon2id, 64 MiB and three rounds (RFC 9106); a random secret of 256 bits takes an eighth of the memory (EX-1507)."""
    passwords, secrets = (each() for each in REAL)
    kept = passwords.hash("correct horse battery")
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert passwords.verify(kept, "correct horse battery")
    assert secrets.hash("x" * 43).startswith("$argon2id$v=19$m=8192,t=1,p=1$")


def test_what_was_hashed_is_recognised() -> None:
    """The hash says yes to what it was made of and no to everything else."""
    kept = hashing.hash_password("correct horse battery")
    assert hashing.matches(kept, "correct horse battery")
    assert not hashing.matches(kept, "correct horse batterx")
    assert not hashing.matches(kept, "")


def test_nobody_has_every_password() -> None:
    """A name that nobody has takes a verification as well, and says no whatever is given."""
    assert not hashing.matches(hashing.NOBODY, "nobody has this password")
    assert not hashing.matches(hashing.NOBODY, "")
