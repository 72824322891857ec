"""What the addresses of the API share: the daemon, the read models, who is let in, what is told to those who listen."""

from __future__ import annotations

from collections import Counter
from functools import partial

from actors.http_door import Door
from protocol.risk import Permit
from runtime.clock import VirtualClock, WallClock
from service.access.keeper import Access
from service.api.counted import Counted, Unread
from service.api.gate import say_to
from service.api.host import Host
from service.api.hub import Hub
from service.api.listeners import Listeners
from service.api.markets import Markets
from service.api.past import Figures
from service.api.reading import Reading
from service.api.ring import PACE_S
from service.journals import journal_of, views_of
from service.people import open_people

__all__ = ["Shared"]


class Shared:
    """Made by the actor that listens, for one life of it."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.reading = Reading(journal_of(host.config), views_of(host.config))
        self.counted = Counted(self.reading, host.system.journal.head)
        self.unread = Unread(self.reading, host.config.app.data_dir, WallClock().now)
        self.figures = Figures(host)
        # A clock that stands still fires no timers: there those who listen are woken at once.
        pace_s = 0.0 if isinstance(host.system.clock, VirtualClock) else PACE_S
        self.hub = Hub(host.system.journal.head, pace_s=pace_s)
        self.listeners = Listeners()
        self.markets = Markets()
        self.access = Access(partial(open_people, host.config), WallClock().now, say_to(host))
        self.door: Door | None = None
        """The network's, when it is open."""
        self.answered: Counter[str] = Counter()
        """Answers given so far, by status."""
        self.newest_permit: Permit | None = None

    def close(self) -> None:
        """Let go of the files."""
        self.reading.close()
        self.figures.reading.close()
        self.access.close()
