"""Gather what a draft would meet: ask pools and loss offsets, read the last signals and the log's segments (EX-1309)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from actors.topics import precision_topic
from protocol.configuration import CONFIG_STORE
from protocol.instruments import Instrument
from protocol.precision import RulesState
from protocol.preview import PreviewOffset, PreviewPool
from rules.event_log.segments import Segment
from runtime.clock import NANOS
from runtime.system import ActorSystem
from service.account_paths import AccountPaths
from service.backup_folder import archives_in, backup_folder
from service.config import Config
from service.config.preview import Effects, Sample, State, preview
from service.config_store import DraftConfigs, GetDraftConfigs
from service.logs import log_folder, log_settings
from service.offset import offset_settings
from service.pool_settings import pool_settings
from store.log.files import segments_in

if TYPE_CHECKING:
    from service.api.reading import Reading

__all__ = ["SAMPLES", "preview_draft", "sample_of"]

_ASK_S: Final = 10.0
SAMPLES: Final = 200
"""Newest signals among which the last one of each identity is looked for."""


async def preview_draft(
    system: ActorSystem, reading: Reading, typed: Sample | None = None, edits: Mapping[str, Any] = MappingProxyType({})
) -> Effects:
    """Return what the draft would do now; ``typed`` is a sample in place of the last signals.

    ``edits`` are keys as somebody is typing them: they are looked at over the draft, which stays as it is.
    """
    store = system.lookup(CONFIG_STORE)
    assert store is not None, "the config store lives as long as the API"
    found: DraftConfigs = await store.ask(GetDraftConfigs(edits), _ASK_S)
    now, folder = found.active, log_folder(found.active)
    state = State(active=now, draft=found.draft, errors=found.errors, restarts=found.restarts)
    if not found.errors:
        files = await reading.beside(lambda: segments_in(folder))
        state = state._replace(
            pools=tuple([await _pool(system, found.draft, each.name) for each in now.accounts]),
            offsets=tuple([await _offset(system, found.draft, each.name) for each in now.accounts]),
            samples=(typed,) if typed is not None else tuple(await _last_signals(system, reading, now)),
            typed=typed is not None,
            segments=[Segment(id=f.path.name, day=f.day, size=f.size, keep=f.kept or f.open) for f in files],
            retention=(log_settings(now).retention, log_settings(found.draft).retention),
            backups=await reading.beside(lambda: archives_in(backup_folder(now))),
            today=datetime.fromtimestamp(system.now() // NANOS, UTC).date(),
        )
    return preview(found.active_document, found.draft_document, state)


async def _pool(system: ActorSystem, draft: Config, account: str) -> Any:
    wanted = next((each for each in draft.accounts if each.name == account), draft.accounts[0])
    ref = system.lookup(AccountPaths(account).pool)
    assert ref is not None, "every account has a pool"
    return await ref.ask(PreviewPool(pool_settings(draft, wanted)), _ASK_S)


async def _offset(system: ActorSystem, draft: Config, account: str) -> Any:
    ref = system.lookup(AccountPaths(account).offset)
    assert ref is not None, "every account has a loss offset"
    return await ref.ask(PreviewOffset(offset_settings(draft)), _ASK_S)


async def _last_signals(system: ActorSystem, reading: Reading, config: Config) -> Iterable[Sample]:
    """Return a sample for the last entry of each identity."""
    rows = await reading.views(lambda views: views.signals(limit=SAMPLES))
    found: dict[tuple[Any, ...], Sample] = {}
    for row in rows:
        if row.side is None or row.entry_price is None or not row.symbol or not row.venue or not row.timeframe:
            continue
        instrument = sample_of(system, config, row.venue, row.symbol)
        if instrument is not None:
            identity = (row.venue, row.symbol, row.timeframe, row.side)
            found.setdefault(identity, Sample(*identity, row.entry_price, instrument))
    return found.values()


def sample_of(system: ActorSystem, config: Config, venue: str, symbol: str) -> Instrument | None:
    """Return the rules of a symbol as the account that trades this venue knows them, None when nobody does."""
    for account in config.accounts:
        state: RulesState | None = system.bus.kept(precision_topic(account.name))
        if account.exchange != venue or state is None:
            continue
        for each in state.instruments:
            if each.symbol == symbol:
                return each
    return None
