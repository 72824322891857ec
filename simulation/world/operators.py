"""What operators do during a run: each kind of action, at moments when it may be possible or not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from runtime.clock import NANOS
from simulation.scenario import Act, OperatorAction, PricePath
from simulation.world.actors import RESTARTABLE
from simulation.world.draw import Draw, log_between, stream, times
from simulation.world.quiet import Hours
from simulation.world.settings import CHOICES, LADDERS

__all__ = ["INVALID", "VALID", "acts_of"]

_WEIGHTS: Final = {
    OperatorAction.PAUSE: 2,
    OperatorAction.RESUME: 1,
    OperatorAction.CLOSE_ALL: 0.5,
    OperatorAction.CLOSE_GROUP: 3,
    OperatorAction.CONFIGURE: 5,
    OperatorAction.FORCE_ADD: 2,
    OperatorAction.PROMOTE: 2,
    OperatorAction.REMOVE: 1.5,
    OperatorAction.BLOCK_GROUP: 2,
    OperatorAction.UNBLOCK_GROUP: 1,
    OperatorAction.RUN_OFFSET: 3,
    OperatorAction.RESTART_ACTOR: 3,
    OperatorAction.RECONCILE: 2,
}
_OF_SYMBOLS: Final = (OperatorAction.CLOSE_GROUP, OperatorAction.BLOCK_GROUP, OperatorAction.UNBLOCK_GROUP)

VALID: Final[dict[str, tuple[Any, ...]]] = {
    **{
        key: values
        for key, values in CHOICES.items()
        if key.startswith(("signal.", "sizing.", "waiting_rule.", "grid_strategy.", "risk_engine.", "execution_pool."))
        and key not in ("grid_strategy.max_pyramids_per_group", "risk_engine.required_pyramids_for_timer")
    },
    "app.timezone": CHOICES["app.timezone"],
    "execution_pool.max_open_groups": (1, 2, 3, 8, 20),
    "grid_strategy.levels": LADDERS,
    "performance.snapshot_interval_sec": (60, 300),
}
"""Keys that can change at run time, and values that fit whatever else is set."""

INVALID: Final[tuple[tuple[str, Any], ...]] = (
    ("execution_pool.max_open_groups", 0),
    ("execution_pool.max_open_groups", "many"),
    ("execution_pool.queue_limit", -1),
    ("execution_pool.no_such_key", 1),
    ("nowhere.at_all", True),
    ("signal.max_age_seconds", 1.5),
    ("signal.max_age_seconds", 10**9),
    ("grid_strategy.tp_mode", "greedy"),
    ("grid_strategy.levels", []),
    ("grid_strategy.levels", [{"gap_percent": 1, "weight_percent": 100, "tp_percent": 1}]),
    ("grid_strategy.levels", [{"gap_percent": 0, "weight_percent": 60, "tp_percent": 1}]),
    ("risk_engine.required_pyramids_for_timer", 50),
    ("risk_engine.loss_threshold_percent", 5),
    ("waiting_rule.selection_priority", ["fifo", "fifo"]),
    ("app.timezone", "Mars/Olympus"),
    ("security.store_secrets_encrypted", False),
)
"""Changes that must be refused."""

_BROKEN_JSON: Final = ('{"a": ', "", "NaN")


def acts_of(seed: int, hours: Hours, paths: Sequence[PricePath], per_day: float) -> list[Act]:
    """Return what operators do, ``per_day`` times a day; whoever pauses or blocks something, lets it go on later."""
    draw = stream(seed, "operators")
    symbols = [path.symbol for path in paths]
    kinds, weights = list(_WEIGHTS), list(_WEIGHTS.values())
    acts: list[Act] = []
    for begin in times(draw, per_day, hours.loud_s):
        acts.extend(_act(draw, hours, hours.at(begin), draw.choices(kinds, weights)[0], symbols))
    return acts


def _act(draw: Draw, hours: Hours, at: int, action: OperatorAction, symbols: list[str]) -> Iterator[Act]:
    target = draw.choice(symbols) if action in _OF_SYMBOLS else ""
    match action:
        case OperatorAction.PAUSE:
            yield Act(at, action)
            yield Act(_later(draw, hours, at, 10_800), OperatorAction.RESUME)
        case OperatorAction.BLOCK_GROUP:
            yield Act(at, action, target)
            yield Act(_later(draw, hours, at, 40_000), OperatorAction.UNBLOCK_GROUP, target)
        case OperatorAction.CONFIGURE:
            yield Act(at, action, *_change(draw))
        case OperatorAction.RESTART_ACTOR:
            yield Act(at, action, draw.choice(RESTARTABLE))
        case _:
            yield Act(at, action, target)


def _later(draw: Draw, hours: Hours, at: int, most_s: float) -> int:
    """Return an instant later in the same stretch."""
    return at + round(hours.within(at, log_between(draw, (60, most_s))) * NANOS)


def _change(draw: Draw) -> tuple[str, str]:
    """Return a key and its new value as JSON: two of three can be, the others must be refused."""
    chance = draw.random()
    if chance < 0.05:
        return draw.choice(list(VALID)), draw.choice(_BROKEN_JSON)
    if chance < 0.35:
        key, value = draw.choice(INVALID)
    else:
        key = draw.choice(list(VALID))
        value = draw.choice(VALID[key])
    return key, json.dumps(value)
