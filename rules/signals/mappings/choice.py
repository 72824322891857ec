"""Find the mapping a body is meant for: named, else recognised by shape in a fixed order, never guessed.

The order: the name in the address or in the field ``mapping``; the payload of EX-202 (it has ``tv`` or
``execution_intent``); the mappings of the configuration; ``3commas`` and ``3commas-dca``; ``flat``; for bodies that are no
JSON ``keyvalue``, then ``text``. Within one step a body that fits two mappings is refused.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from collections.abc import Mapping as Table
from typing import Final, NamedTuple

from protocol.signals import Problem
from rules.identity.errors import shown
from rules.signals.mappings.builtin import BUILTIN
from rules.signals.mappings.forms import Fields, flattened, pairs, pattern_fields
from rules.signals.mappings.recipe import BULKHEAD, Form, Mapping

__all__ = ["Chosen", "choose_json", "choose_text", "named"]

_OWN_SECTIONS: Final = ("tv", "execution_intent")
_NOTHING: Final = Fields({}, {})
"""The payload of EX-202 is not taken apart: it is read as it is."""
_FLAT_NEEDS: Final = ("tv.symbol", "tv.action")


class Chosen(NamedTuple):
    """A mapping and the body's fields as it reads them."""

    mapping: Mapping
    fields: Fields


def named(name: str, mappings: Table[str, Mapping]) -> Mapping | Problem:
    """Return the mapping of this name."""
    found = mappings.get(name.strip().lower())
    if found is not None:
        return found
    near = difflib.get_close_matches(name.lower(), mappings, n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]}?" if near else f"; there is: {', '.join(mappings)}"
    return Problem("UnknownMapping", "mapping", f"there is no mapping of this name{hint}", shown(name))


def choose_json(document: dict[str, object], name: str, mappings: Table[str, Mapping]) -> Chosen | Problem:
    """Return the mapping of a JSON object."""
    if not name and any(section in document for section in _OWN_SECTIONS):
        return Chosen(mappings[BULKHEAD], _NOTHING)
    fields = flattened(document)
    if name:
        found = named(name, mappings)
        if isinstance(found, Problem):
            return found
        if found.form is not Form.JSON:
            return Problem(
                "MappingMismatch", "mapping", f"{found.name} reads {found.form.value}, the body is JSON", name
            )
        return Chosen(found, fields)
    candidates = [each for each in mappings.values() if each.form is Form.JSON]
    own = [each for each in candidates if each.name not in BUILTIN and _recognised(each, fields)]
    shipped = [each for each in candidates if each.name in BUILTIN and _recognised(each, fields)]
    for step in (own, shipped):
        if step:
            return _only(((each, fields) for each in step), "recognise or equals")
    flat = mappings["flat"]
    if all(any(fields.find(each) for each in flat.fields[path]) for path in _FLAT_NEEDS):
        return Chosen(flat, fields)
    return Chosen(mappings[BULKHEAD], fields)


def choose_text(text: str, name: str, mappings: Table[str, Mapping]) -> Chosen | Problem | None:
    """Return the mapping of a body that is no JSON; None when no mapping fits it."""
    found_pairs = pairs(text)
    name = name or _asked_in(found_pairs)
    if name:
        found = named(name, mappings)
        if isinstance(found, Problem):
            return found
        fits = [(found, fields) for fields in _fits(found, text, found_pairs)]
        if not fits:
            shapes = "; ".join(found.patterns) or "key=value pairs"
            return Problem(
                "MappingMismatch", "mapping", f"the body does not have the shape of {found.name}: {shapes}", name
            )
        return _only(fits, "patterns")
    loose = [each for each in mappings.values() if each.form is not Form.JSON]
    own = [each for each in loose if each.name not in BUILTIN and (each.form is Form.TEXT or each.recognise)]
    for step in (own, [mappings["keyvalue"]], [mappings["text"]]):
        fits = [
            (each, fields)
            for each in step
            for fields in _fits(each, text, found_pairs)
            if _recognised(each, fields, True)
        ]
        if fits:
            return _only(fits, "patterns")
    return None


def _asked_in(fields: Fields | None) -> str:
    found = fields.find("mapping") if fields is not None else None
    return str(found[1]) if found is not None else ""


def _fits(mapping: Mapping, text: str, found_pairs: Fields | None) -> list[Fields]:
    if mapping.form is Form.KEYVALUE:
        return [found_pairs] if found_pairs is not None else []
    if mapping.form is Form.JSON:
        return []
    found = (pattern_fields(pattern, text) for pattern in mapping.patterns)
    return [each for each in found if each is not None]


def _recognised(mapping: Mapping, fields: Fields, when_silent: bool = False) -> bool:
    """Whether a body has what a mapping recognises it by; ``when_silent``: for one that names nothing."""
    if not mapping.recognise and not mapping.equals:
        return when_silent
    values = {name: fields.find(name) for name in mapping.equals}
    return all(fields.find(name) is not None for name in mapping.recognise) and all(
        found is not None and str(found[1]).strip().lower() == mapping.equals[name].lower()
        for name, found in values.items()
    )


def _only(fits: Iterable[tuple[Mapping, Fields]], by: str) -> Chosen | Problem:
    """Return the only fit; two that read the body differently are one too many."""
    found: list[tuple[Mapping, Fields]] = []
    for fit in fits:
        if fit not in found:
            found.append(fit)
    if len(found) == 1:
        return Chosen(*found[0])
    names = ", ".join(dict.fromkeys(mapping.name for mapping, _ in found))
    message = f"the body fits more than one way to read it ({names}): name one with ?mapping=NAME, or narrow its {by}"
    return Problem("AmbiguousMapping", "mapping", message)
