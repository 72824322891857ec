"""Signals as messages: what they cannot say, and that they survive the journal."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from protocol.codec import convert, decode_msgpack, encode_msgpack
from protocol.errors import ValidationError
from protocol.messages import Event
from protocol.signals import (
    EntryRequest,
    ExitRequest,
    InjectSignal,
    Problem,
    ReduceRequest,
    Signal,
    SignalAnswer,
    SignalKind,
    SignalOutcome,
    SignalReceived,
    SignalRouted,
    SignalSource,
)
from protocol.values import Side


def signal(**changes: Any) -> Signal:
    """Return an entry with some fields changed."""
    given: dict[str, Any] = {
        "signal_id": "s1",
        "user": "u1",
        "source": SignalSource.TRADINGVIEW,
        "received_at": 2,
        "fired_at": 1,
        "venue": "binance",
        "symbol": "BTC/USDT",
        "timeframe": "15m",
        "kind": SignalKind.ENTRY,
        "side": Side.LONG,
        "entry_price": Decimal(100),
        "trade_id": "t",
    }
    return Signal(**given | changes)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"entry_price": None}, "entry_price"),
        ({"kind": SignalKind.REVERSE, "entry_price": None}, "entry_price"),
        ({"entry_price": Decimal(0)}, "entry_price"),
        ({"entry_price": Decimal("NaN")}, "entry_price"),
        ({"order_size": Decimal(-1)}, "order_size"),
        ({"stop_loss": Decimal("1e999999999")}, "stop_loss"),
        ({"take_profit": Decimal("Infinity")}, "take_profit"),
        ({"market_position_size": Decimal(-1)}, "market_position_size"),
        ({"max_slippage_percent": Decimal(-1)}, "max_slippage_percent"),
        ({"kind": SignalKind.EXIT}, "fraction"),
        ({"kind": SignalKind.EXIT, "fraction": Decimal("0.5")}, "fraction"),
        ({"kind": SignalKind.REDUCE}, "fraction"),
        ({"kind": SignalKind.REDUCE, "fraction": Decimal("0.5"), "amount": Decimal(1)}, "fraction"),
        ({"kind": SignalKind.REDUCE, "fraction": Decimal(0)}, "fraction"),
        ({"kind": SignalKind.REDUCE, "fraction": Decimal("1.1")}, "fraction"),
        ({"kind": SignalKind.REDUCE, "fraction": Decimal("NaN")}, "fraction"),
        ({"kind": SignalKind.REDUCE, "amount": Decimal(0)}, "amount"),
    ],
)
def test_signals_that_cannot_be(changes: dict[str, Any], field: str) -> None:
    """EX-310: what could not be acted upon cannot be built; the refusal names the field."""
    with pytest.raises(ValueError, match=f"`{field}`"):
        signal(**changes)


def test_identity_and_label() -> None:
    """EX-301, EX-306: a signal knows the key of its group and its strategy label."""
    assert signal().group_key == "u1|binance|BTC/USDT|15m|long"
    assert (signal().label, signal(alert_name="mine").label) == ("unlabelled", "mine")


@pytest.mark.parametrize(
    ("fraction", "amount", "valid"),
    [
        (Decimal("0.5"), None, True),
        (None, Decimal(2), True),
        (Decimal(1), None, True),
        (None, None, False),
        (Decimal("0.5"), Decimal(2), False),
        (Decimal(0), None, False),
        (None, Decimal(0), False),
    ],
)
def test_a_reduction_has_one_measure(fraction: Decimal | None, amount: Decimal | None, valid: bool) -> None:
    """EX-313: a reduction is by a fraction or by an amount, never both, neither or nothing."""
    reducing = signal(kind=SignalKind.REDUCE, fraction=Decimal("0.5"))
    if valid:
        assert ReduceRequest(reducing, reducing.group_key, fraction, amount).fraction == fraction
    else:
        with pytest.raises(ValueError, match=r"`fraction`|`amount`"):
            ReduceRequest(reducing, reducing.group_key, fraction, amount)


@pytest.mark.parametrize(
    "changes",
    [{"price": "0"}, {"size": "NaN"}, {"fraction": "0.5"}, {"side": "buy"}, {"trade_id": "x" * 129}, {"kind": "hold"}],
)
def test_commands_that_cannot_be(changes: dict[str, Any]) -> None:
    """EX-260: an operator's command is refused at its field, a fraction is for reductions only."""
    plain = {"user": "u1", "venue": "binance", "symbol": "BTCUSDT", "timeframe": "15", "side": "long"}
    assert convert(plain, InjectSignal).kind is SignalKind.ENTRY
    with pytest.raises(ValidationError) as caught:
        convert(plain | changes, InjectSignal)
    assert caught.value.path == f"$.{next(iter(changes))}"


@pytest.mark.parametrize(
    "message",
    [
        SignalReceived(
            signal_id="s1",
            user="u1",
            received_at=2,
            source_address="::1",
            headers=(("Host", "x"),),
            body="{}",
            signal=signal(),
            fingerprint="f",
            outcome="accepted",
        ),
        SignalReceived(
            signal_id="s1",
            user="u1",
            received_at=2,
            source_address="::1",
            problems=(Problem("MissingField", "tv.symbol", "is required"),),
            outcome="rejected:MissingField",
        ),
        SignalRouted(signal_id="s1", outcome="opened", reasons=("slot 1 of 3",), at=3),
        EntryRequest(signal()),
        ExitRequest(signal(kind=SignalKind.EXIT, fraction=Decimal(1)), "k"),
        SignalOutcome("s1", "opened", ("slot 1 of 3",)),
        SignalAnswer(200, "accepted", "s1"),
    ],
    ids=lambda message: type(message).__name__,
)
def test_signal_messages_survive_encoding(message: Any) -> None:
    """EX-252: what is journalled or told decodes to an equal message."""
    assert decode_msgpack(encode_msgpack(message), type(message)) == message


def test_what_was_accepted_is_never_dropped_and_operators_go_first() -> None:
    """EX-251: a durable signal may not be lost in a full mailbox; an operator's command overtakes data."""
    told = (EntryRequest, ExitRequest, ReduceRequest, SignalOutcome)
    assert {each.OVERFLOW for each in told} == {"keep"}
    assert InjectSignal.LANE == "control"
    assert all(issubclass(each, Event) for each in (SignalReceived, SignalRouted))
