"""The venue contract: capabilities and the error tree (EX-1103, EX-1104)."""

from __future__ import annotations

import pytest

import venues.errors as errors
from protocol.errors import BulkheadError
from venues.contract import REQUIRED_CAPABILITIES, Capability, Venue, check_capabilities
from venues.errors import AuthFailed, RateLimited, VenueCapabilityMissing


def test_a_missing_capability_stops_the_connection_by_name():
    """A connection that lacks something required is not opened and the error names it."""
    with pytest.raises(VenueCapabilityMissing) as caught:
        check_capabilities("acme", REQUIRED_CAPABILITIES - {Capability.IOC_ORDERS})
    assert (caught.value.name, caught.value.venue, caught.value.stops) == ("ioc_orders", "acme", True)
    check_capabilities("acme", REQUIRED_CAPABILITIES)


def test_one_tree_and_honest_all():
    """Every public error is a BulkheadError and ``__all__`` names exactly the public classes."""
    public = {
        name for name, value in vars(errors).items() if isinstance(value, type) and value.__module__ == errors.__name__
    }
    assert set(errors.__all__) == public
    assert all(issubclass(getattr(errors, name), BulkheadError) for name in public)


def test_errors_say_what_to_do():
    """Credentials errors stop the connection; a rate limit carries the venue's wait."""
    assert AuthFailed("acme", "bad key").stops
    limited = RateLimited("acme", "slow down", retry_after_s=2.5)
    assert (limited.stops, limited.retry_after_s, limited.code) == (False, 2.5, "RateLimited")


def test_the_contract_is_abstract():
    """An adapter that lacks a method cannot be made."""
    with pytest.raises(TypeError, match="place"):
        Venue()
