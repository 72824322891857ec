"""What the screen knows: one piece a topic, how old it is, and what happened; asked again when the stream says so."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from protocol.errors import BulkheadError
from tui.link import Item, Link, LinkLost, LinkState, part
from tui.topics import ALWAYS, TOPICS, stirred_by

__all__ = ["EVENTS_KEPT", "STALE_S", "UPDATE_MS", "Piece", "State"]

UPDATE_MS: Final = 500
"""Milliseconds between two updates of the screen until the daemon says otherwise (``ui.realtime_update_ms``)."""

STALE_S: Final = 3.0
"""Seconds after which a value counts as old and is dimmed (EX-1602)."""

EVENTS_KEPT: Final = 2_000
"""Newest events that the screen remembers."""

_NANOS: Final = 1_000_000_000
_NAMES: Final = re.compile(r"\{(\w+)\}")


class Piece:
    """One topic's newest answer: ``value`` (None before the first), ``at`` (ns, when it came), ``error`` of the last try."""

    __slots__ = ("asked_at", "at", "dirty", "error", "value")

    def __init__(self) -> None:
        self.value: Any = None
        self.at = 0
        self.asked_at = 0
        self.dirty = True
        self.error: BulkheadError | None = None


def _nothing() -> None:
    """Do nothing: nobody waits for an answer."""


