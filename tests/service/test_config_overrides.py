"""Which override holds for a group, against a second telling (EX-407)."""

from __future__ import annotations

from itertools import product
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from service.config.overrides import effective
from service.config.validate import check_changes

PLACES = {"venue": ("binance", "okx"), "symbol": ("BTC/USDT", "ETH/USDT"), "timeframe": ("1h", "4h")}
MATCHES = st.fixed_dictionaries({}, optional={part: st.sampled_from(words) for part, words in PLACES.items()}).filter(
    bool
)


@settings(max_examples=100, deadline=None)
@given(st.lists(MATCHES, max_size=6))
def test_the_override_that_names_most_parts_wins(matches: list[dict[str, str]]) -> None:
    """EX-407: only overrides all of whose named parts fit; most parts win, the later of equal ones; else the general."""
    entries: list[dict[str, Any]] = [
        {"match": match, "tp_percent": index + 2, "sizing.fixed_quote": index + 2}
        for index, match in enumerate(matches)
    ]
    checked = check_changes({"grid_strategy.overrides": entries})
    assert checked.errors == ()
    for values in product(*PLACES.values()):
        where = dict(zip(PLACES, values, strict=True))
        fitting = [
            (len(match), index)
            for index, match in enumerate(matches)
            if all(where[part] == match[part] for part in match)
        ]
        wanted = max(fitting)[1] + 2 if fitting else None
        grid, sizing = effective(checked.config, **where)
        assert (grid.tp_percent, sizing.fixed_quote) == ((1, 100) if wanted is None else (wanted, wanted))
