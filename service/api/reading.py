"""Read journal and read models beside the event loop: one read at a time, on a thread, through read-only connections."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import Final, TypeVar

import anyio
from anyio import CapacityLimiter

from runtime.journal import JournalError
from store.journals import Where, open_reader
from store.queries import Views, open_views
from store.reading import JournalReader

__all__ = ["Reading"]

T = TypeVar("T")

_OPEN_TRIES: Final = 40
_OPEN_EVERY_S: Final = 0.05

_CAUGHT_UP_TRIES: Final = 100
_CAUGHT_UP_EVERY_S: Final = 0.01
"""How often, a second in all, the read models are looked at until they show what a command did."""


class Reading:
    """The daemon's own read-only view of its files; opened when first needed, opened anew after an error."""

    def __init__(self, journal: Where, views: Where) -> None:
        self._journal_path = journal
        self._views_path = views
        self._journal: JournalReader | None = None
        self._views: Views | None = None
        self._turn: CapacityLimiter | None = None
        self._wanted = 0

    def follow(self, position: int) -> None:
        """Have the next answer of the read models show the journal up to here, unless they are more than a second behind.

        They are made beside the daemon, and nobody waits for them; but whoever gave a command and asks what came of it is
        told so.
        """
        self._wanted = max(self._wanted, position)

    async def views(self, ask: Callable[[Views], T]) -> T:
        """Return the answer of the read models; raise JournalError when they cannot be read."""
        return await self._run(lambda: ask(self._followed_views()))

    async def journal(self, ask: Callable[[JournalReader], T]) -> T:
        """Return what is asked of the journal."""
        return await self._run(lambda: ask(self._open_journal()))

    async def both(self, ask: Callable[[Views, JournalReader], T]) -> T:
        """Return what takes both, for example the records about an id."""
        return await self._run(lambda: ask(self._followed_views(), self._open_journal()))

    async def beside(self, work: Callable[[], T]) -> T:
        """Return what some work with files comes to, done on the same thread."""
        return await self._run(work)

    async def _run(self, work: Callable[[], T]) -> T:
        if self._turn is None:
            self._turn = CapacityLimiter(1)
        return await anyio.to_thread.run_sync(self._contained, work, limiter=self._turn)

    def _contained(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except JournalError:
            self.close()
            raise

    def _followed_views(self) -> Views:
        views, wanted = self._open_views(), self._wanted
        if wanted:
            for _ in range(_CAUGHT_UP_TRIES):
                if views.position() >= wanted:
                    break
                Event().wait(_CAUGHT_UP_EVERY_S)
            if self._wanted == wanted:  # asked for once: who is further behind holds nobody up again
                self._wanted = 0
        return views

    def _open_views(self) -> Views:
        for _ in range(_OPEN_TRIES):
            if self._views is not None:
                return self._views
            try:
                self._views = open_views(self._views_path)
            except JournalError:
                # The projector makes the file in its own thread while the daemon starts. This thread may wait for it.
                Event().wait(_OPEN_EVERY_S)
        return self._views if self._views is not None else open_views(self._views_path)

    def _open_journal(self) -> JournalReader:
        if self._journal is None:
            # Every record is checked as it is read; the daemon checked the tail when it opened the file.
            self._journal = open_reader(self._journal_path, check=False)
        return self._journal

    def close(self) -> None:
        """Release the files; the next read opens them again."""
        journal, self._journal = self._journal, None
        views, self._views = self._views, None
        if journal is not None:
            journal.close()
        if views is not None:
            views.close()
