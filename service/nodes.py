"""This daemon among others: the cache it shares with them, and the actors that keep to it.

The branch stands beside all that trades. Each of its actors has a budget of restarts of its own and stays down when that is
used up: whatever a cache does, nobody else is restarted for it.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from actors.cache_link import CacheLink
from actors.node_herald import NodeHerald
from actors.node_listener import NodeListener
from actors.quote_writer import Quoted, QuoteWriter
from protocol.nodes import NodePresence
from runtime.clock import VirtualClock
from runtime.system import ActorSystem
from service.config import Config
from service.markets import Market
from store.cache.opening import open_shared
from supervision.child import ChildSpec

__all__ = ["HERALD", "LINK", "LISTENER", "QUOTES", "node_children", "node_name"]

LINK: Final = "/nodes/link"
QUOTES: Final = "/nodes/quotes"
HERALD: Final = "/nodes/herald"
LISTENER: Final = "/nodes/listener"
_EVENT_LOG: Final = "/store/events"


def node_name(config: Config) -> str:
    """Return the name that other nodes know this daemon by."""
    return config.redis.node or socket.gethostname()[:64] or "bulkhead"


def node_children(config: Config, system: ActorSystem, markets: Mapping[str, Market]) -> Sequence[ChildSpec]:
    """Return the actors of the branch; none on a virtual clock, whose time other nodes do not share.

    Raises FeatureUnavailable when a server is named and the library for it is not installed.
    """
    if isinstance(system.clock, VirtualClock):
        return []
    since, node = system.now(), node_name(config)
    url = config.redis.url.reveal() if config.redis.url is not None else ""
    shared = open_shared(url, now=system.clock.now, node=node, epoch=since, prefix=config.redis.prefix)
    accounts = [account.name for account in config.accounts]
    quoted = {name: Quoted(market.label, _symbols(market)) for name, market in markets.items()}
    me = _presence(config, node, since)
    return [
        _child("link", CacheLink, shared, events=_EVENT_LOG),
        _child("quotes", QuoteWriter, shared.cache, quoted),
        _child("herald", NodeHerald, shared, me, accounts),
        _child("listener", NodeListener, shared, me, herald=HERALD, events=_EVENT_LOG),
    ]


def _child(name: str, actor: Any, *arguments: Any, **named: Any) -> ChildSpec:
    return ChildSpec(name, partial(actor, *arguments, **named), on_exhausted="quarantine")


def _symbols(market: Market) -> Sequence[str]:
    return tuple(instrument.symbol for instrument in market.instruments)


def _presence(config: Config, node: str, since: int) -> NodePresence:
    from service.api.status import installed_version

    return NodePresence(
        node=node,
        version=installed_version(),
        accounts=tuple(account.name for account in config.accounts),
        host=socket.gethostname() or "unknown",
        pid=os.getpid(),
        since=since,
        seen_at=since,
    )
