"""Read an alert's template or a received body as the house would, and say what comes of it; nothing runs for that.

Placeholders of TradingView are filled with sample values first, so that a template can be checked before an alert is made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from actors.gateway_judge import Arrival, Judge, Judgement
from actors.gateway_memory import GatewayState
from actors.gateway_settings import GatewaySettings
from protocol.instruments import PrecisionRules
from protocol.messages import Value
from protocol.signals import Problem, Signal, SizeType
from rules.ladder import build_ladder
from rules.signals import PATHS, iso_ms, read_extras, redact_text
from rules.signals.mappings import BULKHEAD, Reading, read_body
from runtime.clock import NANOS
from service.account_paths import AccountPaths
from service.config import Config
from service.config.grid_config import grid_config
from service.config.overrides import effective
from service.config.trading import SizingSource
from service.intake import gateway_settings

__all__ = ["CheckReport", "Rung", "Taken", "check_body", "fill_placeholders"]

_PLACEHOLDER = re.compile(r"\{\{(?P<name>[^{}]*)\}\}")
_BAR_NS: Final = 3_600 * NANOS


class Taken(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """One value of the payload and where it came from."""

    path: str
    value: str
    origin: str


class Rung(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """One order of the ladder that an entry would place; ``reason`` says why it would not."""

    layer: int
    price: Decimal
    qty: Decimal
    reason: str = ""


class CheckReport(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """How a body is read. ``filled`` are the sample values put in place of placeholders."""

    ok: bool
    mapping: str
    mapping_doc: str
    filled: dict[str, str]
    values: tuple[Taken, ...]
    problems: tuple[Problem, ...]
    warnings: tuple[str, ...]
    kind: str = ""
    side: str = ""
    identity: str = ""
    source: str = ""
    fraction: Decimal | None = None
    ladder: tuple[Rung, ...] = ()
    ladder_note: str = ""


# --- placeholders -----------------------------------------------------------------------------------------------------


def _samples(config: Config, at: int) -> dict[str, str]:
    exchange = config.accounts[0].exchange.upper()
    prices = dict.fromkeys(("open", "high", "low", "close", "hl2", "hlc3", "ohlc4"), "65000")
    return {
        "timenow": iso_ms(at)[:19] + "Z",
        "time": iso_ms(at - _BAR_NS)[:19] + "Z",
        "exchange": exchange,
        "ticker": "BTCUSDT",
        "interval": "60",
        "volume": "1250.5",
        **prices,
        "alert_name": "My alert",
        "strategy.order.action": "buy",
        "strategy.order.contracts": "0.01",
        "strategy.order.price": "65000",
        "strategy.order.id": "Long",
        "strategy.order.comment": "Long",
        "strategy.order.alert_message": "",
        "strategy.market_position": "long",
        "strategy.market_position_size": "0.01",
        "strategy.prev_market_position": "flat",
        "strategy.prev_market_position_size": "0",
        "strategy.position_size": "0.01",
        "strategy.position_avg_price": "65000",
        "syminfo.currency": "USDT",
        "syminfo.basecurrency": "BTC",
        **{f"plot_{number}": "1.5" for number in range(20)},
    }


def fill_placeholders(text: str, samples: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Return the text with known placeholders filled, and which were; unknown ones stay, as TradingView leaves them."""
    filled: dict[str, str] = {}

    def fill(found: re.Match[str]) -> str:
        name = found["name"].strip()
        value = "1.5" if name.startswith("plot(") else samples.get(name)
        if value is None:
            return found[0]
        filled[name] = value
        return value

    return _PLACEHOLDER.sub(fill, text), filled


# --- the check --------------------------------------------------------------------------------------------------------


def check_body(
    body: bytes, config: Config, *, at: int, mapping: str = "", rules: PrecisionRules | None = None
) -> CheckReport:
    """Return how a template or a received body is read under a configuration. ``rules`` are those of its market."""
    settings = gateway_settings(config, None, AccountPaths)
    text, filled = fill_placeholders(body.decode("utf-8", "surrogateescape"), _samples(config, at))
    given = text.encode("utf-8", "surrogateescape")
    reading = read_body(given, settings.mappings, name=mapping, only_venue=settings.only_venue, at=at)
    judge = Judge(settings, GatewayState(), {}, lambda _: None)
    judged = judge.payload(reading, Arrival("check", settings.user, at, aged=False))
    signal = judged.signal
    ladder, note = _ladder(signal, config, rules) if signal is not None and judged.accepted else ((), "")
    hidden = (str(reading.secret),) if reading.secret else ()
    return CheckReport(
        ok=judged.accepted,
        mapping=reading.mapping,
        mapping_doc=settings.mappings[reading.mapping].doc,
        filled=filled,
        values=tuple(_values(reading, hidden)),
        problems=judged.problems,
        warnings=tuple(_warnings(reading, judged, settings, filled, text, at)),
        kind=signal.kind.value if signal is not None else "",
        side=signal.side.value if signal is not None else "",
        identity=signal.group_key if signal is not None else "",
        source=signal.source_key if signal is not None else "",
        fraction=signal.fraction if signal is not None else None,
        ladder=ladder,
        ladder_note=note,
    )


def _values(reading: Reading, hidden: tuple[str, ...]) -> Iterator[Taken]:
    payload = reading.payload
    if not isinstance(payload, dict):
        return
    for path in (*PATHS, "tv.bar_time", "tv.max_lag_seconds"):
        section, _, name = path.rpartition(".")
        fields = payload.get(section) if section else payload
        if path == "secret" or not isinstance(fields, dict) or name not in fields:
            continue
        origin = reading.origins.get(path)
        where = (
            f"field `{path}`" if origin is None else f"field `{origin.field}`" if origin.how == "field" else origin.how
        )
        yield Taken(path, redact_text(str(fields[name]), hidden)[:80], where)


