"""The daemon's local address: JSON over HTTP and a WebSocket of events, on a unix socket that only its owner can open.

``server`` is the actor that listens, ``shared`` what its addresses have in common, ``routes`` the table of addresses,
``reading`` and ``rows`` answer from the read models, ``control`` passes operators' commands to actors, ``tailing`` and
``hub`` send events as they are committed, ``answers`` is the one shape of every answer and error. ``client`` and ``follow``
are the other end of the line.

What must not live here: decisions. Whatever changes something is a message to the actor that owns it.
"""

from __future__ import annotations

import typing

if typing.TYPE_CHECKING:
    from service.api.server import ApiServer

__all__ = ["ApiServer"]


def __getattr__(name: str) -> object:
    """Import the server only where one is wanted: a client starts in a third of the time without it."""
    if name != "ApiServer":
        raise AttributeError(name)
    from service.api.server import ApiServer

    return ApiServer
