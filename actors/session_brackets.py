"""How a session places an entry with its stop and target as one (PF-232)."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from actors.session_hearing import SessionHearing
from actors.session_words import failure, foreseen, kept_back
from protocol.brackets import PlaceBracketAtVenue
from protocol.errors import ValidationError
from protocol.orders import OrderReport, OrderRequest, OrderState
from runtime.actor import handles
from venues.contract import Venue
from venues.errors import VenueDown
from venues.facets import TakesBrackets

__all__ = ["SessionBrackets", "reports_of"]


class SessionBrackets(SessionHearing):
    """Asks the adapter for a bracket, at most once for its ids, and tells the desk what became of each of its orders."""

    def _to_desk(self, report: OrderReport) -> None:
        raise NotImplementedError

    @handles
    def place_bracket(self, msg: PlaceBracketAtVenue) -> None:
        """Send entry, stop and target as one, unless they are too old to be expected by anybody."""
        if self.now() > msg.valid_until:
            # It may have left before it came here again: what became of it is asked for.
            self._tell_all([_unknown(part, "too old to be sent", self.now()) for part in msg.parts])
            return
        symbol = msg.entry.symbol
        if self._link is not None and (refusal := self._bracket_refusal(self._link.venue, symbol)) is not None:
            told = (kept_back(part.client_order_id, symbol, *refusal, at=self.now()) for part in msg.parts)
            self._tell_all(list(told))
            return

        async def place(venue: Venue) -> tuple[OrderReport, ...]:
            assert isinstance(venue, TakesBrackets), "looked at above"
            target = msg.target.price if msg.target is not None else None
            assert msg.stop.stop_price is not None, "a stop has a price"
            return await venue.place_bracket(msg.entry, stop=msg.stop.stop_price, target=target)

        keys = [part.client_order_id for part in msg.parts]
        self.context.pipe(
            self._calls.together(keys, place, lambda: self._still_wanted(msg), ("place",)),
            lambda told: self._tell_all(reports_of(msg.parts, told, self.now())),
            lambda error: self._bracket_failed(msg, error),
        )

    def _bracket_refusal(self, venue: Venue, symbol: str) -> tuple[str, str] | None:
        if not isinstance(venue, TakesBrackets):
            return "CapabilityMissing", f"{venue.name} does not take entry, stop and target as one"
        return self._watch.holds(symbol, self.now())

    def _still_wanted(self, msg: PlaceBracketAtVenue) -> None:
        if self.now() > msg.valid_until:
            raise VenueDown(self._account, "the venue's limits did not let it leave in time: it was not sent")

    def _tell_all(self, reports: Sequence[OrderReport]) -> None:
        for report in reports:
            self._to_desk(report)

    def _bracket_failed(self, msg: PlaceBracketAtVenue, error: Exception) -> None:
        for part in msg.parts:
            self._to_desk(self._failure(part, error))
        if not foreseen(error) and not isinstance(error, ValidationError):
            self.context.escalate(error)

    def _failure(self, part: OrderRequest, error: Exception) -> OrderReport:
        if isinstance(error, ValidationError):  # refused by the adapter: nothing has left
            return kept_back(part.client_order_id, part.symbol, error.code, error.message, at=self.now())
        return failure(part.client_order_id, part.symbol, error, sends=True, at=self.now())


def reports_of(parts: Sequence[OrderRequest], told: Sequence[OrderReport], at: int) -> list[OrderReport]:
    """Return what the desk hears of each order, the entry first: what the venue has not told of is never taken for a yes.

    A child without a word is refused with its entry, else unknown; so is one that should exist by now and does not.
    """
    known = {report.client_order_id: report for report in told}
    entry = known.get(parts[0].client_order_id)
    if entry is None:
        return [_unknown(part, "the venue answered without a word on its entry", at) for part in parts]
    found: list[OrderReport] = [entry]
    for part in parts[1:]:
        report = known.get(part.client_order_id)
        if report is None and entry.state is OrderState.REJECTED:
            report = replace(entry, client_order_id=part.client_order_id, venue_order_id="", absent_proven=True)
        elif report is None or (report.state is OrderState.INTENDED and entry.filled_qty):
            report = _unknown(part, "the venue has not told of it yet", at)
        if report.state is not OrderState.INTENDED:
            found.append(report)
    return found


def _unknown(part: OrderRequest, reason: str, at: int) -> OrderReport:
    return OrderReport(
        client_order_id=part.client_order_id, symbol=part.symbol, state=OrderState.UNKNOWN, reason=reason, at=at
    )
