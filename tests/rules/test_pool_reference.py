"""Pool and queue against a second writing of their requirements: random scripts, every switch, every event."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.values import Side
from rules.pool import Contender, rank_queue
from tests.rules import reference_pool as reference
from tests.rules.pool_script import PoolScript, instant, settings_of

SYMBOLS = ("BTC/USDT", "ETH/USDT", "BTC/USDT:USDT", "ETH/USDT:USDT")
TIMEFRAMES = ("15m", "15m", "1h")
SIDES = ("long", "long", "short")
SCRIPTS, BATCH = 2_000, 100
PRIORITIES = st.permutations(reference.ORDER).flatmap(
    lambda order: st.integers(1, 5).map(lambda many: list(order[:many]))
)


def clock(second: int) -> str:
    """Return an instant of the day."""
    return f"2026-03-01T{10 + second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}Z"


def config_of(dice: Random) -> dict[str, Any]:
    """Return a configuration with about half of its keys given."""
    order = dice.sample(reference.ORDER, dice.randint(1, 5))
    switches = {name: dice.random() < 0.5 for name in list(reference.SWITCH.values())[1:] if dice.random() < 0.5}
    every = {
        "max_open_groups": dice.randint(1, 3),
        "same_pair_timeframe": dice.random() < 0.5,
        "queue_limit": dice.choice([0, 1, 2, 100]),
        "max_pyramids_per_group": dice.randint(1, 3),
        "max_queue_minutes": dice.choice([0, 3, 10]),
        "count_pyramids_toward_pool": dice.random() < 0.5,
        "queue_replace_same_symbol": dice.random() < 0.5,
        "drop_on_exit": dice.random() < 0.5,
        "cancel_opposite_queued": dice.random() < 0.5,
        "opposite_signal_policy": dice.choice(["queue", "reverse"]),
        "selection_priority": order,
        "priority_rules_enabled": switches,
    }
    return {name: value for name, value in every.items() if name == "max_open_groups" or dice.random() < 0.5}


def key_of(dice: Random) -> str:
    """Return an identity."""
    return f"u1|binance|{dice.choice(SYMBOLS)}|{dice.choice(TIMEFRAMES)}|{dice.choice(SIDES)}"


def event_of(dice: Random, second: int, pool: reference.Pool) -> dict[str, Any]:
    """Return an event; those that name a group or an entry mostly name one that is there."""
    kind = dice.choices(
        ["entry", "exit", "closed", "price", "precision", "tick", "hand", "set_max", "set_max_pyramids", "pause"],
        [30, 10, 12, 8, 6, 6, 10, 4, 3, 4],
    )[0]
    symbol = dice.choice(SYMBOLS)
    match kind:
        case "entry":
            return {
                "type": kind,
                "key": key_of(dice),
                "price": dice.choice(["100", "99.5", "101"]),
                "profit": dice.choice(["1", "2.5"]),
                "reverse": dice.random() < 0.2,
                "at": clock(second),
            }
        case "exit" | "closed":
            there = [*pool.live, *(entry["key"] for entry in pool.queue)]
            return {"type": kind, "key": dice.choice(there) if there and dice.random() < 0.8 else key_of(dice)}
        case "price":
            return {"type": kind, "symbol": symbol, "price": dice.choice(["90", "99.99", "100.004", "110"])}
        case "precision":
            return {"type": kind, "symbol": symbol, "available": dice.random() < 0.5}
        case "tick":
            return {"type": kind, "at": clock(second)}
        case "hand":
            word = dice.choice(["promote", "force_add", "remove"])
            ids = [entry["id"] for entry in pool.queue] or ["q1"]
            return {"type": word, "id": dice.choice([*ids, "q99"])}
        case "pause":
            return {"type": "resume" if pool.paused or dice.random() < 0.3 else "pause"}
    return {"type": kind, "value": dice.randint(1, 4)}


@pytest.mark.parametrize("batch", range(SCRIPTS // BATCH))
def test_scripts_come_to_what_the_reference_says(batch: int) -> None:
    """Outcomes, occupancy, live groups and queue of each event are those of the second writing (EX-901 to EX-931)."""
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        dice = Random(seed)
        config = config_of(dice)
        script, pool, second = PoolScript(config), reference.Pool(config), 0
        for number in range(40):
            second += dice.choice([0, 0, 30, 100])
            event = event_of(dice, second, pool)
            wanted = pool.do(event)
            found = script.do(event)
            assert found == wanted, (seed, number, config, event, found, wanted)
            assert script.standing() == {
                "occupied": pool.occupied,
                "live": sorted(pool.live),
                "queue": [entry["id"] for entry in pool.queue],
            }


RANKED = st.lists(
    st.fixed_dictionaries(
        {
            "side": st.sampled_from(["long", "short"]),
            "entry_price": st.sampled_from(["100", "3", "0.00000731"]),
            "price": st.one_of(st.none(), st.sampled_from(["97.005", "97.015", "2.9", "3.3", "100", "0.0000073"])),
            "replacement_count": st.integers(0, 2),
            "expected_profit": st.sampled_from(["1", "1.0", "-2", "7.25"]),
            "queued_at": st.sampled_from(["2026-03-01T10:00:00Z", "2026-03-01T10:00:00.001Z", "2026-03-01T09:00:00Z"]),
            "continuation": st.booleans(),
        }
    ),
    max_size=12,
)


@settings(max_examples=500, deadline=None)
@given(RANKED, PRIORITIES, st.dictionaries(st.sampled_from(list(reference.SWITCH.values())), st.booleans()))
def test_ranking_is_that_of_stable_sorts(
    found: list[dict[str, Any]], priority: list[str], switches: dict[str, bool]
) -> None:
    """The order is that of stable sorts by each rule from the last to the first (EX-920 to EX-923)."""
    entries = [{**entry, "id": f"q{number}"} for number, entry in enumerate(found, 1)]
    rules = settings_of({"selection_priority": priority, "priority_rules_enabled": switches})[0].rules
    contenders = [
        Contender(
            entry["id"],
            Side(entry["side"]),
            Decimal(entry["entry_price"]),
            None if entry["price"] is None else Decimal(entry["price"]),
            entry["replacement_count"],
            Decimal(entry["expected_profit"]),
            instant(entry["queued_at"]),
            entry["continuation"],
        )
        for entry in entries
    ]
    ranked = rank_queue(reversed(contenders), rules)
    wanted = reference.rank(entries, priority, switches)
    assert [each.entry_id for each in ranked] == [entry["id"] for entry in wanted]
    assert [each.loss_percent for each in ranked] == [
        reference.loss_percent(entry["side"], entry["entry_price"], entry["price"]) for entry in wanted
    ]
