"""How a seed becomes a scenario."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from simulation.scenario import Item, Rest, Scenario
from simulation.world.calendar import start_of, turns_of
from simulation.world.faults import faults_of
from simulation.world.operators import acts_of
from simulation.world.paths import has_thin, paths_of
from simulation.world.profiles import Profile
from simulation.world.quiet import Hours
from simulation.world.senders import posts_of
from simulation.world.settings import settings_of

__all__ = ["scenario_of"]

_MICROSECOND: Final = 1_000


def scenario_of(seed: int, *, hours: float = 168, profile: Profile, recorded: bool | None = None) -> Scenario:
    """Return what happens in a run of a seed: equal arguments give equal scenarios.

    ``recorded``: whether some prices are recorded ones; None: when this machine has them. Raises FileNotFoundError when
    they must be and are not here.
    """
    if hours <= 0:
        raise ValueError("`hours` must be above 0")
    start = start_of(seed, hours)
    span = Hours(seed, start, hours)
    paths = paths_of(seed, hours, recorded)
    items: list[Item] = [
        *posts_of(seed, span, paths),
        *acts_of(seed, span, paths, profile.acts),
        *turns_of(seed, span, profile.turns),
        *faults_of(seed, span, profile),
        *(Rest(at) for at in span.rests),
    ]
    return Scenario(
        seed=seed,
        start_at=start,
        hours=hours,
        settings=settings_of(seed, thin=has_thin(seed)),
        paths=paths,
        items=tuple(_apart(items)),
    )


def _apart(items: Iterable[Item]) -> Iterable[Item]:
    """Yield the items in order of time, no two at one instant and none at that of a bar."""
    before = 0
    for item in sorted(items, key=lambda item: item.at):
        before = max(item.at - item.at % _MICROSECOND + 1, before + 1)
        yield msgspec.structs.replace(item, at=before)
