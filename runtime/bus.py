"""The bus: topics for facts that many care about. Commands never travel on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from runtime.ref import ActorRef

__all__ = ["Bus", "Wanted"]

Wanted: TypeAlias = Callable[[Any], bool]
"""Says whether a subscriber wants a fact. Called by whoever publishes: it must be quick, change nothing and never raise."""


class Bus:
    """Topic -> subscribers. A published fact is told to each, in the order they subscribed.

    A fact published with ``keep`` is the standing truth of its topic: whoever subscribes later hears it at once. Whoever
    subscribes with ``wanted`` hears only facts of which that is true: one that waits for a price to leave a band costs the
    other prices a call and no message.
    """

    __slots__ = ("_choosy", "_kept", "_of", "_topics")

    def __init__(self) -> None:
        self._topics: dict[str, dict[str, ActorRef]] = {}
        self._choosy: dict[str, dict[str, tuple[Wanted, ActorRef]]] = {}
        self._of: dict[str, set[str]] = {}
        self._kept: dict[str, Any] = {}

    def subscribe(self, topic: str, ref: ActorRef, *, tell_kept: bool = True, wanted: Wanted | None = None) -> None:
        """Tell ``ref`` every fact of ``topic`` from now on, beginning with the kept one; twice is once.

        With ``wanted`` only the facts it is true of; subscribing so again puts the new one in the old one's place.
        """
        if wanted is not None:
            self._subscribe_choosy(topic, ref, tell_kept, wanted)
            return
        refs = self._topics.setdefault(topic, {})
        if ref.path in refs:
            return
        refs[ref.path] = ref
        self._of.setdefault(ref.path, set()).add(topic)
        if tell_kept and topic in self._kept:
            ref.tell(self._kept[topic])

    def _subscribe_choosy(self, topic: str, ref: ActorRef, tell_kept: bool, wanted: Wanted) -> None:
        self._choosy.setdefault(topic, {})[ref.path] = (wanted, ref)
        self._of.setdefault(ref.path, set()).add(topic)
        kept = self._kept.get(topic) if tell_kept else None
        if kept is not None and wanted(kept):
            ref.tell(kept)

    def unsubscribe(self, topic: str, ref: ActorRef) -> None:
        """Stop telling ``ref`` the facts of ``topic``."""
        topics = self._of.get(ref.path)
        if topics is None or topic not in topics:
            return
        for table in (self._topics, self._choosy):
            refs: dict[str, Any] = table.get(topic, {})
            if refs.pop(ref.path, None) is not None and not refs:
                del table[topic]
        topics.discard(topic)
        if not topics:
            del self._of[ref.path]

    def drop(self, ref: ActorRef) -> None:
        """Forget a subscriber on every topic (its life has ended)."""
        for topic in list(self._of.get(ref.path, ())):
            self.unsubscribe(topic, ref)

    def publish(self, topic: str, fact: Any, *, keep: bool = False) -> int:
        """Tell a fact to all subscribers of a topic that want it; return how many those are."""
        if keep:
            self._kept[topic] = fact
        told = 0
        if self._choosy:
            choosy = self._choosy.get(topic)
            if choosy is not None:
                told = _tell_choosy(choosy, fact)
        refs = self._topics.get(topic)
        if refs is None:
            return told
        # A copy: whoever is told may subscribe or end before the next one is told.
        everybody = list(refs.values())
        for ref in everybody:
            ref.tell(fact)
        return told + len(everybody)

    def choosy(self, topic: str) -> bool:
        """Tell whether anybody has said which facts of a topic he wants."""
        return topic in self._choosy

    def awaited(self, topic: str, fact: Any) -> bool:
        """Tell whether somebody who said which facts of a topic he wants would hear this one."""
        choosy = self._choosy.get(topic)
        return choosy is not None and any(wanted(fact) for wanted, _ in choosy.values())

    def kept(self, topic: str) -> Any:
        """Return the standing truth of a topic, None when it has none."""
        return self._kept.get(topic)

    def forget(self, topic: str) -> None:
        """Keep no standing truth of a topic any more; its subscribers stay."""
        self._kept.pop(topic, None)

    def topics(self) -> dict[str, int]:
        """Return the number of subscribers by topic."""
        found = {topic: len(refs) for topic, refs in self._topics.items()}
        for topic, choosy in self._choosy.items():
            found[topic] = found.get(topic, 0) + len(choosy)
        return found


def _tell_choosy(choosy: dict[str, tuple[Wanted, ActorRef]], fact: Any) -> int:
    """Tell a fact to those who want it; mostly nobody does, and nothing is made for them."""
    wanting: list[ActorRef] | None = None
    for wanted, ref in choosy.values():
        if wanted(fact):
            wanting = [ref] if wanting is None else [*wanting, ref]
    if wanting is None:
        return 0
    for ref in wanting:
        ref.tell(fact)
    return len(wanting)
