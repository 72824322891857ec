"""Whose request it is that came through proxies."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence

__all__ = ["forwarded", "is_address", "is_within"]


def forwarded(remote: str, hops: Iterable[str], trusted: Sequence[str]) -> str:
    """Return the address a request comes from; ``hops`` are the lines of ``X-Forwarded-For``, ``trusted`` our proxies.

    That is the nearest one that is no proxy of ours: what stands further left anybody could have written. ``remote`` is who
    connected; when that is no proxy of ours the caller does not ask.
    """
    listed = [hop.strip() for line in hops for hop in line.split(",")]
    for hop in reversed(listed):
        if not is_within(hop, trusted):
            return hop if is_address(hop) else remote
    return remote


def is_within(text: str, networks: Sequence[str]) -> bool:
    """Tell whether a text is an address of one of these networks."""
    if not is_address(text):
        return False
    address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped  # how a socket for both families names a sender of version 4
    return any(address in ipaddress.ip_network(each) for each in networks)


def is_address(text: str) -> bool:
    """Tell whether a text is an address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
