"""How a cockpit is opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tui.link import Link

__all__ = ["Options"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line hands in: the room reads no clock, no randomness and no configuration of its own.

    ``clock`` returns nanoseconds UTC; ``advice`` says what to do about an error code; ``request_id`` names a request;
    ``preferences`` is the operator's file, None to remember nothing; ``hide`` takes secrets out of a text. ``served``: a
    browser looks, and files are for it, not for the machine that draws.
    """

    link: Link
    clock: Callable[[], int]
    advice: Callable[[str], str]
    request_id: Callable[[], str]
    read_only: bool = False
    theme: str = ""
    panel: str = ""
    preferences: Path | None = None
    hide: Callable[[str], str] = str
    served: bool = False
