"""How a listener notices that it missed something: every node counts what it publishes on a channel."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from protocol.nodes import FromNode, MessagesMissed
from store.cache.contract import Sink

__all__ = ["Heard", "Hearing"]


class Heard(msgspec.Struct):
    """What all subscriptions of a node have heard so far."""

    facts: int = 0
    gaps: int = 0
    unreadable: int = 0


class Hearing:
    """One subscription as it is heard: what is old is left out, what is missing is announced before what follows it.

    ``me`` is not told what it said itself.
    """

    def __init__(self, me: str, sink: Sink, heard: Heard) -> None:
        self._me = me
        self._sink = sink
        self._heard = heard
        self._last: dict[tuple[str, str], tuple[int, int]] = {}

    def begins(self, channels: Iterable[str], reason: str) -> None:
        """Say that the subscription stands from here on: whatever was published before may have been missed."""
        self._last.clear()
        for channel in channels:
            self._miss(channel, "", reason)

    def hear(self, said: FromNode) -> bool:
        """Pass on what another node said, after what was missed of it; tell whether it was new."""
        if said.node == self._me:
            return False
        place, here = (said.channel, said.node), (said.epoch, said.seq)
        last = self._last.get(place)
        if last is not None and here <= last:
            return False
        self._last[place] = here
        if last is not None and here != (last[0], last[1] + 1):
            self._miss(said.channel, said.node, _why(last, here))
        self._heard.facts += 1
        self._sink(said)
        return True

    def _miss(self, channel: str, node: str, reason: str) -> None:
        self._heard.gaps += 1
        self._sink(MessagesMissed(channel, node, reason))


def _why(last: tuple[int, int], here: tuple[int, int]) -> str:
    if here[0] != last[0]:
        return "the node has started anew"
    return f"{here[1] - last[1] - 1} messages between {last[1]} and {here[1]}"
