"""What this installation has the means for, beyond what a document may say: whose orders it can execute, what stays put.

Not part of ``validate_config``, which judges a document for itself: these rules look at what is connected and at what was in
force before. They hold wherever a configuration would come into force: at a start and at an apply.
"""

from __future__ import annotations

from protocol.errors import ValidationError
from protocol.values import Scope
from service.config.document import Config
from service.config.errors import Problems

__all__ = ["check_means", "scope_changes"]


def check_means(config: Config, problems: Problems) -> None:
    """Note accounts for real money: every venue there is executes orders on paper (``LiveVenueMissing``)."""
    for index, account in enumerate(config.accounts):
        if config.scope_of(account) is not Scope.LIVE:
            continue
        named = account.scope is not None
        message = (
            f"account {account.name} would be live, and venue {account.venue.value} executes no real orders: no live "
            f"adapter is connected in this version. Set {'it' if named else f'accounts[{index}].scope'} to paper or "
            "simulation"
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
