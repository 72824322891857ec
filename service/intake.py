"""What signal intake needs of a configuration: routes, proofs, limits, mappings."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, Protocol

from actors.gateway import GatewaySettings, Rhythm, Route
from actors.gateway_settings import HeldEntries
from protocol.values import Scope
from rules.signals import DuplicateWindows
from rules.signals.mappings import BUILTIN, extended
from rules.signals.mappings import Mapping as BodyMapping
from service.config import Config, WebhookSecrets, open_webhook_secrets
from service.config.daemon import Mode
from service.config.grid_config import grid_config
from service.config.mappings import SignalMapping
from service.config.venue_access import market_type_of

__all__ = ["TRADINGVIEW_ADDRESSES", "allowed_addresses", "gateway_settings", "mappings_of"]

TRADINGVIEW_ADDRESSES: Final = ("52.89.214.238", "34.212.75.30", "54.218.53.128", "52.32.178.7")
"""Where TradingView's webhooks come from (its help page 43000529348)."""


class _Paths(Protocol):
    @property
    def pool(self) -> str: ...

    @property
    def prices(self) -> str: ...


def gateway_settings(config: Config, secrets: WebhookSecrets | None, paths: Callable[[str], _Paths]) -> GatewaySettings:
    """Return what the gateway needs of a configuration; ``paths`` says where an account's actors live."""
    if secrets is not None and secrets.folder is not None:
        secrets = open_webhook_secrets(config)  # they may have been rotated since
    former = secrets.former if secrets is not None else ()
    proof_needed = config.app.mode is not Mode.DRY_RUN or config.security.webhook_signature_validation
    return GatewaySettings(
        user=config.webhook.user,
        routes=_routes(config, paths),
        aliases={name: account.exchange for account in config.accounts for name in account.alert_names},
        auth_mode=config.security.webhook_auth_mode,
        secrets=(secrets.secret.reveal(),) if secrets is not None else (),
        hmac_keys=(secrets.hmac_key.reveal(),) if secrets is not None else (),
        hidden=secrets.shown_nowhere if secrets is not None else (),
        former=tuple((each.which, each.secret.reveal(), each.until) for each in former),
        tolerance_s=config.security.signature_tolerance_seconds,
        max_age_s=config.signal.max_age_seconds,
        max_future_skew_s=config.signal.max_future_skew_seconds,
        windows=DuplicateWindows(config.signal.dedupe_window_seconds, config.signal.near_duplicate_window_seconds),
        infer_exit_from_flat=config.signal.infer_exit_from_flat,
        sizing_source=config.sizing.source.value,
        rate_per_minute=config.signal.rate_limit_per_minute,
        allowlist=allowed_addresses(config),
        mappings=mappings_of(config.signal.mappings),
        rhythms=tuple(
            Rhythm(each.silence_s, each.alert_name, each.symbol, each.timeframe, each.block_entries)
            for each in config.signal.sources
        ),
        pyramids=partial(_pyramids, config),
        read_only=config.app.read_only,
        held=_held(config),
        require_proof=proof_needed,
    )


def _held(config: Config) -> HeldEntries | None:
    """Return which entries wait for an operator's word, None where none does."""
    wanted = config.approvals
    return HeldEntries(wanted.accounts, wanted.strategies) if wanted.entries else None


def _routes(config: Config, paths: Callable[[str], _Paths]) -> dict[str, tuple[Route, ...]]:
    routes: dict[str, tuple[Route, ...]] = {}
    for account in config.accounts:
        where = paths(account.name)
        unreal = config.scope_of(account) is not Scope.LIVE
        family = market_type_of(config, account) if account.venue.is_known else None
        route = Route(account.name, where.pool, where.prices, unreal, account.signals, family)
        routes[account.exchange] = (*routes.get(account.exchange, ()), route)
    return routes


def _pyramids(config: Config, venue: str, symbol: str, timeframe: str) -> int:
    """Return how many entries a group of this identity may have."""
    return grid_config(config, venue=venue, symbol=symbol, timeframe=timeframe).max_pyramids_per_group


def allowed_addresses(config: Config) -> tuple[str, ...]:
    """Return who may post: those configured, else TradingView's where the listener is open to more than this machine."""
    configured = config.signal.ip_allowlist
    return configured if configured or _is_local(config.webhook.host) else TRADINGVIEW_ADDRESSES


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def mappings_of(configured: Mapping[str, SignalMapping]) -> dict[str, BodyMapping]:
    """Return all mappings by name: the built-in ones, changed and joined by those of the configuration."""
    found = dict(BUILTIN)
    for name, section in configured.items():
        made = BodyMapping(
            name=name,
            form=section.form,
            recognise=section.recognise,
            equals=section.equals,
            patterns=section.patterns,
            fields=section.fields,
            constants=section.constants,
            defaults=section.defaults,
            words={path: {word.lower(): meant for word, meant in said.items()} for path, said in section.words.items()},
            undated=section.undated,
        )
        found[name] = extended(BUILTIN[name], made) if name in BUILTIN else made
    return found
