"""Run a configuration over recorded data and print what came of it."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from service.cli.codes import epilog
from service.cli.output import note, print_json, show
from service.cli.parts import ConfigFile, Json, load_config, usage

if TYPE_CHECKING:
    from runtime.journal import Journal
    from service.config import Config

__all__ = ["Verify", "register", "replay"]

_LONGEST_BAR_S: Final = 120

Verify = Annotated[
    str,
    typer.Option(
        "--verify",
        metavar="DAY",
        help="Decide a recorded day again and compare it with the journal; nothing is traded.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=epilog())(replay)


def replay(
    data: Annotated[
        list[str] | None,
        typer.Option("--data", metavar="SYMBOL=FILE", help="Recorded prices; repeat for more symbols."),
    ] = None,
    timeframe: Annotated[str, typer.Option("--timeframe", help="Length of the bars of --data, or tick.")] = "1m",
    signals: Annotated[
        Path | None,
        typer.Option("--signals", metavar="FILE", help="Alerts, one JSON body a line, each at its timestamp."),
    ] = None,
    begin: Annotated[str, typer.Option("--from", help="First instant (ISO 8601).")] = "",
    end: Annotated[str, typer.Option("--to", help="Last instant (ISO 8601).")] = "",
    http: Annotated[
        bool, typer.Option("--http", help="Post the alerts over HTTP instead of handing them over.")
    ] = False,
    seed: Annotated[int | None, typer.Option("--seed", help="Draws the interleaving of actors.")] = None,
    journal: Annotated[
        Path | None,
        typer.Option("--journal", metavar="FILE", help="Keep the journal here; without it it is in memory."),
    ] = None,
    groups: Annotated[bool, typer.Option("--groups", help="Also print every group with its result.")] = False,
    verify: Verify = "",
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Replay recorded prices and alerts through the whole system, as fast as the machine allows.

    With --verify a day of the daemon's own journal is decided again from what was recorded beside it.
    """
    if verify:
        _verify(verify, config, as_json=as_json)
    from service.cli.replay_alerts import any_proof, with_proof
    from service.cli.replay_views import as_dict, summary_view
    from service.cli.replay_watch import watched
    from service.replaying import read_alerts, run_replay

    loaded = any_proof(_with_data(load_config(config), data or [], timeframe))
    since, until = _instant(begin, "--from"), _instant(end, "--to")
    alerts, secrets = with_proof(read_alerts(signals) if signals is not None else [])
    whole = since is None and until is None
    with ExitStack() as stack:
        opened = _open(stack, journal)
        progress = stack.enter_context(watched(loaded, whole=whole))
        result = run_replay(
            loaded,
            alerts=alerts,
            secrets=secrets,
            journal=opened,
            since=since,
            until=until,
            http=http,
            seed=seed,
            progress=progress,
        )
    if as_json:
        print_json(as_dict(result, groups=groups))
        return
    show(summary_view(result, groups=groups))
    _say_when_coarse(loaded)


def _verify(day: str, config: Path | None, *, as_json: bool) -> None:
    from service.cli.day_views import verify_day

    raise typer.Exit(verify_day(load_config(config), day, as_json=as_json))


def _say_when_coarse(config: Config) -> None:
    if config.risk_engine.enabled and (coarse := _coarse(config)):
        note(
            f"note: {coarse} give a price less often than every 30 s, which is all that the loss offset trusts (StaleMark):"
        )
        note(
            "      it decides only when prices of several groups come together. Replay bars of 1m, or ticks, to judge it"
        )


def _coarse(config: Config) -> str:
    """Name the bars that are too long for the loss offset: one has four prices, and a price counts for 30 s."""
    from rules.identity import timeframe_seconds

    lengths = {file.timeframe for file in config.market.replay.values()} - {"tick"}
    return ", ".join(f"{each} bars" for each in sorted(lengths) if timeframe_seconds(each) > _LONGEST_BAR_S)


def _open(stack: ExitStack, path: Path | None) -> Journal | None:
    if path is None:
        return None
    from store.sqlite_journal import Durability, open_journal

    journal = open_journal(path, durability=Durability.NORMAL)
    stack.callback(journal.close)
    return journal


def _with_data(config: Config, data: list[str], timeframe: str) -> Config:
    """Return the configuration with the files of ``--data`` in place of its own."""
    if not data:
        return config
    import msgspec

    from service.config.market import MarketSource, ReplayFile

    files = {}
    for each in data:
        symbol, found, name = each.partition("=")
        if not found or not symbol or not name:
            raise usage(f"{each!r} is not SYMBOL=FILE", "for example: --data BTC/USDT=btc.parquet", path="--data")
        files[symbol] = ReplayFile(path=Path(name).absolute(), timeframe=timeframe)
    missing = next((file.path for file in files.values() if not file.path.exists()), None)
    if missing is not None:
        raise usage(f"{missing}: there is no such file", path="--data", code="Unreadable")
    market = msgspec.structs.replace(config.market, source=MarketSource.REPLAY, replay=files, symbols=tuple(files))
    return msgspec.structs.replace(config, market=market)


def _instant(text: str, option: str) -> int | None:
    from datetime import UTC, datetime

    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise usage(f"{text!r} is no instant", "write 2025-06-01 or 2025-06-01T12:00:00Z", path=option) from error
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return int(aware.timestamp()) * 1_000_000_000
