"""Read what can be read of a config.toml that is not TOML any more: enough to find the daemon and its data (EX-111)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from service.config.errors import ConfigError
from service.config.text import from_toml

__all__ = ["readable_parts"]

_HEAD: Final = re.compile(r"^\[[^\n]*$", re.MULTILINE)
"""A broken head of a table begins one too: what stands below it belongs to no other."""


def readable_parts(text: str) -> dict[str, Any]:
    """Return the document of every table that is whole, and of every whole line of the others."""
    found: dict[str, Any] = {}
    for head, body in _tables(text):
        try:
            found |= from_toml(f"{head}\n{body}")
        except ConfigError:
            for line in body.splitlines():
                found |= _line(head, line)
    return found


def _tables(text: str) -> Iterator[tuple[str, str]]:
    start, head = 0, ""
    for match in _HEAD.finditer(text):
        yield head, text[start : match.start()]
        head, start = match.group(), match.end()
    yield head, text[start:]


def _line(head: str, line: str) -> dict[str, Any]:
    try:
        return from_toml(f"{head}\n{line}")
    except ConfigError:
        return {}
