"""The tree of actors that a configuration asks for.

::

    /                       one_for_one
    ├─ store                projector
    ├─ risk                 coordinator, a pool and a loss offset an account
    ├─ venues/<account>     rest_for_one: exchange → desk → session → feed → reconciler → precision → brackets → chains
    ├─ trading              gateway, groups/<account>
    ├─ nodes                link to the shared cache, quotes, herald, listener
    └─ operators            what talks to people: webhook, api, demo

Only this module and ``account_paths`` know all the paths.
"""

from __future__ import annotations

import hashlib
from base64 import b32encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from actors.adopter import Adopter
from actors.brackets import BracketGuard
from actors.chains import ChainKeeper
from actors.desk import OrderDesk
from actors.feed import MarketFeed
from actors.gateway import Gateway, GatewaySettings
from actors.group import PositionGroup
from actors.groups import GroupHouse
from actors.offset import OffsetEngine
from actors.paper_exchange import PaperExchange
from actors.pool import Pool
from actors.precision import PrecisionCache
from actors.reconciler import Reconciler
from actors.risk import RiskCoordinator
from actors.session import VenueSession
from actors.session_topics import DataFeed
from protocol.groups import OpenGroup
from protocol.instruments import Instrument
from protocol.orders import Balance
from protocol.risk import CONFIGURATION
from protocol.signals import Signal, SizeType
from runtime.system import ActorSystem
from service.account_paths import AccountPaths
from service.active import ActiveConfig
from service.config import Config, WebhookSecrets
from service.config.grid_config import grid_config, tolerance
from service.config.market import Account
from service.config.overrides import effective
from service.config.trading import SizingSource
from service.intake import gateway_settings
from service.markets import Market
from service.offset import offset_engine
from service.pool_settings import pool_settings
from service.secret_keeper import SecretKeeper
from service.telegram.settings import approval_desk
from service.venue_settings import precision_settings, session_settings
from supervision.backoff import Backoff
from supervision.budget import Intensity
from supervision.child import ChildSpec
from supervision.tree import SupervisorSpec, supervisor
from venues.contract import Venue
from venues.known import KNOWN, Brackets
from venues.paper.adapter import PaperVenue
from venues.paper.config import PaperConfig
from venues.paper.engine import PaperEngine

__all__ = ["GATEWAY", "RISK", "Plan", "build_house", "group_id_of", "paper_config"]

GATEWAY = "/trading/gateway"
RISK = "/risk/coordinator"


@dataclass(frozen=True, slots=True)
class Plan:
    """All that the tree is built from. ``store`` and ``operators`` are further children of those branches.

    ``nodes`` are the actors that keep to other daemons, where there are any. ``venues`` are the accounts that trade outside
    the house, with what makes their adapters; all others trade on paper, at the prices of ``markets``.
    """

    active: ActiveConfig
    system: ActorSystem
    tag: str
    secrets: WebhookSecrets | None
    markets: dict[str, Market]
    reconcile_every_s: float = 60.0
    store: Sequence[ChildSpec] = ()
    operators: Sequence[ChildSpec] = ()
    nodes: Sequence[ChildSpec] = ()
    gateway: Callable[[GatewaySettings], GatewaySettings] = field(default=lambda settings: settings)
    venues: Mapping[str, Callable[[], Venue]] = field(default_factory=dict)
    send_by: Callable[[], int | None] = lambda: None

    @property
    def config(self) -> Config:
        """The configuration in force at this moment: read it where an actor is made, never keep it."""
        return self.active.config

    def paths(self, account: str) -> AccountPaths:
        """Return where the actors of an account live."""
        return AccountPaths(account, account in self.venues)


def build_house(plan: Plan) -> SupervisorSpec:
    """Return the whole tree."""
    intensity = _intensity(plan.config)
    accounts = plan.config.accounts
    groups = [_group_house(plan, account, intensity) for account in accounts]
    nodes = [supervisor("nodes", *plan.nodes, intensity=intensity)] if plan.nodes else []
    return supervisor(
        "root",
        supervisor("store", *plan.store, intensity=intensity),
        supervisor(
            "risk",
            _child(plan, "coordinator", partial(_coordinator, plan)),
            _child(plan, "approvals", lambda: approval_desk(plan.config, GATEWAY)),
            *(_child(plan, f"pool-{account.name}", partial(_pool, plan, account)) for account in accounts),
            *(_child(plan, f"offset-{account.name}", partial(_offset, plan, account)) for account in accounts),
            *(_child(plan, f"adopter-{account.name}", partial(_adopter, plan, account)) for account in accounts),
            intensity=intensity,
        ),
        supervisor("venues", *(_account_tree(plan, account, intensity) for account in accounts), intensity=intensity),
        supervisor(
            "trading",
            _child(plan, "gateway", partial(_gateway, plan)),
            supervisor("groups", *groups, intensity=intensity),
            intensity=intensity,
        ),
        *nodes,
        supervisor("operators", *_secret_keeper(plan), *plan.operators, intensity=intensity),
        intensity=intensity,
    )


