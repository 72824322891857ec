"""What a mapping is: for each path of EX-202, where its value comes from."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from protocol.messages import Value
from rules.signals.validation import PATHS

__all__ = ["BULKHEAD", "MAPPED_PATHS", "Form", "Mapping", "extended", "plain_name"]

BULKHEAD: Final = "bulkhead"
"""The name of the payload of EX-202 itself, which needs no mapping."""

MAPPED_PATHS: Final = (*PATHS, "tv.bar_time", "tv.max_lag_seconds")
"""What a mapping may fill: the paths of EX-202, the bar an alert fired on, and its own largest age."""


class Form(StrEnum):
    """How a body is taken apart into named fields."""

    JSON = "json"
    KEYVALUE = "keyvalue"
    TEXT = "text"


class Mapping(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One mapping.

    A path takes the first of: its constant; the first of its ``fields`` that is present; its default. ``words`` then
    translates what a field says, by path, in any case; a word that stands for nothing ("") lets the next field speak. A
    body is recognised when it has all ``recognise`` fields and ``equals`` holds; names are compared without case, ``_``
    and ``-``, inner ones are written ``order.amount``. ``patterns`` are for plain text: literal text with ``{name}``
    where a value stands and ``{_}`` where anything may. ``undated`` takes bodies without a time as of now. ``swapped``
    paths are written ``QUOTE_BASE``.
    """

    name: str
    form: Form = Form.JSON
    doc: str = ""
    recognise: tuple[str, ...] = ()
    equals: dict[str, str] = msgspec.field(default_factory=dict)
    patterns: tuple[str, ...] = ()
    fields: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    constants: dict[str, str] = msgspec.field(default_factory=dict)
    defaults: dict[str, str] = msgspec.field(default_factory=dict)
    words: dict[str, dict[str, str]] = msgspec.field(default_factory=dict)
    undated: bool = False
    swapped: tuple[str, ...] = ()


def plain_name(name: str) -> str:
    """Return a field's name as names are compared: ``positionSize``, ``position_size`` and ``Position-Size`` are one."""
    return name.strip().lower().replace("_", "").replace("-", "").replace(" ", "")


def extended(base: Mapping, by: Mapping) -> Mapping:
    """Return ``base`` with everything that ``by`` says added to it or put in its place; the name stays."""
    return Mapping(
        name=base.name,
        form=base.form,
        doc=by.doc or base.doc,
        recognise=by.recognise or base.recognise,
        equals={**base.equals, **by.equals},
        patterns=(*by.patterns, *base.patterns),
        fields={**base.fields, **by.fields},
        constants={**base.constants, **by.constants},
        defaults={**base.defaults, **by.defaults},
        words={**base.words, **{path: {**base.words.get(path, {}), **said} for path, said in by.words.items()}},
        undated=by.undated or base.undated,
        swapped=by.swapped or base.swapped,
    )
