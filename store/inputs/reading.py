"""Reads the record of a day as the items of a tape; what is missing becomes a gap where it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from runtime.tape import Item, Mark, TapeItem
from store.inputs.codec import InputCodec, InputsUnreadable, slices
from store.inputs.files import segments

__all__ = ["read_day"]


def read_day(
    folder: Path,
    day: str,
    *,
    hidden: Callable[[], Iterable[str]] = tuple,
    progress: Callable[[int], None] = lambda _: None,
) -> Iterator[TapeItem]:
    """Yield the items of a day (ISO 8601); raise NoRecord when there is none. ``progress`` hears of segments read."""
    codec = InputCodec(hidden)
    for number, segment in enumerate(segments(folder, day), start=1):
        if segment.payload is None:
            yield _gap(segment.gap)
            continue
        try:
            for each in slices(segment.payload):
                yield from codec.decode(each)
        except InputsUnreadable as error:
            yield _gap(str(error))
        progress(number)


def _gap(why: str) -> TapeItem:
    return (int(Item.MARK), 0, Mark.GAP.value, why)
