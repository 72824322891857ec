"""One module a venue with one ``Dialect`` class; looked up by the venue's name when an account uses it.

What must not live here: anything that two venues have in common (``venues.crypto``).
"""

from __future__ import annotations

import importlib

from venues.access import Access
from venues.crypto.dialect import Dialect

__all__ = ["dialect_of"]


def dialect_of(access: Access) -> Dialect:
    """Return the dialect of an account: class ``<Venue>Dialect`` of the venue's module."""
    module = importlib.import_module(f"{__name__}.{access.venue}")
    found: Dialect = getattr(module, f"{access.venue.capitalize()}Dialect")(access)
    return found
