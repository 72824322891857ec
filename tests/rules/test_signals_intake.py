"""From payloads and commands to one signal (EX-102, EX-250, EX-260, EX-261)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from protocol.signals import (
    InjectSignal,
    MarketPosition,
    PrecisionMode,
    Signal,
    SignalKind,
    SignalSource,
    SizeType,
)
from protocol.values import Side
from rules.signals import Interpretation, build_signal, interpret_injected, interpret_payload, sighting_of, status_of
from tests.rules.signal_payloads import payload

AT = 1_772_366_400_000_000_000


def codes(found: Interpretation) -> list[tuple[str, str]]:
    """Return path and code of each problem; there is a classification exactly when there is none."""
    assert (found.classification is None) is bool(found.problems)
    return [(each.path, each.code) for each in found.problems]


def signal_of(found: Interpretation, **more: Any) -> Signal:
    """Build the signal of an interpretation without problems."""
    assert found.classification is not None
    return build_signal(found.clean, found.classification, signal_id="s1", user="u1", received_at=AT + 5, **more)


def inject(**changes: Any) -> InjectSignal:
    """Return a manual entry with some fields changed."""
    given: dict[str, Any] = {
        "user": "u1",
        "venue": "BINANCE",
        "symbol": "BTCUSDT",
        "timeframe": "60",
        "side": Side.LONG,
        "price": Decimal(100),
        "size": Decimal("0.5"),
    }
    return InjectSignal(**given | changes)


def test_a_payload_becomes_a_signal() -> None:
    """EX-102: every value of the payload is in the signal, canonical."""
    assert signal_of(interpret_payload(payload(risk__take_profit=70000))) == Signal(
        signal_id="s1",
        user="u1",
        source=SignalSource.TRADINGVIEW,
        received_at=AT + 5,
        fired_at=AT,
        venue="binance",
        symbol="BTC/USDT",
        timeframe="15m",
        kind=SignalKind.ENTRY,
        side=Side.LONG,
        entry_price=Decimal("65000.5"),
        order_size=Decimal("0.02"),
        size_type=SizeType.BASE,
        precision_mode=PrecisionMode.AUTO,
        trade_id="12345",
        alert_name="BTC Long Entry",
        alert_message="DCA Entry 1",
        market_position=MarketPosition.LONG,
        market_position_size=Decimal("2.5"),
        prev_market_position=MarketPosition.FLAT,
        prev_market_position_size=Decimal(0),
        stop_loss=Decimal(64000),
        take_profit=Decimal(70000),
        max_slippage_percent=Decimal("0.2"),
    )


def test_the_close_replaces_a_missing_price() -> None:
    """EX-202: without an order price the last close is the anchor."""
    assert signal_of(interpret_payload(payload(tv__entry_price=None))).entry_price == 65001


def test_problems_of_validation_come_before_classification() -> None:
    """EX-250: an invalid payload is not classified; a valid one may still be refused by classification."""
    assert codes(interpret_payload(payload(tv__action="hold"))) == [("tv.action", "InvalidEnum")]
    assert codes(interpret_payload(payload(tv__market_position="short"))) == [("tv.action", "SideConflict")]
    made = payload(tv__market_position="flat", tv__action="sell", execution_intent__side=None)
    assert codes(interpret_payload(made)) == [("tv.market_position", "AmbiguousSignal")]
    made["tv"]["prev_market_position"] = "long"
    assert codes(interpret_payload(made)) == []
    assert codes(interpret_payload(made, infer_exit_from_flat=False)) == [("tv.market_position", "AmbiguousSignal")]


def test_a_reversal_of_a_flat_strategy_still_needs_price_and_size() -> None:
    """EX-208, EX-314: presence rules spare flat positions, but nothing opens without a price and a size."""
    made = payload(
        execution_intent__type="reverse",
        tv__market_position="flat",
        tv__entry_price=None,
        tv__close_price=None,
        tv__order_size=None,
    )
    missing = [("tv.entry_price", "MissingField"), ("tv.order_size", "MissingField")]
    assert codes(interpret_payload(made)) == missing
    assert codes(interpret_payload(made, "fixed_quote")) == missing[:1]


def test_a_reduction_carries_its_amount() -> None:
    """EX-313: without sizes the order size is the amount to close."""
    found = signal_of(
        interpret_payload(
            payload(
                execution_intent__type="reduce",
                tv__action="sell",
                execution_intent__side="sell",
                tv__market_position_size=None,
            )
        )
    )
    assert (found.kind, found.fraction, found.amount) == (SignalKind.REDUCE, None, Decimal("0.02"))


def test_a_replay_is_a_signal_of_its_own() -> None:
    """EX-261: a replay has its own id, source replay, and names the original."""
    found = signal_of(interpret_payload(payload()), replay_of="s0")
    assert (found.source, found.replay_of, found.signal_id) == (SignalSource.REPLAY, "s0", "s1")


def injected(command: InjectSignal, **more: Any) -> Interpretation:
    """Interpret a command as signal s1 at the fixed instant."""
    return interpret_injected(command, signal_id="s1", at=AT, **more)


def test_a_manual_entry() -> None:
    """EX-260: a command becomes the same kind of signal, stamped at injection; its own id stands in for a trade id."""
    found = signal_of(injected(inject()))
    assert (found.group_key, found.kind, found.source) == ("u1|binance|BTC/USDT|1h|long", "entry", "manual")
    assert (found.entry_price, found.order_size, found.size_type) == (100, Decimal("0.5"), "base")
    assert (found.fired_at, found.trade_id, found.flip) == (AT, "s1", False)


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("kind", list(SignalKind))
def test_kind_and_side_are_as_the_operator_says(kind: SignalKind, side: Side) -> None:
    """EX-260: the side of a command is the side of the position meant, whatever the kind."""
    found = signal_of(injected(inject(kind=kind, side=side)))
    assert (found.kind, found.side) == (kind, side)


@pytest.mark.parametrize(
    ("changes", "kind", "fraction", "amount"),
    [
        ({"fraction": Decimal("0.25")}, "reduce", Decimal("0.25"), None),
        ({"fraction": Decimal(1)}, "exit", Decimal(1), None),
        ({}, "reduce", None, Decimal("0.5")),
    ],
)
def test_manual_reductions(changes: dict[str, Any], kind: str, fraction: Any, amount: Any) -> None:
    """EX-313: a fraction goes before the size, the whole is an exit, the size is the amount."""
    found = signal_of(injected(inject(kind=SignalKind.REDUCE, **changes)))
    assert (found.kind, found.fraction, found.amount) == (kind, fraction, amount)


def test_manual_signals_pass_all_other_rules() -> None:
    """EX-260: a command is refused by the same rules and paths as a payload, all problems at once."""
    wrong = inject(venue="NYSE", symbol="FOO", timeframe="0", price=None, size=None, max_slippage_percent=Decimal(51))
    assert codes(injected(wrong)) == [
        ("tv.exchange", "UnsupportedVenue"),
        ("tv.symbol", "UnknownSymbol"),
        ("tv.timeframe", "InvalidTimeframe"),
        ("tv.entry_price", "MissingField"),
        ("tv.order_size", "MissingField"),
        ("risk.max_slippage_percent", "OutOfRange"),
    ]
    assert codes(injected(inject(kind=SignalKind.REDUCE, size=None))) == [("tv.order_size", "MissingReduceAmount")]
    assert codes(injected(inject(size=None), sizing_source="fixed_quote")) == []
    assert codes(injected(inject(venue="paper"), venues=("paper",))) == []


def test_what_counts_for_duplicates() -> None:
    """EX-240: the sighting of a signal has its key, kind, trade id, both instants and its price."""
    found = sighting_of(signal_of(interpret_payload(payload())))
    assert (found.key, found.kind, found.trade_id) == ("u1|binance|BTC/USDT|15m|long", "entry", "12345")
    assert (found.fired_at, found.received_at, found.entry_price) == (AT, AT + 5, Decimal("65000.5"))


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("BodyTooLarge", 413),
        ("SourceNotAllowed", 403),
        ("RateLimited", 429),
        ("AuthMissing", 401),
        ("SecretMismatch", 401),
        ("SignatureExpired", 401),
        ("MalformedJson", 400),
        ("MissingField", 422),
        ("SideConflict", 422),
        ("StaleSignal", 422),
        ("duplicate_ignored", 200),
        ("accepted", 200),
        ("JournalUnavailable", 503),
    ],
)
def test_http_statuses(code: str, status: int) -> None:
    """EX-250, EX-252: each answer has its HTTP status."""
    assert status_of(code) == status
