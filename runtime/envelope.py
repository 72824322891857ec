"""The envelope around a message: who told it, in which causal chain, since when it waits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

__all__ = ["Envelope", "Reply"]

Reply = Callable[[Any, BaseException | None], None]
"""Called once with the answer, or with None and the error that stands in its place."""


class Envelope(msgspec.Struct, gc=False, weakref=False):
    """One message on its way.

    ``message_id`` is unique over all starts of a journal; ``correlation_id`` is the id of the message that began the
    chain, ``causation_id`` of the one whose handling sent this one (0: it came from outside). ``enqueued_at`` is
    nanoseconds on the injected clock. ``attempts`` counts how often handling it has crashed its actor.
    """

    message: Any
    sender: str
    message_id: int
    correlation_id: int
    causation_id: int
    enqueued_at: int
    reply: Reply | None = None
    attempts: int = 0
