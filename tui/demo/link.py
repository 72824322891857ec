"""The made-up house as a ``Link``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from tui.demo import results, stories
from tui.demo.answers import ANSWERS, detail, history
from tui.demo.doing import do, group_of
from tui.demo.log import exported
from tui.demo.settings import KEYS
from tui.demo.tree import incident
from tui.demo.world import World
from tui.link import ANSWER_S, Fetched, Item, LinkLost, LinkRefused, LinkState

__all__ = ["DemoLink"]

_BEAT_S: Final = 0.5


class DemoLink:
    """Answers from a world at the instants of a clock. ``cut`` takes it away and gives it back, as a restart does.

    ``settings`` are the keys that it has, as ``/v1/config`` names them; without any, a few of every kind.
    """

    def __init__(self, clock: Callable[[], int], settings: Sequence[Mapping[str, Any]] = KEYS) -> None:
        self._clock = clock
        self.world = World(clock())
        self.world.keys = settings
        self._hear: Callable[[Item], None] = lambda _: None
        self._said: Callable[[LinkState, str], None] = lambda _, __: None
        self._missed: list[Item] = []
        self._away = False
        self.world.happened = self._happened

    @property
    def where(self) -> str:
        """Name the demo."""
        return "the demo"

    async def get(self, path: str, **query: Any) -> Any:
        """Return what the world shows."""
        self._there()
        answer = ANSWERS.get(path)
        if answer is not None:
            return answer(self.world, query)
        match path.strip("/").split("/")[1:]:
            case ["group", ident]:
                return detail(self.world, group_of(self.world, ident))
            case ["trace", ident]:
                return stories.trace(self.world, ident)
            case ["explain", ident]:
                return stories.explain(self.world, ident)
            case ["incidents", ident]:
                return incident(self.world, ident)
            case ["group", ident, "history"]:
                return history(group_of(self.world, ident))
        raise LinkRefused(404, {"code": "NotFound", "message": f"the demo has no {path}"})

    async def fetch(self, path: str, **query: Any) -> Fetched:
        """Return what the world writes into files."""
        self._there()
        if path == "/v1/log/export":
            return Fetched("", exported(self.world, query))
        if path.startswith("/v1/performance/"):
            what = path.rpartition("/")[2]
            return Fetched(f"{what}_demo.{query.get('format', 'csv')}", results.exported(self.world, query))
        raise LinkRefused(404, {"code": "NotFound", "message": f"the demo has no {path}"})

    async def post(self, path: str, body: Any = None, *, timeout_s: float = ANSWER_S, request_id: str = "") -> Any:  # noqa: ARG002 - a demo is never late
        """Do what is asked."""
        self._there()
        return do(self.world, path, body or {})

    async def follow(self, hear: Callable[[Item], None], said: Callable[[LinkState, str], None]) -> None:
        """Tell what happens, twice a second, until cancelled."""
        self._hear, self._said = hear, said
        said(LinkState.CONNECTED, "")
        while True:
            try:
                async with asyncio.timeout(_BEAT_S):
                    await asyncio.get_running_loop().create_future()
            except TimeoutError:
                self.world.go_to(self._clock())

    async def close(self) -> None:
        """Let go; nothing is held."""

    def cut(self, *, away: bool) -> None:
        """Be away, or there again; what happened meanwhile is told then."""
        self._away = away
        if away:
            self._said(LinkState.RECONNECTING, "the demo plays that it is away")
            return
        missed, self._missed = self._missed, []
        self._said(LinkState.CONNECTED, "")
        for item in missed:
            self._hear(item)

    def _there(self) -> None:
        if self._away:
            raise LinkLost("the demo plays that it is away")
        self.world.go_to(self._clock())

    def _happened(self, item: dict[str, Any]) -> None:
        if self._away:
            self._missed.append(item)
        else:
            self._hear(item)
