"""What a first start shows: the demo's first whole trade, by the real engine on the synthetic market, on virtual time."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import pytest

from protocol.groups import CloseReason, GroupClosed, GroupOpened, LegFilled
from protocol.messages import Event
from runtime.clock import NANOS, VirtualClock
from runtime.loop import run_virtual
from runtime.memory_journal import MemoryJournal
from runtime.system import ActorSystem
from service.active import ActiveConfig
from service.config import Config, parse
from service.demo import demo_trader
from service.house import Plan, build_house
from service.markets import prepare_market
from service.webhooks import listener, listening_url
from tests.system.running import SECRETS

E = TypeVar("E", bound=Event)

HOUR: Final = 1_800_000_000 * NANOS
OPENS_WITHIN_S: Final = 20.0
CLOSES_WITHIN_S: Final = 45.0


def shipped(folder: Path) -> Config:
    """Return the settings that bulkhead is shipped with, on the synthetic market and a free port."""
    return parse(f'[app]\ndata_dir = "{folder}"\n[market]\nsource = "synthetic"\n[webhook]\nport = 0\n', {})


async def until_a_trade_closes(folder: Path, clock: VirtualClock) -> list[tuple[float, Event]]:
    """Run a house with its demo until a group has closed; return its events with their seconds since the start."""
    config, journal, started = shipped(folder), MemoryJournal(), clock.now()
    account, token = config.accounts[0], SECRETS.token.reveal()
    market = await prepare_market(config, account, now=started)
    system = ActorSystem(clock=clock, journal=journal)
    url = partial(listening_url, system, token, host="127.0.0.1")
    plan = Plan(
        active=(active := ActiveConfig(config)),
        system=system,
        tag="test",
        secrets=SECRETS,
        markets={account.name: market},
        reconcile_every_s=3_600.0,
        operators=[listener(active, token), demo_trader(lambda: config, account, market, SECRETS, url)],
    )
    closed = asyncio.Event()
    system.durability.listeners.append(lambda _: closed.set() if first(events(journal, started), GroupClosed) else None)
    async with system:
        system.start_root(build_house(plan))
        await system.ready()
        async with asyncio.timeout(CLOSES_WITHIN_S):
            await closed.wait()
    return events(journal, started)


def events(journal: MemoryJournal, started: int) -> list[tuple[float, Event]]:
    """Return everything that is journalled, with seconds since an instant."""
    return [((record.at - started) / NANOS, record.event) for record in journal.read_all()]


def first(story: list[tuple[float, Event]], kind: type[E]) -> list[tuple[float, E]]:
    """Return the first event of a kind with its second, nothing when there is none."""
    return [(at, event) for at, event in story if isinstance(event, kind)][:1]


@pytest.mark.parametrize("minute", [0, 13, 41])
def test_a_first_start_shows_a_whole_trade_soon(tmp_path: Path, minute: int) -> None:
    """Whenever it is started: a group opens, fills at a price of the market and is closed by an exit or its targets."""
    story = run_virtual(partial(until_a_trade_closes, tmp_path), start=HOUR + minute * 60 * NANOS)
    [(opened_at, opened)] = first(story, GroupOpened)
    [(_, closed)] = first(story, GroupClosed)
    assert opened_at < OPENS_WITHIN_S
    assert opened.strategy == "demo crossing"
    assert first(story, LegFilled)
    assert closed.reason in {CloseReason.EXIT_SIGNAL, CloseReason.TAKE_PROFIT}
    assert closed.fees
