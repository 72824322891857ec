"""Histories for invariants: made by hand, an event at a time, or taken from the journal of a real run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from protocol.groups import GridConfig, GroupClosed, GroupOpened
from protocol.groups.values import CloseReason
from protocol.instruments import Instrument, PrecisionRules
from protocol.messages import Event
from protocol.orders import Balance, FillRecorded, OrderRequest, OrderSent, OrderState, OrderStateChanged, Purpose
from protocol.paper import PaperOrderFilled
from protocol.values import MarketType, OrderSide, OrderType, Scope, Side
from rules.client_ids import derive
from runtime.dead_letters import DeadLetters
from runtime.journal import Entry, Journal, Record
from runtime.memory_journal import MemoryJournal
from service.config import Config, parse
from simulation.invariant import Answered, Invariant, Scene
from simulation.scenario import Scenario
from tests.system.recorded import SECRETS
from venues.paper.config import PaperConfig
from venues.paper.engine import PaperEngine
from venues.practice.exchange import PracticeExchange

__all__ = ["DESK", "SPOT", "Stage", "name_of", "replayed"]

DESK: Final = "/venues/paper/desk"
RULES: Final = PrecisionRules(Decimal("0.01"), Decimal("0.001"), Decimal("0.001"), Decimal(5))
SPOT: Final = Instrument(
    venue="binance", symbol="BTC/USDT", venue_symbol="BTCUSDT", base="BTC", quote="USDT", rules=RULES
)
PERP: Final = Instrument(
    venue="binance",
    symbol="ETH/USDT:USDT",
    venue_symbol="ETHUSDT",
    base="ETH",
    quote="USDT",
    market_type=MarketType.PERP,
    rules=RULES,
)
SECOND: Final = 1_000_000_000


def name_of(leg: int = 0, purpose: Purpose = Purpose.ENTRY, attempt: int = 1, group: str = "g1") -> str:
    """Return a client id of the test's deployment."""
    return derive("test", group, pyramid=0, layer=leg, purpose=purpose, attempt=attempt)


class Quiet:
    """A system of which nothing is known but that no message was parked."""

    dead_letters = DeadLetters()

    def paths(self) -> list[str]:
        """Return nobody's path."""
        return []


class Stage:
    """A scene made by hand. What a test tells happened is given to one invariant; ``found`` is what it said."""

    def __init__(self, invariant: Invariant, *, settings: str = "", fee_in_base: bool = False) -> None:
        self.invariant = invariant
        self.found: list[str] = []
        self.now = 1_700_000_000 * SECOND
        self.journal: Any = MemoryJournal()
        self.config: Config = parse(f'{settings}\n[[accounts]]\nname = "paper"\nbalances = {{ USDT = 100000 }}\n', {})
        self.scenario = Scenario(seed=4, start_at=self.now, hours=24.0)
        self.answered: list[Answered] = []
        self.tapes: list[Any] = []
        self.secrets = SECRETS
        self.system: Any = Quiet()
        balances = (Balance("USDT", Decimal(100_000)),)
        paper = PaperConfig(balances=balances, fee_in_base=fee_in_base)
        self.exchange = PracticeExchange("paper", paper, (SPOT, PERP), lambda: self.now, lambda at, call: None)
        self.exchanges: Mapping[str, PracticeExchange] = {"paper": self.exchange}
        self.made: Any = None
        for instrument in (SPOT, PERP):
            self.price(instrument.symbol, "100")
        self._seqs: dict[str, int] = {}

    # --- what happens --------------------------------------------------------------------------------------------------

    def tell(self, stream: str, event: Event) -> None:
        """Journal an event and show it to the invariant."""
        seq = self._seqs[stream] = self._seqs.get(stream, 0) + 1
        entry = Entry(stream, seq, event, self.now, 0, 0, 0)
        self.journal.append([entry])
        if isinstance(event, self.invariant.WANTS):
            self.found += self.invariant.on_entry(entry, self.scene)

    def rest(self) -> list[str]:
        """Come to rest; return all that was found so far."""
        self.found += self.invariant.at_rest(self.scene)
        return self.found

    def wait(self, seconds: int = 1) -> None:
        """Let time pass."""
        self.now += seconds * SECOND

    @property
    def scene(self) -> Scene:
        """What the invariant looks at."""
        return self

    @property
    def runs(self) -> bool:
        """No process of its own runs here."""
        return False

    def views(self) -> Any:
        """Return the read models a test has made."""
        return self.made

    def price(self, symbol: str, price: str) -> None:
        """Stand at a price."""
        self.exchange.engine.stand_at(symbol, Decimal(price), self.now)

    # --- orders --------------------------------------------------------------------------------------------------------

    def opened(self, group: str = "g1", side: Side = Side.LONG, instrument: Instrument = SPOT) -> None:
        """Open a group."""
        self.tell(
            f"group:{group}",
            GroupOpened(
                group_id=group,
                key=f"me|binance|{instrument.symbol}|1h|{side.value}",
                user="me",
                scope=Scope.PAPER,
                venue="binance",
                account="paper",
                symbol=instrument.symbol,
                timeframe="1h",
                side=side,
                tag="test",
                signal_id=f"s-{group}",
                strategy="s",
                base_entry_price=Decimal(100),
                config=GridConfig(),
                instrument=instrument,
                at=self.now,
            ),
        )

    def sent(
        self, request: OrderRequest, purpose: Purpose = Purpose.ENTRY, *, group: str = "g1", leg: str = "p0.l0"
    ) -> None:
        """Journal the decision to send an order."""
        self.tell(
            DESK,
            OrderSent(
                request=request,
                owner=f"/trading/groups/paper/{group}",
                group_id=group,
                leg_id="" if purpose is Purpose.CLOSE else leg,
                purpose=purpose,
                attempt=1,
                expected_price=None,
                permit=0,
                correlation_id=1,
                at=self.now,
            ),
        )

    def placed(self, request: OrderRequest, purpose: Purpose = Purpose.ENTRY, *, group: str = "g1") -> None:
        """Decide on an order and bring it to the exchange."""
        self.sent(request, purpose, group=group)
        self.exchange.place(request)

    def state(self, name: str, state: OrderState, *, filled: str = "0") -> None:
        """Journal a new state of an order."""
        self.tell(DESK, OrderStateChanged(client_order_id=name, state=state, filled_qty=Decimal(filled), at=self.now))

    def recorded(self, **changes: Any) -> FillRecorded:
        """Return the newest fill of the exchange as the desk records it."""
        fill = next(each for each in reversed(self.exchange.history) if isinstance(each, PaperOrderFilled))
        names = [name for name in FillRecorded.__struct_fields__ if name not in changes]
        return FillRecorded(**{name: getattr(fill, name) for name in names}, **changes)

    def closed(self, group: str = "g1", dust: str = "0", reason: CloseReason = CloseReason.OPERATOR) -> None:
        """Journal the end of a group."""
        self.tell(
            f"group:{group}",
            GroupClosed(
                group_id=group,
                key="k",
                reason=reason,
                realized_quote=Decimal(0),
                fees={},
                dust=Decimal(dust),
                releases_slot=True,
                at=self.now,
            ),
        )


