"""What only this broker can answer.

::

    VenueError
    ├─ UnknownContract       no such contract, or more than one (PF-235)
    ├─ NotSubscribed         the account does not receive this market's data
    ├─ NoData                the broker has no history of what was asked for
    └─ VenueDown
       ├─ CompetingSession   another login of the same user took the session
       └─ ClientIdTaken      another program is connected with our client id
"""

from __future__ import annotations

from venues.errors import VenueDown, VenueError

__all__ = ["ClientIdTaken", "CompetingSession", "NoData", "NotSubscribed", "UnknownContract"]


class UnknownContract(VenueError):
    """The broker knows no such contract, or more than one; no order was sent."""


class NotSubscribed(VenueError):
    """The account has no subscription for this market's data."""


class NoData(VenueError):
    """The broker has no history of what was asked for."""


class CompetingSession(VenueDown):
    """The same user has logged in elsewhere; ours goes on when that one ends."""


class ClientIdTaken(VenueDown):
    """A connection with our client id exists: another program's, or our last one that the gateway has not yet let go."""
