"""The tables of the read models, for SQLite and PostgreSQL alike (``store.tables.catalogue`` says what the types become).

Money, prices and quantities are EXACT decimals, instants nanoseconds UTC. Every table has a ``user_id`` (DK-244): the
catalogue adds it where none is named. Every key comes from the events themselves, never from a counter, so that a rebuild
gives the same rows. A column named ``*_quote`` is in the quote currency of its symbol.
"""

from __future__ import annotations

from typing import Final

__all__ = ["APPLICATION_ID", "SCHEMA_VERSION", "SERIES", "TABLES", "names"]

APPLICATION_ID: Final = 0x62756C76
"""``bulv``: says that a SQLite file holds our read models."""

SCHEMA_VERSION: Final = 12
"""Raised by any change of a table or of a projection: older read models are then rebuilt."""

_KEPT: Final = (
    # How far the journal was projected, and which record that was: another journal is noticed.
    """CREATE TABLE progress (one INTEGER PRIMARY KEY CHECK (one = 1), position INTEGER NOT NULL, stream TEXT NOT NULL,
        seq INTEGER NOT NULL, at INTEGER NOT NULL, message_id INTEGER NOT NULL)""",
    "CREATE TABLE unprojected (type TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID",
    """CREATE TABLE mentions (id TEXT NOT NULL, position INTEGER NOT NULL, kind TEXT NOT NULL,
        PRIMARY KEY (id, position, kind)) WITHOUT ROWID""",
    "CREATE INDEX mentions_by_position ON mentions (position)",
    """CREATE TABLE correlations (correlation_id INTEGER NOT NULL, position INTEGER NOT NULL,
        PRIMARY KEY (correlation_id, position)) WITHOUT ROWID""",
    "CREATE INDEX correlations_by_position ON correlations (position)",
)

_SIGNALS: Final = (
    """CREATE TABLE signals (signal_id TEXT PRIMARY KEY, position INTEGER NOT NULL, correlation_id INTEGER NOT NULL,
        user_id TEXT NOT NULL, received_at INTEGER NOT NULL, source_address TEXT NOT NULL, body TEXT NOT NULL,
        fingerprint TEXT NOT NULL, outcome TEXT NOT NULL, problems JSON NOT NULL, source TEXT, venue TEXT, symbol TEXT,
        timeframe TEXT, kind TEXT, side TEXT, trade_id TEXT, label TEXT, entry_price EXACT, replay_of TEXT,
        routed TEXT, reasons JSON NOT NULL DEFAULT '[]', routed_at INTEGER, mapping TEXT NOT NULL DEFAULT '',
        resend_of TEXT NOT NULL DEFAULT '', accounts JSON NOT NULL DEFAULT '[]', operator TEXT NOT NULL DEFAULT '')""",
    "CREATE INDEX signals_by_position ON signals (position)",
)

