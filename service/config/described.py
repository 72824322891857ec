"""Every key as screens show it: its value in force, where that comes from, what the key takes, when a change of it holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from service.config.catalogue import catalogue
from service.config.document import Config
from service.config.keys import Key
from service.config.reference import type_words
from service.config.text import document_of

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
            "applies": entry.field.key.applies,
            "meaning": entry.field.key.doc,
            "type": type_words(entry.field.hint),
            "unit": entry.field.key.unit,
            "default": by_default[name],
            "bounds": _bounds(entry.field.key),
            "secret": entry.is_secret,
        }
        for name, entry in catalogue().items()
    ]


def _bounds(key: Key) -> dict[str, str]:
    """Return between what a value lies, exact: empty for a key without bounds."""
    named = {"above": key.above, "at_least": key.at_least, "below": key.below, "at_most": key.at_most}
    return {name: str(bound) for name, bound in named.items() if bound is not None}
