"""One connection to the gateway, from its opening to its end: how it stands, and asking it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, Final, TypeVar

from ib_async.wrapper import RequestError

from rules.broker.pacing import Kind
from venues.access import Access, Tools
from venues.errors import NetworkTimeout, PermissionDenied, VenueDown, VenueError
from venues.ibkr.book import Book
from venues.ibkr.codes import CODES, Meaning, error_of, meaning_of
from venues.ibkr.gateway import Gateway, Trade
from venues.ibkr.login import check_account
from venues.ibkr.pace import Pace

__all__ = ["ANSWER_S", "Line", "Phase", "port_of"]

T = TypeVar("T")

ANSWER_S: Final = 7.0
"""How long an answer of the gateway is waited for; below the session's own limit."""

_READ_ONLY: Final = "read-only mode"
_RESTORES_ITSELF: Final = 2110
_FARMS_OK: Final = frozenset({2104, 2106, 2158})

_GREETING_S: Final = 4.0
_QUARTER_NS: Final = 900_000_000_000
_LIVE_PORT, _PAPER_PORT = 4001, 4002


class Phase(StrEnum):
    """How far a connection is."""

    CLOSED = "closed"
    CONNECTING = "connecting"
    AUTHENTICATING = "authenticating"
    RESYNCING = "resyncing"
    OPEN = "open"


def port_of(access: Access) -> int:
    """Return the gateway's port: paper and live differ by it only."""
    return access.port or (_PAPER_PORT if access.testnet else _LIVE_PORT)


