"""From a payload or an operator's command to one ``Signal`` (EX-102, EX-260)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec

from protocol.signals import (
    InjectSignal,
    MarketPosition,
    PrecisionMode,
    Problem,
    Signal,
    SignalKind,
    SignalSource,
    SizeType,
)
from rules.notation import iso_ms
from rules.signals.classification import Classification, classify_signal
from rules.signals.reading import Clean
from rules.signals.times import instant_of
from rules.signals.validation import SIZED_BY_SIGNAL, validate_payload

__all__ = ["Interpretation", "build_signal", "interpret_injected", "interpret_payload", "status_of"]

_STATUS: Final = {
    "accepted": 200,
    "replacement": 200,
    "duplicate_ignored": 200,
    "MalformedJson": 400,
    "AuthMissing": 401,
    "SignatureMalformed": 401,
    "SignatureMismatch": 401,
    "SignatureExpired": 401,
    "SecretMismatch": 401,
    "SourceNotAllowed": 403,
    "ReadOnlyMode": 403,
    "NotFound": 404,
    "BodyTooLarge": 413,
    "RateLimited": 429,
    "JournalUnavailable": 503,
}


def status_of(code: str) -> int:
    """Return the HTTP status of an answer's code or outcome (EX-250): 422 for every refusal of content."""
    return _STATUS.get(code, 422)


class Interpretation(NamedTuple):
    """What a payload says: clean values by path, and either a classification or the problems that prevent one."""

    clean: dict[str, Clean]
    classification: Classification | None
    problems: tuple[Problem, ...]


def interpret_payload(
    payload: object,
    sizing_source: str = SIZED_BY_SIGNAL,
    *,
    infer_exit_from_flat: bool = True,
    venues: Collection[str] = (),
    markets: Mapping[str, Mapping[str, str]] | None = None,
) -> Interpretation:
    """Validate and classify a payload: the sixth check of EX-250. Arguments as in ``validate_payload``."""
    clean, problems = validate_payload(payload, sizing_source, venues=venues, markets=markets)
    if problems:
        return Interpretation(clean, None, tuple(_with_path(each) for each in problems))
    found = classify_signal(clean, infer_exit_from_flat=infer_exit_from_flat)
    if isinstance(found, Problem):
        return Interpretation(clean, None, (found,))
    return _complete(clean, found, sizing_source)


def _complete(clean: dict[str, Clean], found: Classification, sizing_source: str) -> Interpretation:
    """Refuse what would open a position without price or size: a reversal whose strategy says flat passes EX-208."""
    missing = []
    if found.kind.opens and _price(clean) is None:
        missing.append("tv.entry_price")
    if found.kind.opens and sizing_source == SIZED_BY_SIGNAL and clean["tv.order_size"] is None:
        missing.append("tv.order_size")
    problems = tuple(Problem("MissingField", path, "is required to open a position") for path in missing)
    return Interpretation(clean, None if problems else found, problems)


def _with_path(problem: Problem) -> Problem:
    """Name the whole document as ``$``, as a malformed one does: a sender is told a path in every case."""
    return problem if problem.path else msgspec.structs.replace(problem, path="$")


def interpret_injected(
    command: InjectSignal,
    *,
    signal_id: str,
    at: int,
    sizing_source: str = SIZED_BY_SIGNAL,
    venues: Collection[str] = (),
    markets: Mapping[str, Mapping[str, str]] | None = None,
) -> Interpretation:
    """Hold an operator's signal to the same rules as a payload; kind and side are as the operator says (EX-260).

    Problems carry the payload's paths. ``at`` is the instant of injection, its ``timestamp``.
    """
    payload = _as_payload(command, signal_id, at)
    clean, problems = validate_payload(payload, sizing_source, venues=venues, markets=markets)
    if problems:
        return Interpretation(clean, None, problems)
    if command.fraction is not None:
        kind = SignalKind.EXIT if command.fraction == 1 else SignalKind.REDUCE
        return Interpretation(clean, Classification(kind, command.side, command.fraction), ())
    found = classify_signal(clean)
    if isinstance(found, Problem):
        return Interpretation(clean, None, (found,))
    return Interpretation(clean, found, ())


