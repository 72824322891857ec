"""Check the configuration, or print the default one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.cli import config
from service.cli.codes import epilog
from service.cli.output import note, print_json, print_line
from service.cli.parts import ConfigFile, Json, config_file

if TYPE_CHECKING:
    from service.config import Config

__all__ = ["check", "default", "register"]

_config = typer.Typer(
    no_args_is_help=True, help="Look at the settings, change them while it runs, check the file.", epilog=epilog()
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (check, default):
        _config.command(epilog=epilog())(command)
    config.register(_config)
    app.add_typer(_config, name="config")


def check(
    file: Annotated[Path | None, typer.Argument(help="Configuration to check, in place of --config.")] = None,
    show: Annotated[bool, typer.Option("--show", help="Print every effective value.")] = False,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Check configuration and environment; all mistakes at once, each with its key. Starts nothing."""
    from service.config import load
    from service.config.older_names import renamed_in
    from service.config.venue_access import missing_credentials

    chosen = config_file(file or config)
    loaded = load(chosen, os.environ)
    where = str(chosen) if chosen is not None else "the defaults"
    if as_json:
        lacking = [{"path": each.path, "message": each.message} for each in missing_credentials(loaded)]
        print_json({"file": where, "problems": [], "lacking": lacking, **({"values": _plain(loaded)} if show else {})})
        return
    note(f"{where}: no mistakes")
    for lacks in missing_credentials(loaded):
        note(f"{lacks.path} is not set here: {lacks.message}")
    for each in renamed_in(chosen):
        note(f"{each.old} is called {each.new} now")
    if show:
        for key, value in _flat(_plain(loaded), ""):
            print_line(f"{key} = {value}")


def default() -> None:
    """Print config.toml with every key, its default and what it means."""
    from service.config import default_toml

    print_line(default_toml().rstrip("\n"))


def _plain(loaded: Config) -> Any:
    """Return the configuration as plain data; secrets are masked."""
    import msgspec

    return msgspec.to_builtins(loaded, str_keys=True, enc_hook=str)


def _flat(value: Any, path: str) -> list[tuple[str, str]]:
    import json

    if isinstance(value, dict) and value:
        return [pair for key, inner in value.items() for pair in _flat(inner, f"{path}.{key}" if path else str(key))]
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [pair for index, inner in enumerate(value) for pair in _flat(inner, f"{path}[{index}]")]
    return [(path, json.dumps(value, ensure_ascii=False))]