def _coordinator(plan: Plan) -> RiskCoordinator:
    trouble = plan.active.trouble
    accounts = [account.name for account in plan.config.accounts]
    return RiskCoordinator(accounts, {CONFIGURATION: trouble} if trouble else {})


def _intensity(config: Config) -> Intensity:
    return Intensity(config.supervision.max_restarts, float(config.supervision.window_s))


def _child(plan: Plan, name: str, factory: Callable[[], Any], *, edge: bool = False) -> ChildSpec:
    wait = plan.config.supervision
    backoff = Backoff(wait.backoff_base_ms / 1000, limit_s=max(wait.backoff_base_ms, wait.backoff_cap_ms) / 1000)
    return ChildSpec(name, factory, backoff=backoff, edge=edge, by_itself=lambda: plan.config.app.auto_restart)


# --- one account -------------------------------------------------------------------------------------------------------


def _account_tree(plan: Plan, account: Account, intensity: Intensity) -> SupervisorSpec:
    paths = plan.paths(account.name)
    child = partial(_child, plan)
    desk = partial(
        OrderDesk,
        account=account.name,
        tag=plan.tag,
        session=paths.session,
        reconciler=paths.reconciler,
        risk=RISK,
        groups=paths.groups,
        precision=paths.precision,
    )
    reconciler = partial(
        Reconciler,
        account=account.name,
        session=paths.session,
        desk=paths.desk,
        every_s=plan.reconcile_every_s,
    )
    exchange, feed = _on_paper(plan, account, paths)
    return supervisor(
        account.name,
        *exchange,
        child("desk", desk),
        child("session", partial(_session, plan, account, _adapter(plan, account, paths)), edge=True),
        *feed,
        child("reconciler", reconciler),
        child("precision", partial(_precision, plan, account)),
        *([child("brackets", partial(_brackets, plan, account))] if paths.outside else []),
        *_chains(plan, account, paths),
        strategy="rest_for_one",
        intensity=intensity,
    )


def _adapter(plan: Plan, account: Account, paths: AccountPaths) -> Callable[[], Venue]:
    if paths.outside:
        return plan.venues[account.name]
    return partial(PaperVenue, plan.system, paths.exchange, name=account.exchange)


def _on_paper(plan: Plan, account: Account, paths: AccountPaths) -> tuple[list[ChildSpec], list[ChildSpec]]:
    """Return the paper exchange and the feed that moves it; an account that trades outside has neither."""
    if paths.outside:
        return [], []
    market = plan.markets[account.name]
    engine = partial(_paper_engine, plan, account, market)
    feed = partial(
        MarketFeed,
        venue=account.exchange,
        source=market.open,
        target=paths.exchange,
        lookback_ns=market.lookback_ns,
    )
    return (
        [_child(plan, "exchange", partial(PaperExchange, account=account.name, engine=engine))],
        [_child(plan, "feed", feed)],
    )


def _paper_engine(plan: Plan, account: Account, market: Market) -> PaperEngine:
    in_force = next((each for each in plan.config.accounts if each.name == account.name), account)
    return PaperEngine(paper_config(plan.config, in_force), market.instruments)


def _session(plan: Plan, account: Account, venue: Callable[[], Venue]) -> VenueSession:
    settings = session_settings(plan.config, account)
    desk = plan.paths(account.name).desk
    data = DataFeed(account.data, plan.paths(account.data).market) if account.data else None
    return VenueSession(
        account=account.name, venue=venue, desk=desk, settings=settings, send_by=plan.send_by, data=data
    )


def _precision(plan: Plan, account: Account) -> PrecisionCache:
    session = AccountPaths(account.name).session
    return PrecisionCache(account=account.name, session=session, settings=precision_settings(plan.config))


def _chains(plan: Plan, account: Account, paths: AccountPaths) -> list[ChildSpec]:
    """Return the keeper of option chains of an account whose venue has any; it stays down rather than take others along."""
    facts = KNOWN.get(account.venue.value)
    if not paths.outside or facts is None or not facts.options:
        return []
    keeper = partial(ChainKeeper, account=account.name, session=paths.session)
    return [replace(_child(plan, "chains", keeper), on_exhausted="quarantine")]


def _brackets(plan: Plan, account: Account) -> BracketGuard:
    paths = plan.paths(account.name)
    facts = KNOWN.get(account.exchange)
    takes = facts.brackets if facts is not None else Brackets.NONE
    return BracketGuard(
        account=account.name,
        tag=plan.tag,
        desk=paths.desk,
        reconciler=paths.reconciler,
        takes=takes is not Brackets.NONE,
        rides=takes is Brackets.RIDING,
    )


