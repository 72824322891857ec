"""What others ask an account's session, and how they are answered."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from actors.session_calls import CALL_TIMEOUT_S, Calls
from actors.session_link import snapshot_of
from protocol.messages import Message
from protocol.precision import FetchInstruments, Instruments
from protocol.venue import BalancesChanged, FetchVenueState, VenueSnapshot
from runtime.actor import NO_ANSWER, Actor, handles
from runtime.envelope import Envelope
from venues.contract import Venue

__all__ = ["SessionQuestions"]

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

    def _answer_with(self, work: Coroutine[Any, Any, Message]) -> Any:
        envelope = self.context.envelope
        self.context.pipe(
            work, lambda found: self._answer(envelope, found, None), lambda error: self._answer(envelope, None, error)
        )
        return NO_ANSWER

    def _answer(self, envelope: Envelope | None, found: Message | None, error: Exception | None) -> None:
        if envelope is not None:
            self.context.answer(envelope, found, error)
