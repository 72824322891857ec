"""A run as a person reads it: one line an instant, aligned, with the days as headings and the violations marked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Final

from runtime.clock import NANOS
from simulation.scenario import Act, Fault, Item, Post, Rest, Scenario, Turn
from simulation.verdict import Moment, Verdict

__all__ = ["describe", "moments_of", "timeline"]

_VIOLATED: Final = "VIOLATED"
_DONE_TO_IT: Final = frozenset({"alert", "clock", "error", "fault", "killed", "operator", "post", "rest", "turn"})
_BODY_SHOWN: Final = 100
_EVENT_SHOWN: Final = 220
_QUIET: Final = re.compile(
    r"ConfigSettled|EquityMarked|RulesFetched|RecoveryStep|Reconciled .*fills_missed=0, differences=0"
)
"""Events that say that all is well."""

_TIDY: Final = (
    (re.compile(r"^(\w+) \1\("), r"\1("),
    (re.compile(r"<\w+\.\w+: '([^']*)'>"), r"\1"),
    (re.compile(r"Decimal\('([^']*)'\)"), r"\1"),
    (re.compile(r"(?<=[(\[ ])\w*at=\d{15,}(, )?"), ""),
    (re.compile(r"(?<=[(\[ ])\w+=(''|None|\(\)|\[\]|\{\}|False)(, )?(?=[\w)])"), ""),
    (re.compile(r", \)"), ")"),
)
"""What is taken out of an event as Python shows it: words said twice, names of types, instants, fields that say nothing."""


def timeline(scenario: Scenario, verdict: Verdict | None = None, *, events: bool = True) -> list[str]:
    """Return the lines of a run; of the scenario alone when there is no verdict with a timeline.

    Without ``events`` only what was done to the house is told, its deaths and what it broke.
    """
    moments = list(verdict.timeline) if verdict is not None and verdict.timeline else list(moments_of(scenario))
    moments = [each for each in moments if each.kind != _VIOLATED and (events or each.kind in _DONE_TO_IT)]
    if verdict is not None:
        moments += [Moment(each.at, _VIOLATED, f"{each.invariant}: {each.message}") for each in verdict.violations]
    return [*_head(scenario), "", *_lines(sorted(moments, key=lambda each: each.at))]


def moments_of(scenario: Scenario) -> Iterator[Moment]:
    """Yield what a scenario makes happen."""
    for item in scenario.items:
        yield Moment(item.at, _word(item), describe(item))


def describe(item: Item) -> str:
    """Say what an item does, in a few words."""
    match item:
        case Fault():
            named = {"on": item.target, "times": item.count if item.count > 1 else "", "for": _span(item.seconds)}
            if item.amount:
                named["amount"] = f"{item.amount:g}"
            return " ".join([item.kind.value, *(f"{name} {value}" for name, value in named.items() if value)])
        case Post():
            return item.body if len(item.body) <= _BODY_SHOWN else item.body[:_BODY_SHOWN] + "…"
        case Act():
            return " ".join(part for part in (item.action.value, item.target, item.value) if part)
        case Turn():
            return f"{item.kind.value} {item.amount:g} s"
        case Rest():
            return "nothing happens for a while; everything is checked"


def _word(item: Item) -> str:
    return {Fault: "fault", Post: "post", Act: "operator", Turn: "clock", Rest: "rest"}[type(item)]


def _span(seconds: float) -> str:
    return f"{seconds:g} s" if seconds else ""


def _head(scenario: Scenario) -> Iterator[str]:
    yield f"seed {scenario.seed}, {scenario.hours:.4g} h from {_stamp(scenario.start_at, '%Y-%m-%d %H:%M:%S')} UTC"
    for path in scenario.paths:
        source = path.file or f"seed {path.seed}"
        yield f"  {path.symbol}: {path.kind.value} from {path.start_price:f} ({source})"
    for key, value in scenario.settings.items():
        yield f"  {key} = {value}"
    if scenario.defect:
        yield f"  planted: {scenario.defect}"


def _tidy(text: str) -> str:
    for pattern, by in _TIDY:
        text = pattern.sub(by, text)
    return text if len(text) <= _EVENT_SHOWN else f"{text[:_EVENT_SHOWN]}…"


def _who(kind: str) -> str:
    """Name an actor by the end of its path."""
    return kind.rpartition("/")[2].rpartition(":")[2]


def _lines(moments: Iterable[Moment]) -> Iterator[str]:
    day = ""
    for moment in moments:
        if _QUIET.match(moment.text):
            continue
        if (today := _stamp(moment.at, "%A %Y-%m-%d")) != day:
            day = today
            yield day
        millis = moment.at // 1_000_000 % 1_000
        text = moment.text if moment.kind == _VIOLATED else _tidy(moment.text)
        yield f"  {_stamp(moment.at, '%H:%M:%S')}.{millis:03d}  {_who(moment.kind):<13} {text}"


def _stamp(at: int, form: str) -> str:
    return datetime.fromtimestamp(at // NANOS, UTC).strftime(form)
