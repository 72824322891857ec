"""Venues without a daemon: which there are, whether an account can be reached, its markets, an audit of its limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from service.cli.codes import ExitCode, epilog
from service.cli.failures import CommandFailed, Failure
from service.cli.output import note, print_json, print_line, show, table
from service.cli.parts import ConfigFile, Json, load_config, usage

if TYPE_CHECKING:
    from service.config import Config
    from service.config.market import Account
    from service.venue_audit import Audit

__all__ = ["audit", "listing", "register", "symbols", "trial"]

_Account = Annotated[str, typer.Argument(metavar="[ACCOUNT]", help="An account of the configuration.")]
_Symbols = Annotated[
    list[str] | None,
    typer.Option("--symbol", metavar="SYMBOL", help="A market to look at, in any form; more than once for several."),
]
_LIBRARY: Final = {"oanda": "oandapyV20", "ibkr": "ib_async", "alpaca": "alpaca"}
"""What an extra brings, by its module; all others need ccxt."""

_SIGNS: Final = {(True, False): "✗", (False, True): "!", (False, False): "✓"}
"""By whether a step failed, and whether it warns."""


def register(family: typer.Typer) -> None:
    """Add the commands to those of venues."""
    for name, command in (("list", listing), ("test", trial), ("symbols", symbols), ("audit", audit)):
        family.command(name=name, epilog=epilog())(command)


def listing(config: ConfigFile = None, as_json: Json = False) -> None:
    """List the venues that bulkhead trades at, what each can do and needs, and which accounts are configured there.

    An account trades at one of them with venue = "NAME"; its credentials come from the environment, in the variables named
    here. Where there is a test network an account is on it until you say otherwise.
    """
    from venues.known import KNOWN

    accounts = load_config(config).accounts
    found = [_facts(name, [each.name for each in accounts if each.venue.value == name]) for name in KNOWN]
    if as_json:
        print_json(found)
        return
    columns = ("venue", "name", "trades", "markets", "test network", "needs", "library", "accounts")
    rows = (
        (
            *(each["venue"], each["title"], each["trades"], ", ".join(each["markets"])),
            *("yes" if each["testnet"] else "no", ", ".join(each["needs"]) or "a running gateway"),
            *(
                "ready" if each["installed"] else f"pip install 'bulkhead[{each['extra']}]'",
                ", ".join(each["accounts"]),
            ),
        )
        for each in found
    )
    show(table(columns, rows))
    note("credentials: BULKHEAD_ACCOUNTS__<ACCOUNT>__API_KEY and so on; then: bulkhead venue test ACCOUNT")


def _facts(name: str, accounts: list[str]) -> dict[str, Any]:
    from importlib.util import find_spec

    from venues.known import KNOWN

    facts = KNOWN[name]
    words = {"key": "api_key", "secret": "api_secret"}
    return {
        "venue": name,
        "title": facts.title,
        "trades": facts.trades,
        "markets": ["futures" if each.value == "perp" else each.value for each in facts.markets],
        "testnet": facts.testnet,
        "needs": [words.get(each, each) for each in facts.credentials]
        + (["or a gateway's url"] if facts.gateway else []),
        "extra": facts.extra,
        "installed": find_spec(_LIBRARY.get(facts.extra, "ccxt")) is not None,
        "accounts": accounts,
    }


def trial(account: _Account = "", symbol: _Symbols = None, config: ConfigFile = None, as_json: Json = False) -> None:
    """Try an account step by step: connect and log in, the key's rights, clock, balances, markets, one quote; disconnect.

    Trades nothing and needs no daemon; one that runs is not disturbed. The first step that fails ends it, with the venue's
    own words and what to do. A key that may withdraw is warned of.
    """
    import msgspec

    from runtime.clock import WallClock
    from service.venue_probe import Step
    from service.venue_trial import tried

    loaded = load_config(config)
    one = _chosen(loaded, account)
    if symbol:
        one = msgspec.structs.replace(one, symbols=tuple(symbol))

    def tell(step: Step) -> None:
        if not as_json:
            print_line(f"{_SIGNS[bool(step.code), step.warns]} {step.name:<11} {step.ms:7.0f} ms  {step.text}")

    found = tried(loaded, one, WallClock().now, tell)
    if as_json:
        print_json(msgspec.to_builtins(found))
    failed = next((each for each in found.steps if each.code), None)
    if failed is not None:
        raise CommandFailed(Failure(ExitCode.FAILED, failed.code, failed.text, found.advice, failed.name))


def symbols(
    account: _Account = "",
    pattern: Annotated[
        str, typer.Argument(metavar="[PATTERN]", help="Part of a name, with or without separator.")
    ] = "",
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """List the markets of an account in all their names: ours, the venue's, and the one that alerts bear.

    Any of the three may be given wherever a symbol is asked for.
    """
    import asyncio

    from runtime.clock import WallClock
    from service.venue_probe import markets
    from service.venue_trial import maker_of

    loaded = load_config(config)
    make = maker_of(loaded, one := _chosen(loaded, account), WallClock().now)
    found = [
        {"symbol": each.symbol, "venue_symbol": each.venue_symbol, "alert": f"{one.exchange.upper()}:{_alert(each)}"}
        for each in asyncio.run(markets(make))
        if _squashed(pattern) in _squashed(f"{each.symbol} {each.venue_symbol}") or not pattern
    ]
    if as_json:
        print_json(found)
        return
    show(table(("symbol", "venue's name", "in alerts"), (tuple(each.values()) for each in found)))
    print_line(f"{len(found)} markets")


def _alert(instrument: Any) -> str:
    return f"{instrument.base}{instrument.quote}{'.P' if instrument.shortable else ''}"


def _squashed(text: str) -> str:
    return "".join(each for each in text.upper() if each.isalnum())


def audit(
    account: _Account = "",
    symbol: _Symbols = None,
    order_test: Annotated[
        bool, typer.Option("--order-test", help="Place one limit order 30 % below the market and cancel it at once.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do the order test with real money too.")] = False,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Audit what a venue asks of orders and how fast it answers, and say what fails our needs.

    Per market: tick, step, least quantity and worth, fees, leverage, least distance of a stop, hours. Then how long a ping
    and a quote take, and with --order-test an order and its cancel. Needs no daemon.
    """
    import asyncio

    from runtime.clock import WallClock
    from service.config.venue_access import trades_real_money
    from service.venue_audit import audit as look
    from service.venue_trial import maker_of, markets_wanted

    loaded = load_config(config)
    one = _chosen(loaded, account)
    if order_test and trades_real_money(loaded, one) and not yes:
        message = f"account {one.name} trades real money: the order test would place a real order"
        raise usage(message, "add --yes if you mean it", code="RealMoney", path="--order-test")
    wanted, now = tuple(symbol or ()) or markets_wanted(loaded, one), WallClock().now
    found = asyncio.run(look(maker_of(loaded, one, now), now, wanted, order_test=order_test))
    if as_json:
        print_json({"account": one.name, **_plain(found)})
        return
    _print_audit(found)


