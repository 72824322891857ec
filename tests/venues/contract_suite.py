"""What every adapter must do, as pytest classes to inherit: ``MarketDataContract`` and ``TradingContract``.

A subclass named ``Test...`` implements ``open_rig``; the tests come from here. Nothing here knows a particular venue.
"""

from tests.venues.market_suite import MarketDataContract, MarketRig
from tests.venues.trading_suite import TradingContract, TradingRig

__all__ = ["MarketDataContract", "MarketRig", "TradingContract", "TradingRig"]
