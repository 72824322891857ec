"""The actor that listens on the control socket."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from aiohttp import web

from actors.http_door import Door
from actors.risk import PERMITS
from actors.session import session_topic
from protocol.control import SupervisorReport
from protocol.risk import Permit
from protocol.venue import SessionDown, SessionUp
from runtime.actor import Actor, handles
from runtime.clock import VirtualClock, WallClock
from runtime.dead_letters import DeadLetter
from runtime.listening import stop_accepting
from service.access.keeper import Access
from service.api.answers import errors_in_one_shape
from service.api.audit import audit
from service.api.changes import Changes
from service.api.counted import Counted, Unread
from service.api.gate import gate, say_to, secure_headers
from service.api.host import Host
from service.api.hub import Hub
from service.api.items import letter_item, report_item
from service.api.listeners import Listeners
from service.api.markets import Markets
from service.api.network import open_door
from service.api.once import Once
from service.api.performance import Figures
from service.api.reading import Reading
from service.api.ring import PACE_S
from service.api.routes import MAX_BODY_BYTES, add_routes
from service.api.staying import look_who_stays
from service.api.unix_socket import listen, remove
from service.journals import journal_of, views_of
from service.people import open_people, open_requests
from supervision.keeper import TOPIC

__all__ = ["ApiServer"]

_SHUTDOWN_S: Final = 1.0
"""How long requests under way may take once the daemon stops."""


class ApiServer(Actor):
    """Serves the control socket of a daemon; crashes with the system's reason when it cannot listen."""

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
        self.once = Once(partial(open_requests, host.config), WallClock().now)
        self.door: Door | None = None
        self.app: web.Application | None = None
        self.answered: Counter[str] = Counter()
        self.newest_permit: Permit | None = None
        self._letters_before: Callable[[DeadLetter], None] | None = None

    # --- life ----------------------------------------------------------------------------------------------------------

    async def started(self) -> None:
        """Listen, and hear of commits, dead letters, permits and supervisors' reports."""
        listener = listen(self.host.socket_path)
        app = self.app = web.Application(
            client_max_size=MAX_BODY_BYTES,
            middlewares=[
                errors_in_one_shape,
                self._time_stands,
                gate(self.host, self.access, WallClock().now),
                self.once.middleware(),
                errors_in_one_shape,
                audit(self.host),
            ],
        )
        app.on_response_prepare.append(secure_headers(self.host, self.answered))
        add_routes(app, self)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=_SHUTDOWN_S)
        await runner.setup()
        await web.SockSite(runner, listener).start()
        if self.host.config.api.enabled:
            self.door = await self._opened(runner)
        system = self.host.system
        system.durability.listeners.append(self.hub.committed)
        self._letters_before = system.dead_letters.listener
        system.dead_letters.listener = self._letter
        for topic in (PERMITS, TOPIC, *(session_topic(account.name) for account in self.host.config.accounts)):
            self.context.bus.subscribe(topic, self.ref)
        self._closed = asyncio.Event()
        self._ended = asyncio.Event()
        # A task of this life: it is cancelled when the life ends, also by a crash, and then lets go of everything.
        self.context.pipe(self._serve(runner, listener), into=lambda _: None)
        changes = Changes(self.reading)
        self.hub.heard = changes.note
        self.context.pipe(changes.run(self.hub, self.host.system.now), into=lambda _: None)

    async def _opened(self, runner: web.AppRunner) -> Door:
        """Listen on the network; an address that is in use ends this life with the system's reason, and leaves no socket."""
        try:
            return await open_door(self.host.config, runner)
        except BaseException:
            remove(self.host.socket_path)
            await runner.cleanup()
            raise

    async def _serve(self, runner: web.AppRunner, listener: socket.socket) -> None:
        system = self.host.system
        try:
            if isinstance(system.clock, VirtualClock):  # it fires no timers while it stands still
                await self._closed.wait()
            await look_who_stays(self._closed, self.access, self.hub)
        finally:
            system.durability.listeners.remove(self.hub.committed)
            if self._letters_before is not None:
                system.dead_letters.listener = self._letters_before
            self.hub.close()
            if self.door is not None:
                await self.door.close()
            remove(self.host.socket_path)
            await stop_accepting([listener])
            await runner.cleanup()
            self.reading.close()
            self.figures.reading.close()
            self.access.close()
            self.once.close()
            self._ended.set()

    async def stopping(self) -> None:
        """Answer what is under way, then release the socket and the files."""
        self._closed.set()
        await self._ended.wait()

    @property
    def network_url(self) -> str:
        """Where it listens on the network, empty when it does not."""
        if self.door is None:
            return ""
        return f"{'https' if self.door.secure else 'http'}://{self.host.config.api.host}:{self.door.port}"

    @property
    def detail(self) -> str:
        """One line for the tree view."""
        following = len(self.hub.followers) + len(self.hub.ring.seats)
        network = f", {self.network_url}" if self.door is not None else ""
        return self.host.socket_path.name + network + (f", {following} following" if following else "")

    @web.middleware
    async def _time_stands(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Keep a virtual clock still while a request is answered from files and threads; following is no request."""
        if request.path in ("/v1/tail", "/v1/stream"):
            return await handler(request)
        with self.host.system.hold():
            return await handler(request)

    # --- what it hears -------------------------------------------------------------------------------------------------

    @handles
    def permit(self, msg: Permit) -> None:
        """Remember what is allowed at present."""
        self.newest_permit = msg

    @handles
    def report(self, msg: SupervisorReport) -> None:
        """Pass a supervisor's report on to who follows."""
        self.hub.publish(report_item(msg))

    @handles
    def session_up(self, msg: SessionUp) -> None:
        """Learn which markets an account has."""
        self.markets.learn(msg)

    @handles
    def session_down(self, msg: SessionDown) -> None:
        """Keep what is known of its markets."""

    def _letter(self, letter: DeadLetter) -> None:
        if self._letters_before is not None:
            self._letters_before(letter)
        self.hub.publish(letter_item(letter))
