"""Texts of strangers, so that every character of them is seen: at every edge where somebody reads them."""

from __future__ import annotations

import unicodedata
from typing import Final

__all__ = ["legible", "seen"]

_PICTURES: Final = 0x2400
"""Where Unicode has a picture of each control character, in their order."""
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Categories of what is obeyed or hidden and not shown: controls, formats, halves of pairs, separators of lines."""


def legible(text: str, *, lines: bool = False) -> str:
    """Return a text whose every character is seen: none is obeyed by a terminal, hides or turns round what stands beside it.

    Escape sequences, line breaks and marks of direction become a sign each; with ``lines`` it may have breaks and tabs.
    """
    if text.isprintable():
        return text
    return "".join(each if lines and each in "\n\t" else seen(each) for each in text)


def seen(character: str) -> str:
    """Return a character that is shown, the sign of one that would be obeyed or hidden."""
    if character.isprintable() or unicodedata.category(character) not in _UNSEEN:
        return character
    code = ord(character)
    return (
        chr(_PICTURES + code)
        if code < 0x20
        else "\N{SYMBOL FOR DELETE}"
        if code == 0x7F
        else "\N{REPLACEMENT CHARACTER}"
    )
