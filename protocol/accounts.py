"""What an account is worth, as its venue says."""

from __future__ import annotations

from decimal import Decimal

from protocol.messages import Value
from protocol.values import Instant, Name

__all__ = ["AccountState"]


class AccountState(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """Worth and margin of one account in ``currency`` (DK-50). ``day_trades``: those of five days (FINRA 4210)."""

    account: Name
    currency: Name
    net_liquidation: Decimal
    cash: Decimal
    available_funds: Decimal
    maintenance_margin: Decimal
    day_trades: int | None = None
    pattern_day_trader: bool = False
    at: Instant
