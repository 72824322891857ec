"""Worlds: how a seed becomes a scenario, and a price path becomes bars.

Here live what may happen in a run and how often: prices, settings, senders, operators, clocks, faults. Each concern draws
from a stream of its own, so that a change of one leaves the others of a seed as they were. What must not live here: anything
that carries a scenario out; that is the kernel's.
"""

from simulation.world.bodies import SECRETS
from simulation.world.config import ACCOUNT, config_of, config_text
from simulation.world.markets import MARKETS, instruments_of
from simulation.world.paths import have_recordings
from simulation.world.prices import bars_of, price_at
from simulation.world.profiles import PROFILES, Profile
from simulation.world.scenarios import scenario_of

__all__ = [
    "ACCOUNT",
    "MARKETS",
    "PROFILES",
    "SECRETS",
    "Profile",
    "bars_of",
    "config_of",
    "config_text",
    "have_recordings",
    "instruments_of",
    "price_at",
    "scenario_of",
]
