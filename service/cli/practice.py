"""The practice exchange."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

import typer

from service.cli.codes import epilog
from service.cli.output import note, print_json, print_line
from service.cli.parts import Json

__all__ = ["practice", "register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=epilog())(practice)


def practice(
    symbols: Annotated[list[str] | None, typer.Argument(metavar="[SYMBOL]...", help="Markets (default: all).")] = None,
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on; it asks nobody for a password.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65_535, help="Port, 0 for a free one.")] = 9911,
    usdt: Annotated[float, typer.Option("--usdt", min=0, help="What its one account begins with.")] = 100_000,
    liveliness: Annotated[
        float, typer.Option("--liveliness", min=0.01, max=20, help="1 is an ordinary crypto day.")
    ] = 1,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Same seed, same prices.")] = 7,
    as_json: Json = False,
) -> None:
    """Run an exchange of its own with made-up prices until Ctrl-C, to rehearse crashes and takeovers.

    Unlike the paper exchange inside the daemon it goes on while daemons die, and remembers what they sent. An account with
    venue = "practice" and url = its address trades there. It keeps everything in memory.
    """
    from service.practice import Practice, run_practice

    def ready(url: str) -> None:
        if as_json:
            print_json({"url": url})
        else:
            print_line(f"practice exchange at {url}")
            note('an account trades here with: venue = "practice", url = "' + url + '"')

    run_practice(Practice(host, port, tuple(symbols or ()), Decimal(str(usdt)), Decimal(str(liveliness)), seed), ready)
