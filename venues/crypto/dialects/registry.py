"""Find a venue's dialect by its name, and import it only then."""

from __future__ import annotations

import importlib

from venues.access import Access
from venues.crypto.dialect import Dialect

__all__ = ["dialect_of"]


def dialect_of(access: Access) -> Dialect:
    """Return the dialect of an account: class ``<Venue>Dialect`` of the venue's module."""
    module = importlib.import_module(f"venues.crypto.dialects.{access.venue}")
    found: Dialect = getattr(module, f"{access.venue.capitalize()}Dialect")(access)
    return found
