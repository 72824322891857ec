"""Interactive Brokers through its Web API v1.0 (PF-236): ``IbkrWebVenue``, by OAuth 1.0a or a Client Portal Gateway.

Symbols, contracts, order ids, notes, the ledger of orders, message codes and heartbeats are those of ``venues.ibkr``. What
must not live here: ib_async, rules of session ages (``rules.broker``), decisions about what to trade.
"""

from venues.ibkr_web.venue import IbkrWebVenue

__all__ = ["IbkrWebVenue"]
