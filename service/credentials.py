"""What operators see of secrets, and what they do to them: the same for the API and for a command line without a daemon.

A value goes in and never comes out again: what is shown is a mask (EX-1503).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Final

from protocol.errors import ValidationError
from protocol.messages import Value
from rules.security import HIDDEN, mask_secret
from service.config import Config
from service.config.catalogue import catalogue
from service.config.environment import account_variable, variable_of
from service.config.exchange import VENUES
from service.config.kept import given_by
from service.config.keys import Secret, fields_of
from service.config.market import Account
from service.config.sources import Sources
from service.config.vault import vault_of
from service.vault.binding import BindingKind
from service.vault.errors import SecretsNotDecryptable, UnknownSecret
from service.vault.names import ACCOUNT_FIELDS, SECTIONS, SecretName, checked_value, name_of
from service.vault.sealing import Kept
from service.vault.store import Values
from venues.known import KNOWN

__all__ = [
    "KeyRotated",
    "SecretDone",
    "SecretShown",
    "SecretsShown",
    "check_secret",
    "listed",
    "put",
    "rotate_key",
    "take_away",
]

_OF_VENUE: Final = {"key": "api_key", "secret": "api_secret", "passphrase": "passphrase"}


class SecretShown(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One secret: its mask, where it comes from, and the variable that sets it.

    ``source`` is environment, vault, shut (in a vault that does not open), or empty: it is not set.
    """

    holder: str
    field: str
    masked: str
    source: str
    variable: str
    used: bool = True


