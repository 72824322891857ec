"""The bus: topics for facts that many care about. Commands never travel on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runtime.ref import ActorRef

__all__ = ["Bus"]


class Bus:
    """Topic -> subscribers. A published fact is told to each, in the order they subscribed.

    A fact published with ``keep`` is the standing truth of its topic: whoever subscribes later hears it at once.
    """

    __slots__ = ("_kept", "_of", "_topics")

    def __init__(self) -> None:
        self._topics: dict[str, dict[str, ActorRef]] = {}
        self._of: dict[str, set[str]] = {}
        self._kept: dict[str, Any] = {}

    def subscribe(self, topic: str, ref: ActorRef, *, tell_kept: bool = True) -> None:
        """Tell ``ref`` every fact of ``topic`` from now on, beginning with the kept one; twice is once."""
        refs = self._topics.setdefault(topic, {})
        if ref.path in refs:
            return
        refs[ref.path] = ref
        self._of.setdefault(ref.path, set()).add(topic)
        if tell_kept and topic in self._kept:
            ref.tell(self._kept[topic])

    def unsubscribe(self, topic: str, ref: ActorRef) -> None:
        """Stop telling ``ref`` the facts of ``topic``."""
        refs = self._topics.get(topic, {})
        if refs.pop(ref.path, None) is None:
            return
        if not refs:
            del self._topics[topic]
        topics = self._of[ref.path]
        topics.discard(topic)
        if not topics:
            del self._of[ref.path]

    def drop(self, ref: ActorRef) -> None:
        """Forget a subscriber on every topic (its life has ended)."""
        for topic in list(self._of.get(ref.path, ())):
            self.unsubscribe(topic, ref)

    def publish(self, topic: str, fact: Any, *, keep: bool = False) -> int:
        """Tell a fact to all subscribers of a topic; return how many there are."""
        if keep:
            self._kept[topic] = fact
        refs = self._topics.get(topic)
        if refs is None:
            return 0
        # A copy: whoever is told may subscribe or end before the next one is told.
        everybody = list(refs.values())
        for ref in everybody:
            ref.tell(fact)
        return len(everybody)

    def kept(self, topic: str) -> Any:
        """Return the standing truth of a topic, None when it has none."""
        return self._kept.get(topic)

    def topics(self) -> dict[str, int]:
        """Return the number of subscribers by topic."""
        return {topic: len(refs) for topic, refs in self._topics.items()}
