"""Items of a tape as bytes and back.

A value of a class whose every field msgspec can read back goes as MessagePack beside the name of its class; anything else
(a callback, an envelope, a mapping of settings) as a pickle that leaves out what belongs to the system and that only
``runtime.freezing.Thawing`` loads. What can be written neither way is ``Unreadable`` afterwards and ends the check of the
life it was given to, nothing else.

Secrets that an alert bears are replaced, in the bytes, by a text of the same length made from their hash; who knows them
still puts them back. So no file of a day holds one.
"""

from __future__ import annotations

import hashlib
import importlib
import io
import pickle
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec
from msgspec import inspect as shapes

from protocol.errors import BulkheadError
from runtime.freezing import ROOMS, Freezing, Thawing
from runtime.tape import Item, LifeBegan, TapeItem, Unreadable

__all__ = ["InputCodec", "InputsUnreadable", "fingerprint_of", "joined", "mask_of", "pickled", "slices"]

_encode: Final = msgspec.msgpack.Encoder(decimal_format="string").encode
_raw: Final = msgspec.msgpack.Decoder(list[Any])
_slices: Final = msgspec.msgpack.Decoder(list[bytes])

_PLAIN: Final = 0
_PICKLED: Final = -1
_NOT_WRITTEN: Final = -2
_TRIALS: Final = 3
"""Values of a class that are read back at once, before the class is trusted to come back as it went."""

_VALUE_AT: Final = {Item.MESSAGE: 2, Item.READ: 4, Item.MARK: 3}
"""Where an item has its value."""

_FAILURES: Final = (pickle.PickleError, TypeError, AttributeError, RecursionError, ValueError, OverflowError)


class InputsUnreadable(BulkheadError):
    """A segment of a record of inputs cannot be read."""


