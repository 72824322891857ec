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

_MESSAGE: Final = int(Item.MESSAGE)
_READ: Final = int(Item.READ)
_MARK: Final = int(Item.MARK)
_LIVES: Final = (int(Item.LIFE), int(Item.STATE))
_PLAINLY: Final = frozenset({type(None), bool, int, str, bytes, float})

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
        """Return a segment of these items; a value that stands in several of them is written once."""
        try:
            data = self._slice(items, each=False)
        except _FAILURES:
            data = self._slice(items, each=True)  # something in it holds what its class does not speak of
        for secret in self._hidden():
            if secret:
                data = data.replace(secret.encode(), mask_of(secret).encode())
        return data

    def _slice(self, items: Sequence[TapeItem], *, each: bool) -> bytes:
        values = _Values(self, each=each)
        of = values.of
        rows: list[Any] = []
        for item in items:
            kind = item[0]
            if kind == _MESSAGE:
                rows.append((kind, item[1], of(item[2]), *item[3:]))
            elif kind == _READ:
                rows.append((kind, item[1], item[2], item[3], of(item[4]), item[5]))
            elif kind == _MARK:
                rows.append((kind, item[1], item[2], of(item[3])))
            elif kind in _LIVES:
                rows.append((kind, item[1], (*item[2][:5], of(item[2].born), item[2].snapshot), *item[3:]))
            else:
                rows.append(item)
        return _encode((values.kinds, values.written, rows))

    def trusts(self, kind: type) -> bool:
        """Whether values of a class have been seen to come back as they went."""
        return self._ways.get(kind, 0) >= _TRIALS

    def write(self, value: Any, kind: type) -> tuple[int, Any]:
        """Return how a value is written, and it: as MessagePack (a way above 0), as a pickle, or why not."""
        way = self._way(kind, value)
        if way is not None:
            return 1, way
        try:
            return _PICKLED, pickled(value)
        except _FAILURES as error:
            return _NOT_WRITTEN, f"{kind.__name__}: {error}"

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
            kinds, written, rows = _raw.decode(data)
        except (msgspec.DecodeError, ValueError) as error:
            raise InputsUnreadable(f"a segment is no record of inputs: {error}") from error
        values = [self._back(each, kinds) for each in written]
        for row in rows:
            yield _item(row, values)

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


class _Values:
    """The values of one slice, each once. ``each``: every one is encoded by itself, so that a bad one shows."""

    __slots__ = ("_at", "_codec", "_each", "_numbers", "kinds", "written")

    def __init__(self, codec: InputCodec, *, each: bool) -> None:
        self.kinds: list[str] = []
        self.written: list[tuple[int, Any]] = []
        self._codec = codec
        self._each = each
        self._at: dict[int, int] = {}
        self._numbers: dict[type, int] = {}

    def of(self, value: Any) -> int:
        """Return the place of a value. The items hold it, so that no other has its identity meanwhile."""
        at = self._at.get(id(value))
        if at is None:
            at = self._at[id(value)] = len(self.written)
            self.written.append(self._write(value))
        return at

    def _write(self, value: Any) -> tuple[int, Any]:
        kind = type(value)
        number = self._numbers.get(kind)
        if number is not None and not self._each:
            return number, value
        if kind in _PLAINLY:
            return _PLAIN, value
        way, written = (1, value) if not self._each and self._codec.trusts(kind) else self._codec.write(value, kind)
        if way < 0:
            return way, written
        if number is None:
            self.kinds.append(f"{kind.__module__}:{kind.__qualname__}")
            number = len(self.kinds)
            if self._codec.trusts(kind):
                self._numbers[kind] = number
        return number, written


def _item(row: list[Any], values: list[Any]) -> TapeItem:
    kind = row[0]
    if kind == _MESSAGE:
        row[2] = values[row[2]]
    elif kind == _READ:
        row[4] = values[row[4]]
        if not isinstance(row[3], str):
            row[3] = tuple(row[3])
    elif kind == _MARK:
        row[3] = values[row[3]]
    elif kind in _LIVES:
        *known, born, snapshot = row[2]
        row[2] = LifeBegan._make((*known, values[born], tuple(snapshot) if snapshot is not None else None, None))
    return tuple(row)


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
