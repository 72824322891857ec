"""Every key as screens show it: its value in force, where that comes from, what the key takes, when a change of it holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from service.config.catalogue import catalogue
from service.config.document import Config
from service.config.keys import Field, Key, Secret, fields_of, optional
from service.config.reference import table_in, type_words
from service.config.text import as_json, document_of

__all__ = ["described"]


def described(config: Config, document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return every key in the order of the document, secrets masked; ``document`` is what stands in force of it."""
    in_force = document_of(config, everything=True)
    by_default = document_of(Config(), everything=True)
    return [
        {
            "key": name,
            "value": in_force[name],
            "from": "document" if name in document else "default",
            "default": by_default[name],
            **_taken(entry.field),
            **({"inside": inside} if (inside := _inside(entry.field)) else {}),
        }
        for name, entry in catalogue().items()
    ]


def _taken(field: Field) -> dict[str, Any]:
    """Return what a key takes and what it is for."""
    return {
        "applies": field.key.applies,
        "meaning": field.key.doc,
        "type": type_words(field.hint),
        "unit": field.key.unit,
        "bounds": _bounds(field.key),
        "secret": optional(field.hint)[0] is Secret,
    }


def _inside(field: Field) -> list[dict[str, Any]]:
    """Return the keys of the tables in a list or a table; empty for a key that holds none."""
    table = table_in(field.hint)
    if table is None:
        return []
    return [
        {
            "key": each.name,
            "default": None if each.required else as_json(each.default),
            "required": each.required,
            "only": list(each.key.only),
            **_taken(each),
        }
        for each in fields_of(table)
    ]


def _bounds(key: Key) -> dict[str, str]:
    """Return between what a value lies, exact: empty for a key without bounds."""
    named = {"above": key.above, "at_least": key.at_least, "below": key.below, "at_most": key.at_most}
    return {name: str(bound) for name, bound in named.items() if bound is not None}
