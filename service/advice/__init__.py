"""What to do about each code that a person can meet: one book, read by the command line and printed as a reference page.

Lives here: codes, the words beside them, the page made of them. What must not live here: the checks that produce the codes.
"""

from __future__ import annotations

from service.advice.area import Area, Word
from service.advice.book import ADVICE, AREAS, advice_of

__all__ = ["ADVICE", "AREAS", "Area", "Word", "advice_of"]
