"""The words of a line and of a search, alike in SQLite's full-text index and in PostgreSQL's.

A word is a run of letters and digits, compared without case and accents, as SQLite's tokenizer ``unicode61`` has it. What is
searched for, split at blanks, are phrases whose last word may go on: ``BTC/US`` finds ``BTC/USDT``.
"""

from __future__ import annotations

import unicodedata
from typing import Final

__all__ = ["split_words", "ts_query", "ts_vector", "words_query"]

_MOST_BYTES: Final = 2_000
"""PostgreSQL keeps words of up to 2,046 bytes."""

_ACCENTS: Final = frozenset(chr(0x300 + n) for n in range(50) if 0x0003_61F8_0802_9FDF >> n & 1)
"""Accents on their own that the tokenizer takes off; any other mark parts two words (``fts5_unicode2.c``)."""

_MOST_WORDS: Final = 16_000
"""PostgreSQL counts places up to 16,383."""


def words_query(text: str) -> str:
    """Return SQLite's query for the words of a search: each as the beginning of a word, all of them."""
    words = (word.replace('"', '""') for word in text.split())
    return " ".join(f'"{word}" *' for word in words if any(letter.isalnum() for letter in word))


def split_words(text: str) -> list[str]:
    """Return the words of a text in order, in small letters without accents."""
    plain = text.lower() if text.isascii() else _folded(text)
    return "".join(letter if letter.isalnum() else " " for letter in plain).split()


def _folded(text: str) -> str:
    """Take accents off the letters that have one, and what is left of accents on their own."""
    folded = []
    for letter in text.lower():
        parts = unicodedata.normalize("NFD", letter)
        folded.append(parts[0] if len(parts) > 1 and unicodedata.category(parts[1]) == "Mn" else letter)
    return "".join(letter for letter in folded if letter not in _ACCENTS)


def ts_vector(text: str) -> str:
    """Return the words of a line with their places, as PostgreSQL writes a ``tsvector``."""
    words = (_cut(word) for word in split_words(text)[:_MOST_WORDS])
    return " ".join(f"'{word}':{place}" for place, word in enumerate(words, 1))


def ts_query(text: str) -> str:
    """Return PostgreSQL's query for the words of a search; empty when there is no word."""
    phrases = []
    for piece in text.split():
        words = [_cut(word) for word in split_words(piece)]
        if words:
            phrases.append(" <-> ".join([*(f"'{word}'" for word in words[:-1]), f"'{words[-1]}':*"]))
    return " & ".join(f"({each})" for each in phrases)


def _cut(word: str) -> str:
    """Cut a word to what is kept of it; letters and digits need no quoting."""
    raw = word.encode("utf-8", "replace")
    return word if len(raw) <= _MOST_BYTES else raw[:_MOST_BYTES].decode("utf-8", "ignore")
