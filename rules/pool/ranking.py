"""Who is next: the order of the queue, with the keys compared and the rule that decided (EX-920 to EX-924)."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, Final, NamedTuple, TypeAlias

from protocol.groups import TpMode
from protocol.pool import RankKey
from protocol.values import Instant, Side
from rules.ladder import Ladder
from rules.pool.settings import RankRule
from rules.precision import quotient

__all__ = ["Contender", "Ranked", "best_two", "expected_profit", "loss_percent", "rank_queue", "why"]

_SHOWN: Final = Decimal("0.01")
_UNKNOWN: Final = (1, Decimal(0))
_AGGREGATE: Final = frozenset({TpMode.AGGREGATE, TpMode.PYRAMID_AGGREGATE})


class Contender(NamedTuple):
    """What the rules look at in one entry; ``price`` and ``expected_profit`` are None when unknown."""

    entry_id: str
    side: Side
    entry_price: Decimal
    price: Decimal | None
    replacements: int
    expected_profit: Decimal | None
    queued_at: Instant
    continuation: bool


class Ranked(NamedTuple):
    """One entry in its place; ``keys`` are the values of the rules that apply, ``why`` what put it before the next."""

    rank: int
    entry_id: str
    loss_percent: Decimal | None
    keys: tuple[RankKey, ...]
    why: str


_Key: TypeAlias = tuple[Any, ...]
_Keyed: TypeAlias = tuple[_Key, Contender, Decimal | None]
"""What is compared, what it is about, and its loss percent: computed once an entry."""


def loss_percent(side: Side, entry_price: Decimal, price: Decimal | None) -> Decimal | None:
    """Return how far the market is from the queued price in percent, better is more negative (EX-921, EX-922).

    Rounded half-even to 0.01, so that equal displayed values are equal; None when the price is unknown.
    """
    if price is None:
        return None
    exact = quotient(side.sign * (price - entry_price) * 100, entry_price)
    return exact.quantize(_SHOWN, ROUND_HALF_EVEN)


def expected_profit(ladder: Ladder, mode: TpMode, tp_aggregate_percent: Decimal, usd: Decimal | None) -> Decimal | None:
    """Return the profit in USD if all fills at its price and hits its target (EX-924); None without a rate."""
    if usd is None:
        return None
    if mode in _AGGREGATE:
        return ladder.total_notional * tp_aggregate_percent / 100 * usd
    return ladder.expected_profit * usd


def rank_queue(contenders: Iterable[Contender], rules: Sequence[RankRule]) -> list[Ranked]:
    """Return all entries, best first: lexicographic by the rules, at last the smaller id."""
    keyed = sorted((_keyed(each, rules) for each in contenders), key=_first)
    names = [(rule, rule.value) for rule in rules]
    ranked = []
    for place, one in enumerate(keyed):
        following = keyed[place + 1] if place + 1 < len(keyed) else None
        shown = tuple([RankKey(name, _shown(rule, one)) for rule, name in names])
        ranked.append(Ranked(place + 1, one[1].entry_id, one[2], shown, _why(one, following, rules)))
    return ranked


def best_two(contenders: Iterable[Contender], rules: Sequence[RankRule]) -> list[_Keyed]:
    """Return the best entry and the runner-up, if any, without ordering the rest."""
    return heapq.nsmallest(2, (_keyed(each, rules) for each in contenders), key=_first)


def why(best: Sequence[_Keyed], rules: Sequence[RankRule]) -> str:
    """Say why the first of ``best_two`` comes before the second."""
    return _why(best[0], best[1] if len(best) > 1 else None, rules)


def _first(keyed: _Keyed) -> _Key:
    return keyed[0]


def _keyed(contender: Contender, rules: Sequence[RankRule]) -> _Keyed:
    loss = loss_percent(contender.side, contender.entry_price, contender.price)
    parts = [_part(rule, contender, loss) for rule in rules]
    return (*parts, _id_key(contender.entry_id)), contender, loss


def _part(rule: RankRule, contender: Contender, loss: Decimal | None) -> Any:
    if rule is RankRule.CONTINUATION:
        return not contender.continuation
    if rule is RankRule.LOSS:
        return _UNKNOWN if loss is None else (0, loss)
    if rule is RankRule.REPLACEMENTS:
        return -contender.replacements
    if rule is RankRule.PROFIT:
        profit = contender.expected_profit
        return _UNKNOWN if profit is None else (0, -profit)
    return contender.queued_at


def _id_key(entry_id: str) -> tuple[int, int, str]:
    """Compare ids as they were given: q2 is before q10."""
    number = entry_id[1:]
    return (0, int(number), "") if entry_id[:1] == "q" and number.isdecimal() else (1, 0, entry_id)


def _shown(rule: RankRule, one: _Keyed) -> str:
    _, contender, loss = one
    if rule is RankRule.CONTINUATION:
        return "yes" if contender.continuation else "no"
    if rule is RankRule.LOSS:
        return "unknown" if loss is None else f"{loss:+f} %"
    if rule is RankRule.REPLACEMENTS:
        return str(contender.replacements)
    if rule is RankRule.PROFIT:
        profit = contender.expected_profit
        return "unknown" if profit is None else f"{profit.quantize(_SHOWN, ROUND_HALF_EVEN)} USD"
    return str(contender.queued_at)


_SAID: Final = {
    RankRule.CONTINUATION: "continues a live group",
    RankRule.LOSS: "loss percent",
    RankRule.REPLACEMENTS: "replacements",
    RankRule.PROFIT: "expected profit",
}


def _why(one: _Keyed, other: _Keyed | None, rules: Sequence[RankRule]) -> str:
    if other is None:
        return "no other entry"
    key, next_key, following = one[0], other[0], other[1].entry_id
    for place, rule in enumerate(rules):
        if key[place] == next_key[place]:
            continue
        if rule is RankRule.FIFO:
            return f"before {following} by {rule.value}: queued earlier"
        return f"before {following} by {rule.value}: {_SAID[rule]} {_shown(rule, one)} against {_shown(rule, other)}"
    return f"before {following} by its id: all rules are equal"
