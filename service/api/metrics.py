"""Figures for Prometheus, in its text format; names and units are those of its conventions."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Final

from aiohttp import web

from actors.session_figures import figures_of_calls
from protocol.risk import EngineStatus
from protocol.venue import VenueStatus
from runtime.clock import NANOS, WallClock
from runtime.figures import figures_of
from runtime.journal import JournalError
from runtime.loop_watch import LoopLag
from runtime.system import ActorSystem
from service.api.accounts import account_names, venue_standing
from service.api.counted import Amounts
from service.api.health import compartments, is_ready
from service.api.shared import Shared
from service.api.status import installed_version, memory_bytes
from supervision.tree import describe

__all__ = ["CONTENT_TYPE", "Sample", "register", "text_of"]

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

Sample = tuple[str, str, str, Mapping[str, str], float]
"""Name, kind (counter or gauge), help, labels, value."""


def register(app: web.Application, shared: Shared) -> None:
    """Register the address."""

    async def metrics(request: web.Request) -> web.Response:  # noqa: ARG001 - aiohttp passes it
        samples = [*_process(shared), *_tree(shared), *_trading(shared), *_network(shared), *await _stored(shared)]
        return web.Response(body=text_of(samples).encode(), headers={"Content-Type": CONTENT_TYPE})

    app.router.add_get("/metrics", metrics)


def text_of(samples: list[Sample]) -> str:
    """Return samples as Prometheus reads them; those of one name stand together, under one help line."""
    lines: list[str] = []
    for name in dict.fromkeys(sample[0] for sample in samples):
        family = [sample for sample in samples if sample[0] == name]
        lines += [f"# HELP {name} {family[0][2]}", f"# TYPE {name} {family[0][1]}"]
        for _, _, _, labels, value in family:
            inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
            lines.append(f"{name}{{{inside}}} {_number(value)}" if inside else f"{name} {_number(value)}")
    return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _process(shared: Shared) -> Iterator[Sample]:
    system, figures = shared.host.system, figures_of(shared.host.system)
    none: Mapping[str, str] = {}
    yield "bulkhead_info", "gauge", "What runs, 1.", {"version": installed_version()}, 1
    up_s = (WallClock().now() - shared.host.started_at) / NANOS
    yield "bulkhead_uptime_seconds", "gauge", "Since the daemon started.", none, up_s
    yield "bulkhead_memory_bytes", "gauge", "Memory of the process.", none, memory_bytes()
    yield "bulkhead_ready", "gauge", "1 when trading can go on.", none, is_ready(system)
    yield "bulkhead_tasks", "gauge", "Tasks of the event loop.", none, figures.tasks
    yield "bulkhead_threads", "gauge", "Threads.", none, figures.threads
    yield "bulkhead_timers", "gauge", "Timers that wait.", none, figures.timers
    if system.loop_watch is not None:
        yield from _loop(system.loop_watch.lag())
    durability = system.durability
    yield "bulkhead_journal_position", "counter", "Records in the journal.", none, system.journal.head()
    yield "bulkhead_journal_commits_total", "counter", "Commits of this run.", none, durability.commits
    failing = durability.error is not None
    yield "bulkhead_journal_failing", "gauge", "1 while nothing can be written.", none, failing
    yield "bulkhead_dead_letters_total", "counter", "Messages nobody handled.", none, system.dead_letters.total


def _loop(lag: LoopLag) -> Iterator[Sample]:
    none: Mapping[str, str] = {}
    for quantile, late_ms in (("0.5", lag.p50_ms), ("0.99", lag.p99_ms), ("1", lag.worst_ms)):
        of = {"quantile": quantile}
        yield (
            "bulkhead_loop_lag_seconds",
            "gauge",
            "How late the event loop answered; 1: worst ever.",
            of,
            late_ms / 1e3,
        )
    yield "bulkhead_loop_blocked_total", "counter", "Times the event loop stood still.", none, lag.blocked


def _tree(shared: Shared) -> Iterator[Sample]:
    order = {"ok": 1.0, "degraded": 0.5, "down": 0.0}
    for each in compartments(describe(shared.host.system)):
        of = {"compartment": each.name}
        yield "bulkhead_compartment_up", "gauge", "1 ok, 0.5 degraded, 0 down.", of, order[each.status]
        yield "bulkhead_compartment_actors", "gauge", "Actors below it.", of, each.actors
        yield "bulkhead_compartment_restarts_total", "counter", "Restarts below it.", of, each.restarts
        yield "bulkhead_compartment_waiting", "gauge", "Messages that wait below it.", of, each.waiting
        yield (
            "bulkhead_compartment_oldest_seconds",
            "gauge",
            "Age of the oldest message that waits.",
            of,
            each.oldest_ms / 1000,
        )


async def _stored(shared: Shared) -> list[Sample]:
    """Return what the read models count, nothing of it while they cannot be read, and the room on the disk."""
    found: list[Sample] = []
    with suppress(JournalError):
        found += _counted(shared, await shared.counted.amounts())
    with suppress(OSError):
        folder = shared.host.config.app.data_dir
        free = await shared.reading.beside(lambda: shutil.disk_usage(folder).free)
        found.append(("bulkhead_disk_free_bytes", "gauge", "Room where the data folder is.", {}, free))
    return found


def _counted(shared: Shared, amounts: Amounts) -> Iterator[Sample]:
    host, none = shared.host, dict[str, str]()
    yield "bulkhead_groups_open", "gauge", "Position groups that are open.", none, amounts.open_groups
    yield "bulkhead_orders_working", "gauge", "Orders at work.", none, amounts.working_orders
    yield "bulkhead_signals_total", "counter", "Signals in the journal.", none, amounts.signals
    slots = host.config.execution_pool.max_open_groups * len(host.config.accounts)
    yield "bulkhead_slots", "gauge", "Slots for groups.", none, slots
    yield "bulkhead_slots_taken", "gauge", "Slots that are taken.", none, amounts.slots_taken
    yield "bulkhead_views_position", "counter", "Record that the read models are at.", none, amounts.position


def _trading(shared: Shared) -> Iterator[Sample]:
    host = shared.host
    permit = shared.newest_permit
    for status in EngineStatus:
        now = permit is not None and permit.status is status
        yield "bulkhead_engine_status", "gauge", "1 for what the engine is.", {"status": status.value}, now
    for account in account_names(host):
        allowed = permit is not None and permit.bars(account) is None
        about = "1 while neither engine nor operator holds the account's entries."
        yield "bulkhead_entries_allowed", "gauge", about, {"account": account}, allowed
        yield from _venue(host.system, account)


def _venue(system: ActorSystem, account: str) -> Iterator[Sample]:
    of = {"account": account}
    up = venue_standing(system, account)["status"] == VenueStatus.UP.value
    yield "bulkhead_venue_up", "gauge", "1 while the account's venue is connected.", of, up
    calls = figures_of_calls(system.black_box.calls(account))
    yield "bulkhead_venue_calls_failed", "gauge", "How many of the newest calls failed.", of, calls.failed
    for quantile, took_ms in (("0.5", calls.median_ms), ("0.95", calls.p95_ms)):
        if took_ms is not None:
            name = "bulkhead_venue_call_seconds"
            yield name, "gauge", "How long the newest calls took.", {**of, "quantile": quantile}, took_ms / 1e3


def _network(shared: Shared) -> Iterator[Sample]:
    none: Mapping[str, str] = {}
    yield "bulkhead_api_listeners", "gauge", "Clients that follow the stream.", none, len(shared.hub.ring.seats)
    connections = shared.door.count if shared.door is not None else 0
    yield "bulkhead_api_connections", "gauge", "Connections from the network.", none, connections
    for code, count in sorted(shared.answered.items()):
        yield "bulkhead_api_answers_total", "counter", "Answers to the network, by status.", {"status": code}, count
