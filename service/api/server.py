"""The actor that listens on the control socket."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
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
from runtime.journal import JournalError
from runtime.listening import stop_accepting
from service.api.answers import errors_in_one_shape
from service.api.audit import audit
from service.api.changes import Changes
from service.api.gate import gate, secure_headers
from service.api.host import Host
from service.api.items import letter_item, report_item
from service.api.network import open_door
from service.api.once import Once
from service.api.routes import MAX_BODY_BYTES, add_routes
from service.api.shared import Shared
from service.api.staying import look_who_stays
from service.api.table.routes import TABLE, Route, Table
from service.api.unix_socket import listen, remove
from service.people import open_requests
from supervision.keeper import TOPIC

__all__ = ["ApiServer"]

_SHUTDOWN_S: Final = 1.0
"""How long requests under way may take once the daemon stops."""


class ApiServer(Actor):
    """Serves the control socket of a daemon; crashes with the system's reason when it cannot listen."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.shared = Shared(host)
        self.once = Once(partial(open_requests, host.config), WallClock().now)
        self.app: web.Application | None = None
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
                gate(self.host, self.shared.access, WallClock().now),
                self.once.middleware(),
                errors_in_one_shape,
                audit(self.host),
            ],
        )
        app.on_response_prepare.append(secure_headers(self.host, self.shared.answered))
        app[TABLE] = Table(_every_address)
        add_routes(app, self.shared)
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=_SHUTDOWN_S)
        await runner.setup()
        await web.SockSite(runner, listener).start()
        if self.host.config.api.enabled:
            self.shared.door = await self._opened(runner)
        system = self.host.system
        system.durability.listeners.append(self.shared.hub.committed)
        self._letters_before = system.dead_letters.listener
        system.dead_letters.listener = self._letter
        for topic in (PERMITS, TOPIC, *(session_topic(account.name) for account in self.host.config.accounts)):
            self.context.bus.subscribe(topic, self.ref)
        self._closed = asyncio.Event()
        self._ended = asyncio.Event()
        # A task of this life: it is cancelled when the life ends, also by a crash, and then lets go of everything.
        self.context.pipe(self._serve(runner, listener), into=lambda _: None)
        changes = Changes(self.shared.reading)
        self.shared.hub.heard = changes.note
        self.context.pipe(changes.run(self.shared.hub, self.host.system.now), into=lambda _: None)

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
            await look_who_stays(self._closed, self.shared.access, self.shared.hub)
        finally:
            system.durability.listeners.remove(self.shared.hub.committed)
            if self._letters_before is not None:
                system.dead_letters.listener = self._letters_before
            self.shared.hub.close()
            if self.shared.door is not None:
                await self.shared.door.close()
            remove(self.host.socket_path)
            await stop_accepting([listener])
            await runner.cleanup()
            self.shared.close()
            self.once.close()
            self._ended.set()

    async def stopping(self) -> None:
        """Answer what is under way, then release the socket and the files."""
        self._closed.set()
        await self._ended.wait()

    @property
    def network_url(self) -> str:
        """Where it listens on the network, empty when it does not."""
        if self.shared.door is None:
            return ""
        return f"{'https' if self.shared.door.secure else 'http'}://{self.host.config.api.host}:{self.shared.door.port}"

    @property
    def detail(self) -> str:
        """One line for the tree view."""
        following = len(self.shared.hub.followers) + len(self.shared.hub.ring.seats)
        network = f", {self.network_url}" if self.shared.door is not None else ""
        return self.host.socket_path.name + network + (f", {following} following" if following else "")

    @web.middleware
    async def _time_stands(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Keep a virtual clock still while a request is answered from files and threads; following is no request.

        What is read after a command shows what it did.
        """
        if request.path in ("/v1/tail", "/v1/stream"):
            return await handler(request)
        with self.host.system.hold():
            response = await handler(request)
        if request.method == "POST":
            with suppress(JournalError):  # the answer to a command is given, however the journal fares
                self.shared.reading.follow(self.host.system.journal.head())
        return response

    # --- what it hears -------------------------------------------------------------------------------------------------

    @handles
    def permit(self, msg: Permit) -> None:
        """Remember what is allowed at present."""
        self.shared.newest_permit = msg

    @handles
    def report(self, msg: SupervisorReport) -> None:
        """Pass a supervisor's report on to who follows."""
        self.shared.hub.publish(report_item(msg))

    @handles
    def session_up(self, msg: SessionUp) -> None:
        """Learn which markets an account has."""
        self.shared.markets.learn(msg)

    @handles
    def session_down(self, msg: SessionDown) -> None:
        """Keep what is known of its markets."""

    def _letter(self, letter: DeadLetter) -> None:
        if self._letters_before is not None:
            self._letters_before(letter)
        self.shared.hub.publish(letter_item(letter))


def _every_address() -> Mapping[tuple[str, str], Route]:
    """Return the rows of the table."""
    from service.api.table.everything import TABLE as ROWS

    return ROWS
