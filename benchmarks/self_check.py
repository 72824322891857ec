"""Measure what the record of inputs costs and how fast a day is checked: ``python -m benchmarks.self_check [--rounds N]``.

- *daemon*: CPU an alert and the distances of ``benchmarks.signal_to_order``, with and without the record, in turns.
- *replay*: a recorded month through all actors with a recorder, against the same without one (CPU time).
- *encode*: the bytes that files hold, made of what was recorded.
- *check*: the month decided again and compared with its journal, against the replay that made it.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import zlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from time import process_time
from typing import Final

import psutil

from benchmarks.measure import Row, in_turns, on_one_core, percentile, row_of, spread_percent, table
from benchmarks.recording import SECRETS, configured, open_recording
from benchmarks.replay import dense_alerts
from benchmarks.signal_to_order import Way, one_round
from runtime.memory_journal import MemoryJournal
from runtime.recording import Recorder
from runtime.tape import Item, TapeItem
from runtime.verifying import verify_records
from service.replaying import run_replay
from store.inputs.codec import InputCodec
from store.inputs.writing import SLICE

__all__ = ["rows"]

ROUNDS: Final = 3
RATE: Final = 200.0
SECONDS: Final = 5.0


def rows(rounds: int = ROUNDS, seconds: float = SECONDS, rate: float = RATE) -> list[Row]:
    """Measure both; return ratios of with to without."""
    return [*_month(rounds), *_daemons(rounds, seconds, rate)]


# --- a month on one core -----------------------------------------------------------------------------------------------


def _month(rounds: int) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder, on_one_core():
        recording = open_recording(Path(folder))
        config, alerts = configured(recording, Path(folder)), dense_alerts(recording)
        journal, recorder = MemoryJournal(), Recorder()
        replayed = partial(run_replay, config, alerts=alerts, secrets=SECRETS)
        replayed(journal=journal, recorder=recorder)
        items = recorder.take()
        written = sum(len(zlib.compress(data, 1)) for data in _encoded(items))
        figures = in_turns(
            rounds,
            {
                "replay": _timed(lambda: replayed()),
                "replay with a recorder": _timed(lambda: replayed(recorder=Recorder())),
                "encode": _timed(lambda: _encoded(items)),
                "check": _timed(lambda: verify_records(journal, items)),
            },
        )
    messages = sum(item[0] == Item.MESSAGE for item in items)
    plain = ("replay without a recorder", figures["replay"])
    return [
        row_of("replay of a month, no recorder", figures["replay"], "s"),
        row_of("replay of a month, recorder", figures["replay with a recorder"], "s", against=plain),
        row_of("encoding its record", figures["encode"], "s", against=plain),
        row_of("checking it", figures["check"], "s", against=plain),
        Row("messages recorded", messages, ""),
        Row("bytes a message on disk", written / messages, "B"),
    ]


def _encoded(items: Sequence[TapeItem]) -> list[bytes]:
    codec = InputCodec()
    return [codec.encode(items[at : at + SLICE]) for at in range(0, len(items), SLICE)]


def _timed(work: Callable[[], object]) -> Callable[[], float]:
    def timed() -> float:
        began = process_time()
        work()
        return process_time() - began

    return timed


# --- daemons -----------------------------------------------------------------------------------------------------------


def _daemons(rounds: int, seconds: float, rate: float) -> list[Row]:
    measured: dict[bool, list[list[Way]]] = {True: [], False: []}
    used: dict[bool, list[float]] = {True: [], False: []}
    for turn in range(rounds):
        for record in (bool(turn % 2), not turn % 2):
            looks: list[float] = []
            with tempfile.TemporaryDirectory() as folder:
                ways = one_round(Path(folder), rate, seconds, 1, record=record, look=partial(_look, looks))
            measured[record].append(ways)
            used[record].append((looks[1] - looks[0]) * 1e3 / (rate * seconds))
    found = [row_of("daemon's CPU an alert, recorded", used[True], "ms", against=("not recorded", used[False]))]
    for field, name in (("received_to_order", "alert received -> order"), ("round_trip", "alert HTTP round trip")):
        for share in (0.5, 0.99):
            each = {
                record: [percentile([getattr(way, field) for way in ways], share) for ways in rounds_of]
                for record, rounds_of in measured.items()
            }
            middle, plain = statistics.median(each[True]), statistics.median(each[False])
            title = f"{name}, recorded, p{share * 100:.0f}"
            found.append(Row(title, middle, "ms", spread_percent(each[True]), middle / plain, "not recorded"))
    return found


def _look(looks: list[float], pid: int) -> None:
    times = psutil.Process(pid).cpu_times()
    looks.append(times.user + times.system)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.self_check", description="what the self-check costs")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--rate", type=float, default=RATE, help=f"alerts a second (default {RATE:.0f})")
    options = parser.parse_args(arguments)
    print(table(rows(options.rounds, options.seconds, options.rate)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
