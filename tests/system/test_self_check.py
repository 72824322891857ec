"""A recorded day decides the same again, through files and another process; what has changed since is found."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

import actors.offset_figures
import rules.group.view
import rules.take_profit
from protocol.orders import FillRecorded, OrderSide
from rules.precision import PriceRounding, floor_to, round_price
from runtime.clock import NANOS
from runtime.differing import Report
from runtime.memory_journal import MemoryJournal
from runtime.recording import Recorder
from runtime.tape import Item, Mark, TapeItem
from runtime.verifying import verify_records
from service.day_check import RecordedHouse, check_items
from service.day_process import check_beside, newest_outcome, task_of
from service.input_recording import CONFIG, HOUSE, inputs_folder
from service.markets import recorded_market
from service.replaying import run_replay
from store.inputs.codec import InputCodec
from store.inputs.files import days, segments
from tests.house.sources import ROOT
from tests.system.process import CONFIG as DAEMON
from tests.system.process import DaemonProcess, daemon_in, entry
from tests.system.recorded import SECRETS, need_data
from tests.system.season import season_alerts, season_config
from tests.system.test_daemon import at_rest, post

pytestmark = pytest.mark.slow

_DAYS = 3
_DAY_NS = 86_400 * NANOS


class Season:
    """Some days of the season, recorded; every six hours the record begins anew."""

    def __init__(self, folder: Path) -> None:
        config, alerts = season_config(folder), season_alerts()
        until = alerts[0].at + _DAYS * _DAY_NS
        self.journal = MemoryJournal()
        recorder = Recorder(about={"version": "test"})
        market = recorded_market(config, config.accounts[0])
        recorder.stands(HOUSE, ("rply", {"paper": market.instruments}, {"paper": market.lookback_ns}, (), 0.0))
        recorder.stands(CONFIG, (7, config, ""))
        run_replay(
            config,
            alerts=[alert for alert in alerts if alert.at < until],
            secrets=SECRETS,
            journal=self.journal,
            until=until,
            progress=lambda _: recorder.turn(),
            recorder=recorder,
        )
        recorder.mark(Mark.CLOSED)
        self.items = recorder.take()

    def checked(self, items: list[TapeItem] | None = None) -> Report:
        """Check the days through the bytes that files hold, by the recipes of the recorded house."""
        codec = InputCodec(lambda: SECRETS.shown_nowhere)
        taken = self.items if items is None else items
        data = [codec.encode(taken[at : at + 256]) for at in range(0, len(taken), 256)]
        read = (item for each in data for item in codec.decode(each))
        return check_items(self.journal, read, RecordedHouse(SECRETS))


@pytest.fixture(scope="module")
def season(tmp_path_factory: pytest.TempPathFactory) -> Season:
    """Record the days once."""
    need_data()
    return Season(tmp_path_factory.mktemp("season"))


def test_days_of_the_season_decide_the_same_again(season: Season) -> None:
    """Every event of every actor, from states frozen on the way, is the journal's."""
    report = season.checked()
    assert report.divergence is None
    assert (report.gaps, report.unverified, report.lost) == ([], {}, 0)
    assert report.events == season.journal.head() > 1_000
    assert sum(item[0] == Item.STATE for item in season.items) > 50
    assert {
        kind for path in report.streams for kind in ("group:", "/venues/", "/risk/", "/trading/") if kind in path
    } == {*("group:", "/venues/", "/risk/", "/trading/")}


def test_they_do_in_memory_by_the_factories_of_then(season: Season) -> None:
    """The simulator's way: no files, no house, each life made by its own recipe."""
    assert verify_records(season.journal, season.items) is None


def floor_up(value: Decimal, unit: Decimal) -> Decimal:
    """Round a quantity one step too high."""
    return floor_to(value, unit) + unit


def price_up(price: Decimal, tick: Decimal, side: OrderSide, rounding: PriceRounding) -> Decimal:
    """Round a price one tick too high."""
    return round_price(price, tick, side, rounding) + tick


