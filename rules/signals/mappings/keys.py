"""Notice credentials of an exchange: they open the account itself and have no place in an alert."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from rules.signals.mappings.recipe import plain_name

__all__ = ["api_key_in"]

_NAMES: Final = frozenset(
    {"apikey", "apisecret", "apipassphrase", "secretkey", "privatekey", "accesskey", "exchangesecret", "exchangekey"}
)
_DEEPEST: Final = 16


@lru_cache(maxsize=4_096)
def _is_key(name: str) -> bool:
    """Whether a field is named as a credential; alerts name the same few fields over and over."""
    return plain_name(name) in _NAMES


def api_key_in(document: object, _depth: int = 0) -> str | None:
    """Return the first field of a document that is named as an exchange's API key, None when there is none.

    An empty one counts too: its place in the template is the mistake.
    """
    if _depth > _DEEPEST:
        return None
    inner: list[object] = []
    if isinstance(document, dict):
        for name in document:
            if _is_key(name):
                return str(name)[:64]
        inner = list(document.values())
    elif isinstance(document, list):
        inner = document
    for each in inner:
        if isinstance(each, dict | list) and (found := api_key_in(each, _depth + 1)) is not None:
            return found
    return None
