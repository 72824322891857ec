"""One bracket as its guard knows it: the sum of its journal events."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from enum import StrEnum

import msgspec

from protocol.brackets import (
    BracketEnd,
    BracketOrderMoved,
    BracketStanding,
    BracketStep,
    BracketStepTaken,
    BracketWanted,
)
from protocol.messages import Event
from protocol.orders import OrderState
from rules.broker.bracket_ids import entry_id, stop_id, target_id

__all__ = ["Guarded", "Leg", "Role", "began"]

_WORKS = frozenset({OrderState.OPEN, OrderState.PARTIALLY_FILLED})


class Role(StrEnum):
    """What an order of a bracket is for."""

    ENTRY = "entry"
    STOP = "stop"
    TARGET = "target"
    STOP_AGAIN = "stop_again"
    CLOSE = "close"


class Leg(msgspec.Struct, frozen=True):
    """One order; ``traded`` is the sum of the trades that were told, ``reported`` what the venue counts."""

    client_order_id: str
    role: Role
    qty: Decimal
    state: OrderState = OrderState.INTENDED
    reported: Decimal = Decimal(0)
    traded: Decimal = Decimal(0)
    trades: tuple[str, ...] = ()
    cancelling: bool = False
    code: str = ""
    sent_at: int = 0
    ended_at: int = 0

    @property
    def filled(self) -> Decimal:
        """Base units that have traded."""
        return max(self.traded, self.reported)

    @property
    def over(self) -> bool:
        """Whether nothing can follow but late fills."""
        return self.state.final

    @property
    def working_qty(self) -> Decimal:
        """Base units that rest at the venue, as far as it has said; none while nobody knows."""
        return max(self.qty - self.filled, Decimal(0)) if self.state in _WORKS else Decimal(0)


class Guarded(msgspec.Struct, frozen=True):
    """A bracket. Instants are 0 while they have not come: something held is uncovered, stop sent again, closing decided."""

    wanted: BracketWanted
    legs: dict[str, Leg]
    exposed_at: int = 0
    sent_again_at: int = 0
    closing_at: int = 0
    closing: str = ""
    end: str = ""

    # --- figures -------------------------------------------------------------------------------------------------------

    def of(self, *roles: Role) -> list[Leg]:
        """Return the orders of some roles, oldest first."""
        return [leg for leg in self.legs.values() if leg.role in roles]

    @property
    def entry(self) -> Leg:
        """The entry."""
        return self.legs[entry_id(self.wanted.tag, self.wanted.bracket_id)]

    @property
    def others(self) -> list[Leg]:
        """All orders but the entry."""
        return [leg for leg in self.legs.values() if leg.role is not Role.ENTRY]

    @property
    def open_qty(self) -> Decimal:
        """Base units that the bracket holds; negative: more was closed than opened."""
        return self.entry.filled - sum((leg.filled for leg in self.others), Decimal(0))

    @property
    def covered_qty(self) -> Decimal:
        """Base units behind a working stop."""
        return sum((leg.working_qty for leg in self.of(Role.STOP, Role.STOP_AGAIN)), Decimal(0))

    @property
    def moved(self) -> bool:
        """Whether anything has traded."""
        return any(leg.filled for leg in self.legs.values())

    def unfinished(self) -> Iterator[Leg]:
        """Yield the orders that are not over."""
        return (leg for leg in self.legs.values() if not leg.over)

    def standing(self) -> BracketStanding:
        """Return how it stands, in the words of whoever asked for it."""
        wanted = self.wanted
        return BracketStanding(
            client_id=wanted.client_id,
            symbol=wanted.symbol,
            side=wanted.side,
            qty=wanted.qty,
            stop=wanted.stop,
            target=wanted.target,
            open_qty=self.open_qty,
            covered_qty=self.covered_qty,
            exposed=bool(self.exposed_at),
            closing=self.closing,
            end=self.end,
            orders={leg.client_order_id: f"{leg.role} {leg.state}" for leg in self.legs.values()},
        )

    # --- events --------------------------------------------------------------------------------------------------------

    def after(self, event: Event) -> Guarded:
        """Return the bracket after one of its events."""
        if isinstance(event, BracketOrderMoved):
            leg = self.legs[event.client_order_id]
            return self._with(_moved(leg, event))._watched(event.at)
        assert isinstance(event, BracketStepTaken), event
        return self._step(event)

    def _watched(self, at: int) -> Guarded:
        """Note since when more is held than working stops cover; what is over is not watched."""
        exposed = not self.end and self.open_qty > self.covered_qty
        return msgspec.structs.replace(self, exposed_at=(self.exposed_at or at) if exposed else 0)

    def _step(self, event: BracketStepTaken) -> Guarded:
        key, at = event.client_order_id, event.at
        change = msgspec.structs.replace
        match event.step:
            case BracketStep.CLOSING:
                return change(self, closing_at=at, closing=event.reason)
            case BracketStep.CANCEL:
                return self._with(change(self.legs[key], cancelling=True))
            case BracketStep.STOP_SENT_AGAIN:
                leg = Leg(key, Role.STOP_AGAIN, event.qty, sent_at=at)
                return change(self._with(leg), sent_again_at=at)
            case BracketStep.CLOSE_SENT:
                return self._with(Leg(key, Role.CLOSE, event.qty, sent_at=at))
            case BracketStep.ENDED:
                return change(self, end=BracketEnd(event.reason).value, exposed_at=0)

    def _with(self, leg: Leg) -> Guarded:
        return msgspec.structs.replace(self, legs=self.legs | {leg.client_order_id: leg})


def began(event: BracketWanted) -> Guarded:
    """Return a bracket of which nothing is known but that it is wanted."""
    entry = entry_id(event.tag, event.bracket_id)
    legs = [Leg(entry, Role.ENTRY, event.qty, sent_at=event.at), Leg(stop_id(entry), Role.STOP, event.qty)]
    if event.target is not None:
        legs.append(Leg(target_id(entry), Role.TARGET, event.qty))
    return Guarded(event, {leg.client_order_id: leg for leg in legs})


def _moved(leg: Leg, event: BracketOrderMoved) -> Leg:
    ended_at = (leg.ended_at or event.at) if event.state.final else 0
    change = msgspec.structs.replace
    if event.trade_id:
        return change(leg, traded=leg.traded + event.qty, trades=(*leg.trades, event.trade_id))
    reported = max(leg.reported, event.filled_qty)
    return change(leg, state=event.state, reported=reported, code=event.code, ended_at=ended_at)