@pytest.mark.parametrize(
    ("where", "name", "planted"),
    [
        (rules.group.view, "floor_to", floor_up),
        (rules.take_profit, "round_price", price_up),
        (actors.offset_figures, "STALE_NS", 3_600 * NANOS),
    ],
)
def test_a_rule_that_has_changed_is_found_with_its_message(
    season: Season, monkeypatch: pytest.MonkeyPatch, where: Any, name: str, planted: Any
) -> None:
    """A rounding, a price, a threshold: the first event that is decided otherwise is named, and what it was decided on."""
    monkeypatch.setattr(where, name, planted)
    found = season.checked().divergence
    assert found is not None
    assert found.position > 0
    assert found.cause.message is not None
    assert found.fields or type(found.expected) is not type(found.got)
    assert (found.config, found.version) == (7, "test")
    assert list(season.journal.read_all())[found.position - 1].stream == found.stream


def test_an_event_that_was_altered_by_hand_is_found(season: Season) -> None:
    """A fill at another price than its actor decided is the first divergence, though nothing else differs."""
    record = next(each for each in season.journal.read_all(500) if isinstance(each.event, FillRecorded))
    stream = season.journal._streams[record.stream]
    altered = record._replace(event=msgspec.structs.replace(record.event, price=record.event.price + 1))
    stream[record.seq - 1] = altered
    try:
        found = season.checked().divergence
    finally:
        stream[record.seq - 1] = record
    assert found is not None
    assert (found.stream, found.seq, found.position) == (record.stream, record.seq, record.position)
    assert [name for name, _, _ in found.fields] == ["price"]
    assert found.cause.message_id == record.message_id


def test_a_missing_piece_is_a_gap_and_never_a_divergence(season: Season) -> None:
    """What is lost is said; after it lives are followed again from where they say how they stand."""
    verified = []
    for at in (len(season.items) // 6, len(season.items) // 2):
        gap: TapeItem = (int(Item.MARK), 0, Mark.GAP.value, "a segment is missing")
        report = season.checked([*season.items[:at], gap, *season.items[at + 500 :]])
        assert report.divergence is None
        assert report.gaps == ["a segment is missing"]
        verified.append(report.events)
    assert season.journal.head() // 2 < min(verified) < season.journal.head()


# --- a daemon ----------------------------------------------------------------------------------------------------------


def verify(daemon: DaemonProcess, day: str) -> tuple[int, dict[str, Any]]:
    """Run ``bulkhead replay --verify`` where the daemon's secrets are known; return exit code and answer."""
    command = [sys.executable, "-m", "service.cli", "replay", "--verify", day, "--json", "--config", str(daemon.file)]
    ran = subprocess.run(command, cwd=ROOT, env=daemon.environment, capture_output=True, check=False, timeout=60)
    return ran.returncode, json.loads(ran.stdout or b"{}")


def test_a_daemon_s_day_is_checked_after_a_kill_too() -> None:
    """Alerts over HTTP on the wall clock, a kill -9, another run: the day decides the same again; the outcome is kept."""
    with tempfile.TemporaryDirectory(prefix="bh") as name, daemon_in(Path(name), DAEMON) as daemon:
        daemon.up()
        assert post(daemon.status()["webhook_url"], entry("one"))[0] == 200
        at_rest(daemon, 6)
        daemon.end(signal.SIGKILL)
        daemon.up()
        assert post(daemon.status()["webhook_url"], entry("two", "ETH/USDT"))[0] == 200
        at_rest(daemon, 12)
        assert daemon.end(signal.SIGTERM) == 0

        folder = inputs_folder(daemon.config)
        (day, *_) = days(folder)
        code, found = verify(daemon, day)
        assert (code, found["equal"], found["unverified"]) == (0, True, {})
        assert found["events"] > 40
        secret = daemon.secrets.secret.reveal().encode()
        assert not any(secret in (each.payload or b"") for each in segments(folder, day))

        task = task_of(day, folder, daemon.config.journal_path, daemon.secrets)
        said = asyncio.run(check_beside(task))
        assert (said.day, said.verdict) == (day, "equal")
        assert newest_outcome(folder) == said
        assert verify(daemon, "2020-01-01")[0] == 4
