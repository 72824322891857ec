"""Alpaca (US equities) behind the venue contract, through alpaca-py.

Here live the adapter, its worker threads, its two streams and the translation of Alpaca's words. No order logic of ours and
no other venue; nothing outside this package imports alpaca-py.

Shares are treated as a spot market: ``AAPL/USD`` with the holding as a balance of ``AAPL`` and the cash as one of ``USD``.
"""

from venues.alpaca.venue import AlpacaVenue

__all__ = ["AlpacaVenue"]
