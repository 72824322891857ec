"""Worlds: what a seed becomes, whatever the seed."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

from service.config.errors import ConfigError
from simulation.scenario import (
    Act,
    Fault,
    FaultKind,
    OperatorAction,
    PathKind,
    Post,
    Rest,
    Scenario,
    Turn,
    TurnKind,
)
from simulation.world import PROFILES, config_of, instruments_of, scenario_of
from simulation.world.calendar import DAYS, start_of, turns_of
from simulation.world.faults import faults_of
from simulation.world.operators import INVALID, VALID, acts_of
from simulation.world.paths import paths_of
from simulation.world.profiles import SHAPES
from simulation.world.quiet import Hours

NANOS = 1_000_000_000
WEEKS = range(100)
"""Seeds of what is cheap to make."""
SEEDS = range(25)
SOME = range(12)


@cache
def world(seed: int, profile: str = "all", hours: float = 168) -> Scenario:
    """Return a scenario, made once."""
    return scenario_of(seed, hours=hours, profile=PROFILES[profile])


def week(seed: int) -> Hours:
    """Return the silences and loud hours of a seed's week."""
    return Hours(seed, start_of(seed, 168), 168)


def lasts_s(item: Any) -> float:
    """Return for how long an item goes on."""
    match item:
        case Fault():
            return item.seconds * item.count
        case Turn(kind=TurnKind.HALT):
            return item.amount
        case _:
            return 0.0


def with_setting(scenario: Scenario, key: str, value: Any) -> Scenario:
    """Return a scenario with another value of one key."""
    return msgspec.structs.replace(scenario, settings={**scenario.settings, key: value})


# --- the same again ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_equal_seeds_give_equal_worlds_and_other_seeds_others(profile: str) -> None:
    """A world is a function of seed, hours and profile."""
    once, again, other = (scenario_of(seed, hours=24, profile=PROFILES[profile]) for seed in (5, 5, 6))
    assert once == again
    assert once != other


def test_a_world_survives_json() -> None:
    """A scenario can be written into a file and read back as it was."""
    for seed in SOME:
        assert msgspec.json.decode(msgspec.json.encode(world(seed)), type=Scenario) == world(seed)


def test_the_profile_changes_only_what_it_is_about() -> None:
    """Prices, settings, alerts and rests of a seed are the same under every profile."""
    for seed in SOME:
        calm, wild = world(seed, "none"), world(seed, "all")
        assert (calm.paths, calm.settings, calm.start_at) == (wild.paths, wild.settings, wild.start_at)
        bodies = [[item.body for item in each.items if isinstance(item, Post)] for each in (calm, wild)]
        assert bodies[0] == bodies[1]
        assert not [item for item in calm.items if not isinstance(item, Post | Rest)]


def test_without_recordings_the_other_paths_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the folder of recorded candles is there changes only the paths that replay them."""
    monkeypatch.setattr("simulation.world.paths.have_recorded", lambda _: False)
    for seed in SOME:
        absent = scenario_of(seed, profile=PROFILES["none"])
        assert PathKind.RECORDED not in {path.kind for path in absent.paths}
        for mine, other in zip(absent.paths, world(seed, "none").paths, strict=True):
            assert mine.symbol == other.symbol
            assert other.kind is PathKind.RECORDED or mine == other


# --- time --------------------------------------------------------------------------------------------------------------


def test_items_stand_in_order_each_at_an_instant_of_its_own() -> None:
    """No two items share an instant, none is outside the run."""
    for seed in SEEDS:
        scenario = world(seed)
        instants = [item.at for item in scenario.items]
        assert instants == sorted(set(instants))
        assert scenario.start_at < instants[0]
        assert instants[-1] < scenario.end_at


@pytest.mark.parametrize("hours", [168, 30, 2, 0.5])
def test_nothing_happens_before_a_rest_and_nothing_reaches_into_the_silence(hours: float) -> None:
    """Half an hour before each rest (less in short runs) and the end of the run are silent."""
    quiet_s, tail_s = min(1_800.0, hours * 450), min(7_200.0, hours * 900)
    for seed in SOME:
        scenario = world(seed, "all", hours)
        rests = [item.at for item in scenario.items if isinstance(item, Rest)]
        assert scenario.end_at - tail_s * NANOS < rests[-1] < scenario.end_at
        silences = [(rest - quiet_s * NANOS, rest) for rest in rests]
        silences.append((scenario.end_at - tail_s * NANOS, scenario.end_at))
        for item in scenario.items:
            if isinstance(item, Rest):
                continue
            over = item.at + lasts_s(item) * NANOS
            assert not [each for each in silences if item.at < each[1] and over > each[0]], item


def test_every_simulated_day_has_a_rest() -> None:
    """A week has about one rest a day and one at its end, at different hours."""
    counts = [len(week(seed).rests) for seed in WEEKS]
    assert set(counts) <= {7, 8}
    assert 8 in counts


def test_runs_contain_midnights_week_ends_and_the_odd_days_of_the_calendar() -> None:
    """A week holds midnights and a week end; within a hundred seeds each change of the clocks lies in some run."""
    starts = [datetime.fromtimestamp(start_of(seed, 168) // NANOS, UTC) for seed in WEEKS]
    for day in DAYS:
        assert [start for start in starts if start < day < start + timedelta(hours=168)], day


def test_short_runs_contain_a_week_end_or_an_odd_day() -> None:
    """A run of six hours begins just before midnight of a Saturday or just before one of those days."""
    for seed in WEEKS:
        begin = datetime.fromtimestamp(start_of(seed, 6) // NANOS, UTC)
        hours = [begin + timedelta(hours=hour) for hour in range(6)]
        assert [hour for hour in hours if (hour.weekday() == 5 and hour.hour == 0) or hour in DAYS]


# --- what happens ------------------------------------------------------------------------------------------------------


def test_a_hundred_weeks_of_everything_hold_every_fault_a_hundred_times() -> None:
    """The profile ``all`` leaves no kind of fault out, and has a reserve for those that find no occasion."""
    counts = Counter(fault.kind for seed in WEEKS for fault in faults_of(seed, week(seed), PROFILES["all"]))
    assert set(SHAPES) == set(FaultKind)
    assert {kind: counts[kind] for kind in FaultKind if counts[kind] < 120} == {}


def test_each_profile_injects_what_it_is_named_after_and_nothing_else() -> None:
    """A profile's faults are exactly those that it gives a rate."""
    for name, profile in PROFILES.items():
        found = {fault.kind for seed in WEEKS for fault in faults_of(seed, week(seed), profile)}
        assert found == set(profile.rates), name