_GROUPS: Final = (
    """CREATE TABLE groups (group_id TEXT PRIMARY KEY, position INTEGER NOT NULL, key TEXT NOT NULL,
        user_id TEXT NOT NULL, scope TEXT NOT NULL, venue TEXT NOT NULL, account TEXT NOT NULL, symbol TEXT NOT NULL,
        base TEXT NOT NULL, quote TEXT NOT NULL, timeframe TEXT NOT NULL, side TEXT NOT NULL, signal_id TEXT NOT NULL,
        strategy TEXT NOT NULL, tp_mode TEXT NOT NULL, base_entry_price EXACT NOT NULL, max_pyramids INTEGER NOT NULL,
        pyramids INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL DEFAULT '', reason TEXT, stop_price EXACT,
        target_price EXACT, open_qty EXACT NOT NULL DEFAULT '0', open_cost_quote EXACT NOT NULL DEFAULT '0',
        realized_quote EXACT NOT NULL DEFAULT '0', fees_quote EXACT NOT NULL DEFAULT '0', dust EXACT NOT NULL DEFAULT '0',
        tp_settings JSON NOT NULL DEFAULT '{}', max_slippage_percent EXACT, superseded INTEGER NOT NULL DEFAULT 0,
        worst_percent EXACT, best_percent EXACT, risk_timer_expires INTEGER, blocked FLAG NOT NULL DEFAULT FALSE,
        skip_once FLAG NOT NULL DEFAULT FALSE, frozen TEXT,
        opened_at INTEGER NOT NULL, first_fill_at INTEGER, closed_at INTEGER, updated_at INTEGER NOT NULL,
        traded_position INTEGER)""",
    "CREATE INDEX groups_by_position ON groups (position)",
    "CREATE INDEX groups_by_close ON groups (closed_at)",
    # The newest record that changed what its trade is: a fill or its close, in whatever order those become known.
    "CREATE INDEX groups_by_trading ON groups (traded_position)",
    # Two live groups of one identity would be a defect (EX-1203).
    "CREATE UNIQUE INDEX groups_live ON groups (scope, account, key) WHERE closed_at IS NULL",
    # Fees as they were paid; ``groups.fees_quote`` holds those that were paid in base or quote currency.
    """CREATE TABLE group_fees (group_id TEXT NOT NULL, currency TEXT NOT NULL, amount EXACT NOT NULL,
        PRIMARY KEY (group_id, currency)) WITHOUT ROWID""",
    """CREATE TABLE pyramids (group_id TEXT NOT NULL, pyramid INTEGER NOT NULL, signal_id TEXT NOT NULL,
        entry_price EXACT NOT NULL, size EXACT NOT NULL, size_type TEXT NOT NULL, levels_source TEXT NOT NULL,
        anchored FLAG NOT NULL, grid_config JSON NOT NULL, rules_used JSON NOT NULL, closed_reason TEXT,
        at INTEGER NOT NULL, PRIMARY KEY (group_id, pyramid)) WITHOUT ROWID""",
    """CREATE TABLE legs (group_id TEXT NOT NULL, leg_id TEXT NOT NULL, pyramid INTEGER NOT NULL,
        layer INTEGER NOT NULL, price EXACT NOT NULL, qty EXACT NOT NULL, gap_percent EXACT NOT NULL,
        weight_percent EXACT NOT NULL, tp_percent EXACT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL,
        filled_qty EXACT NOT NULL DEFAULT '0', filled_quote EXACT NOT NULL DEFAULT '0',
        open_qty EXACT NOT NULL DEFAULT '0', open_cost_quote EXACT NOT NULL DEFAULT '0',
        closed_qty EXACT NOT NULL DEFAULT '0', realized_quote EXACT NOT NULL DEFAULT '0',
        entry_fees_left_quote EXACT NOT NULL DEFAULT '0', fees_quote EXACT NOT NULL DEFAULT '0', target_price EXACT,
        target_order TEXT, PRIMARY KEY (group_id, leg_id)) WITHOUT ROWID""",
    """CREATE TABLE realizations (position INTEGER NOT NULL, lot INTEGER NOT NULL, group_id TEXT NOT NULL,
        leg_id TEXT NOT NULL, client_order_id TEXT NOT NULL, trade_id TEXT NOT NULL, reason TEXT NOT NULL,
        qty EXACT NOT NULL, price EXACT NOT NULL, cost_quote EXACT NOT NULL, realized_quote EXACT NOT NULL,
        fees_quote EXACT NOT NULL, net_quote EXACT NOT NULL, at INTEGER NOT NULL,
        PRIMARY KEY (position, lot)) WITHOUT ROWID""",
    "CREATE INDEX realizations_by_group ON realizations (group_id)",
    "CREATE INDEX realizations_by_time ON realizations (at)",
)