def _as_payload(command: InjectSignal, signal_id: str, at: int) -> dict[str, Any]:
    kind = "signal" if command.kind is SignalKind.ENTRY else command.kind.value
    return {
        "source": command.source.value,
        "timestamp": iso_ms(at),
        "tv": {
            "exchange": command.venue,
            "symbol": command.symbol,
            "timeframe": command.timeframe,
            "action": command.side.value,
            "entry_price": command.price,
            "order_size": command.size,
        },
        "strategy_info": {
            "trade_id": command.trade_id or signal_id,
            "alert_name": command.alert_name,
            "alert_message": command.alert_message,
        },
        "execution_intent": {
            "type": kind,
            "position_size_type": command.size_type.value,
            "precision_mode": command.precision_mode.value,
        },
        "risk": {
            "stop_loss": command.stop_loss,
            "take_profit": command.take_profit,
            "max_slippage_percent": command.max_slippage_percent,
        },
    }


def build_signal(
    clean: Mapping[str, Clean],
    classification: Classification,
    *,
    signal_id: str,
    user: str,
    received_at: int,
    replay_of: str | None = None,
    bar_at: int | None = None,
) -> Signal:
    """Return the one ``Signal`` of interpreted values; with ``replay_of`` its source is replay (EX-261)."""
    source = SignalSource.REPLAY if replay_of is not None else SignalSource(_text(clean, "source"))
    return Signal(
        signal_id=signal_id,
        user=user,
        source=source,
        received_at=received_at,
        fired_at=instant_of(_text(clean, "timestamp")),
        venue=_text(clean, "tv.exchange"),
        symbol=_text(clean, "tv.symbol"),
        timeframe=_text(clean, "tv.timeframe"),
        kind=classification.kind,
        side=classification.side,
        flip=classification.flip,
        fraction=classification.fraction,
        amount=classification.amount,
        entry_price=_price(clean),
        order_size=_number(clean, "tv.order_size"),
        size_type=SizeType(_text(clean, "execution_intent.position_size_type")),
        precision_mode=PrecisionMode(_text(clean, "execution_intent.precision_mode")),
        trade_id=_text(clean, "strategy_info.trade_id"),
        alert_name=_maybe_text(clean, "strategy_info.alert_name"),
        alert_message=_maybe_text(clean, "strategy_info.alert_message"),
        market_position=_position(clean, "tv.market_position"),
        market_position_size=_number(clean, "tv.market_position_size"),
        prev_market_position=_position(clean, "tv.prev_market_position"),
        prev_market_position_size=_number(clean, "tv.prev_market_position_size"),
        stop_loss=_number(clean, "risk.stop_loss"),
        take_profit=_number(clean, "risk.take_profit"),
        max_slippage_percent=_number(clean, "risk.max_slippage_percent"),
        replay_of=replay_of,
        bar_at=bar_at,
    )


def _price(clean: Mapping[str, Clean]) -> Decimal | None:
    """Return the entry price, else the last close (EX-202)."""
    price = _number(clean, "tv.entry_price")
    return _number(clean, "tv.close_price") if price is None else price


def _text(clean: Mapping[str, Clean], path: str) -> str:
    value = clean[path]
    assert isinstance(value, str), path
    return value


def _maybe_text(clean: Mapping[str, Clean], path: str) -> str | None:
    return None if clean[path] is None else _text(clean, path)


def _number(clean: Mapping[str, Clean], path: str) -> Decimal | None:
    value = clean[path]
    assert value is None or isinstance(value, Decimal), path
    return value


def _position(clean: Mapping[str, Clean], path: str) -> MarketPosition | None:
    return None if clean[path] is None else MarketPosition(_text(clean, path))