class Line:
    """Made for one connection and not used again. ``gone`` is told once when an open one ends by itself.

    ``notice`` hears what the system says (its meaning, code and words), ``unquoted`` of contracts without prices.
    """

    answer_s: ClassVar[float] = ANSWER_S

    def __init__(
        self,
        access: Access,
        tools: Tools,
        pace: Pace,
        book: Book,
        *,
        notice: Callable[[Meaning, int, str], None],
        gone: Callable[[str], None],
        unquoted: Callable[[Any, VenueError], None],
    ) -> None:
        self._access = access
        self._tools = tools
        self._pace = pace
        self._book = book
        self._notice = notice
        self._gone = gone
        self._unquoted = unquoted
        self._alone: dict[str, asyncio.Lock] = {}
        self._refused: tuple[int, str] | None = None
        self._over = asyncio.Event()
        self.gateway = Gateway(self)
        self.phase = Phase.CLOSED
        self.ended = ""
        """Why it is over, empty while it is not."""
        self.denied = ""
        """Why the gateway lets us do nothing: no use in trying again."""
        self.linked = True
        self.link_losses = 0
        self._lost_by = 0
        self.connected_at = 0
        self.clock_ahead_ns: int | None = None
        """How far the gateway's own clock (which its days follow) is ahead of UTC."""

    # --- life ----------------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Connect and log in. Raises VenueDown, ClientIdTaken or AuthFailed; nothing is open then."""
        self.phase = Phase.CONNECTING
        await self._pace.turn(Kind.ORDER)  # the login is a message too
        where = f"{self._access.host}:{port_of(self._access)}"
        client = self.gateway.client
        self.gateway.wrapper.clientId = self._access.client_id
        greeting = client.connectAsync(self._access.host, port_of(self._access), self._access.client_id, _GREETING_S)
        connecting, over = asyncio.ensure_future(greeting), asyncio.ensure_future(self._over.wait())
        try:
            await asyncio.wait((connecting, over), return_when=asyncio.FIRST_COMPLETED)
            if not connecting.done():
                raise self._why(where, self.ended)
            await connecting
        except (OSError, TimeoutError) as error:
            raise self._why(where, str(error) or type(error).__name__) from error
        finally:
            over.cancel()
            if not connecting.done():
                connecting.cancel()
                with suppress(asyncio.CancelledError, OSError):
                    await connecting
        self.phase = Phase.AUTHENTICATING
        check_account(self._access, client.getAccounts())
        self.connected_at = self._tools.now()

    def _why(self, where: str, reason: str) -> VenueError:
        if self._refused is not None:
            return error_of(self._access.venue, *self._refused)
        return VenueDown(self._access.venue, f"no gateway answers at {where} ({reason}); {CODES[502].advice}")

    @property
    def account(self) -> str:
        """Return the broker's number of our account."""
        accounts = self.gateway.client.getAccounts() if self.gateway.client.isReady() else []
        return self._access.account_id or (accounts[0] if accounts else "")

    def set_clock(self, server_time: int) -> None:
        """Learn how the gateway's own clock is set, from what it said in greeting and the time that it was."""
        with suppress(ValueError):
            words = " ".join(self.gateway.client.local_time.split()[:2])
            told = datetime.strptime(words, "%Y%m%d %H:%M:%S").replace(tzinfo=UTC)
            ahead = int(told.timestamp()) * 1_000_000_000 - server_time
            self.clock_ahead_ns = round(ahead / _QUARTER_NS) * _QUARTER_NS

    def close(self) -> None:
        """End it; nobody is told."""
        self.phase = Phase.CLOSED
        self.ended = self.ended or "closed"
        self._over.set()
        self.gateway.finish()
        self._book.wake()

    async def over(self) -> None:
        """Return when it is over."""
        await self._over.wait()

    def check(self) -> None:
        """Raise VenueDown when it is over."""
        if self.denied:
            raise PermissionDenied(self._access.venue, self.denied)
        if self.ended or not self.gateway.client.isReady():
            raise VenueDown(self._access.venue, f"not connected: {self.ended or 'the gateway has not let us in'}")

    def check_link(self) -> None:
        """Raise VenueDown when it is over, or when the gateway has lost the broker: nothing has been sent then."""
        self.check()
        if not self.linked:
            raise VenueDown(self._access.venue, f"the gateway has no connection to the broker; {CODES[1100].advice}")

    @property
    def next_number(self) -> int:
        """Return what ``number`` would return."""
        return int(self.gateway.client._reqIdSeq)

    def number(self) -> int:
        """Return a number for a request, or for an order: the broker counts both with one counter here."""
        self.check()
        return int(self.gateway.client.getReqId())

    async def turn(self, kind: Kind) -> None:
        """Return when a message may go; raises VenueDown when the connection ends before."""
        self.check()
        try:
            await self._pace.turn(kind)
        except ConnectionError as error:
            raise VenueDown(self._access.venue, f"not connected: {self.ended or error}") from error
        self.check()

    # --- asking --------------------------------------------------------------------------------------------------------

    async def ask(
        self,
        kind: Kind,
        send: Callable[[], Awaitable[T]],
        *,
        alone: str = "",
        whole: bool = False,
        timeout_s: float = 0.0,
    ) -> T:
        """Send a request in its turn and return its answer.

        ``alone``: the answer carries no number, so only one may be under way. ``whole``: half an answer would be taken for
        a whole one, so when it does not come the connection is ended: the rest of it would be taken for the next one's.
        """
        if not alone:
            return await self._ask(kind, send, whole=whole, timeout_s=timeout_s)
        async with self._alone.setdefault(alone, asyncio.Lock()):
            return await self._ask(kind, send, whole=whole, timeout_s=timeout_s)

    async def _ask(self, kind: Kind, send: Callable[[], Awaitable[T]], *, whole: bool, timeout_s: float) -> T:
        name, timeout_s = self._access.venue, timeout_s or self.answer_s
        await self.turn(kind)
        try:
            async with asyncio.timeout(timeout_s):
                return await send()
        except RequestError as error:
            raise error_of(name, error.code, error.message) from error
        except TimeoutError as error:
            if whole:
                self.lost(f"a list was not answered within {timeout_s:g} s")
            raise NetworkTimeout(name, f"no answer within {timeout_s:g} s") from error
        except ConnectionError as error:
            if self.denied:
                raise PermissionDenied(name, self.denied) from error
            raise VenueDown(name, f"the connection ended before the answer: {self.ended or error}") from error
        except asyncio.CancelledError:
            if whole:
                self.lost("a list was not waited for to its end")
            raise

    async def tell(self, send: Callable[[], object]) -> None:
        """Send in its turn what has no answer; nothing when the connection is over."""
        with suppress(VenueDown):
            await self.turn(Kind.ORDER)
            send()

    # --- hearing (gateway.Hears) -------------------------------------------------------------------------------------------

    def order(self, contract: Any, order: Any, status: str) -> None:
        """Hear of an open order."""
        self._book.order(contract, order, status)

    def status(self, order_id: int, client_id: int, perm_id: int, status: str, filled: Decimal) -> None:
        """Hear where an order stands."""
        self._book.status(order_id, client_id, perm_id, status, filled)

    def execution(self, contract: Any, execution: Any, trade: Trade) -> None:
        """Hear of a trade."""
        self._book.execution(contract, execution, trade)

    def commission(self, execution_id: str, amount: Decimal, currency: str) -> None:
        """Hear what a trade cost."""
        self._book.commission(execution_id, amount, currency)

    def completed(self, contract: Any, order: Any, state: Any) -> None:
        """Hear of an order that is over."""
        self._book.completed(contract, order, state)

    def error(self, request: int, code: int, text: str) -> None:
        """Hear an error or a notice."""
        if self.phase is Phase.CONNECTING and code == 326:
            self._refused = (code, text)
            self.lost(text)
            return
        if self.phase is Phase.RESYNCING and _READ_ONLY in text.lower():
            # Its lists would never be answered.
            self.denied = f"{text} (code {code}); switch off Read-Only API in the gateway's settings"
            self.lost(text)
            return
        known = CODES.get(code)
        if request > 0:
            self._book.refusal(request, self._access.client_id, code, text)
        if known is None:
            return
        meaning = self._link_by(known.meaning, code)
        if meaning not in (Meaning.INFORMATION, Meaning.FATAL, Meaning.RETRY) and not self.ended:
            self._notice(meaning, code, f"{text} (code {code})" + (f"; {known.advice}" if known.advice else ""))

    def _link_by(self, meaning: Meaning, code: int) -> Meaning:
        """Note whether the gateway has the broker; return what a code means then."""
        if meaning is Meaning.LINK_LOST:
            self.linked, self._lost_by = False, code
            self.link_losses += 1
        elif not self.linked and self._lost_by == _RESTORES_ITSELF and code in _FARMS_OK:
            meaning = Meaning.LINK_BACK  # nothing else says so
        if meaning in (Meaning.LINK_BACK, Meaning.LINK_BACK_DATA_LOST):
            self.linked = True
        return meaning

    def unquoted(self, contract: Any, code: int, text: str) -> None:
        """Hear that the prices of a contract do not come."""
        if meaning_of(code) is Meaning.FATAL and not self.ended:
            self._unquoted(contract, error_of(self._access.venue, code, text))

    def lost(self, reason: str) -> None:
        """Hear, or decide, that the connection is no good any more; whoever waits for an answer is told."""
        if self.ended:
            return
        told = self.phase in (Phase.RESYNCING, Phase.OPEN)
        self.ended, self.phase = reason, Phase.CLOSED
        self._over.set()
        self.gateway.finish()
        self._book.wake()
        if told:
            self._gone(reason)
