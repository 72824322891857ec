"""Turn entries into rows: sequence check, encoding and checksum chain, without touching the file."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from protocol.codec import MAX_MESSAGE_BYTES, encode_msgpack
from protocol.messages import Event
from runtime.journal import Entry, SequenceConflict
from store.chain import INTEGERS, checksum, stream_tag
from store.errors import EntryRefused
from store.event_types import StoredType
from store.rows import Head, Row, StoredStream

__all__ = ["Batch", "Dictionary", "StreamEnd", "build"]

MAX_STREAM_BYTES: Final = 1024
"""Longest name of a stream."""


class StreamEnd(NamedTuple):
    """A stream and the number of its newest record."""

    stream: StoredStream
    seq: int


class Dictionary:
    """What the writer knows of the file: stream ends and event types, and the numbers that new ones get.

    ``find`` looks up a stream that was not used since the opening.
    """

    def __init__(self, find: Callable[[str], StreamEnd | None], types: Iterable[StoredType], streams: int) -> None:
        self.find = find
        self.ends: dict[str, StreamEnd] = {}
        self.types = {(stored.name, stored.version): stored for stored in types}
        self.by_class: dict[type[Event], StoredType] = {}
        self.streams = streams

    def end(self, name: str) -> StreamEnd | None:
        """Return the end of a stream that has records."""
        end = self.ends.get(name)
        if end is None and (end := self.find(name)) is not None:
            self.ends[name] = end
        return end

    def keep(self, batch: Batch) -> None:
        """Take over what a batch brought, after its commit."""
        self.ends.update(batch.ends)
        self.streams += len(batch.new_streams)
        for stored in batch.new_types:
            self.types[stored.name, stored.version] = stored


class Batch:
    """The rows of one append and what they change in the dictionary."""

    __slots__ = ("_dictionary", "at", "ends", "head", "new_streams", "new_types", "rows")

    def __init__(self, dictionary: Dictionary, head: Head) -> None:
        self._dictionary = dictionary
        self.head = head
        self.at = 0
        self.rows: list[Row] = []
        self.ends: dict[str, StreamEnd] = {}
        self.new_streams: list[StoredStream] = []
        self.new_types: list[StoredType] = []

    def end(self, name: str) -> StreamEnd:
        """Return where a stream stands within this batch; a new one gets its number."""
        end = self.ends.get(name) or self._dictionary.ends.get(name)
        if end is not None:
            return end
        raw = name.encode(errors="surrogatepass")
        if not 0 < len(raw) <= MAX_STREAM_BYTES or raw.decode(errors="replace") != name:
            raise EntryRefused(f"a stream's name has 1 to {MAX_STREAM_BYTES} bytes of UTF-8: {name[:80]!r}")
        end = self._dictionary.end(name)
        if end is not None:
            return end
        stream = StoredStream(self._dictionary.streams + len(self.new_streams) + 1, name, stream_tag(raw))
        self.new_streams.append(stream)
        return StreamEnd(stream, 0)

    def type_of(self, event: Event) -> StoredType:
        """Return the stored type of an event; a new one gets its number."""
        cls = type(event)
        known = self._dictionary.by_class.get(cls)
        if known is not None:
            return known
        name, version = cls.__name__, cls.VERSION
        stored = self._dictionary.types.get((name, version))
        if stored is not None:
            self._dictionary.by_class[cls] = stored
            return stored
        for stored in self.new_types:
            if (stored.name, stored.version) == (name, version):
                return stored
        stored = StoredType.of(len(self._dictionary.types) + len(self.new_types) + 1, name, version)
        self.new_types.append(stored)
        return stored


def build(entries: Iterable[Entry], dictionary: Dictionary, head: Head) -> Batch:
    """Return the rows of a batch; raise ``SequenceConflict`` or ``EntryRefused`` and leave everything as it was."""
    batch = Batch(dictionary, head)
    ends, rows = batch.ends, batch.rows
    position, previous = head
    for name, seq, event, at, message, correlation, causation in entries:
        stream, last = batch.end(name)
        if seq != last + 1:
            raise SequenceConflict(f"stream {name} is at {last}: its next record is {last + 1}, not {seq}")
        stored = batch.type_of(event)
        payload = _encode(event)
        position += 1
        try:
            integers = INTEGERS(position, seq, at, message, correlation, causation)
        except struct.error as error:
            raise EntryRefused(f"a number beyond 64 bits in an entry of stream {name}: {error}") from error
        previous = checksum(previous, integers, stream.tag, stored.tag, payload)
        rows.append((position, stream.id, seq, stored.id, at, message, correlation, causation, previous, payload))
        ends[name] = StreamEnd(stream, seq)
        batch.at = at
    batch.head = Head(position, previous)
    return batch


def _encode(event: Event) -> bytes:
    try:
        payload = encode_msgpack(event)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise EntryRefused(f"{type(event).__name__} cannot be encoded: {error}") from error
    if len(payload) > MAX_MESSAGE_BYTES:
        raise EntryRefused(f"{type(event).__name__} has {len(payload)} bytes, at most {MAX_MESSAGE_BYTES} are kept")
    return payload
