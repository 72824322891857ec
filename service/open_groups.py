"""Which groups of an account are open: what its pool says while it lives, what its journal says before."""

from __future__ import annotations

import msgspec

from actors.pool import Pool
from actors.topics import pool_topic
from protocol.pool import PoolIdentities
from rules.pool import PoolState, evolve
from runtime.bus import Bus
from runtime.journal import StreamReader
from service.account_paths import AccountPaths

__all__ = ["open_before", "open_now"]


def open_now(bus: Bus, account: str) -> tuple[str, ...]:
    """Return the keys of the groups that are open at this moment."""
    said = bus.kept(pool_topic(account))
    return said.live if isinstance(said, PoolIdentities) else ()


def open_before(journal: StreamReader, account: str) -> tuple[str, ...]:
    """Return the keys of the groups that were open when the journal was closed."""
    stream = AccountPaths(account).pool
    state, seq = PoolState(), 0
    snapshot = journal.load_snapshot(stream)
    if snapshot is not None and snapshot.version == Pool.SNAPSHOT_VERSION:
        state, _ = msgspec.msgpack.decode(snapshot.state, type=tuple[PoolState, msgspec.Raw])
        seq = snapshot.seq
    for record in journal.read(stream, after_seq=seq):
        state = evolve(state, record.event)
    return tuple(state.live)
