"""OANDA v20 through oandapyV20: its blocking calls and its two streams run in threads, everything else on the loop.

What lives here: the threads and the sockets that can be cut (``wire``, ``hands``), what is asked (``calls``, ``bodies``),
what the answers mean (``words``, ``refusals``), the account's transaction log as the truth of orders (``ledger``), and the
two streams (``prices``, ``log_feed``). What must not: anything another venue needs, clocks, decisions about trading.
"""

from __future__ import annotations

from venues.oanda.adapter import OandaVenue

__all__ = ["OandaVenue"]
