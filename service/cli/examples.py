"""An example of every command, and the chapter of the first help page that each stands in."""

from __future__ import annotations

from typing import Any, Final

import typer
from typer.models import CommandInfo

from service.cli.codes import epilog

__all__ = ["EXAMPLES", "ORDER", "command_name", "dress", "typed"]

_CHAPTERS: Final = {
    "Start": ("up", "down", "status", "version"),
    "Trade": ("signal", "group"),
    "Watch": (
        "cockpit",
        "tail",
        "pnl",
        "performance",
        "report",
        "export",
        "explain",
        "trace",
        "log",
        "alerts",
        "notifications",
        "incidents",
    ),
    "Risk and queue": ("queue", "approvals", "risk", "account", "pause", "resume"),
    "Configure": ("config", "user", "token", "secrets", "venue"),
    "Operate": ("ps", "nodes", "restart", "quarantine", "release", "dead-letters", "send"),
    "Files": ("replay", "db", "backup", "backups", "restore", "journal"),
    "Prove": ("simulate", "practice"),
}

ORDER: Final = tuple(name for names in _CHAPTERS.values() for name in names)
"""The commands in the order they are met."""

EXAMPLES: Final = {
    "up": (
        "up                                    # with the cockpit; q stops both and leaves nothing running",
        "up --detach                           # in the background; look with: bulkhead cockpit",
        "up --config live.toml --no-view       # logging, until Ctrl-C",
    ),
    "down": ("down",),
    "practice": (
        "practice                              # all markets, at http://127.0.0.1:9911, until Ctrl-C",
        "practice BTC/USDT --port 9912 --liveliness 3",
    ),
    "status": ("status", "status --json | jq .engine"),
    "version": ("version",),
    "cockpit": (
        "cockpit                               # the operator's screen; Ctrl+Q leaves, the daemon goes on",
        "cockpit --demo                        # a made-up house: no daemon, no money",
        "cockpit --panel positions --read-only --theme light",
        "cockpit --serve                       # the same in a browser, for who may log in: bulkhead user add",
    ),
    "signal": (
        "signal entry BTC/USDT --side long --size 500 --check",
        "signal entry BTC/USDT --side long --size 500",
        "signal check alert.json",
    ),
    "signal entry": (
        "signal entry BTC/USDT --side long --size 500           # 500 USDT over the ladder, at the market's price",
        "signal entry ETHUSDT -s long --size 0.5 --size-type base --price 2900 -t 4h --label breakout",
        "signal entry BTC/USDT --side long --size 500 --check   # what would become of it; nothing is sent",
    ),
    "signal exit": ("signal exit BTC/USDT --side long", "signal exit ETH/USDT --side long -t 4h"),
    "signal reduce": (
        "signal reduce BTC/USDT --side long --fraction 0.5",
        "signal reduce BTC/USDT --side long --size 0.002        # base units",
    ),
    "signal check": (
        "signal check alert.json",
        "pbpaste | bulkhead signal check -",
        "signal check alert.json --mapping flat --rules 0.01,0.00001,0.00001,5",
    ),
    "signal replay": ("signal replay s00000042", "signal replay s00000042 --live --confirm BTC/USDT --reprice"),
    "signal missed": ("signal missed",),
    "signal resume": ("signal resume 'trader|BTC trend|BTC/USDT|1h'",),
    "group": ("group                                 # the open ones", "group show g2fdo7jldfk4q"),
    "group show": ("group show g2fdo7jldfk4q",),
    "group edit": (
        "group edit g2fdo7jldfk4q --tp all=2 --stop 58000       # shows what follows, then asks",
        "group edit g2fdo7jldfk4q --leg p0.l3 --price 57500 --preview",
        "group edit g2fdo7jldfk4q --cancel-layers p0 --yes",
    ),
    "group close": ("group close g2fdo7jldfk4q", "group close g2fdo7jldfk4q --leg p0.l1 --yes"),
    "group history": ("group history g2fdo7jldfk4q",),
    "group adopt": (
        "group adopt BTC/USDT --qty 0.5 --price 59000 --tp 3 --preview",
        "group adopt ETH/USDT --qty 2 --price 2900 -t 4h --stop 2700 --reason 'bought by hand'",
    ),
    "queue": ("queue", "queue --history"),
    "queue promote": ("queue promote q3",),
    "queue force-add": ("queue force-add q3",),
    "queue remove": ("queue remove q3",),
    "risk": ("risk", "risk --json | jq '.accounts[].losers'"),
    "risk decisions": ("risk decisions --plans", "risk decisions --group g2fdo7jldfk4q --search no_winners"),
    "risk run-now": ("risk run-now                          # the normal rules, now", "risk run-now g2fdo7jldfk4q"),
    "risk skip-once": ("risk skip-once g2fdo7jldfk4q",),
    "risk block": ("risk block g2fdo7jldfk4q",),
    "risk unblock": ("risk unblock g2fdo7jldfk4q",),
    "venue": ("venue", "venue list", "venue test main"),
    "venue list": ("venue list", "venue list --json | jq '.[] | select(.testnet) | .venue'"),
    "venue test": ("venue test main", "venue test main --symbol ETH/USDT"),
    "venue symbols": ("venue symbols main BTC", "venue symbols main --json | jq length"),
    "venue audit": (
        "venue audit main                      # asks, and trades nothing",
        "venue audit main --symbol BTC/USDT --order-test",
    ),
    "venue rules": ("venue rules", "venue rules BTC/USDT --account paper"),
    "venue refresh": ("venue refresh", "venue refresh --account paper"),
    "venue reconcile": ("venue reconcile",),
    "venue chain": ("venue chain ib AAPL", "venue chain ib SPY --dte 20-40 --strikes 80"),
    "venue allow-entries": ("venue allow-entries paper",),
    "ps": ("ps", "ps /trading/groups"),
    "tail": (
        "tail                                  # Ctrl-C ends it",
        "tail --since 2h --symbol BTC/USDT --no-follow",
        "tail --type GroupClosed --json | jq .text",
    ),
    "log": (
        "log --severity warning --since 1d",
        "log --pair ETHUSDT --tag queue --text removed",
        "log --since 2026-11-01 --export november.csv",
    ),
    "log segments": ("log segments",),
    "log prune": ("log prune --preview", "log prune"),
    "log keep": ("log keep 12", "log keep 12 --off"),
    "approvals": ("approvals",),
    "approvals approve": ("approvals approve a3",),
    "approvals reject": ("approvals reject a3",),
    "account": ("account stop main --reason 'odd fills'    # entries only; exits go on",),
    "account stop": ("account stop main --reason 'odd fills'",),
    "account arm": ("account arm main",),
    "notifications": ("notifications", "notifications --unread --json"),
    "notifications list": ("notifications list --after 120",),
    "notifications read": ("notifications read --all", "notifications read 17 18"),
    "notifications dismiss": ("notifications dismiss 17",),
    "alerts": ("alerts",),
    "alerts ack": ("alerts ack 1234", "alerts ack --all"),
    "incidents": ("incidents", "incidents --all --path /venues"),
    "incidents show": ("incidents show i3-7",),
    "incidents seen": ("incidents seen                        # all of them", "incidents seen i3-7 i3-8"),
    "pnl": ("pnl --by day", "pnl --by strategy --since 30d --csv strategies.csv"),
    "performance": (
        "performance --range 30d",
        "performance --account main --pair BTC/USDT --json | jq .dashboard.sharpe",
    ),
    "performance trades": (
        "performance trades --range month",
        "performance trades --reason stop_loss --side short --last 20",
    ),
    "performance days": ("performance days --last 7",),
    "performance flows": ("performance flows",),
    "performance deposit": ("performance deposit 500 --account main --note 'from the bank'",),
    "performance withdraw": ("performance withdraw 1250.50",),
    "report": (
        "report                                # everything, as performance_..._paper.html here",
        "report --range year --account main --out year.html",
    ),
    "export": (
        "export                                # what there is",
        "export trades --range 30d",
        "export equity --format png --theme dark --out pictures/",
        "export fills --from 2026-01-01 --to 2026-03-31 --format parquet",
    ),
    "trace": ("trace s00000042", "trace bh4nxmzvsosiocyv52p0000e0001 --journal old.db"),
    "explain": (
        "explain s00000042                     # a signal; also a group, an order, a fill, a queued entry (q3)",
        "explain group                         # every move that a group can make",
    ),
    "pause": ("pause --reason 'news at two'", "pause --account main        # its entries only"),
    "resume": ("resume",),
    "dead-letters": ("dead-letters", "dead-letters replay 3298534883359"),
    "dead-letters replay": ("dead-letters replay 3298534883359",),
    "release": ("release /trading/groups/paper/binance:BTCUSDT:1h:long~g2fdo7jldfk4q",),
    "nodes": ("nodes", "nodes --json | jq .cache"),
    "restart": ("restart /venues/paper/session",),
    "quarantine": ("quarantine /venues/paper/feed",),
    "send": (
        "send --list PauseEngine               # the fields of a message",
        """send /risk/coordinator '{"type": "PauseEngine", "reason": "news at two"}'""",
    ),
    "secrets": ("secrets list", "secrets set main api_key", "secrets rotate webhook"),
    "secrets list": ("secrets list", "secrets list --json"),
    "secrets set": (
        "secrets set main api_key              # asks for it",
        "secrets set main api_secret --stdin   # keeps what is piped in",
    ),
    "secrets remove": ("secrets remove main passphrase",),
    "secrets rotate-key": ("secrets rotate-key",),
    "user": ("user add ada --role operator", "user list"),
    "user add": (
        "user add ada --role operator",
        "user add ada --role admin --password-stdin   # the password comes in by a pipe",
    ),
    "user list": ("user list",),
    "user role": ("user role ada viewer",),
    "user logout": ("user logout ada", "user logout --everybody"),
    "user password": ("user password ada",),
    "user remove": ("user remove ada --yes",),
    "token": ("token create grafana --scope metrics", "token list"),
    "token create": (
        "token create grafana --scope metrics",
        "token create desk --scope trade --days 90 --json | jq -r .token",
    ),
    "token list": ("token list --all",),
    "token revoke": ("token revoke grafana",),
    "secrets rotate": ("secrets rotate webhook", "secrets rotate hmac"),
    "replay": (
        "replay --data BTC/USDT=btc_1m.parquet --signals alerts.jsonl --groups",
        "replay --signals alerts.jsonl --from 2024-01-01 --to 2024-03-01 --journal month.db",
        "replay --verify yesterday",
    ),
    "config": (
        "config set execution_pool.max_open_groups 12",
        "config preview",
        "config apply",
    ),
    "config check": ("config check", "config check other.toml --show"),
    "config default": ("config default > config.toml",),
    "config show": ("config show risk_engine", "config show grid_strategy.tp_mode"),
    "config set": (
        "config set risk_engine.loss_threshold_percent -4",
        """config set grid_strategy.levels '[{"gap_percent": 0, "weight_percent": 100, "tp_percent": 1}]'""",
    ),
    "config unset": ("config unset risk_engine.loss_threshold_percent",),
    "config diff": ("config diff                           # draft against the version in force", "config diff 3 5"),
    "config preview": ("config preview", "config preview --symbol BTC/USDT --price 60000 --side long --size 500"),
    "config apply": ("config apply", "config apply --from 7"),
    "config discard": ("config discard",),
    "config versions": ("config versions",),
    "config reapply": ("config reapply 3",),
    "config reset": ("config reset",),
    "config backup": ("config backup settings.json",),
    "config restore": ("config restore settings.json",),
    "journal": ("journal verify",),
    "journal verify": ("journal verify", "journal verify --journal copy.db"),
    "journal cut": ("journal cut                           # says what would be lost and which words to type",),
    "simulate": (
        "simulate                              # 20 seeds of a day, every fault on",
        "simulate --seeds 1000 --hours 168 --out report",
        "simulate --faults disk --until-minutes 30 --shrink",
    ),
    "simulate planted": ("simulate planted", "simulate planted blind-retry --seeds 50"),
    "simulate replay": (
        "simulate replay --seed 17 --timeline",
        "simulate replay tests/simulation/regressions/test_seed_17_no_dead_actor.py",
    ),
    "db": ("db status", "db backup monday.bulkhead"),
    "db status": ("db status", "db status --json | jq .read_models.behind"),
    "db migrate": (
        "db migrate                            # the schema to today's",
        "db migrate --to postgresql://trader@db.example/bulkhead    # everything there; its password in PGPASSWORD",
        "db migrate --to sqlite:///srv/bulkhead/data/journal.db     # and back again",
    ),
    "db backup": ("db backup monday.bulkhead", "db backup monday.bulkhead --key-file backup.key"),
    "db restore": ("db restore monday.bulkhead", "db restore monday.bulkhead --key-file backup.key --replace"),
    "db verify": ("db verify",),
    "db prune": ("db prune --before 2026-01-01 --preview",),
    "db export": ("db export", "db export fills > fills.csv", "db export events --format parquet -o events.parquet"),
    "backup": ("backup monday.bulkhead",),
    "backups": ("backups",),
    "backups make": ("backups make", "backups make before-the-move"),
    "backups prune": ("backups prune --preview", "backups prune"),
    "backups keep": ("backups keep before-the-move.bulkhead", "backups keep before-the-move.bulkhead --off"),
    "restore": ("restore monday.bulkhead", "restore monday.bulkhead --read-only-inspect /tmp/look"),
}
"""Path of a command -> lines that can be typed after ``bulkhead``."""


def typed(line: str) -> str:
    """Return an example as it is typed."""
    return line if "| bulkhead " in line else f"bulkhead {line}"


def command_name(command: CommandInfo) -> str:
    """Return the word that a command is called by."""
    return command.name or (command.callback.__name__.replace("_", "-") if command.callback else "")


def dress(app: typer.Typer, path: str = "") -> None:
    """Give every command of an application its chapter and its examples."""
    chapters = {name: title for title, names in _CHAPTERS.items() for name in names}
    for command in app.registered_commands:
        _dress_one(command, f"{path} {command_name(command)}".strip(), chapters if not path else {})
    for group in app.registered_groups:
        here = f"{path} {group.name}".strip()
        _dress_one(group, here, chapters if not path else {})
        if group.typer_instance is not None:
            dress(group.typer_instance, here)


def _dress_one(command: Any, path: str, chapters: dict[str, str]) -> None:
    command.epilog = epilog(*map(typed, EXAMPLES.get(path, ())))
    if path in chapters:
        command.rich_help_panel = chapters[path]
