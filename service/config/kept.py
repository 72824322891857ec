"""A configuration with the secrets that the vault keeps; what the environment gives goes before them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from protocol.errors import FeatureUnavailable
from service.config.document import Config
from service.config.environment import Setting
from service.config.errors import Problems
from service.config.exchange import VENUES
from service.config.keys import Secret
from service.config.vault import vault_of
from service.vault.errors import SecretsNotDecryptable
from service.vault.names import ACCOUNT_FIELDS, EXCHANGE_FIELDS, SecretName

__all__ = ["NOTHING_KEPT", "KeptSecrets", "Memory", "given_by", "read_kept", "with_kept"]

_EXCHANGE: Final = "exchange."
_OURS: Final = "webhook"


@dataclass(frozen=True, slots=True)
class KeptSecrets:
    """What the vault keeps for accounts and the bridge; ``trouble`` says why it does not open, empty when it does."""

    values: Mapping[SecretName, Secret] = field(default_factory=dict)
    trouble: str = ""

    def forgives(self, problems: Problems) -> None:
        """Take back that credentials are missing where only the vault knows: their accounts stay disabled (EX-1502)."""
        if self.trouble:
            problems.take_back("MissingCredential")


@dataclass(slots=True)
class Memory:
    """The newest that was read of the vault in this process; None before it was."""

    now: KeptSecrets | None = None


NOTHING_KEPT: Final = KeptSecrets()


def read_kept(config: Config) -> KeptSecrets:
    """Return what the vault of a configuration keeps; one that does not open is no error but a trouble (EX-1502)."""
    try:
        vault = vault_of(config)
        if all(name.holder == _OURS for name in vault.names()):
            return NOTHING_KEPT  # its webhook's secrets are read by those who need them
        found = vault.read()
    except (SecretsNotDecryptable, FeatureUnavailable) as error:
        return KeptSecrets(trouble=f"{type(error).__name__}: {error}")
    return KeptSecrets({name: Secret(kept.value) for name, kept in found.items() if name.holder != _OURS})


def given_by(settings: Iterable[Setting]) -> frozenset[SecretName]:
    """Return which secrets the environment gives; names of accounts are written with ``_`` there."""
    found = set()
    for each in settings:
        match each.keys:
            case ("accounts", name, key):
                found.add(SecretName(name, key))
            case ("exchange", venue, key):
                found.add(SecretName(_EXCHANGE + venue, key))
            case ("telegram", "token"):
                found.add(SecretName("telegram", "token"))
    return frozenset(found)


def with_kept(config: Config, kept: KeptSecrets, given: Collection[SecretName]) -> Config:
    """Return a configuration in which every credential that the environment does not give is the vault's, or none."""
    if not kept.values and not _has_others(config, given):
        return config
    access = {
        venue: _filled(config.exchange.access(venue), _EXCHANGE + venue, EXCHANGE_FIELDS, kept, given)
        for venue in VENUES
    }
    accounts = tuple(
        _filled(each, each.name, ACCOUNT_FIELDS, kept, given, each.name.replace("-", "_")) for each in config.accounts
    )
    return msgspec.structs.replace(
        config,
        accounts=accounts,
        exchange=msgspec.structs.replace(config.exchange, **access),
        telegram=_filled(config.telegram, "telegram", ("token",), kept, given),
    )


def _has_others(config: Config, given: Collection[SecretName]) -> bool:
    """Whether a credential is in a configuration that the environment does not give: the vault had it until now."""
    if config.telegram.token is not None and SecretName("telegram", "token") not in given:
        return True
    holders = [
        *((each.name.replace("-", "_"), each) for each in config.accounts),
        *((_EXCHANGE + venue, config.exchange.access(venue)) for venue in VENUES),
    ]
    return any(
        getattr(section, key, None) is not None and SecretName(holder, key) not in given
        for holder, section in holders
        for key in ACCOUNT_FIELDS
    )


def _filled(
    section: Any,
    holder: str,
    fields: tuple[str, ...],
    kept: KeptSecrets,
    given: Collection[SecretName],
    called: str = "",
) -> Any:
    """Return a section with its secrets; the environment calls it ``called`` where that is another name."""
    changes = {
        each: kept.values.get(SecretName(holder, each))
        for each in fields
        if SecretName(called or holder, each) not in given
    }
    return msgspec.structs.replace(section, **changes) if changes else section
