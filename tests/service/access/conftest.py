"""Passwords are hashed at a small cost here: what the real one is, a test of its own says."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher

from service.access import hashing

REAL = hashing._passwords, hashing._secrets
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
DECOY = CHEAP.hash("nobody has this password")


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashing, "_passwords", lambda: CHEAP)
    monkeypatch.setattr(hashing, "_secrets", lambda: CHEAP)
    monkeypatch.setattr(hashing, "_decoy", lambda: DECOY)
