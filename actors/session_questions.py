"""What others ask an account's session, and how they are answered."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

from actors.session_calls import CALL_TIMEOUT_S, Calls
from actors.session_link import snapshot_of
from protocol.chains import (
    ChainFetched,
    Expirations,
    FetchChain,
    FetchQuotes,
    ListExpirations,
    QuotesFetched,
)
from protocol.messages import Message
from protocol.options import OptionChain, OptionContract
from protocol.precision import FetchInstruments, Instruments
from protocol.venue import BalancesChanged, FetchVenueState, VenueSnapshot
from runtime.actor import NO_ANSWER, Actor, handles
from runtime.envelope import Envelope
from venues.contract import Venue
from venues.errors import VenueCapabilityMissing
from venues.facets import HasChains

__all__ = ["CHAIN_TIMEOUT_S", "QUOTES_TIMEOUT_S", "SessionQuestions"]

CHAIN_TIMEOUT_S: Final = 120.0
"""One expiration is up to a thousand messages at forty a second, and two other chains are asked for beside it."""

QUOTES_TIMEOUT_S: Final = 20.0
"""A few contracts, which may have to wait until a batch of a chain that they are part of is through."""

T = TypeVar("T")

_SNAPSHOT = ("server_time", "open_orders", "balances", "positions", "fills_since")


class SessionQuestions(Actor):
    """Answers from the venue, beside the actor: whoever asked is answered when the venue has."""

    _account: str
    _calls: Calls

    def _measured(self, venue: Venue, offset: int) -> None:
        """Take how far the venue's clock is from ours."""
        raise NotImplementedError

    def _compared(self, snapshot: VenueSnapshot) -> None:
        """Take that the venue's side of a comparison is complete."""
        raise NotImplementedError

    def _tell_balances(self, fact: BalancesChanged) -> None:
        raise NotImplementedError

    @handles
    def fetch_instruments(self, msg: FetchInstruments) -> Any:  # noqa: ARG002 - the type is the message
        """Fetch the rules of all markets and answer with them."""

        async def fetch() -> Instruments:
            work = self._calls.guarded(lambda venue: venue.instruments(), 3 * CALL_TIMEOUT_S, costs=("instruments",))
            return Instruments(self._account, await work, self.now())

        return self._answer_with(fetch())

    @handles
    def fetch(self, msg: FetchVenueState) -> Any:
        """Fetch the venue's side of a reconciliation and answer with it."""
        return self._answer_with(self._snapshot(msg.since))

    async def _snapshot(self, since: int) -> VenueSnapshot:
        async def whole(venue: Venue) -> VenueSnapshot:
            offset, snapshot = await snapshot_of(self._account, venue, since, self.now)
            self._measured(venue, offset)
            return snapshot

        snapshot = await self._calls.guarded(whole, 3 * CALL_TIMEOUT_S, costs=_SNAPSHOT)
        self._tell_balances(BalancesChanged(self._account, snapshot.balances, snapshot.at))
        self._compared(snapshot)
        return snapshot

    # --- option chains -------------------------------------------------------------------------------------------------

    @handles
    def list_expirations(self, msg: ListExpirations) -> Any:
        """Ask which expirations an underlying has and answer with them."""

        async def work() -> Expirations:
            def call(venue: HasChains) -> Coroutine[Any, Any, tuple[str, ...]]:
                return venue.expirations(msg.underlying)

            return Expirations(msg.underlying, await self._of_options(call, CALL_TIMEOUT_S, "expirations"))

        return self._answer_with(work())

    @handles
    def fetch_chain(self, msg: FetchChain) -> Any:
        """Fetch the contracts of one expiration and answer with them."""

        async def work() -> ChainFetched:
            def call(venue: HasChains) -> Coroutine[Any, Any, OptionChain]:
                return venue.chain(msg.underlying, msg.expiration, strikes=msg.strikes)

            return ChainFetched(await self._of_options(call, CHAIN_TIMEOUT_S, "chain"))

        return self._answer_with(work())

    @handles
    def fetch_quotes(self, msg: FetchQuotes) -> Any:
        """Fetch fresh quotes of single contracts and answer with them."""

        async def work() -> QuotesFetched:
            def call(venue: HasChains) -> Coroutine[Any, Any, tuple[OptionContract, ...]]:
                return venue.option_quotes(msg.symbols)

            return QuotesFetched(await self._of_options(call, QUOTES_TIMEOUT_S, "option_quotes"))

        return self._answer_with(work())

    async def _of_options(
        self, call: Callable[[HasChains], Coroutine[Any, Any, T]], timeout_s: float, method: str
    ) -> T:
        venue = self._calls.venue
        if venue is not None and not isinstance(venue, HasChains):
            raise VenueCapabilityMissing(self._account, "option chains")
        return await self._calls.data(call, timeout_s, costs=(method,))

    def _answer_with(self, work: Coroutine[Any, Any, Message]) -> Any:
        envelope = self.context.envelope
        self.context.pipe(
            work, lambda found: self._answer(envelope, found, None), lambda error: self._answer(envelope, None, error)
        )
        return NO_ANSWER

    def _answer(self, envelope: Envelope | None, found: Message | None, error: Exception | None) -> None:
        if envelope is not None:
            self.context.answer(envelope, found, error)
