"""Facts of other nodes, for tests."""

from __future__ import annotations

from protocol.nodes import NodeAlive, NodePresence

__all__ = ["alive", "presence"]


def presence(node: str, *, at: int = 1, open_groups: int = 0) -> NodePresence:
    """Return the presence of a node."""
    return NodePresence(
        node=node,
        version="1",
        accounts=("paper",),
        host="box",
        pid=7,
        since=1,
        seen_at=at,
        open_groups=open_groups,
    )


def alive(node: str) -> NodeAlive:
    """Return a node's heartbeat."""
    return NodeAlive(presence(node))
