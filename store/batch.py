"""Turn entries into rows: sequence check, encoding and checksum chain, without touching the file."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Final, NamedTuple

from protocol.codec import MAX_MESSAGE_BYTES, encode_msgpack
from protocol.messages import Event
from runtime.journal import Entry, SequenceConflict
from store.chain import INTEGERS, checksum, stream_tag
from store.errors import EntryRefused
from store.event_types import StoredType
from store.rows import Head, Row, StoredStream

__all__ = ["MAX_STREAM_BYTES", "Batch", "Dictionary", "StreamEnd", "build"]

MAX_STREAM_BYTES: Final = 1024
"""Longest name of a stream."""


class StreamEnd(NamedTuple):
    """A stream and the number of its newest record."""

    stream: StoredStream
    seq: int


class Dictionary:
    """What the writer knows of the file: stream ends and event types, and the numbers that new ones get.

    ``find`` looks up a stream that is not known, or not any more: with ``most`` those that were used longest ago are
    forgotten, for each group that ever was has a stream of its own.
    """

    def __init__(
        self,
        find: Callable[[str], StreamEnd | None],
        types: Iterable[StoredType],
        streams: int,
        most: int | None = None,
    ) -> None:
        self.find = find
        self.most = most
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
        for name, cursor in batch.cursors.items():
            self.ends.pop(name, None)
            self.ends[name] = StreamEnd(cursor.stream, cursor.seq)
        if self.most is not None and len(self.ends) > self.most:
            for name in list(islice(self.ends, self.most // 4)):
                del self.ends[name]
        self.streams += len(batch.new_streams)
        for stored in batch.new_types:
            self.types[stored.name, stored.version] = stored


class Batch:
    """The rows of one append and what they change in the dictionary."""

    __slots__ = ("_dictionary", "at", "cursors", "head", "new_streams", "new_types", "rows")

    def __init__(self, dictionary: Dictionary, head: Head) -> None:
        self._dictionary = dictionary
        self.head = head
        self.at = 0
        self.rows: list[Row] = []
        self.cursors: dict[str, _Cursor] = {}
        self.new_streams: list[StoredStream] = []
        self.new_types: list[StoredType] = []

    def begin(self, name: str) -> _Cursor:
        """Return where a stream stands before this batch; a new one gets its number."""
        end = self._dictionary.ends.get(name)
        if end is None:
            raw = name.encode(errors="surrogatepass")
            if not 0 < len(raw) <= MAX_STREAM_BYTES or raw.decode(errors="replace") != name or "\0" in name:
                raise EntryRefused(f"a stream's name has 1 to {MAX_STREAM_BYTES} bytes of UTF-8, no NUL: {name[:80]!r}")
            end = self._dictionary.end(name)
        if end is None:
            stream = StoredStream(self._dictionary.streams + len(self.new_streams) + 1, name, stream_tag(raw))
            self.new_streams.append(stream)
            end = StreamEnd(stream, 0)
        cursor = self.cursors[name] = _Cursor(end)
        return cursor

    def type_of(self, cls: type[Event]) -> StoredType:
        """Return the stored type of an event class; a new one gets its number."""
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


class _Cursor:
    """A stream while a batch is built; plain and mutable, because this is the hot path."""

    __slots__ = ("id", "seq", "stream", "tag")

    def __init__(self, end: StreamEnd) -> None:
        self.stream, self.seq = end
        self.id, self.tag = self.stream.id, self.stream.tag


def build(entries: Iterable[Entry], dictionary: Dictionary, head: Head) -> Batch:
    """Return the rows of a batch; raise ``SequenceConflict`` or ``EntryRefused`` and leave everything as it was."""
    batch = Batch(dictionary, head)
    cursors, by_class, add = batch.cursors, dictionary.by_class, batch.rows.append
    position, previous = head
    for name, seq, event, at, message, correlation, causation in entries:
        cursor = cursors.get(name) or batch.begin(name)
        if seq != cursor.seq + 1:
            last = cursor.seq
            raise SequenceConflict(f"stream {name} is at {last}: its next record is {last + 1}, not {seq}")
        cursor.seq = seq
        cls = type(event)
        stored = by_class.get(cls) or batch.type_of(cls)
        position += 1
        try:
            payload = encode_msgpack(event)
            integers = INTEGERS(position, seq, at, message, correlation, causation)
        except (struct.error, TypeError, ValueError, OverflowError, RecursionError) as error:
            raise EntryRefused(f"an entry of stream {name} cannot be encoded: {cls.__name__}: {error}") from error
        if len(payload) > MAX_MESSAGE_BYTES:
            raise EntryRefused(f"{cls.__name__} has {len(payload)} bytes, at most {MAX_MESSAGE_BYTES} are kept")
        previous = checksum(previous, integers, cursor.tag, stored.tag, payload)
        add((position, cursor.id, seq, stored.id, at, message, correlation, causation, previous, payload))
        batch.at = at
    batch.head = Head(position, previous)
    return batch
