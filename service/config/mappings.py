"""Sections of signal intake: how bodies that people already have become signals, and how often a source should speak."""

from __future__ import annotations

from typing import Annotated

import msgspec

from rules.signals.mappings import BUILTIN, MAPPED_PATHS, Form
from service.config import checks
from service.config.errors import Problems
from service.config.keys import Key, Section
from service.config.nearest import nearest

__all__ = ["SignalMapping", "SignalSourceRhythm", "check_mappings"]

_NAME = checks.shaped(r"[a-z0-9][a-z0-9_\-]{0,31}", "lower-case letters, digits, - or _")


class SignalMapping(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One mapping of a body's fields to the payload; one that is named as a built-in mapping adds to that."""

    form: Annotated[Form, Key(doc="How the body is taken apart.", applies="now")] = Form.JSON
    recognise: Annotated[
        tuple[str, ...],
        Key(
            doc="Fields that a body must have for this mapping to be taken without being named; inner ones as order.amount.",
            applies="now",
        ),
    ] = ()
    equals: Annotated[
        dict[str, str], Key(doc="Fields that must say this word for it to be taken, field to word.", applies="now")
    ] = msgspec.field(default_factory=dict)
    patterns: Annotated[
        tuple[str, ...],
        Key(
            doc='Shapes of a plain text, with {name} where a value stands: "{action} {symbol} @ {price}".',
            applies="now",
            check=checks.text_length(3, 512),
        ),
    ] = ()
    fields: Annotated[
        dict[str, tuple[str, ...]],
        Key(
            doc="Path of the payload to the body's fields that may hold it; the first present one counts.",
            applies="now",
        ),
    ] = msgspec.field(default_factory=dict)
    constants: Annotated[dict[str, str], Key(doc="Path of the payload to the value it always has.", applies="now")] = (
        msgspec.field(default_factory=dict)
    )
    defaults: Annotated[
        dict[str, str], Key(doc="Path of the payload to its value where the body says nothing.", applies="now")
    ] = msgspec.field(default_factory=dict)
    words: Annotated[
        dict[str, dict[str, str]],
        Key(doc="Path of the payload to a table of the body's words and what they mean.", applies="now"),
    ] = msgspec.field(default_factory=dict)
    undated: Annotated[
        bool,
        Key(
            doc="Take bodies without a time as fired when they arrive. A late one then trades late, and two alike within "
            "20 s are one.",
            applies="now",
        ),
    ] = False


class SignalSourceRhythm(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often a source of alerts is expected to speak."""

    silence_s: Annotated[
        int,
        Key(doc="Longest silence before an incident stands.", unit="s", applies="now", at_least=60, at_most=31_536_000),
    ]
    alert_name: Annotated[str, Key(doc="Strategy it is about; empty for any.", applies="now")] = ""
    symbol: Annotated[str, Key(doc="Symbol it is about, such as BTC/USDT; empty for any.", applies="now")] = ""
    timeframe: Annotated[str, Key(doc="Timeframe it is about, such as 1h; empty for any.", applies="now")] = ""
    block_entries: Annotated[
        bool, Key(doc="Refuse its entries after a silence until an operator resumes it; exits go on.", applies="now")
    ] = False


def check_mappings(mappings: dict[str, SignalMapping], problems: Problems) -> None:
    """Note mappings that name no path of the payload, or that no body could ever be recognised by."""
    for name, mapping in mappings.items():
        path = f"signal.mappings.{name}"
        if (refusal := _NAME(name)) is not None or name == "bulkhead":
            problems.add(path, "OutOfRange", refusal.message if refusal else "is the payload itself and stays as it is")
        for table in ("fields", "constants", "defaults", "words"):
            for named in getattr(mapping, table):
                if named not in MAPPED_PATHS:
                    _unknown_path(f"{path}.{table}", named, problems)
        if name in BUILTIN and mapping.form not in (Form.JSON, BUILTIN[name].form):
            problems.add(f"{path}.form", "InvalidEnum", f"the built-in mapping {name} reads {BUILTIN[name].form.value}")
        if mapping.form is Form.TEXT and not mapping.patterns and name not in BUILTIN:
            problems.add(f"{path}.patterns", "MissingValue", 'is required: "{action} {symbol} @ {price}"')


def _unknown_path(path: str, named: str, problems: Problems) -> None:
    problems.add(path, "UnknownKey", f"the payload has no {named}{nearest(named, MAPPED_PATHS)}", value=named)
