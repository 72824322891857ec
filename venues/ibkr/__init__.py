"""Interactive Brokers through ib_async and a running Gateway or TWS: ``IbkrVenue``.

What must not live here: rules of brackets, session ages and message pace (``rules.broker``), decisions about what to trade.
Importing this package imports ib_async: nobody does who has no account there (``venues.known``).
"""

from venues.ibkr.venue import IbkrVenue

__all__ = ["IbkrVenue"]
