"""The whole configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from protocol.values import Scope
from service.config.daemon import Api, App, Demo, Journal, Mode, Security, Supervision, Webhook
from service.config.database import Database
from service.config.exchange import Exchange
from service.config.grid import GridStrategy
from service.config.keys import Key, Section
from service.config.market import Account, Market
from service.config.nodes import Redis
from service.config.operations import Backups, Deployment, Logging, Performance, Ui
from service.config.phone import Approvals, Telegram
from service.config.queue import ExecutionPool, PriorityRules, WaitingRule
from service.config.risk_engine import RiskEngine
from service.config.self_check import SelfCheck
from service.config.trading import Precision, Signal, Sizing

__all__ = ["Config"]


class Config(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every setting, checked; ``Config()`` is the defaults."""

    app: App = App()
    market: Market = Market()
    accounts: Annotated[
        tuple[Account, ...],
        Key(doc="Venue accounts. Naming one replaces the default account; repeat the table for more."),
    ] = (Account(name="paper"),)
    webhook: Webhook = Webhook()
    security: Security = Security()
    signal: Signal = Signal()
    sizing: Sizing = Sizing()
    execution_pool: ExecutionPool = ExecutionPool()
    priority_rules: PriorityRules = PriorityRules()
    waiting_rule: WaitingRule = WaitingRule()
    grid_strategy: GridStrategy = GridStrategy()
    risk_engine: RiskEngine = RiskEngine()
    precision: Precision = Precision()
    exchange: Exchange = Exchange()
    logging: Logging = Logging()
    backups: Backups = Backups()
    performance: Performance = Performance()
    approvals: Approvals = Approvals()
    telegram: Telegram = Telegram()
    ui: Ui = Ui()
    deployment: Deployment = Deployment()
    demo: Demo = Demo()
    journal: Journal = Journal()
    self_check: SelfCheck = SelfCheck()
    database: Database = Database()
    redis: Redis = Redis()
    supervision: Supervision = Supervision()
    api: Api = Api()

    def scope_of(self, account: Account) -> Scope:
        """Return what the orders of an account are worth: its own scope, else that of ``app.mode``; dry_run is paper."""
        if account.scope is not None:
            return account.scope
        return Scope.LIVE if self.app.mode is Mode.LIVE else Scope.PAPER

    @property
    def socket_path(self) -> Path:
        """Where the daemon's local socket is."""
        return self.api.socket or self.app.data_dir / "bulkhead.sock"

    @property
    def journal_path(self) -> Path:
        """Where the journal is."""
        return self.app.data_dir / "journal.db"

    @property
    def access_path(self) -> Path:
        """Where people, sessions and tokens are kept."""
        return self.app.data_dir / "access.db"

    @property
    def requests_path(self) -> Path:
        """Where it is kept which requests were done."""
        return self.app.data_dir / "requests.db"

    @property
    def vault_path(self) -> Path:
        """Where the vault of secrets is."""
        return self.app.data_dir / self.security.key_vault_path
