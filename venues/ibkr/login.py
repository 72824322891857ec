"""Which account a login is for: the wrong one is worse than none."""

from __future__ import annotations

from collections.abc import Sequence

from venues.access import Access
from venues.errors import AuthFailed, PermissionDenied

__all__ = ["check_account"]


def check_account(access: Access, accounts: Sequence[str]) -> str:
    """Return the broker's number of the account that is meant; raises AuthFailed or PermissionDenied for a wrong one."""
    wanted = access.account_id
    # Paper and live differ by a port or a user, and who mistypes one must not trade with money: paper accounts begin with D.
    real = [each for each in (accounts if not wanted else [wanted]) if not each.startswith("D")]
    if access.testnet and real:
        raise PermissionDenied(
            access.venue,
            f"{', '.join(real)} is for real money, and this account is to trade on paper: see `port`",
        )
    if wanted and wanted not in accounts:
        raise AuthFailed(access.venue, f"the gateway's login has no account {wanted}: it has {', '.join(accounts)}")
    if not wanted and len(accounts) != 1:
        raise AuthFailed(access.venue, f"the gateway's login has several accounts, name one: {', '.join(accounts)}")
    return wanted or accounts[0]
