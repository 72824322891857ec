"""Clean real runs that the tests of all invariants share."""

from __future__ import annotations

import pytest

from runtime.memory_journal import MemoryJournal
from service.replaying import run_replay
from tests.simulation.invariants.recording import Replayed, replayed
from tests.system.recorded import SECRETS
from tests.system.test_engine_properties import alerts_of, configured, market

CHOSEN: list[tuple[int, dict[str, object], str, bool]] = [
    (7, {"grid_strategy.tp_mode": "per_leg", "execution_pool.max_open_groups": 3}, "1", False),
    (
        11,
        {
            "grid_strategy.tp_mode": "hybrid",
            "grid_strategy.entry_order_type": "market",
            "execution_pool.max_open_groups": 2,
            "execution_pool.count_pyramids_toward_pool": True,
            "risk_engine.loss_threshold_percent": -1,
            "risk_engine.required_pyramids_for_timer": 1,
            "risk_engine.post_pyramids_wait_minutes": 0,
        },
        "0.4",
        True,
    ),
]
"""Seed, settings, smallest share of a fill, whether fees are taken in base currency."""


@pytest.fixture(scope="session")
def clean_runs(tmp_path_factory: pytest.TempPathFactory) -> list[Replayed]:
    """Twelve days of random markets and signals, twice: every ladder, exit and queue of the engine is used."""
    runs = []
    for seed, settings, share, fee_in_base in CHOSEN:
        folder = tmp_path_factory.mktemp(f"clean{seed}")
        alerts = alerts_of(market(folder, seed), seed)
        config = configured(folder, settings, smallest_share=share, fee_in_base=fee_in_base)
        journal = MemoryJournal()
        run_replay(config, alerts=alerts, secrets=SECRETS, journal=journal)
        runs.append(replayed(config, journal))
    return runs