def mask_of(secret: str) -> str:
    """Return what stands for a secret in a file: as long, and the same for the same secret."""
    digest = hashlib.sha256(f"bulkhead inputs {secret}".encode()).hexdigest()
    length = len(secret.encode())
    return ("~" + digest * (1 + length // len(digest)))[:length]


def fingerprint_of(secret: str) -> str:
    """Return what a record says of a secret, so that a reader knows whether he has all that counted."""
    return hashlib.sha256(f"bulkhead secret {secret}".encode()).hexdigest()[:16]


class InputCodec:
    """Encodes and decodes segments. ``hidden`` gives the secrets that are known at the moment."""

    def __init__(self, hidden: Callable[[], Iterable[str]] = tuple) -> None:
        self._hidden = hidden
        self._ways: dict[type, int] = {}
        self._kinds: dict[str, Any] = {}

    # --- out -----------------------------------------------------------------------------------------------------------

    def encode(self, items: Sequence[TapeItem]) -> bytes:
        """Return a segment of these items."""
        names: dict[str, int] = {}
        rows = [self._row(item, names) for item in items]
        data = _encode([list(names), rows])
        for secret in self._hidden():
            if secret:
                data = data.replace(secret.encode(), mask_of(secret).encode())
        return data

    def _row(self, item: TapeItem, names: dict[str, int]) -> list[Any]:
        kind = item[0]
        row = list(item)
        place = _VALUE_AT.get(kind)
        if place is not None:
            row[place] = self._value(item[place], names)
            if kind == Item.READ and not isinstance(item[3], str):
                row[3] = list(item[3])
        elif kind in (Item.LIFE, Item.STATE):
            row[2] = [*item[2][:5], self._value(item[2].born, names)]
        return row

    def _value(self, value: Any, names: dict[str, int]) -> list[Any]:
        kind = type(value)
        if value is None or kind in (bool, int, str, bytes, float):
            return [_PLAIN, value]
        way = self._way(kind, value)
        if way is not None:
            return [names.setdefault(f"{kind.__module__}:{kind.__qualname__}", len(names) + 1), way]
        try:
            return [_PICKLED, pickled(value)]
        except _FAILURES as error:
            return [_NOT_WRITTEN, f"{kind.__name__}: {error}"]

    def _way(self, kind: type, value: Any) -> msgspec.Raw | None:
        """Return a value as MessagePack, None when its class does not come back from that as it went."""
        tried = self._ways.get(kind)
        if tried is None:
            tried = 0 if _reads_back(kind) else -1
            self._ways[kind] = tried
        if tried < 0:
            return None
        try:
            data = _encode(value)
        except _FAILURES:
            return None  # this one holds something that its class does not speak of
        if tried < _TRIALS:
            self._ways[kind] = tried = tried + 1 if _came_back(kind, data, value) else -1
        return msgspec.Raw(data) if tried >= 0 else None

    # --- in ------------------------------------------------------------------------------------------------------------

    def decode(self, data: bytes) -> Iterator[TapeItem]:
        """Yield the items of a segment; raise InputsUnreadable when it is none."""
        for secret in self._hidden():
            if secret:
                data = data.replace(mask_of(secret).encode(), secret.encode())
        try:
            names, rows = _raw.decode(data)
        except (msgspec.DecodeError, ValueError) as error:
            raise InputsUnreadable(f"a segment is no record of inputs: {error}") from error
        for row in rows:
            yield self._item(row, names)

    def _item(self, row: list[Any], names: list[str]) -> TapeItem:
        kind = row[0]
        place = _VALUE_AT.get(kind)
        if place is not None:
            row[place] = self._back(row[place], names)
            if kind == Item.READ and not isinstance(row[3], str):
                row[3] = tuple(row[3])
        elif kind in (Item.LIFE, Item.STATE):
            *known, born = row[2]
            row[2] = LifeBegan._make((*known, self._back(born, names), None))
        return tuple(row)

    def _back(self, written: list[Any], names: list[str]) -> Any:
        way, data = written
        if way == _PLAIN:
            return data
        if way == _NOT_WRITTEN:
            return Unreadable(data)
        try:
            if way == _PICKLED:
                return Thawing(io.BytesIO(data), None, _stand_in).load()
            # Decoded in place with the rest; given its shape now.
            return msgspec.convert(data, self._kind(names[way - 1]), builtin_types=(bytes,))
        except (*_FAILURES, msgspec.ValidationError, ImportError, EOFError, IndexError) as error:
            return Unreadable(f"{names[way - 1] if way > 0 else 'a value'} cannot be read: {error!r}")

    def _kind(self, name: str) -> Any:
        kind = self._kinds.get(name)
        if kind is None:
            module, _, path = name.partition(":")
            if module.partition(".")[0] not in ROOMS:
                raise ImportError(f"{module} is none of our rooms")
            kind = importlib.import_module(module)
            for part in path.split("."):
                kind = getattr(kind, part)
            self._kinds[name] = kind
        return kind


def joined(encoded: Sequence[bytes]) -> bytes:
    """Return several encoded slices as the content of one segment."""
    return _encode(list(encoded))


def slices(content: bytes) -> list[bytes]:
    """Return the slices of a segment's content; raise InputsUnreadable when it has none."""
    try:
        return _slices.decode(content)
    except (msgspec.DecodeError, ValueError) as error:
        raise InputsUnreadable(f"a segment is no record of inputs: {error}") from error


def pickled(value: Any) -> bytes:
    """Return a value as a pickle without what belongs to the system."""
    buffer = io.BytesIO()
    Freezing(buffer, None, {}).dump(value)
    return buffer.getvalue()


def _stand_in(what: str, value: Any) -> Any:
    """Return what stands for a part of the system in a value that is read."""
    from runtime.replayed import envelope_of, nothing

    if what == "envelope":
        return envelope_of(*value)
    if what == "text":
        return value
    return None if what == "secret" else nothing


def _came_back(kind: type, data: bytes, value: Any) -> bool:
    try:
        return bool(msgspec.convert(msgspec.msgpack.decode(data), kind, builtin_types=(bytes,)) == value)
    except (msgspec.DecodeError, TypeError, ValueError):
        return False


def _reads_back(kind: type) -> bool:
    """Whether msgspec can read every field of a class back: none of them may be just anything."""
    if kind.__module__.partition(".")[0] not in ROOMS or "<" in kind.__qualname__:
        return False
    try:
        return _is_exact(shapes.type_info(kind), set())
    except (TypeError, NameError, AttributeError, ValueError):
        return False


def _is_exact(shape: Any, seen: set[type]) -> bool:
    if isinstance(shape, shapes.AnyType | shapes.CustomType | shapes.RawType | shapes.ExtType):
        return False
    cls = getattr(shape, "cls", None)
    if cls is not None:
        if cls in seen:
            return True
        seen.add(cls)
    if hasattr(shape, "fields"):
        return all(_is_exact(each.type, seen) for each in shape.fields)
    inner = [getattr(shape, name) for name in ("item_type", "key_type", "value_type") if hasattr(shape, name)]
    inner += [*getattr(shape, "item_types", ()), *getattr(shape, "types", ())]
    return all(_is_exact(each, seen) for each in inner)
