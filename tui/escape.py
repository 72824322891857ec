"""Esc and the key after it, where a terminal hands in both in one piece.

``ESC 4`` is Esc and 4 that came together (from a script, over a slow line) or Option and 4 of one kind of terminal on one
kind of machine. Textual takes it for the latter and makes a cent sign of it, that goes into whatever field has the keys;
``ESC :`` loses its Esc. In the cockpit Esc leads out and digits open panels, so here it is always the former.
"""

from __future__ import annotations

import string
from typing import Any, Final, NamedTuple, cast

from textual import _ansi_sequences
from textual.keys import _character_to_key

__all__ = ["tell_apart"]

_LONGER: Final = frozenset("[]OPX^_")
"""What follows Esc at the beginning of longer sequences: arrows, answers of the terminal."""


class _Named(NamedTuple):
    """A key as Textual's table wants it."""

    value: str


def tell_apart() -> None:
    """Have Textual read Esc and a key as two; what it knows as one key already (Option and an arrow) stays one."""
    known = cast("dict[str, Any]", _ansi_sequences.ANSI_SEQUENCES_KEYS)
    for character in set(string.printable) - set(string.whitespace) - _LONGER:
        sequence = f"\x1b{character}"
        if not isinstance(known.get(sequence), tuple):
            key = character if character.isalnum() else _character_to_key(character)
            known[sequence] = (_Named("escape"), _Named(key))