_ORDERS: Final = (
    """CREATE TABLE orders (client_order_id TEXT PRIMARY KEY, position INTEGER NOT NULL, desk TEXT, owner TEXT,
        group_id TEXT NOT NULL, leg_id TEXT NOT NULL, purpose TEXT NOT NULL, attempt INTEGER NOT NULL,
        symbol TEXT NOT NULL, side TEXT NOT NULL, type TEXT NOT NULL, qty EXACT NOT NULL, price EXACT, stop_price EXACT,
        reduce_only FLAG NOT NULL, expected_price EXACT, state TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '',
        error TEXT NOT NULL DEFAULT '', slippage_percent EXACT, venue_order_id TEXT NOT NULL DEFAULT '',
        filled_qty EXACT NOT NULL DEFAULT '0', filled_quote EXACT NOT NULL DEFAULT '0', permit INTEGER,
        wanted_at INTEGER NOT NULL, sent_at INTEGER,
        cancel_requested_at INTEGER, updated_at INTEGER NOT NULL)""",
    "CREATE INDEX orders_by_position ON orders (position)",
    "CREATE INDEX orders_by_group ON orders (group_id)",
    """CREATE TABLE fills (desk TEXT NOT NULL, client_order_id TEXT NOT NULL, trade_id TEXT NOT NULL,
        position INTEGER NOT NULL, symbol TEXT NOT NULL, side TEXT NOT NULL, qty EXACT NOT NULL, price EXACT NOT NULL,
        fee EXACT NOT NULL, fee_currency TEXT NOT NULL, maker FLAG NOT NULL, at INTEGER NOT NULL,
        PRIMARY KEY (desk, client_order_id, trade_id)) WITHOUT ROWID""",
    "CREATE INDEX fills_by_position ON fills (position)",
    """CREATE TABLE positions (desk TEXT NOT NULL, symbol TEXT NOT NULL, qty EXACT NOT NULL, bought_qty EXACT NOT NULL,
        bought_quote EXACT NOT NULL, sold_qty EXACT NOT NULL, sold_quote EXACT NOT NULL, updated_at INTEGER NOT NULL,
        PRIMARY KEY (desk, symbol)) WITHOUT ROWID""",
)

_QUEUE: Final = (
    # ``status`` is waiting, entered or removed; ``pool`` the path of the pool whose queue it is.
    """CREATE TABLE queue_entries (pool TEXT NOT NULL, queue_id TEXT NOT NULL, position INTEGER NOT NULL,
        group_key TEXT NOT NULL, signal_id TEXT NOT NULL, user_id TEXT NOT NULL, venue TEXT NOT NULL, symbol TEXT NOT NULL,
        timeframe TEXT NOT NULL, side TEXT NOT NULL, entry_price EXACT NOT NULL, reason TEXT NOT NULL,
        reverse FLAG NOT NULL, replacement_count INTEGER NOT NULL DEFAULT 0, expected_profit EXACT,
        queued_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, status TEXT NOT NULL DEFAULT 'waiting',
        closed_reason TEXT NOT NULL DEFAULT '', closed_detail TEXT NOT NULL DEFAULT '', closed_at INTEGER,
        PRIMARY KEY (pool, queue_id)) WITHOUT ROWID""",
    "CREATE INDEX queue_by_position ON queue_entries (position)",
)

_RISK: Final = (
    # ``engine`` is the path of the loss offset; what is by group is JSON.
    """CREATE TABLE risk_decisions (engine TEXT NOT NULL, decision_id TEXT NOT NULL, position INTEGER NOT NULL,
        account TEXT NOT NULL, at INTEGER NOT NULL, last_at INTEGER NOT NULL, repeats INTEGER NOT NULL DEFAULT 0,
        trigger TEXT NOT NULL, status TEXT NOT NULL, reasons JSON NOT NULL, losses JSON NOT NULL,
        left_out JSON NOT NULL, ranked JSON NOT NULL, named JSON NOT NULL, plan JSON NOT NULL, plan_id TEXT NOT NULL,
        forced FLAG NOT NULL DEFAULT FALSE, steps JSON NOT NULL DEFAULT '[]', booked_usd EXACT NOT NULL DEFAULT '0',
        outcome TEXT NOT NULL DEFAULT '', code TEXT NOT NULL DEFAULT '', ended_at INTEGER,
        PRIMARY KEY (engine, decision_id)) WITHOUT ROWID""",
    "CREATE INDEX risk_decisions_by_position ON risk_decisions (position)",
)

_SYSTEM: Final = (
    *_RISK,
    """CREATE TABLE engine (one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER NOT NULL, status TEXT NOT NULL,
        reason TEXT NOT NULL, at INTEGER NOT NULL)""",
    """CREATE TABLE incidents (kind TEXT NOT NULL, subject TEXT NOT NULL, position INTEGER NOT NULL,
        severity TEXT NOT NULL, text TEXT NOT NULL, proposal TEXT NOT NULL, signal_id TEXT NOT NULL,
        stream TEXT NOT NULL, at INTEGER NOT NULL, cleared_at INTEGER, cleared TEXT NOT NULL DEFAULT '',
        PRIMARY KEY (kind, subject)) WITHOUT ROWID""",
    """CREATE TABLE pools (pool TEXT PRIMARY KEY, occupied INTEGER NOT NULL, maximum INTEGER NOT NULL,
        at INTEGER NOT NULL) WITHOUT ROWID""",
)

