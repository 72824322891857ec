"""Rules that keep an installation safe: protection that cannot be switched off, access that must be whole (EX-1304)."""

from __future__ import annotations

from typing import Final

from protocol.values import Scope
from service.config.daemon import Mode
from service.config.document import Config
from service.config.errors import Problems
from service.config.exchange import NEEDS_PASSPHRASE, VENUES, WITH_TESTNET

__all__ = ["LOOPBACK", "check_access", "check_api", "check_protection"]

LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
"""Addresses that only this machine can reach."""

_NO_TESTNET: Final = "this exchange has no test network here: set it to false"


def check_protection(config: Config, problems: Problems) -> None:
    """Note protection that is off where it must be on."""
    if not config.security.store_secrets_encrypted:
        message = "must be true: secrets are never kept in plain text"
        problems.add("security.store_secrets_encrypted", "EncryptionRequired", message, value="false")
    if not config.security.webhook_signature_validation and config.app.mode is not Mode.DRY_RUN:
        message = "may be false only with app.mode dry_run: without a proof anybody could trade"
        problems.add("security.webhook_signature_validation", "AuthenticationRequired", message, value="false")
    if not config.logging.audit_log_enabled and _is_live(config):
        message = "must be true in live mode"
        problems.add("logging.audit_log_enabled", "AuditRequiredInLive", message, value="false")


def _is_live(config: Config) -> bool:
    """Whether real money moves: by the mode, or in an account of its own scope."""
    return config.app.mode is Mode.LIVE or any(config.scope_of(each) is Scope.LIVE for each in config.accounts)


def check_access(config: Config, problems: Problems) -> None:
    """Note test networks that do not exist and credentials that are missing in live mode."""
    for venue in VENUES:
        if config.exchange.access(venue).testnet and venue not in WITH_TESTNET:
            problems.add(f"exchange.{venue}.testnet", "TestnetUnsupported", _NO_TESTNET, value="true")
    for venue in VENUES if _is_live(config) else ():
        access = config.exchange.access(venue)
        needed = ("api_key", "api_secret", "passphrase") if venue in NEEDS_PASSPHRASE else ("api_key", "api_secret")
        for name in needed if access.enabled else ():
            if getattr(access, name) is None:
                message = f"{venue} is enabled in live mode and has none: set it, or disable the exchange"
                problems.add(f"exchange.{venue}.{name}", "MissingCredential", message)


def check_api(config: Config, problems: Problems) -> None:
    """Note an API that others could read on the wire: passwords and orders leave this machine only under TLS (EX-1504)."""
    api = config.api
    if not api.enabled:
        return
    for name, other in (("tls_cert", "tls_key"), ("tls_key", "tls_cert")):
        if getattr(api, name) is None and getattr(api, other) is not None:
            problems.add(f"api.{name}", "MissingValue", f"api.{other} is set: TLS needs both")
    if api.host not in LOOPBACK and api.tls_cert is None and not api.behind_proxy:
        message = "others can reach this address: set api.tls_cert and api.tls_key, or api.behind_proxy, or 127.0.0.1"
        problems.add("api.host", "PlainTextRefused", message, value=api.host)