def _ladder(signal: Signal, config: Config, rules: PrecisionRules | None) -> tuple[tuple[Rung, ...], str]:
    """Return what an entry would place, by the market's rules where they are given, else by the fallback's."""
    if not signal.kind.opens or signal.entry_price is None:
        return (), ""
    where = {"venue": signal.venue, "symbol": signal.symbol, "timeframe": signal.timeframe}
    grid = grid_config(config, **where)
    _, sizing = effective(config, **where)
    fixed = sizing.source is SizingSource.FIXED_QUOTE or signal.order_size is None
    size = sizing.fixed_quote if fixed else signal.order_size
    assert size is not None, "either of them is there"
    fallback = config.precision.fallback_rules
    used = rules or PrecisionRules(fallback.tick_size, fallback.step_size, fallback.min_qty, fallback.min_notional)
    plan = build_ladder(
        signal.side,
        signal.entry_price,
        grid.levels,
        size=size,
        size_type=SizeType.QUOTE if fixed else signal.size_type,
        rules=used,
        config=grid,
    )
    rungs = tuple(Rung(each.layer, each.price, each.qty, each.reason or "") for each in plan.layers)
    whose = "the rules you gave" if rules is not None else "precision.fallback_rules; the market's own may differ"
    return rungs, f"refused: {plan.refusal}" if plan.refusal else f"rounded by {whose}"


# --- warnings ---------------------------------------------------------------------------------------------------------


def _warnings(
    reading: Reading, judged: Judgement, settings: GatewaySettings, filled: Mapping[str, str], text: str, at: int
) -> Iterator[str]:
    payload = reading.payload
    if reading.problem is not None or not isinstance(payload, dict):
        return
    yield from _of_identity(reading, judged)
    yield from _of_time(payload, judged, settings, filled, at)
    yield from _of_placeholders(filled, text)
    unknown = reading.unused if reading.mapping != BULKHEAD else _unknown_fields(payload)
    if unknown:
        yield f"fields that nothing reads: {', '.join(unknown[:12])}"
    if not reading.secret:
        yield "there is no secret: without one only a signed request is accepted"
    if read_extras(payload).delayed:
        yield "the exchange's data are delayed (_DL, _DLY): only paper accounts trade on them"


def _of_identity(reading: Reading, judged: Judgement) -> Iterator[str]:
    made = reading.origins.get("strategy_info.trade_id")
    no_time = any(each.path == "timestamp" for each in judged.problems) or reading.undated
    if made is not None and made.how != "field" and no_time:
        yield (
            "neither a time nor an id: identical alerts cannot be told apart; within 20 s they count as one. Add "
            '"time": "{{timenow}}" and "id": "{{strategy.order.id}}"'
        )
    elif made is not None and made.how != "field":
        yield "no id: alerts of one text and one second count as one; add an id such as {{strategy.order.id}}"
    if reading.undated:
        yield "no time: a late alert cannot be told from a fresh one, and trades late"
    frame = reading.origins.get("tv.timeframe")
    if frame is not None and frame.how == "default":
        yield 'no timeframe: its positions are kept under the default one; add "timeframe": "{{interval}}"'


def _of_time(
    payload: Mapping[str, Any], judged: Judgement, settings: GatewaySettings, filled: Mapping[str, str], at: int
) -> Iterator[str]:
    if "time" in filled and payload.get("timestamp") == filled["time"]:
        yield "the time is {{time}}, the start of the bar: at its close it is a bar old and refused; use {{timenow}}"
    elif not filled and judged.signal is not None:
        behind_s = (at - judged.signal.fired_at) / NANOS
        if behind_s > settings.max_age_s:
            most = settings.max_age_s
            yield f"it fired {behind_s:.0f} s ago: the webhook refuses what is older than {most} s (StaleSignal)"


_UNESCAPED: Final = ("strategy.order.id", "strategy.order.comment", "strategy.order.alert_message", "alert_name")


def _of_placeholders(filled: Mapping[str, str], text: str) -> Iterator[str]:
    left = sorted({found[0] for found in _PLACEHOLDER.finditer(text)})
    if left:
        yield f"not filled in by TradingView, or not known: {', '.join(left[:8])}"
    if any(name.startswith("plot") for name in filled):
        yield "a plot prints NaN while it has no value: that counts as absent"
    if "close" in filled or "open" in filled:
        yield "bar prices are made up on Heikin Ashi and Renko charts, and of 1-minute bars in price alerts"
    loose = [name for name in _UNESCAPED if name in filled]
    if loose and text.lstrip().startswith("{"):
        yield f"inserted as they are, a quotation mark in them breaks the JSON: {', '.join(loose)}"
    if "interval" in filled:
        yield "{{interval}} may be 1 in alerts on a price, whatever the chart shows"


def _unknown_fields(payload: Mapping[str, Any]) -> list[str]:
    known = {*PATHS, "tv.bar_time", "tv.max_lag_seconds", "mapping"}
    found = []
    for name, value in payload.items():
        inner = value if isinstance(value, dict) and name in {path.partition(".")[0] for path in PATHS} else None
        paths = [f"{name}.{each}" for each in inner] if inner is not None else [name]
        found += [path for path in paths if path not in known]
    return found
