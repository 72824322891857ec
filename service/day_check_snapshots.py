"""Compares the snapshots in a journal with what their streams' events add up to."""

from __future__ import annotations

from typing import Any

import msgspec

from runtime.differing import Cause, Divergence
from runtime.durable import DurableActor
from runtime.journal import StreamReader
from runtime.tape import LifeBegan
from runtime.verifying import MakeActor

__all__ = ["check_snapshot"]


def check_snapshot(journal: StreamReader, life: LifeBegan, make: MakeActor) -> Divergence | bool:
    """Return a divergence when the newest snapshot of a stream is not the sum of its events, else whether there is one."""
    snapshot = journal.load_snapshot(life.stream)
    if snapshot is None:
        return False
    try:
        actor = make(life)
    except LookupError:
        return False
    if snapshot.version != actor.SNAPSHOT_VERSION:
        return False
    position, at = _fold(journal, life.stream, snapshot.seq, actor)
    again = actor.snapshot()
    if again is None or again == snapshot.state or _plain(again) == _plain(snapshot.state):
        return True
    return Divergence(
        why="its snapshot is not the sum of its events",
        path=life.path,
        stream=life.stream,
        seq=snapshot.seq,
        position=position,
        at=at,
        cause=Cause("snapshot", None, 0, 0, 0, ""),
        expected=None,
        got=None,
        fields=(),
    )


def _fold(journal: StreamReader, stream: str, seq: int, actor: DurableActor) -> tuple[int, int]:
    position = at = 0
    for record in journal.read(stream):
        if record.seq > seq:
            break
        actor.apply(record.event)
        actor.sequence = record.seq
        position, at = record.position, record.at
    return position, at


def _plain(state: bytes) -> Any:
    """Return a state in which order does not count: a set is written in any order."""
    try:
        return _sorted(msgspec.msgpack.decode(state))
    except (msgspec.DecodeError, ValueError):
        return state


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return sorted((repr(key), _sorted(each)) for key, each in value.items())
    if isinstance(value, list):
        return sorted((_sorted(each) for each in value), key=repr)
    return value