class SecretsShown(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """All secrets, and how the vault stands: where its key is, what it is bound to, why it does not open."""

    secrets: tuple[SecretShown, ...]
    path: str
    exists: bool
    key_from: str
    binding: str
    trouble: str = ""


class SecretDone(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """A secret was put in or taken away. ``restarted``: accounts that log in anew with it.

    ``counts`` is now, at the next start (restart), or not as long as the environment sets it (environment).
    """

    holder: str
    field: str
    masked: str
    counts: str
    restarted: tuple[str, ...] = ()


class KeyRotated(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """Everything is encrypted under another master key; where that is, and what it is bound to."""

    key_from: str
    binding: str


# --- looking ------------------------------------------------------------------------------------------------------------


def listed(config: Config, sources: Sources) -> SecretsShown:
    """Return every secret that is kept, given or needed; never raises for a vault that does not open."""
    vault = vault_of(config)
    standing = vault.standing()
    values = vault.read() if not standing.trouble else {}
    named = _names(config) if standing.trouble else tuple(values)
    given = _given(config, sources)
    names = dict.fromkeys((*_needed(config), *given, *(each for each in named if not each.is_former)))
    return SecretsShown(
        secrets=tuple(_shown(config, name, values, given, named) for name in names),
        path=str(standing.path),
        exists=standing.exists,
        key_from=standing.key_from,
        binding=standing.binding,
        trouble=standing.trouble or _unbound(standing.binding),
    )


def _unbound(binding: str) -> str:
    if binding != BindingKind.NONE.value:
        return ""
    return "this machine has no id: set security.binding_id, else a copy of key and vault opens anywhere"


def _names(config: Config) -> tuple[SecretName, ...]:
    """Return what a vault that does not open says that it keeps."""
    try:
        return vault_of(config).names()
    except SecretsNotDecryptable:
        return ()


def _needed(config: Config) -> Iterator[SecretName]:
    for account in config.accounts:
        if account.venue.is_known:
            facts = KNOWN[account.venue.value]
            gateway = facts.gateway and account.url
            yield from (
                SecretName(account.name, _OF_VENUE[each])
                for each in (() if gateway else facts.credentials)
                if each in _OF_VENUE
            )
    for venue in VENUES:
        if config.exchange.access(venue).enabled:
            yield from (SecretName(f"exchange.{venue}", each) for each in ("api_key", "api_secret"))
    if config.telegram.enabled:
        yield SecretName("telegram", "token")
    yield from (SecretName("webhook", each) for each in SECTIONS["webhook"])


def _given(config: Config, sources: Sources) -> dict[SecretName, str]:
    """Return what the environment gives, with its value."""
    found = {}
    called = {account.name.replace("-", "_"): account.name for account in config.accounts}
    values = {each.keys: each.value for each in sources.settings if isinstance(each.value, Secret)}
    for keys, value in values.items():
        for name in given_by([each for each in sources.settings if each.keys == keys]):
            found[SecretName(called.get(name.holder, name.holder), name.field)] = value.reveal()
    security = config.security
    ours = {"token": config.webhook.token, "secret": security.webhook_secret, "hmac_key": security.webhook_hmac_key}
    found |= {SecretName("webhook", each): value.reveal() for each, value in ours.items() if value is not None}
    return found


def _shown(
    config: Config, name: SecretName, values: Values, given: dict[SecretName, str], named: tuple[SecretName, ...]
) -> SecretShown:
    kept = values.get(name)
    value = given.get(name, kept.value if kept is not None else None)
    source = "environment" if name in given else "vault" if kept is not None else ""
    shut = not source and name in named
    return SecretShown(
        holder=name.holder,
        field=name.field,
        masked=HIDDEN if shut else mask_secret(name.field, value),
        source="shut" if shut else source,
        variable=_variable_of(name),
        used=_is_used(config, name),
    )


def _variable_of(name: SecretName) -> str:
    if name.holder == "webhook" and name.field != "token":
        return variable_of("security", f"webhook_{name.field}")
    if name.field in ACCOUNT_FIELDS and not name.holder.startswith("exchange."):
        return account_variable(name.holder, name.field)
    return variable_of(*name.holder.split("."), name.field)


def _is_used(config: Config, name: SecretName) -> bool:
    return name.holder in _holders(config)


def _holders(config: Config) -> tuple[str, ...]:
    return (*(each.name for each in config.accounts), *(f"exchange.{each}" for each in VENUES), *SECTIONS)


# --- changing -----------------------------------------------------------------------------------------------------------


def put(
    config: Config,
    sources: Sources,
    holder: str,
    field: str,
    value: str,
    *,
    now: int,
    afresh: bool = False,
    drafted: tuple[str, ...] = (),
) -> SecretDone:
    """Put a secret into the vault. Raises ``UnknownSecret``, ``ValidationError``, and what a change of the vault does.

    ``afresh`` sets a vault aside that does not open, and begins a new one. ``drafted``: accounts not in force yet.
    """
    name, holders = name_of(holder, field), (*_holders(config), *drafted)
    if holder not in holders:
        near = difflib.get_close_matches(holder, holders, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise UnknownSecret(f"there is no account {holder}{hint}")
    if field not in SECTIONS.get(holder, (field,)) and all(each.name != holder for each in config.accounts):
        raise UnknownSecret(f"{holder} has no secret {field!r}: it has {', '.join(SECTIONS[holder])}")
    given = checked_value(value)
    check_secret(name, given)
    kept = Kept(given, config.webhook.user, now)
    vault_of(config).change(lambda values: values.update({name: kept}), now=now, afresh=afresh)
    return _done(config, sources, name, given)


def take_away(config: Config, sources: Sources, holder: str, field: str) -> SecretDone:
    """Take a secret out of the vault; raises ``UnknownSecret`` for one that is not in it."""
    name = SecretName(holder, field)

    def edit(values: Values) -> None:
        if values.pop(name, None) is None:
            raise UnknownSecret(f"the vault keeps no {field} of {holder}")

    vault_of(config).change(edit)
    return _done(config, sources, name, None)


def rotate_key(config: Config) -> KeyRotated:
    """Encrypt everything anew under another master key; raises what the vault does."""
    vault = vault_of(config)
    where = vault.rotate_key()
    return KeyRotated(key_from=where, binding=vault.standing().binding)


def _done(config: Config, sources: Sources, name: SecretName, value: str | None) -> SecretDone:
    late = name.holder == "telegram" or name == SecretName("webhook", "token") or not _is_used(config, name)
    counts = "environment" if name in _given(config, sources) else "restart" if late else "now"
    return SecretDone(holder=name.holder, field=name.field, masked=mask_secret(name.field, value), counts=counts)


def check_secret(name: SecretName, value: str) -> None:
    """Refuse a value that the key of the same name would refuse."""
    if name.field in ACCOUNT_FIELDS:
        key = next(each.key for each in fields_of(Account) if each.name == name.field)
    else:
        where = "security.webhook_" if name.holder == "webhook" and name.field != "token" else f"{name.holder}."
        key = catalogue()[f"{where}{name.field}"].field.key
    refusal = key.refusal(Secret(value))
    if refusal is not None:
        raise ValidationError(f"{name.holder}.{name.field}", refusal.message, code=refusal.code)
