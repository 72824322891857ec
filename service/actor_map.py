"""Write the map of actors from the actors themselves: ``python -m service.actor_map FILE`` (EX-103)."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import actors.adopter
import actors.approvals
import actors.brackets
import actors.cache_link
import actors.chains
import actors.desk
import actors.equity
import actors.event_log
import actors.feed
import actors.gateway
import actors.group
import actors.groups
import actors.input_keeper
import actors.node_herald
import actors.node_listener
import actors.notifier
import actors.offset
import actors.paper_exchange
import actors.pool
import actors.precision
import actors.projector
import actors.quote_writer
import actors.reconciler
import actors.risk
import actors.self_check
import actors.session
import actors.telegram.telling
import actors.telegram.wire
import actors.webhook
import service.api.server
import service.config_store
import service.housekeeper
import service.secret_keeper
from protocol.messages import Event, Message
from runtime.actor import Actor

__all__ = ["Standing", "actor_map", "actors_page"]

_TREE: Final[tuple[tuple[str, str, type[Actor], str], ...]] = (
    ("/store/inputs", "daemon", actors.input_keeper.InputKeeper, "the files of what durable actors were given"),
    ("/store/events", "daemon", actors.event_log.EventLog, "lines of the log, acknowledgements, what operators did"),
    (
        "/store/projector",
        "daemon",
        actors.projector.ReadModelProcess,
        "the process that builds the read models from the journal",
    ),
    ("/store/equity", "daemon", actors.equity.EquityKeeper, "marks of equity, at each fill and at an interval"),
    (
        "/risk/coordinator",
        "daemon",
        actors.risk.RiskCoordinator,
        "whether entries are allowed: running, paused or in error",
    ),
    ("/risk/approvals", "daemon", actors.approvals.ApprovalDesk, "entries that wait for a person"),
    ("/risk/pool-ACCOUNT", "account", actors.pool.Pool, "slots and the waiting queue"),
    (
        "/risk/offset-ACCOUNT",
        "account",
        actors.offset.OffsetEngine,
        "cycles, flags and the plan in flight of the loss offset",
    ),
    (
        "/risk/adopter-ACCOUNT",
        "account",
        actors.adopter.Adopter,
        "nothing: checks a position before the pool adopts it",
    ),
    (
        "/venues/ACCOUNT/exchange",
        "paper account",
        actors.paper_exchange.PaperExchange,
        "the paper account: orders, fills, balances",
    ),
    (
        "/venues/ACCOUNT/desk",
        "account",
        actors.desk.OrderDesk,
        "the states of the account's orders; the only one that sends them",
    ),
    ("/venues/ACCOUNT/session", "account", actors.session.VenueSession, "the connection, its call limit"),
    ("/venues/ACCOUNT/feed", "account", actors.feed.MarketFeed, "the source of prices"),
    (
        "/venues/ACCOUNT/reconciler",
        "account",
        actors.reconciler.Reconciler,
        "when the account's books are compared, and what it is short of",
    ),
    ("/venues/ACCOUNT/precision", "account", actors.precision.PrecisionCache, "tick, step and minimums of the markets"),
    (
        "/venues/ACCOUNT/chains",
        "account with options",
        actors.chains.ChainKeeper,
        "option chains of the last two minutes, and when which is fetched again",
    ),
    (
        "/venues/ACCOUNT/brackets",
        "real account",
        actors.brackets.BracketGuard,
        "entries with stop and target, and whether each stop works",
    ),
    (
        "/trading/gateway",
        "daemon",
        actors.gateway.Gateway,
        "signals that came, duplicate memory, mappings, sources, incidents",
    ),
    ("/trading/groups/ACCOUNT", "account", actors.groups.GroupHouse, "which groups live; their supervisor"),
    (
        "/trading/groups/ACCOUNT/KEY~ID",
        "position group",
        actors.group.PositionGroup,
        "legs, orders, targets, timer of one managed position",
    ),
    ("/nodes/link", "daemon", actors.cache_link.CacheLink, "how the link to the shared cache stands"),
    ("/nodes/quotes", "daemon", actors.quote_writer.QuoteWriter, "which quotes the cache has heard"),
    ("/nodes/herald", "daemon", actors.node_herald.NodeHerald, "what this daemon says of itself to others"),
    ("/nodes/listener", "daemon", actors.node_listener.NodeListener, "who of the others is alive"),
    ("/operators/config", "daemon", service.config_store.ConfigStore, "draft and versions of the configuration"),
    ("/operators/secrets", "daemon", service.secret_keeper.SecretKeeper, "the webhook's secrets in the vault"),
    ("/operators/notifier", "daemon", actors.notifier.Notifier, "what operators were told, read and dismissed"),
    ("/operators/webhook", "daemon", actors.webhook.WebhookListener, "the HTTP listener"),
    ("/operators/api", "daemon", service.api.server.ApiServer, "the control socket: command line, cockpit, streams"),
    ("/operators/self_check", "daemon", actors.self_check.SelfCheck, "which day was checked last"),
    ("/operators/housekeeper", "daemon", service.housekeeper.Housekeeper, "when the memory is tidied up"),
    ("/operators/telegram/wire", "daemon", actors.telegram.wire.TelegramWire, "the conversation with the Bot API"),
    (
        "/operators/telegram/bridge",
        "daemon",
        actors.telegram.telling.TelegramBridge,
        "what the phone asked and has to hear, and which of it is done",
    ),
)
"""Path, one for each of what, class, what it owns; in the order in which they start."""

_HEAD: Final = """\
# Actors and messages

