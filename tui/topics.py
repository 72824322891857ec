"""What is asked of the daemon, where, and how often while somebody looks."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final, NamedTuple

__all__ = ["ALWAYS", "TOPICS", "Topic", "stirred_by"]


class Topic(NamedTuple):
    """One thing the screen can know: an address and how often it is asked while it is wanted.

    ``every_s`` 0 is at each update of the screen (prices move without an event); ``stirred`` are beginnings of event types
    and codes that make the answer old at once, so that a slow topic is fresh when something happened. A path with ``{name}``
    is asked once a panel has said what the name stands for (``State.focus``).
    """

    path: str
    every_s: float
    query: tuple[tuple[str, Any], ...] = ()
    stirred: tuple[str, ...] = ()
    quiet: bool = False
    """Whether a refusal is not said: who may not look is shown what there is without it."""


_GROUPISH: Final = ("Group", "Leg", "Order", "Fill", "Pyramid", "Position", "Slot")

TOPICS: Final[dict[str, Topic]] = {
    "status": Topic("/v1/status", 1.0, stirred=("Engine", "Permit", "Config", "Session", "Venue")),
    "alerts": Topic("/v1/alerts", 2.0, stirred=("Incident", "Alert", "Events", "OrderRejected")),
    "groups": Topic("/v1/groups", 0.0, (("open", 1), ("limit", 1000))),
    "queue": Topic("/v1/queue", 0.0),
    "risk": Topic("/v1/risk", 0.0),
    "decisions": Topic("/v1/risk/decisions", 3.0, (("limit", 200),), stirred=("Risk", "Offset", "Plan")),
    "performance": Topic(
        "/v1/performance", 2.0, (("parts", "curves"),), stirred=("GroupClosed", "Fill", "EquityMarked")
    ),
    "figures": Topic("/v1/performance", 2.0, stirred=("GroupClosed", "Fill")),
    "days": Topic("/v1/performance/days", 10.0, (("limit", 60),), stirred=("GroupClosed",)),
    "trades": Topic("/v1/performance/trades", 5.0, (("limit", 500),), stirred=("GroupClosed",)),
    "signals": Topic("/v1/signals", 2.0, (("limit", 1),), stirred=("Signal",)),
    "troubles": Topic("/v1/log", 3.0, (("severity", "warning,error"), ("limit", 200))),
    "group": Topic("/v1/group/{group}", 1.0),
    "group_history": Topic(
        "/v1/group/{group}/history", 5.0, stirred=("GroupEdited", "GroupRecovered", "Close", "Target", "Trigger")
    ),
    "group_log": Topic("/v1/log", 2.0, (("group", "{group}"), ("limit", 100)), stirred=_GROUPISH),
    "log": Topic("/v1/log", 1.0, (("limit", 400),)),
    "console": Topic("/v1/console", 2.0, stirred=("Session", "Venue", "Config")),
    "actors": Topic("/v1/ps", 1.0),
    "actor": Topic("/v1/actor", 1.0, (("actor", "{actor}"),)),
    "messages": Topic("/v1/messages", 30.0, (("actor", "{sent_to}"),)),
    "notices": Topic("/v1/notifications", 10.0, (("limit", 500),), stirred=("Notices",)),
    "trace": Topic("/v1/trace/{traced}", 2.0),
    "explain": Topic("/v1/explain/{traced}", 2.0),
    "secrets": Topic("/v1/secrets", 20.0, stirred=("Secret", "Config"), quiet=True),
    "config": Topic("/v1/config", 10.0, stirred=("Config", "Draft")),
}
"""Every topic by name; panels name those they want."""

ALWAYS: Final = ("status", "alerts", "config", "notices")
"""Asked whatever panel is on screen: the frame shows them."""


@lru_cache(maxsize=1_024)
def stirred_by(*words: str) -> tuple[str, ...]:
    """Return the topics that an event of this type and code makes old; hundreds of the same kind may come a second."""
    return tuple(
        name
        for name, topic in TOPICS.items()
        if topic.stirred and any(word.startswith(topic.stirred) for word in words)
    )
