"""The form of the book: areas of words."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Area", "Word"]


class Word(NamedTuple):
    """Codes that one advice is for; ``http`` is the status a webhook answers with, 0 outside it."""

    codes: tuple[str, ...]
    advice: str
    http: int = 0


class Area(NamedTuple):
    """A chapter: its title, a sentence about where its codes appear, its words."""

    title: str
    about: str
    words: tuple[Word, ...]
