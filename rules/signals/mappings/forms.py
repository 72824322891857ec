"""Take a body apart into named fields: JSON objects, key=value pairs, plain text by a pattern."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final, NamedTuple

from rules.signals.mappings.recipe import plain_name

__all__ = ["LONGEST_TEXT", "Fields", "flattened", "pairs", "pattern_fields", "split_secret"]

LONGEST_TEXT: Final = 1_024
"""Characters of a plain text that is matched with patterns at all."""

_DEEPEST: Final = 3
_PAIR = re.compile(
    r"""(?P<key>[A-Za-z_][\w.\-]{0,63})\s*=\s*"""
    r"""(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[^\s,;"']+))"""
)
_BETWEEN = re.compile(r"[\s,;]*")
_NAMED_SECRET = re.compile(r"(?:secret|passphrase)\s*[:=]\s*(?P<value>\S+)", re.IGNORECASE)
_BARE_SECRET = re.compile(r"[^\s={}\[\]\"']{16,256}")
_NAME_IN_PATTERN = re.compile(r"\{(?P<name>[A-Za-z_]\w{0,31}|_)\}")


class Fields(NamedTuple):
    """What a body says: values by comparable name, and the names as they were written."""

    values: dict[str, Any]
    written: dict[str, str]
    twice: tuple[str, str] | None = None
    """Two spellings of one name in the same body: which of them counts cannot be told."""

    def find(self, name: str) -> tuple[str, Any] | None:
        """Return the name as written and the value of a field, None when it is not there."""
        key = plain_name(name)
        return (self.written[key], self.values[key]) if key in self.values else None


def flattened(document: dict[str, Any]) -> Fields:
    """Return the fields of a JSON object; inner ones as ``order.amount``."""
    return _collected(_walk(document, "", 0))


def _walk(document: dict[str, Any], prefix: str, depth: int) -> Iterator[tuple[str, Any]]:
    for name, value in document.items():
        if isinstance(value, dict) and depth < _DEEPEST:
            yield from _walk(value, f"{prefix}{name}.", depth + 1)
        else:
            yield f"{prefix}{name}", value


def _collected(found: Iterator[tuple[str, Any]]) -> Fields:
    values: dict[str, Any] = {}
    written: dict[str, str] = {}
    twice = None
    for name, value in found:
        key = plain_name(name)
        if key in values:
            twice = twice or (written[key], name)
        values[key], written[key] = value, name
    return Fields(values, written, twice)


def split_secret(text: str) -> tuple[str | None, str]:
    """Return the secret in the first line of a text and the rest; None and the whole text where there is none."""
    first, newline, rest = text.strip().partition("\n")
    named = _NAMED_SECRET.fullmatch(first.strip())
    if named is not None:
        return named["value"], rest
    if newline and rest.strip() and _BARE_SECRET.fullmatch(first.strip()):
        return first.strip(), rest
    return None, text


def pairs(text: str) -> Fields | None:
    """Return the fields of ``key=value`` pairs; None when the text holds anything else, or fewer than two."""
    found: list[tuple[str, Any]] = []
    at = _end_of_gap(text, 0)
    while at < len(text):
        pair = _PAIR.match(text, at)
        if pair is None:
            return None
        found.append((pair["key"], next(pair[each] for each in ("double", "single", "bare") if pair[each] is not None)))
        at = _end_of_gap(text, pair.end())
        if at == pair.end() < len(text):
            return None
    return _collected(iter(found)) if len(found) > 1 else None


def _end_of_gap(text: str, start: int) -> int:
    gap = _BETWEEN.match(text, start)
    return gap.end() if gap is not None else start


def pattern_fields(pattern: str, text: str) -> Fields | None:
    """Return the named parts of a text that a pattern fits as a whole; None when it does not fit."""
    if len(text) > LONGEST_TEXT:
        return None
    fit = _compiled(pattern).fullmatch(text.strip())
    return _collected(iter(fit.groupdict().items())) if fit is not None else None


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts: list[str] = []
    done = 0
    for name in _NAME_IN_PATTERN.finditer(pattern):
        parts.append(_literal(pattern[done : name.start()]))
        parts.append(r".*?" if name["name"] == "_" else rf"(?P<{name['name']}>\S+?)")
        done = name.end()
    parts.append(_literal(pattern[done:]))
    return re.compile("".join(parts), re.IGNORECASE | re.DOTALL)


def _literal(text: str) -> str:
    """Return a pattern's own text: any run of blanks fits any other."""
    return r"\s+".join(re.escape(part) for part in re.split(r"\s+", text))
