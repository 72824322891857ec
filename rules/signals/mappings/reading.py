"""Read a body as the payload of EX-202, and note where each value came from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping as Table
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import msgspec

from protocol.signals import Problem
from rules.notation import iso_ms
from rules.signals.body import MalformedJson, parse_body
from rules.signals.mappings.choice import Chosen, choose_json, choose_text
from rules.signals.mappings.forms import Fields, split_secret
from rules.signals.mappings.keys import api_key_in
from rules.signals.mappings.recipe import BULKHEAD, MAPPED_PATHS, Form, Mapping
from rules.signals.reading import is_absent

__all__ = ["Origin", "Reading", "explain_problem", "read_body"]

_DEFAULTS: Final = {"tv.timeframe": "1h", "execution_intent.type": "signal"}
"""What a mapped body means that names neither: as an operator's command without ``--timeframe``."""

_SIZES: Final = ("tv.order_size", "execution_intent.position_size_type")


class Origin(NamedTuple):
    """Where the value of a path came from: a field of the body, a constant, a default, the house, or nowhere."""

    how: str
    field: str = ""
    given: Any = None


class Reading(NamedTuple):
    """A body as a payload. With a ``problem`` nothing else of it counts, but the ``secret`` it presents.

    ``origins`` and ``unused`` (fields that no path takes) are empty for the payload of EX-202 itself. ``undated`` says
    that the time was set to the receipt because the mapping allows it.
    """

    payload: object = None
    mapping: str = BULKHEAD
    secret: object = None
    origins: Table[str, Origin] = MappingProxyType({})
    unused: tuple[str, ...] = ()
    undated: bool = False
    problem: Problem | None = None
    api_key: str | None = None
    """A field that is named as an exchange's API key."""


def read_body(
    body: bytes, mappings: Table[str, Mapping], *, name: str = "", only_venue: str = "", at: int = 0
) -> Reading:
    """Return what a body says. No body makes it raise.

    ``name`` is the mapping asked for in the address. ``only_venue`` stands where a mapped body names no exchange, ``at``
    (nanoseconds) where an undated one names no time and its mapping allows that.
    """
    try:
        document = parse_body(body)
    except MalformedJson as error:
        return _read_text(body, error, mappings, name, only_venue, at)
    if not isinstance(document, dict):
        return Reading(document, api_key=api_key_in(document))
    return _read_object(document, mappings, name, only_venue, at)._replace(api_key=api_key_in(document))


def _read_object(
    document: dict[str, Any], mappings: Table[str, Mapping], name: str, only_venue: str, at: int
) -> Reading:
    asked = document.get("mapping")
    name = name or (asked if isinstance(asked, str) else "")
    chosen = choose_json(document, name, mappings)
    if isinstance(chosen, Problem):
        return Reading(problem=chosen, secret=document.get("secret"))
    if chosen.mapping.name == BULKHEAD:
        return Reading(document, secret=document.get("secret"))
    reading = _filled(chosen, only_venue, at)
    return reading._replace(secret=_agreed(document.get("secret"), reading.secret))


def _agreed(one: object, other: object) -> object:
    """Return the one secret that two places present; what no secret equals where they differ (EX-220)."""
    if one in (None, "") or one == other:
        return other
    return one if other in (None, "") else 0


def _read_text(
    body: bytes, error: MalformedJson, mappings: Table[str, Mapping], name: str, only_venue: str, at: int
) -> Reading:
    malformed = Reading(problem=Problem("MalformedJson", "$", error.message))
    try:
        text = body.decode("utf-8").strip()
    except UnicodeDecodeError:
        return malformed
    if not text or text[0] in '{"\ufeff':
        return malformed  # meant as JSON: half of it read in another way would be a guess
    secret, rest = split_secret(text)
    chosen = choose_text(rest, name, mappings)
    if chosen is None:
        message = f"neither JSON ({error.message}) nor key=value pairs, and no pattern for plain text fits it"
        return Reading(problem=Problem("MalformedJson", "$", message), secret=secret)
    if isinstance(chosen, Problem):
        return Reading(problem=chosen, secret=secret)
    reading = _filled(chosen, only_venue, at)._replace(
        api_key=api_key_in(dict.fromkeys(chosen.fields.written.values()))
    )
    return reading._replace(secret=_agreed(secret, reading.secret))


