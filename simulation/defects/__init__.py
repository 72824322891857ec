"""Bugs that are planted to see whether the simulator finds them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["planted"]


@contextmanager
def planted(name: str) -> Iterator[None]:
    """Plant a bug by name for as long as the block lasts; the empty name plants none. Raises KeyError."""
    if name:
        raise KeyError(name)
    yield
