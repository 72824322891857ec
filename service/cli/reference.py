"""Write the reference page of the command line from the commands themselves: ``python -m service.cli.reference FILE``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from typer.main import get_command

from service.cli.codes import EXIT_CODES
from service.cli.commands import app
from service.cli.examples import EXAMPLES, typed

__all__ = ["reference_page"]

_HEAD: Final = """\
# Commands

<!-- Written by `python -m service.cli.reference docs/reference/cli.md` from the commands themselves. -->

Every command takes `--help`. Those that print data take `--json`: one JSON document (with `tail` one a line) on standard
output and nothing else; what went wrong is then a JSON object with `code`, `path`, `message`, `value` on standard error.
`--config FILE` names the configuration; without it `config.toml` of the working directory is read when it is there.

Shell completion: `bulkhead --install-completion`.
"""

_SHARED: Final = {"config", "socket", "as_json", "help"}


def reference_page() -> str:
    """Return the page as Markdown."""
    root = get_command(app)
    parts = [_HEAD, _codes(), *_commands(root, "bulkhead")]
    return "\n".join(parts).rstrip() + "\n"


def _codes() -> str:
    rows = "\n".join(f"| {code.value} | {meaning} |" for code, meaning in EXIT_CODES.items())
    return f"## Exit codes\n\n| Code | Meaning |\n| --- | --- |\n{rows}\n"


def _commands(group: Any, path: str) -> Iterator[str]:
    chapter = ""
    for name in group.list_commands(None):
        command = group.commands[name]
        here = f"{path} {name}"
        panel = getattr(command, "rich_help_panel", None)
        if isinstance(panel, str) and panel != chapter:  # typer keeps an object of its own where none was given
            chapter = panel
            yield f"## {chapter}\n"
        if hasattr(command, "commands"):
            if command.params or command.callback is not None:
                yield _section(command, here)
            yield from _commands(command, here)
        else:
            yield _section(command, here)


def _section(command: Any, path: str) -> str:
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    options = [
        each
        for each in command.params
        if each.param_type_name == "option" and not each.hidden and each.name not in _SHARED
    ]
    usage = " ".join([path, *(_metavar(each) for each in arguments)])
    lines = [f"### `{usage}`", "", _sentence(command), ""]
    rows = [(f"`{_metavar(each).strip('[]')}`", each.help or "") for each in arguments]
    rows += [(f"`{', '.join([*each.opts, *each.secondary_opts])}`", _help(each)) for each in options]
    if rows:
        lines += ["| Argument or option | Meaning |", "| --- | --- |"]
        lines += [f"| {name} | {meaning.replace('|', '&#124;')} |" for name, meaning in rows]
        lines.append("")
    examples = EXAMPLES.get(path.removeprefix("bulkhead "), ())
    return "\n".join([*lines, "```sh", *(typed(each) for each in examples), "```", ""])


def _metavar(argument: Any) -> str:
    return str(argument.metavar or argument.name.upper())


def _sentence(command: Any) -> str:
    text = (command.help or (command.callback.__doc__ if command.callback else "") or "").strip()
    return " ".join(line.strip() for line in text.splitlines())


def _help(option: Any) -> str:
    text = option.help or ""
    default = option.default
    if option.required:
        return f"{text} Required."
    if default in (None, "", False, True) or callable(default):
        return text
    return f"{text} Default: {getattr(default, 'value', default)}."


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(reference_page(), encoding="utf-8")
