"""Validate a payload: canonical values by path, and every error at once (EX-202 to EX-209)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

from protocol.signals import IntentType, MarketPosition, PrecisionMode, Problem, SignalSource, SizeType
from rules.identity.errors import shown
from rules.signals.reading import (
    Clean,
    Reader,
    Refused,
    free_text,
    is_absent,
    is_placeholder,
    number,
    secret_text,
    symbol_text,
    time_text,
    timeframe_text,
    venue_text,
    word,
)

__all__ = ["DIRECTIONS", "PATHS", "SIZED_BY_SIGNAL", "validate_payload"]

SIZED_BY_SIGNAL: Final = "signal"
"""The ``sizing.source`` with which an entry must bring its own size."""

DIRECTIONS: Final = {"buy": "long", "long": "long", "sell": "short", "short": "short"}
"""What an action word opens."""


class _Field(NamedTuple):
    path: str
    read: Reader | None
    required: bool = False
    default: Clean = None


_ACTION: Final = word(tuple(DIRECTIONS))
_POSITION: Final = word(MarketPosition)
_SIZE: Final = number(drop_sign=True)
_PRICE: Final = number(above=0)

# The table of EX-202, in its order; ``None`` readers depend on the venue and are made for each payload.
_FIELDS: Final = (
    _Field("secret", secret_text),
    _Field("source", word(SignalSource), default=SignalSource.TRADINGVIEW.value),
    _Field("timestamp", time_text, required=True),
    _Field("tv.exchange", None, required=True),
    _Field("tv.symbol", None, required=True),
    _Field("tv.timeframe", timeframe_text, required=True),
    _Field("tv.action", _ACTION, required=True),
    _Field("tv.market_position", _POSITION),
    _Field("tv.market_position_size", _SIZE),
    _Field("tv.prev_market_position", _POSITION),
    _Field("tv.prev_market_position_size", _SIZE),
    _Field("tv.entry_price", _PRICE),
    _Field("tv.close_price", _PRICE),
    _Field("tv.order_size", _PRICE),
    _Field("strategy_info.trade_id", free_text(128), required=True),
    _Field("strategy_info.alert_name", free_text(256)),
    _Field("strategy_info.alert_message", free_text(1024)),
    _Field("execution_intent.type", word(IntentType), required=True),
    _Field("execution_intent.side", _ACTION),
    _Field("execution_intent.position_size_type", word(SizeType), default=SizeType.CONTRACTS.value),
    _Field("execution_intent.precision_mode", word(PrecisionMode), default=PrecisionMode.AUTO.value),
    _Field("risk.stop_loss", _PRICE),
    _Field("risk.take_profit", _PRICE),
    _Field("risk.max_slippage_percent", number(most=50)),
)

PATHS: Final = tuple(field.path for field in _FIELDS)
"""Every path of the table in its order; errors are ordered by it."""


def validate_payload(
    payload: object,
    sizing_source: str = SIZED_BY_SIGNAL,
    *,
    venues: Collection[str] = (),
    markets: Mapping[str, Mapping[str, str]] | None = None,
) -> tuple[dict[str, Clean], tuple[Problem, ...]]:
    """Return canonical values by path (absent = None, without ``secret``) and all problems in table order (EX-209).

    ``payload`` may be anything; nothing is raised. With problems the values of the refused paths are missing.
    ``venues`` are venue names beyond EX-302, ``markets`` the market names of each venue (``market_names``).
    A section that is no object is one problem, its fields are then not looked at.
    """
    if not isinstance(payload, dict):
        return {}, (Problem("NotAnObject", "", "the payload must be a JSON object", _shown(payload)),)
    clean, problems = _read_fields(payload, venues, markets or {})
    for path, problem in _cross_problems(clean, sizing_source):
        problems[path] = problem
    clean.pop("secret", None)
    return clean, tuple(problems[path] for path in PATHS if path in problems) if problems else ()


def _read_fields(
    payload: dict[str, Any], venues: Collection[str], markets: Mapping[str, Mapping[str, str]]
) -> tuple[dict[str, Clean], dict[str, Problem]]:
    clean: dict[str, Clean] = {}
    problems: dict[str, Problem] = {}
    sections = _sections(payload)
    for field in _FIELDS:
        section, _, name = field.path.rpartition(".")
        fields = sections[section]
        if fields is None:
            if section not in {problem.path for problem in problems.values()}:
                problems[field.path] = Problem(
                    "NotAnObject", section, "must be a JSON object", _shown(payload[section])
                )
            continue
        read = field.read
        if read is None:
            read = venue_text(venues) if name == "exchange" else symbol_text(markets.get(str(clean.get("tv.exchange"))))
        value = fields.get(name)
        try:
            clean[field.path] = _read(field, read, value)
        except Refused as refused:
            seen = "" if field.path == "secret" else _shown(value)
            problems[field.path] = Problem(refused.code, field.path, refused.message, seen)
    return clean, problems


def _sections(payload: dict[str, Any]) -> dict[str, dict[str, Any] | None]:
    """Return the payload's sections by name, the payload itself as ``""``; None for one that is no object."""
    sections: dict[str, dict[str, Any] | None] = {"": payload}
    for name in ("tv", "strategy_info", "execution_intent", "risk"):
        value = payload.get(name)
        sections[name] = value if isinstance(value, dict) else {} if is_absent(value) else None
    return sections


def _read(field: _Field, read: Reader, value: object) -> Clean:
    if is_placeholder(value):
        if field.required:
            raise Refused("UnresolvedPlaceholder", "the placeholder was not filled in")
        return field.default
    if is_absent(value):
        if field.required:
            raise Refused("MissingField", "is required")
        return field.default
    return read(value.strip() if isinstance(value, str) else value)


def _cross_problems(clean: Mapping[str, Clean], sizing_source: str) -> list[tuple[str, Problem]]:
    """Check the rules between fields (EX-208); a rule one of whose fields is refused is not checked (EX-209)."""
    found = []
    side, action = clean.get("execution_intent.side"), clean.get("tv.action")
    if side is not None and action is not None and DIRECTIONS[str(side)] != DIRECTIONS[str(action)]:
        path = "execution_intent.side"
        found.append((path, Problem("IntentSideMismatch", path, f"tv.action says {action}", str(side))))
    rules: list[tuple[str, tuple[str, ...]]] = [("tv.entry_price", ("tv.entry_price", "tv.close_price"))]
    if sizing_source == SIZED_BY_SIGNAL:
        rules.append(("tv.order_size", ("tv.order_size",)))
    for path, either in rules:
        fields = ("execution_intent.type", "tv.market_position", *either)
        if all(each in clean for each in fields) and _opens(clean) and all(clean[each] is None for each in either):
            found.append((path, Problem("MissingField", path, "is required for an entry")))
    return found


def _opens(clean: Mapping[str, Clean]) -> bool:
    opening = clean["execution_intent.type"] in (IntentType.SIGNAL, IntentType.REVERSE)
    return opening and clean["tv.market_position"] != MarketPosition.FLAT


def _shown(value: object) -> str:
    """Return a refused value as text for a screen: scalars cut to 80 characters, containers by their kind."""
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, int):
        return str(value) if value.bit_length() < 256 else "a number of more than 75 digits"
    if isinstance(value, float | Decimal):
        return shown(str(value))
    return "an object" if isinstance(value, dict) else "a list"
