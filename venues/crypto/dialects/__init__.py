"""One module a venue with one ``Dialect`` class; looked up by the venue's name when an account uses it.

What must not live here: anything that two venues have in common (``venues.crypto``).
"""

from venues.crypto.dialects.registry import dialect_of

__all__ = ["dialect_of"]
