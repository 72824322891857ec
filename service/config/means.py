"""What this installation has the means for, beyond what a document may say: whose orders it can execute, what stays put.

Not part of ``validate_config``, which judges a document for itself: these rules look at what is connected and at what was in
force before. They hold wherever a configuration would come into force: at a start and at an apply.
"""

from __future__ import annotations

from protocol.errors import ValidationError
from protocol.values import Scope
from service.config.daemon import Mode
from service.config.document import Config
from service.config.errors import Problems
from service.config.market import Account
from service.config.venue_access import trades_real_money
from venues.known import KNOWN

__all__ = ["check_means", "scope_changes"]


def check_means(config: Config, problems: Problems) -> None:
    """Note accounts whose scope is not what their orders would be worth.

    Real money takes three words that agree: an account that is not on a test network, its own ``scope = "live"``, and
    ``app.mode = "live"``. Whichever is missing, nothing starts by accident (``RealMoney``); a scope of live where no real
    money moves is refused as well (``LiveVenueMissing``).
    """
    for index, account in enumerate(config.accounts):
        is_live = config.scope_of(account) is Scope.LIVE
        if trades_real_money(config, account):
            _check_confirmed(config, index, account, problems)
        elif is_live:
            _refuse_live(index, account, problems)
        elif account.venue.is_known and config.app.mode is Mode.DRY_RUN:
            message = (
                f"dry_run sends no orders, and account {account.name} would: trade on paper there, or set app.mode"
            )
            problems.add(f"accounts[{index}].venue", "RealMoney", message, value=account.venue.value)


def _check_confirmed(config: Config, index: int, account: Account, problems: Problems) -> None:
    title = KNOWN[account.venue.value].title
    if account.scope is not Scope.LIVE:
        has = (
            'set testnet to true, or say scope = "live" if you mean it'
            if KNOWN[account.venue.value].testnet
            else ('it has no test network: trade on paper, or say scope = "live" if you mean it')
        )
        message = f"orders of account {account.name} would be real money at {title}: {has}"
        problems.add(f"accounts[{index}].scope", "RealMoney", message, value=(account.scope or Scope.PAPER).value)
    elif config.app.mode is not Mode.LIVE:
        message = f'account {account.name} is for real money: set app.mode to "live" as well if you mean it'
        problems.add("app.mode", "RealMoney", message, value=config.app.mode.value)


def _refuse_live(index: int, account: Account, problems: Problems) -> None:
    named = account.scope is not None
    where = "goes to a test network" if account.venue.is_known else "executes no real orders"
    message = (
        f"account {account.name} would be live, and venue {account.venue.value} {where}. Set "
        f"{'it' if named else f'accounts[{index}].scope'} to paper or simulation, or trade at a real venue"
    )
    problems.add(f"accounts[{index}].scope" if named else "app.mode", "LiveVenueMissing", message, value="live")


def scope_changes(before: Config, after: Config) -> tuple[ValidationError, ...]:
    """Return a ``ScopeChanged`` for each account whose scope differs: its groups and its record would mix (EX-113)."""
    known = {account.name: before.scope_of(account) for account in before.accounts}
    found = []
    for index, account in enumerate(after.accounts):
        scope = after.scope_of(account)
        if known.get(account.name, scope) is scope:
            continue
        message = (
            f"account {account.name} is {known[account.name].value}: what it holds and what it earned never becomes "
            f"{scope.value}. Give the {scope.value} account another name"
        )
        path = f"accounts[{index}].scope" if account.scope is not None else "app.mode"
        found.append(ValidationError(path, message, code="ScopeChanged", value=scope.value))
    return tuple(found)