def paper_config(config: Config, account: Account) -> PaperConfig:
    """Return how an account's exchange behaves when it is a simulated one."""
    return PaperConfig(
        venue=account.exchange,
        balances=tuple(Balance(currency, amount) for currency, amount in account.balances.items()),
        half_spread_bps=account.half_spread_bps,
        slippage_bps=account.slippage_bps,
        fee_in_base=account.fee_in_base,
        latency_ns=account.latency_ms * 1_000_000,
        jitter_ns=account.jitter_ms * 1_000_000,
        participation=account.participation,
        smallest_share=account.smallest_share,
        leverage=account.leverage,
        ohlc_path=account.ohlc_path,
        seed=config.market.seed,
    )


# --- groups and pool ---------------------------------------------------------------------------------------------------


def _group_house(plan: Plan, account: Account, intensity: Intensity) -> SupervisorSpec:
    paths = plan.paths(account.name)

    def make(group_id: str, opening: OpenGroup | None) -> PositionGroup:
        return PositionGroup(
            group_id,
            opening,
            desk=paths.desk,
            pool=paths.pool,
            gateway=GATEWAY,
            feed=paths.market,
            precision=paths.precision,
            tolerance=tolerance(plan.config),
        )

    return SupervisorSpec(
        account.name,
        partial(
            GroupHouse,
            pool=paths.pool,
            make=make,
            intensity=intensity,
            by_itself=lambda: plan.config.app.auto_restart,
        ),
        stop_s=None,
        start_s=None,
        intensity=intensity,
    )


def _offset(plan: Plan, account: Account) -> OffsetEngine:
    paths = plan.paths(account.name)
    return offset_engine(plan.config, account.name, groups=paths.groups, feed=paths.market)


def _pool(plan: Plan, account: Account) -> Pool:
    paths = plan.paths(account.name)
    return Pool(
        account=account.name,
        settings=pool_settings(plan.config, account),
        make=partial(_opening, plan, account),
        gateway=GATEWAY,
        groups=paths.groups,
        precision=paths.precision,
    )


def _adopter(plan: Plan, account: Account) -> Adopter:
    paths = plan.paths(account.name)
    return Adopter(
        account=account.name,
        venue=account.exchange,
        user=plan.config.webhook.user,
        make=partial(_opening, plan, account),
        session=paths.session,
        pool=paths.pool,
    )


def _opening(plan: Plan, account: Account, signal: Signal, instrument: Instrument, at: int) -> OpenGroup:
    """Build the opening of a group from its signal, under the settings that hold for it now."""
    config = plan.config
    grid = grid_config(config, venue=signal.venue, symbol=signal.symbol, timeframe=signal.timeframe)
    _, sizing = effective(config, venue=signal.venue, symbol=signal.symbol, timeframe=signal.timeframe)
    fixed = sizing.source is SizingSource.FIXED_QUOTE or signal.order_size is None
    size = sizing.fixed_quote if fixed or signal.order_size is None else signal.order_size
    assert signal.entry_price is not None, "an entry has a price"
    honour = config.signal
    return OpenGroup(
        group_id=group_id_of(signal.group_key, signal.signal_id),
        key=signal.group_key,
        user=signal.user,
        scope=config.scope_of(account),
        venue=signal.venue,
        account=account.name,
        symbol=signal.symbol,
        timeframe=signal.timeframe,
        side=signal.side,
        tag=plan.tag,
        signal_id=signal.signal_id,
        strategy=signal.label,
        entry_price=signal.entry_price,
        size=size,
        size_type=SizeType.QUOTE if fixed else signal.size_type,
        config=grid,
        instrument=instrument,
        stop_price=signal.stop_loss if honour.honor_stop_loss else None,
        target_price=signal.take_profit if honour.honor_take_profit else None,
        max_slippage_percent=signal.max_slippage_percent,
        at=at,
    )


def group_id_of(group_key: str, signal_id: str) -> str:
    """Return the id of the group that a signal opens: the same after every restart."""
    digest = hashlib.sha256(f"{group_key}|{signal_id}".encode()).digest()
    return "g" + b32encode(digest[:7]).decode().rstrip("=").lower()


# --- gateway -----------------------------------------------------------------------------------------------------------


def _secret_keeper(plan: Plan) -> list[ChildSpec]:
    """Return the keeper of the webhook's secrets where they stand in files that can change."""
    if plan.secrets is None or plan.secrets.folder is None:
        return []
    return [_child(plan, "secrets", partial(SecretKeeper, plan.active, partial(_gateway_settings, plan), GATEWAY))]


def _gateway_settings(plan: Plan) -> GatewaySettings:
    return plan.gateway(gateway_settings(plan.config, plan.secrets, plan.paths))


def _gateway(plan: Plan) -> Gateway:
    return Gateway(_gateway_settings(plan))