def order(
    name: str, qty: str = "1", price: str | None = "100", side: OrderSide = OrderSide.BUY, symbol: str = "BTC/USDT"
) -> OrderRequest:
    """Return an order: a limit order, or without a price a market order."""
    kind = OrderType.MARKET if price is None else OrderType.LIMIT
    limit = None if price is None else Decimal(price)
    return OrderRequest(client_order_id=name, symbol=symbol, side=side, type=kind, qty=Decimal(qty), price=limit)


class Replayed:
    """The scene of a real run, record by record: the paper exchange of its journal is the exchange outside."""

    def __init__(self, config: Config, records: Iterable[Record], instruments: Iterable[Instrument]) -> None:
        self.config = config
        self.now = 0
        self.scenario = Scenario(seed=1, start_at=0, hours=1.0)
        self.answered: list[Answered] = []
        self.tapes: list[Any] = []
        self.secrets = SECRETS
        self.system: Any = Quiet()
        self.journal: Any = MemoryJournal()
        self.records = list(records)
        self._instruments = tuple(instruments)
        self.exchanges: Mapping[str, PracticeExchange] = {}

    @property
    def runs(self) -> bool:
        """The process has ended long ago."""
        return False

    def views(self) -> Any:
        """Return nothing: these runs keep no read models."""
        return None

    def run(self, invariants: Iterable[Invariant]) -> list[str]:
        """Give every record to the exchange or to the invariants; come to rest; return what was found."""
        found, each_of = [], list(invariants)
        self.journal = MemoryJournal()
        exchange = PracticeExchange("paper", PaperConfig(), self._instruments, lambda: 0, _never)
        exchange.engine = PaperEngine(PaperConfig(), self._instruments)
        exchange.history.clear()
        self.exchanges = {"paper": exchange}
        for record in self.records:
            self.now = record.at
            self.journal.append([Entry(*record[1:])])
            if record.stream == "/venues/paper/exchange":
                exchange.engine.apply(record.event)
                exchange.history.append(record.event)
                continue
            for invariant in each_of:
                if isinstance(record.event, invariant.WANTS):
                    found += [f"{invariant.NAME}: {text}" for text in invariant.on_entry(Entry(*record[1:]), self)]
        for invariant in each_of:
            found += [f"{invariant.NAME}: {text}" for text in invariant.at_rest(self)]
        return found


def _never(at: int, call: Any) -> None:
    pass


def replayed(config: Config, journal: Journal) -> Replayed:
    """Return the scene of a journal."""
    records = list(journal.read_all())
    instruments = {
        each.event.instrument.symbol: each.event.instrument for each in records if isinstance(each.event, GroupOpened)
    }
    return Replayed(config, records, instruments.values())