def test_faults_stay_within_what_their_kind_allows() -> None:
    """Parameters are drawn within the shape of the kind; only a silence makes one shorter."""
    for seed in SOME:
        for fault in (item for item in world(seed).items if isinstance(item, Fault)):
            shape = SHAPES[fault.kind]
            assert 0 <= fault.seconds <= shape.seconds[1], fault
            assert shape.counts[0] <= fault.count <= shape.counts[1], fault
            assert shape.amount[0] <= fault.amount <= shape.amount[1], fault
            assert bool(fault.target) is bool(shape.aims), fault


def test_operators_do_everything_and_clocks_turn_in_every_way() -> None:
    """Within a hundred weeks every kind of action and turn occurs; configuration changes are good and bad ones."""
    everything = PROFILES["all"]
    acts = [act for seed in WEEKS for act in acts_of(seed, week(seed), paths_of(seed, 168), everything.acts)]
    turns = Counter(turn.kind for seed in WEEKS for turn in turns_of(seed, week(seed), everything.turns))
    counts = Counter(act.action for act in acts)
    assert min(counts[action] for action in OperatorAction) > 20
    assert min(turns[kind] for kind in TurnKind) > 20
    keys = {act.target for act in acts if act.action is OperatorAction.CONFIGURE}
    assert keys & {key for key, _ in INVALID} - set(VALID)
    assert len(keys & set(VALID)) > len(VALID) / 2


def test_the_clock_is_set_right_again_before_a_rest() -> None:
    """Steps of the clock by more than five seconds cancel one another before each rest."""
    for seed in SOME:
        off = 0.0
        for item in world(seed).items:
            if isinstance(item, Turn) and item.kind is TurnKind.CLOCK_STEP and abs(item.amount) > 5:
                off += item.amount
            assert not isinstance(item, Rest) or abs(off) < 1e-6


def test_a_pause_ends_before_the_next_rest() -> None:
    """Whoever pauses or blocks lets things go on: a run is not idle for the rest of its days."""
    for seed in SEEDS:
        paused = blocked = 0
        for item in world(seed, "operators" if seed % 2 else "all").items:
            if isinstance(item, Act):
                paused += (item.action is OperatorAction.PAUSE) - (item.action is OperatorAction.RESUME)
                blocked += (item.action is OperatorAction.BLOCK_GROUP) - (item.action is OperatorAction.UNBLOCK_GROUP)
            assert not isinstance(item, Rest) or max(paused, blocked) <= 0


# --- settings ----------------------------------------------------------------------------------------------------------


def test_every_seed_has_a_configuration_that_is_accepted(tmp_path: Path) -> None:
    """Three hundred seeds: no settings that the configuration refuses; one account, the world's markets."""
    for seed in range(300):
        scenario = world(seed, "none", 1)
        config = config_of(scenario, tmp_path)
        assert [(account.name, account.exchange) for account in config.accounts] == [("sim", "binance")]
        assert 2 <= config.execution_pool.max_open_groups <= 20
        assert config.market.symbols == tuple(each.symbol for each in instruments_of(scenario))


def test_settings_reach_the_keys_they_name(tmp_path: Path) -> None:
    """What a scenario says of a key is what the configuration holds."""
    scenario = with_setting(world(1, "none", 1), "waiting_rule.max_queue_minutes", 37)
    scenario = with_setting(scenario, "account.latency_ms", 123)
    config = config_of(scenario, tmp_path)
    assert config.waiting_rule.max_queue_minutes == 37
    assert config.accounts[0].latency_ms == 123
    assert config.app.data_dir == tmp_path


def test_changes_at_run_time_are_accepted_or_refused_as_they_claim(tmp_path: Path) -> None:
    """Values of ``VALID`` fit the settings of any seed, those of ``INVALID`` none."""
    seeds = iter(range(10_000))
    for key, values in VALID.items():
        for value in values:
            if value is not None:
                config_of(with_setting(world(next(seeds) % 40, "none", 1), key, value), tmp_path)
    for key, value in INVALID:
        with pytest.raises(ConfigError):
            config_of(with_setting(world(3, "none", 1), key, value), tmp_path)