def _plain(found: Audit) -> dict[str, Any]:
    return {
        "venue": found.venue,
        "markets": [{key: value or None for key, value in row.items()} for row in _rows(found)],
        "latencies": [each._asdict() for each in found.latencies],
        "clock_s": found.clock_s,
        "limit": found.limit,
        "lacks": list(found.lacks),
        "failing": list(found.failing),
    }


def _rows(found: Audit) -> list[dict[str, str]]:
    rows = []
    for market in found.markets:
        rules, facts = market.instrument.rules, market.facts
        told = (facts.max_leverage, facts.min_stop_distance) if facts is not None else (None, None)
        rows.append(
            {
                "symbol": market.instrument.symbol,
                "tick": f"{rules.tick_size:f}",
                "step": f"{rules.step_size:f}",
                "min_qty": f"{rules.min_qty:f}",
                "min_notional": f"{rules.min_notional:f}",
                "maker_fee": f"{market.instrument.maker_fee:f}",
                "taker_fee": f"{market.instrument.taker_fee:f}",
                "max_leverage": "" if told[0] is None else f"{told[0].normalize():f}",
                "min_stop_distance": "" if told[1] is None else f"{told[1]:f}",
                "hours": facts.session if facts is not None and facts.session else "round the clock",
            }
        )
    return rows


def _print_audit(found: Audit) -> None:
    rows = _rows(found)
    columns = tuple(rows[0]) if rows else ("symbol",)
    show(table([each.replace("_", " ") for each in columns], (tuple(row.values()) for row in rows)))
    for each in found.latencies:
        times = f"median of {each.times}, worst {each.worst_ms:.1f} ms" if each.times > 1 else "once"
        print_line(f"{each.what:<8} {each.median_ms:8.1f} ms  ({times})")
    print_line(f"clock    {found.clock_s:+8.3f} s")
    print_line(f"limit    {found.limit or 'none published'}")
    if found.lacks:
        print_line(f"cannot   {', '.join(each.replace('_', ' ') for each in found.lacks)}")
    print_line("fails our needs: nothing" if not found.failing else "fails our needs:")
    for text in found.failing:
        print_line(f"  - {text}")


def _chosen(config: Config, name: str) -> Account:
    from service.venues import is_outside

    outside = [each for each in config.accounts if is_outside(each)]
    names = ", ".join(each.name for each in outside)
    if not name and len(outside) == 1:
        return outside[0]
    found = next((each for each in config.accounts if each.name == name), None)
    if found is None:
        text = f"there is no account {name}" if name else "say which account"
        advice = f"there are {names}" if names else 'configure one: [[accounts]] with name and venue = "binance", say'
        raise CommandFailed(Failure(ExitCode.NOT_FOUND, "NotFound", text, advice, "ACCOUNT", name))
    if not is_outside(found):
        advice = "its rules: bulkhead venue rules"
        raise usage(
            f"account {name} trades on paper inside the daemon: there is nothing to reach", advice, path="ACCOUNT"
        )
    return found
