"""Rules for accounts that go by another account's prices (PF-231)."""

from __future__ import annotations

from service.config.document import Config
from service.config.errors import Problems
from service.config.market import Account, VenueKind

__all__ = ["check_data"]


def check_data(config: Config, problems: Problems) -> None:
    """Note accounts whose prices cannot come from where they are said to come from (``InvalidDataAccount``)."""
    known = {account.name: account for account in config.accounts}
    for index, account in enumerate(config.accounts):
        if account.data and (why := _fault(account, known.get(account.data))):
            problems.add(f"accounts[{index}].data", "InvalidDataAccount", why, value=account.data)


def _fault(account: Account, source: Account | None) -> str:
    if account.venue is VenueKind.PAPER:
        return "a paper account goes by the prices that fill its orders: `market` says whose"
    if source is None:
        return "no account has this name"
    if source.name == account.name:
        return "is this account itself: leave it out"
    if source.data:
        return f"goes by the prices of {source.data} itself: name that account"
    if source.venue in (VenueKind.IBKR, VenueKind.IBKR_WEB):
        return "IBKR's hours are not known here: its silence could not be told from a closed market"
    return ""