class _Draft:
    """A payload in the making."""

    def __init__(self, chosen: Chosen) -> None:
        self.mapping, self.fields = chosen
        self.values: dict[str, Any] = {}
        self.origins: dict[str, Origin] = {}
        self.used: set[str] = {"mapping"}

    def take(self, path: str) -> None:
        """Fill one path from constant, fields or default."""
        mapping = self.mapping
        if path in mapping.constants:
            self.put(path, mapping.constants[path], Origin("constant"))
            return
        for field in mapping.fields.get(path, ()):
            found = self.fields.find(field)
            if found is None:
                continue
            written, given = found
            self.used.add(written)
            value = self.said(path, given)
            if not is_absent(value):
                self.put(path, value, Origin("field", written, given))
                return
        default = mapping.defaults.get(path, _DEFAULTS.get(path))
        if default is not None:
            self.put(path, default, Origin("default"))

    def said(self, path: str, given: Any) -> Any:
        """Return what a field's value means for a path."""
        words = self.mapping.words.get(path)
        if words and isinstance(given, str) and (word := given.strip().lower()) in words:
            return words[word]
        if path == "execution_intent.type" and words:
            return ""  # a word that names no intent says nothing of it: the direction's own check names the mistake
        return _swapped(given) if path in self.mapping.swapped and isinstance(given, str) else given

    def put(self, path: str, value: Any, origin: Origin) -> None:
        self.values[path], self.origins[path] = value, origin

    def payload(self) -> dict[str, Any]:
        """Return the payload as EX-202 nests it."""
        made: dict[str, Any] = {}
        for path, value in self.values.items():
            section, _, name = path.rpartition(".")
            target = made.setdefault(section, {}) if section else made
            target[name] = value
        return made


def _filled(chosen: Chosen, only_venue: str, at: int) -> Reading:
    draft = _Draft(chosen)
    if chosen.fields.twice is not None:
        one, other = chosen.fields.twice
        return Reading(problem=Problem("AmbiguousField", one, f"`{one}` and `{other}` are one name: keep one of them"))
    for path in MAPPED_PATHS:
        draft.take(path)
    if "tv.exchange" not in draft.values and only_venue:
        draft.put("tv.exchange", only_venue, Origin("the only exchange that is traded"))
    if draft.values.get("execution_intent.type") == "exit":
        for path in _SIZES:  # an exit closes everything: a size in a unit we do not know must not hold it up
            draft.values.pop(path, None)
            draft.origins.pop(path, None)
    if "strategy_info.trade_id" not in draft.values:
        draft.put("strategy_info.trade_id", _hash_of(chosen.fields, draft), Origin("the body's own hash"))
    undated = chosen.mapping.undated and "timestamp" not in draft.values
    if undated:
        draft.put("timestamp", iso_ms(at), Origin("the moment of receipt"))
    secret = draft.values.pop("secret", None)
    unused = tuple(name for name in chosen.fields.written.values() if name not in draft.used)
    return Reading(draft.payload(), chosen.mapping.name, secret, draft.origins, unused, undated)


def _hash_of(fields: Fields, draft: _Draft) -> str:
    """Return an id made of all that a body says but its secret: the same text has the same."""
    origin = draft.origins.get("secret")
    hidden = origin.field if origin is not None else ""
    said = sorted((name, str(fields.values[key])) for key, name in fields.written.items() if name != hidden)
    return "body-" + hashlib.sha256(json.dumps(said).encode("utf-8", "replace")).hexdigest()[:24]


def _swapped(pair: str) -> str:
    """Return ``QUOTE_BASE`` as a symbol of ours; ``USDT_BTCUSDT`` is how a perpetual is written there."""
    quote, _, base = pair.strip().upper().partition("_")
    if not base:
        return pair
    return f"{base}.P" if base.endswith(quote) else f"{base}_{quote}"


def explain_problem(problem: Problem, reading: Reading, mappings: Table[str, Mapping]) -> Problem:
    """Return a problem whose message also names the sender's own field (the path stays that of EX-202)."""
    mapping = mappings.get(reading.mapping)
    if mapping is None or reading.mapping == BULKHEAD:
        return problem
    origin = reading.origins.get(problem.path)
    if origin is not None and origin.how == "field":
        said = f"it stands in your field `{origin.field}`"
    elif origin is not None:
        said = f"it comes from: {origin.how}"
    else:
        said = _where_it_is_missing(problem.path, mapping)
    return msgspec.structs.replace(problem, message=f"{problem.message}; {said}" if said else problem.message)


def _where_it_is_missing(path: str, mapping: Mapping) -> str:
    looked = mapping.fields.get(path, ())
    if path == "timestamp":
        allowed = f"or take such alerts as of their arrival: [signal.mappings.{mapping.name}] undated = true"
        return f"add {{{{timenow}}}} as {' or '.join(looked[:3])}, {allowed}"
    if mapping.form is Form.TEXT:
        names = " or ".join(f"{{{name}}}" for name in looked[:3])
        where = f"[signal.mappings.{mapping.name}]"
        return f"no part of the text is read as it: give the pattern {names}, or a default in {where}"
    if not looked:
        return f"the mapping {mapping.name} does not read it"
    return f"mapping {mapping.name} looks for it in: {', '.join(looked[:6])}"
