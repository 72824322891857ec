"""Who is next: the order of the queue, with the keys compared and the rule that decided (EX-920 to EX-924)."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
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

_Reader: TypeAlias = Callable[[Contender, Decimal | None], Any]
"""Reads what one rule looks at from an entry and its loss percent."""


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
    keyed = sorted(_all_keyed(contenders, rules), key=_first)
    names, texts = [rule.value for rule in rules], [_TEXTS[rule] for rule in rules]
    shown = [[text(contender, loss) for text in texts] for _, contender, loss in keyed]
    ranked = []
    last = len(keyed) - 1
    for place, one in enumerate(keyed):
        keys = tuple([RankKey(name, text) for name, text in zip(names, shown[place], strict=True)])
        reason = _NOBODY if place == last else _why(one, keyed[place + 1], rules, shown[place], shown[place + 1])
        ranked.append(Ranked(place + 1, one[1].entry_id, one[2], keys, reason))
    return ranked


def best_two(contenders: Iterable[Contender], rules: Sequence[RankRule]) -> list[_Keyed]:
    """Return the best entry and the runner-up, if any, without ordering the rest."""
    return heapq.nsmallest(2, _all_keyed(contenders, rules), key=_first)


def why(best: Sequence[_Keyed], rules: Sequence[RankRule]) -> str:
    """Say why the first of ``best_two`` comes before the second."""
    if len(best) < 2:
        return _NOBODY
    (_, first, loss), (_, second, other_loss) = best[0], best[1]
    texts = [_TEXTS[rule] for rule in rules]
    said = [[text(first, loss) for text in texts], [text(second, other_loss) for text in texts]]
    return _why(best[0], best[1], rules, *said)


def _first(keyed: _Keyed) -> _Key:
    return keyed[0]


def _all_keyed(contenders: Iterable[Contender], rules: Sequence[RankRule]) -> list[_Keyed]:
    readers = [_KEYS[rule] for rule in rules]
    found = []
    for each in contenders:
        loss = loss_percent(each.side, each.entry_price, each.price)
        found.append(((*[read(each, loss) for read in readers], _id_key(each.entry_id)), each, loss))
    return found


def _id_key(entry_id: str) -> tuple[int, int, str]:
    """Compare ids as they were given: q2 is before q10."""
    number = entry_id[1:]
    return (0, int(number), "") if entry_id[:1] == "q" and number.isdecimal() else (1, 0, entry_id)


# --- what each rule compares, and what it shows ------------------------------------------------------------------------

_KEYS: Final[Mapping[RankRule, _Reader]] = {
    RankRule.CONTINUATION: lambda one, _: not one.continuation,
    RankRule.LOSS: lambda _, loss: _UNKNOWN if loss is None else (0, loss),
    RankRule.REPLACEMENTS: lambda one, _: -one.replacements,
    RankRule.PROFIT: lambda one, _: _UNKNOWN if one.expected_profit is None else (0, -one.expected_profit),
    RankRule.FIFO: lambda one, _: one.queued_at,
}
"""By rule what is compared, the smaller the better."""


def _profit(one: Contender, _: Decimal | None) -> str:
    profit = one.expected_profit
    return "unknown" if profit is None else f"{profit.quantize(_SHOWN, ROUND_HALF_EVEN)} USD"


_TEXTS: Final[Mapping[RankRule, _Reader]] = {
    RankRule.CONTINUATION: lambda one, _: "yes" if one.continuation else "no",
    RankRule.LOSS: lambda _, loss: "unknown" if loss is None else f"{loss:+f} %",
    RankRule.REPLACEMENTS: lambda one, _: str(one.replacements),
    RankRule.PROFIT: _profit,
    RankRule.FIFO: lambda one, _: str(one.queued_at),
}
"""By rule what an operator reads."""

_SAID: Final = {
    RankRule.CONTINUATION: "continues a live group",
    RankRule.LOSS: "loss percent",
    RankRule.REPLACEMENTS: "replacements",
    RankRule.PROFIT: "expected profit",
}

_NOBODY: Final = "no other entry"


def _why(one: _Keyed, other: _Keyed, rules: Sequence[RankRule], said: Sequence[str], others: Sequence[str]) -> str:
    """Name the first rule in which two neighbours differ; ``said`` and ``others`` are what they show, by place."""
    key, next_key, following = one[0], other[0], other[1].entry_id
    for place, rule in enumerate(rules):
        if key[place] == next_key[place]:
            continue
        if rule is RankRule.FIFO:
            return f"before {following} by {rule.value}: queued earlier"
        return f"before {following} by {rule.value}: {_SAID[rule]} {said[place]} against {others[place]}"
    return f"before {following} by its id: all rules are equal"
