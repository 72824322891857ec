"""Measure messages between actors against pykka and asyncio.Queue in one run: ``python -m benchmarks.actors [--json]``.

Three kinds of traffic; everybody carries the same message objects to handlers that do next to nothing:

- *tell*: two actors tell each other in turn, so that each message is alone on its way (a queue: two tasks, two queues).
- *burst*: a handler tells thousands at once, their reader handles them (a queue: one task puts, another gets).
- *ask*: one asks and waits for the answer before it asks again (a queue: a future travels with the request).

Ours runs as in production: metrics, message and causation ids, deadlines of asks, on the wall clock. pykka's actors are
threads; ``asyncio.Queue`` is the floor of what a mailbox on asyncio costs. Reported: medians of messages a second over
rounds in turns, and the ratio of ours to each. ``--strict`` returns 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
from collections.abc import Callable, Sequence
from functools import partial
from time import perf_counter
from typing import Final, NamedTuple

from benchmarks.actor_peers import (
    ASKS,
    BURST,
    TELLS,
    Ask,
    Fact,
    Start,
    pykka_asks,
    pykka_burst,
    pykka_tells,
    queue_asks,
    queue_burst,
    queue_tells,
    round_trips,
)
from benchmarks.measure import Row, in_turns, row_of, table
from runtime.actor import Actor, handles
from runtime.ref import ActorRef
from runtime.spec import Spec
from runtime.system import ActorSystem

__all__ = ["TARGETS", "main", "measure"]

ROUNDS: Final = 9

TARGETS: Final = {"tell": 3.0, "ask": 4.0}
"""What ours must be at least, as a multiple of pykka in the same run."""


async def _timed(count: int, spawn: Callable[[ActorSystem, asyncio.Event], Callable[[], None]]) -> float:
    async with ActorSystem() as system:
        done = asyncio.Event()
        begin = spawn(system, done)
        began = perf_counter()
        begin()
        await done.wait()
        return count / (perf_counter() - began)


# --- burst -------------------------------------------------------------------------------------------------------------


class Reader(Actor):
    """Counts facts; sets the event at the last one."""

    def __init__(self, done: asyncio.Event) -> None:
        self.done = done
        self.count = 0

    @handles
    def fact(self, msg: Fact) -> None:
        """Count."""
        self.count += 1
        if not msg.left:
            self.done.set()


class Producer(Actor):
    """Tells a burst."""

    def __init__(self, reader: ActorRef) -> None:
        self.reader = reader

    @handles
    def start(self, msg: Start) -> None:
        """Tell the burst."""
        tell = self.reader.tell
        for left in range(msg.count - 1, -1, -1):
            tell(Fact(left))


def our_burst(count: int = BURST) -> float:
    """Return messages a second that one actor tells another."""

    def spawn(system: ActorSystem, done: asyncio.Event) -> Callable[[], None]:
        reader = system.spawn(Spec("reader", lambda: Reader(done), capacity=count))
        producer = system.spawn(Spec("producer", lambda: Producer(reader)))
        return lambda: producer.tell(Start(count))

    return asyncio.run(_timed(count, spawn))


# --- tell --------------------------------------------------------------------------------------------------------------


class Player(Actor):
    """Sends each fact back until none is left."""

    def __init__(self, done: asyncio.Event) -> None:
        self.done = done
        self.other: ActorRef | None = None

    @handles
    def fact(self, msg: Fact) -> None:
        """Send it back."""
        if msg.left:
            assert self.other is not None
            self.other.tell(Fact(msg.left - 1))
        else:
            self.done.set()


def our_tells(count: int = TELLS) -> float:
    """Return messages a second told in turn between two actors."""

    def spawn(system: ActorSystem, done: asyncio.Event) -> Callable[[], None]:
        players = (Player(done), Player(done))
        refs = [system.spawn(Spec(name, partial(_itself, each))) for name, each in zip("ab", players, strict=True)]
        players[0].other, players[1].other = refs[1], refs[0]
        return lambda: refs[0].tell(Fact(count))

    return asyncio.run(_timed(count, spawn))


def _itself(player: Player) -> Player:
    return player


# --- ask ---------------------------------------------------------------------------------------------------------------


class Answerer(Actor):
    """Answers with the number."""

    @handles
    def ask(self, msg: Ask) -> int:
        """Answer."""
        return msg.number


def our_asks(count: int = ASKS) -> float:
    """Return round trips a second of asks from a task to an actor."""

    async def run() -> float:
        async with ActorSystem() as system:
            ref = system.spawn(Spec("answerer", Answerer))
            return await round_trips(count, lambda number: ref.ask(Ask(number)))

    return asyncio.run(run())


# --- all of it -----------------------------------------------------------------------------------------------------------


class Kind(NamedTuple):
    """One kind of traffic: what runs it, and with how many messages a round."""

    ours: Callable[[int], float]
    pykka: Callable[[int], float]
    queue: Callable[[int], float]
    messages: int


KINDS: Final = {
    "tell": Kind(our_tells, pykka_tells, queue_tells, TELLS),
    "burst": Kind(our_burst, pykka_burst, queue_burst, BURST),
    "ask": Kind(our_asks, pykka_asks, queue_asks, ASKS),
}


def measure(rounds: int = ROUNDS, *, share: float = 1.0) -> list[Row]:
    """Return a row for each kind and peer; ``share`` scales the number of messages of each round."""
    work: dict[str, Callable[[], float]] = {}
    for name, kind in KINDS.items():
        count = max(10, int(kind.messages * share))
        work[name] = partial(kind.ours, count)
        work[f"{name}, pykka"] = partial(kind.pykka, count)
        work[f"{name}, asyncio.Queue"] = partial(kind.queue, count)
    figures = in_turns(rounds, work)
    rows: list[Row] = []
    for name in KINDS:
        peers = {peer: figures[f"{name}, {peer}"] for peer in ("pykka", "asyncio.Queue")}
        rows += [row_of(name, figures[name], "/s", against=each) for each in peers.items()]
        rows += [row_of(f"{name}, {peer}", values, "/s") for peer, values in peers.items()]
    return rows


def missed(rows: Sequence[Row]) -> list[str]:
    """Return which targets were missed, as sentences."""
    ratios = {row.name: row.ratio or 0.0 for row in rows if row.against == "pykka"}
    return [
        f"{name}: {ratios[name]:.2f} x pykka, wanted {least:.0f}"
        for name, least in TARGETS.items()
        if ratios[name] < least
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.actors", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="rounds in turns (default: %(default)s)")
    parser.add_argument("--share", type=float, default=1.0, help="share of the messages of a round, above 0 to 1")
    parser.add_argument("--strict", action="store_true", help="return 1 when a target is missed")
    options = parser.parse_args(arguments)
    rows = measure(options.rounds, share=options.share)
    misses = missed(rows)
    if options.json:
        machine = {"python": platform.python_version(), "machine": platform.machine(), "rounds": options.rounds}
        print(json.dumps({**machine, "rows": [row._asdict() for row in rows], "missed": misses}, indent=1))
    else:
        print(f"medians of {options.rounds} rounds in turns, python {platform.python_version()}")
        print(table(rows))
        for each in misses:
            print(f"missed: {each}")
    return 1 if misses and options.strict else 0


if __name__ == "__main__":
    raise SystemExit(main())
