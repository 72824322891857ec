"""Who executes an account's orders is not changed while groups of it are open (PF-230)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from protocol.errors import ValidationError
from rules.broker.data_venue import broker_kept
from service.config.document import Config
from service.config.market import Account
from service.config.venue_access import market_type_of, on_testnet

__all__ = ["Held", "venue_changes"]

Held = Callable[[str], Collection[str]]
"""Returns the keys of an account's open groups: ``user|venue|symbol|timeframe|side``."""


def venue_changes(before: Config | None, after: Config, held: Held) -> tuple[ValidationError, ...]:
    """Return a ``BrokerChangeWithOpenPositions`` for each account that would leave open groups behind.

    Where the groups are is in their keys; what these do not tell apart (paper and real, test network, market type, number of
    the account) is compared with ``before``, the configuration in force, None when it is that which is judged.
    """
    known = {account.name: account for account in before.accounts} if before is not None else {}
    found = []
    for index, account in enumerate(after.accounts):
        keys = held(account.name)
        if not keys:
            continue
        elsewhere = sorted({key.split("|")[1] for key in keys} - {account.exchange})
        if elsewhere:
            why = (
                f"{len(keys)} groups are open, at {' and '.join(elsewhere)}: close them first, or name another account"
            )
            path = "venue" if account.venue.is_known else "exchange"
            found.append(broker_kept(f"accounts[{index}].{path}", account.exchange, why))
        elif before is not None and account.name in known and known[account.name].exchange == account.exchange:
            why = f"{len(keys)} groups are open: close them first, or give the other account another name"
            changed = _changed(before, known[account.name], after, account)
            found += [broker_kept(f"accounts[{index}].{key}", value, why) for key, value in changed]
    return tuple(found)


def _changed(before: Config, was: Account, after: Config, will: Account) -> Iterator[tuple[str, str]]:
    """Yield the first key that says that orders would go elsewhere, with its value."""
    old, new = dict(_where(before, was)), dict(_where(after, will))
    for key, value in new.items():
        if old.get(key) != value:
            yield key, value
            return


def _where(config: Config, account: Account) -> Iterator[tuple[str, str]]:
    yield "venue", account.venue.value
    if account.venue.is_known:
        yield "testnet", str(on_testnet(config, account)).lower()
        yield "market_type", market_type_of(config, account).value
        yield "account_id", account.account_id