class State:
    """Everything the panels draw. ``clock`` returns nanoseconds.

    ``asked_anew`` is called when somebody looks at something else, so that the answer need not wait for the next round.
    """

    def __init__(self, link: Link, clock: Callable[[], int]) -> None:
        self.link = link
        self.clock = clock
        self.pieces: dict[str, Piece] = {name: Piece() for name in TOPICS}
        self.events: deque[Item] = deque(maxlen=EVENTS_KEPT)
        self.heard = 0
        self.link_state = LinkState.CONNECTING
        self.link_problem = ""
        self.lost_at = 0
        self.hearers: list[Callable[[Item], None]] = []
        self.asked_anew: Callable[[], object] = _nothing
        self._config: Any = None
        self._settings: dict[str, Any] = {}
        self._wanted: frozenset[str] = frozenset(ALWAYS)
        self._names: dict[str, str] = {}
        self._narrowed: dict[str, dict[str, str]] = {}

    # --- reading -------------------------------------------------------------------------------------------------------

    def get(self, topic: str) -> Any:
        """Return a topic's newest answer, None before the first."""
        return self.pieces[topic].value

    def rows(self, topic: str, name: str) -> list[dict[str, Any]]:
        """Return a list in a topic's answer, empty before the first."""
        value = self.pieces[topic].value
        return list(value.get(name) or ()) if isinstance(value, Mapping) else []

    def stale(self, topic: str) -> bool:
        """Tell whether a topic's answer is older than it should be; what is asked rarely is given that much longer."""
        piece = self.pieces[topic]
        allowed = STALE_S + TOPICS[topic].every_s
        return piece.value is not None and self.clock() - piece.at > allowed * _NANOS

    def now(self) -> int:
        """Return the daemon's time, nanoseconds: what its status said, and what has gone by since."""
        piece = self.pieces["status"]
        if piece.value is None:
            return self.clock()
        gone_by = self.clock() - piece.at if self.link_state is LinkState.CONNECTED else 0
        return int(piece.value["now"]) + gone_by

    @property
    def update_s(self) -> float:
        """Return the seconds between two updates of the screen."""
        value = self.setting("ui.realtime_update_ms")
        return (int(value) if value is not None else UPDATE_MS) / 1_000

    def setting(self, key: str) -> Any:
        """Return a setting that is in force, None while it is unknown."""
        config = self.pieces["config"].value
        if config is not self._config:  # asked for many times at each update: hundreds of rows are read once
            rows = config.get("effective", ()) if isinstance(config, Mapping) else ()
            self._config, self._settings = config, {row["key"]: row["value"] for row in rows}
        return self._settings.get(key)

    @property
    def read_only(self) -> bool:
        """Tell whether the engine refuses commands."""
        return bool(self.setting("app.read_only"))

    # --- asking --------------------------------------------------------------------------------------------------------

    def want(self, topics: Iterable[str]) -> None:
        """Say which topics are on screen; those of the frame are asked anyway."""
        self._wanted = frozenset((*ALWAYS, *topics))

    def stir(self, *topics: str) -> None:
        """Have topics asked in the next round, all when none is named."""
        for name in topics or tuple(self.pieces):
            self.pieces[name].dirty = True

    def focus(self, name: str, value: str) -> None:
        """Say what a name in the paths of topics stands for; what was known about another one is forgotten."""
        if self._names.get(name) == value:
            return
        self._names[name] = value
        for topic, piece in self.pieces.items():
            if f"{{{name}}}" in f"{TOPICS[topic].path} {TOPICS[topic].query}":
                piece.value, piece.at, piece.dirty, piece.error = None, 0, True, None
        self.asked_anew()

    def narrow(self, topic: str, query: Mapping[str, str]) -> None:
        """Have a topic asked with these parameters as well; what was known of others stays until the answer comes."""
        wanted = {name: value for name, value in query.items() if value}
        if self._narrowed.get(topic, {}) != wanted:
            self._narrowed[topic] = wanted
            self.pieces[topic].dirty = True
            self.asked_anew()

    def narrowed(self, topic: str) -> Mapping[str, str]:
        """Return with which parameters a topic is asked beside its own."""
        return self._narrowed.get(topic, {})

    async def round(self) -> set[str]:
        """Ask what is wanted and due, all at once; return the topics that came."""
        due = [name for name in sorted(self._wanted) if self._due(name)]
        came = await asyncio.gather(*(self._ask(name) for name in due))
        return {name for name, got in zip(due, came, strict=True) if got}

    def _due(self, name: str) -> bool:
        piece = self.pieces[name]
        if self.link_state is LinkState.RECONNECTING:
            return False  # who follows says when somebody is there again
        if self._address(name) is None:
            return False
        return piece.dirty or self.clock() - piece.asked_at >= TOPICS[name].every_s * _NANOS

    async def _ask(self, name: str) -> bool:
        piece = self.pieces[name]
        piece.dirty, piece.asked_at = False, self.clock()
        address = self._address(name)
        assert address is not None, "what is due has an address"
        try:
            value = await self.link.get(address[0], **address[1])
        except asyncio.CancelledError:
            piece.dirty = True  # another panel was opened in the middle of it: nothing was answered yet
            raise
        except LinkLost as error:
            piece.dirty, piece.error = True, error
            return False
        except BulkheadError as error:
            piece.error = None if TOPICS[name].quiet else error
            return False
        if address != self._address(name):
            return False  # another one is looked at by now
        piece.value, piece.at, piece.error = value, self.clock(), None
        return True

    def _address(self, name: str) -> tuple[str, dict[str, Any]] | None:
        """Return path and query of a topic, None while a name in them stands for nothing."""
        topic = TOPICS[name]
        wanted = set(_NAMES.findall(topic.path + "".join(str(value) for _, value in topic.query)))
        names = {each: value for each, value in self._names.items() if value}
        if wanted - names.keys():
            return None
        path = topic.path.format_map({each: part(value) for each, value in names.items()})
        query = {key: _NAMES.sub(lambda found: names[found[1]], str(value)) for key, value in topic.query}
        return path, query | self._narrowed.get(name, {})

    # --- hearing -------------------------------------------------------------------------------------------------------

    def hear(self, item: Item) -> None:
        """Take an item of the stream: remember it, and have asked what it makes old."""
        if item.get("kind") in ("lost", "dropped"):
            self.stir()  # we were away for too long, or too slow: ask for everything instead
            return
        self.events.append(item)
        self.heard += 1
        for name in stirred_by(str(item.get("type", "")), str(item.get("code", ""))):
            self.pieces[name].dirty = True
        for hearer in self.hearers:
            hearer(item)

    def link_said(self, state: LinkState, problem: str) -> None:
        """Take how the way to the daemon stands; when it is back everything is asked anew."""
        if state is LinkState.RECONNECTING and self.link_state is not state:
            self.lost_at = self.clock()
        if state is LinkState.CONNECTED and self.link_state is not state:
            self.stir()
        self.link_state, self.link_problem = state, problem
