"""The dictionary of event types in one journal, and how their payloads become events of today."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any, Final, NamedTuple, cast

import msgspec

import protocol
from protocol import codec
from protocol.errors import ValidationError
from protocol.messages import Event, event_types
from runtime.journal import JournalTooNew
from store.chain import type_tag
from store.errors import UndecodableRecord
from store.upcasters import UPCASTERS, Upcasters, upcast

__all__ = ["EventDecoder", "StoredType", "check_known", "current_type"]

_plain: Final = msgspec.msgpack.Decoder()
_learned: Final[list[str]] = []


class StoredType(NamedTuple):
    """One event type in one version, as a journal's dictionary knows it; ``tag`` is its canonical bytes."""

    id: int
    name: str
    version: int
    tag: bytes

    @classmethod
    def of(cls, number: int, name: str, version: int) -> StoredType:
        """Make one with its tag."""
        return cls(number, name, version, type_tag(name.encode(), version))


def current_type(name: str) -> type[Event] | None:
    """Return today's event type of that name; all of ``protocol`` is imported before a name counts as unknown."""
    found: type[Event] | None = event_types().get(name)
    if found is None and not _learned:
        for module in pkgutil.walk_packages(protocol.__path__, "protocol."):
            importlib.import_module(module.name)
        _learned.append(protocol.__name__)
        found = event_types().get(name)
    return found


def check_known(types: list[StoredType], registry: Upcasters = UPCASTERS) -> None:
    """Raise ``JournalTooNew`` when an event type is unknown or of a version newer than ours.

    A missing step between an old version and today's is told when such a record is read, with its position.
    """
    for stored in types:
        current = current_type(stored.name)
        if current is not None and stored.version <= current.VERSION:
            continue
        if (stored.name, stored.version) in registry:  # renamed since
            continue
        ours = f"version {current.VERSION}" if current is not None else "no event of that name"
        raise JournalTooNew(
            f"the journal holds {stored.name} events of version {stored.version}, this bulkhead knows {ours}"
        )


class EventDecoder:
    """Decodes the payloads of one stored type: directly when it is of today, through upcasters when it is older."""

    def __init__(self, stored: StoredType, registry: Upcasters = UPCASTERS) -> None:
        self._stored = stored
        self._registry = registry
        current = current_type(stored.name)
        self._direct: msgspec.msgpack.Decoder[Any] | None = None
        if current is not None and stored.version == current.VERSION:
            self._direct = msgspec.msgpack.Decoder(current)

    def decode(self, payload: bytes, position: int) -> Event:
        """Return the event; raise ``UndecodableRecord`` naming the position."""
        try:
            if self._direct is not None:
                return cast("Event", self._direct.decode(payload))
            return self._upcast(payload)
        except (msgspec.DecodeError, ValidationError, LookupError, TypeError, ValueError, ArithmeticError) as error:
            name, version = self._stored.name, self._stored.version
            raise UndecodableRecord(f"record {position} ({name} version {version}): {error!r}") from error

    def _upcast(self, payload: bytes) -> Event:
        data, version = upcast(_plain.decode(payload), self._stored.version, self._registry)
        current = current_type(data["type"])
        if current is None or version != current.VERSION:
            raise LookupError(f"no upcaster for {data['type']} from version {version}")
        return codec.convert(data, current)
