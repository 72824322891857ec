"""The nightly self-check's word, for whoever shows how the house stands."""

from __future__ import annotations

from typing import Final

from protocol.messages import Message

__all__ = ["SELF_CHECK", "SelfChecked"]

SELF_CHECK: Final = "self-check"
"""Bus topic on which the outcome of the newest check stands."""


class SelfChecked(Message, frozen=True, forbid_unknown_fields=True, gc=False, tag=True):
    """A day was checked. ``verdict`` is ``equal``, ``diverged`` or ``failed``; ``text`` says it in a sentence."""

    day: str
    verdict: str
    text: str
