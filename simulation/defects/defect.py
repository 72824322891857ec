"""What a planted bug is, and the way it gets into production code: of this process, for as long as a block lasts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from simulation.world.profiles import Profile

__all__ = ["Defect", "NothingToPatch", "patched"]


class NothingToPatch(AssertionError):
    """What a bug is planted in is not there any more: production has changed and the bug must be planted anew."""


@dataclass(frozen=True, slots=True)
class Defect:
    """A mistake that a developer could make.

    ``found_by`` are the rules that may break first because of it. ``profile`` and ``hours`` are those of the scenarios it
    is looked for in: what it needs to show happens there often.
    """

    name: str
    sentence: str
    plant: Callable[[], AbstractContextManager[None]]
    found_by: frozenset[str]
    profile: Profile
    hours: float = 24.0


@contextmanager
def patched(owner: Any, name: str, change: Callable[[Any], Any]) -> Iterator[None]:
    """Replace an attribute of a class or module by what ``change`` makes of it, and put it back afterwards.

    Raises NothingToPatch when the owner itself does not have it.
    """
    found = vars(owner).get(name)
    if found is None:
        raise NothingToPatch(f"{getattr(owner, '__name__', owner)} has no {name} any more")
    setattr(owner, name, change(found))
    try:
        yield
    finally:
        setattr(owner, name, found)