_SETTINGS: Final = (
    """CREATE TABLE precision_rules (account TEXT NOT NULL, symbol TEXT NOT NULL, venue TEXT NOT NULL,
        venue_symbol TEXT NOT NULL, tick_size EXACT NOT NULL, step_size EXACT NOT NULL, min_qty EXACT NOT NULL,
        min_notional EXACT NOT NULL, fetched_at INTEGER NOT NULL, gone_at INTEGER,
        PRIMARY KEY (account, symbol)) WITHOUT ROWID""",
    """CREATE TABLE config_versions (version INTEGER NOT NULL, position INTEGER PRIMARY KEY, author TEXT NOT NULL,
        document TEXT NOT NULL, changes JSON NOT NULL, applied_at INTEGER NOT NULL, rolled_back TEXT)""",
)

_EQUITY: Final = (
    # USD. ``total_equity`` is empty when a price or rate of something open was missing.
    """CREATE TABLE equity_snapshots (position INTEGER PRIMARY KEY, account TEXT NOT NULL, scope TEXT NOT NULL,
        realized_equity EXACT NOT NULL, total_equity EXACT, flow EXACT NOT NULL, deployed EXACT NOT NULL,
        locked EXACT NOT NULL, at INTEGER NOT NULL, note TEXT NOT NULL DEFAULT '')""",
    "CREATE INDEX equity_by_time ON equity_snapshots (at)",
    # How far each account's realizations are in its equity.
    """CREATE TABLE equity_accounts (account TEXT PRIMARY KEY, position INTEGER NOT NULL,
        realized_exact EXACT NOT NULL) WITHOUT ROWID""",
    # USD, as they were stored at midnight.
    """CREATE TABLE day_summaries (day TEXT NOT NULL, scope TEXT NOT NULL, groups_closed INTEGER NOT NULL,
        fills INTEGER NOT NULL, volume_usd EXACT NOT NULL, net_pnl EXACT NOT NULL, best_symbol TEXT, worst_symbol TEXT,
        kept_at INTEGER NOT NULL, PRIMARY KEY (day, scope)) WITHOUT ROWID""",
)

_LOG: Final = (
    """CREATE TABLE events (position INTEGER PRIMARY KEY, at INTEGER NOT NULL, source TEXT NOT NULL,
        severity TEXT NOT NULL, code TEXT NOT NULL, identity TEXT NOT NULL, symbol TEXT NOT NULL,
        timeframe TEXT NOT NULL, group_id TEXT NOT NULL, client_order_id TEXT NOT NULL, signal_id TEXT NOT NULL,
        text TEXT NOT NULL, tags TEXT NOT NULL, pinned FLAG NOT NULL, acknowledged_at INTEGER,
        acknowledged_by TEXT NOT NULL DEFAULT '', correlation_id INTEGER NOT NULL, stream TEXT NOT NULL)""",
    "CREATE INDEX events_by_time ON events (at)",
    "CREATE INDEX events_by_group ON events (group_id) WHERE group_id <> ''",
    "CREATE INDEX events_by_chain ON events (correlation_id)",
    "CREATE INDEX events_by_code ON events (code)",
    "CREATE INDEX events_by_pair ON events (symbol, timeframe)",
    "CREATE INDEX events_by_severity ON events (severity) WHERE severity <> 'info'",
    "CREATE INDEX events_by_source ON events (source)",
    "CREATE INDEX events_pinned ON events (position) WHERE pinned",
    "CREATE INDEX events_to_see ON events (position) WHERE pinned AND acknowledged_at IS NULL",
    """CREATE TABLE event_tags (tag TEXT NOT NULL, position INTEGER NOT NULL,
        PRIMARY KEY (tag, position)) WITHOUT ROWID""",
)

TABLES: Final = (*_KEPT, *_SIGNALS, *_GROUPS, *_ORDERS, *_QUEUE, *_SYSTEM, *_SETTINGS, *_EQUITY, *_LOG)

SERIES: Final = {"events": "at", "equity_snapshots": "at"}
"""Time series, and their column of instants: kept in parts by month where the database can."""


def names() -> list[str]:
    """Return the names of all tables, in the order they are made."""
    return [statement.split()[2] for statement in TABLES if statement.startswith("CREATE TABLE")]