<!-- Written by `python -m service.actor_map docs/reference/actors.md` from the actors themselves. -->

Each actor owns its state, handles one message at a time and restarts alone; none reads another's state. *In* is what it
handles, *out* what it tells, asks or answers; what it *writes* is in the journal before anything follows from it, and it is
rebuilt from that. Timers of its own are left out. Each part of the tree is under a supervisor that restarts it
([architecture](../explanation/architecture.md)); what messages are is in [messages](messages.md).
"""


class Standing(NamedTuple):
    """One actor: where it lives, one for each of what, what it does, what it hears, says and writes down."""

    path: str
    per: str
    kind: str
    owns: str
    hears: tuple[str, ...]
    says: tuple[str, ...]
    writes: tuple[str, ...]


def actor_map() -> list[Standing]:
    """Return every kind of actor that a daemon runs."""
    return [_standing(path, per, of, owns) for path, per, of, owns in _TREE]


def _standing(path: str, per: str, of: type[Actor], owns: str) -> Standing:
    hears = {each.__name__ for each in of.HANDLERS if not each.__name__.startswith("_")}
    made = set(_made(of))
    says = {each.__name__ for each in made if not issubclass(each, Event)} - hears
    writes = {each.__name__ for each in made if issubclass(each, Event)}
    return Standing(path, per, of.__name__, owns, *map(_sorted, (hears, says, writes)))


def _sorted(names: set[str]) -> tuple[str, ...]:
    return tuple(sorted(names))


def _made(of: type[Actor]) -> Iterator[type[Message]]:
    """Yield the messages and events that an actor's modules make: its own, its bases', and those beside them."""
    for module in _modules(of):
        names = vars(module)
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                found = names.get(node.func.id)
                if isinstance(found, type) and issubclass(found, Message) and found.__module__.startswith("protocol."):
                    yield found


def _modules(of: type[Actor]) -> Iterator[Any]:
    seen = {sys.modules[each.__module__] for each in of.__mro__ if each.__module__.startswith(("actors.", "service."))}
    own = {module.__name__ for module in seen}
    beside = tuple({f"{name}_" for name in own} | {f"rules.{name.rpartition('.')[2]}." for name in own})
    seen |= {module for name, module in sys.modules.items() if name.startswith(beside)}
    yield from sorted(seen, key=lambda module: str(module.__name__))


def actors_page() -> str:
    """Return the page as Markdown."""
    parts = [_HEAD]
    for each in actor_map():
        parts.append(f"## `{each.path}`\n\n`{each.kind}`, one a {each.per}. Owns {each.owns}.\n")
        rows = (("In", _listed(each.hears)), ("Out", _listed(each.says)), ("Writes", _listed(each.writes)))
        parts.append(
            "\n".join(["| | |", "| --- | --- |", *(f"| {name} | {text} |" for name, text in rows if text)]) + "\n"
        )
    return "\n".join(parts).rstrip() + "\n"


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(actors_page(), encoding="utf-8")
