"""A daemon that is started without what reads command lines: it would hold that for weeks and never use it.

``bulkhead up --no-view``, as a service runs it, and what ``bulkhead up`` starts beneath itself need no more than these few
words. Whatever else is written, also wrongly, is for the command line to understand, and comes to the same daemon.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from service.cli.configured import CONFIG_VARIABLE, config_to_start, sources_of

__all__ = ["BareStart", "bare_start", "run"]

_INTERRUPTED: Final = 130
"""Ctrl-C before the daemon hears signals itself: what shells call it, and the command line says."""

_SWITCHES: Final = frozenset({"--no-view", "--with-parent", "--json"})


class BareStart(NamedTuple):
    """What was asked for; ``ready_fd`` is below 0 where nobody waits to hear that it is ready."""

    config: Path | None
    ready_fd: int = -1
    with_parent: bool = False
    as_json: bool = False


def bare_start(arguments: Sequence[str]) -> BareStart | None:
    """Return the start that the words behind ``bulkhead`` ask for, None when they are for the command line."""
    if not arguments or arguments[0] != "up":
        return None
    switches: set[str] = set()
    values: dict[str, str] = {}
    words = iter(arguments[1:])
    for word in words:
        if word in _SWITCHES:
            switches.add(word)
            continue
        value = next(words, "")
        if word not in ("--config", "--ready-fd") or not value or value.startswith("-"):
            return None
        values[word] = value
    ready = values.get("--ready-fd", "")
    if not (ready.isascii() and ready.isdigit() if ready else "--no-view" in switches):
        return None
    given = values.get("--config") or os.environ.get(CONFIG_VARIABLE)
    return BareStart(
        Path(given) if given else None, int(ready or -1), "--with-parent" in switches, "--json" in switches
    )


def run(start: BareStart) -> int:
    """Run the daemon; return the exit code. As on the command line an error is a line of what is wrong and what to do."""
    from service.cli import starting

    try:
        config, sources = config_to_start(start.config), sources_of(start.config)
        if start.ready_fd >= 0:
            return starting.as_child(config, sources, start.ready_fd, with_parent=start.with_parent)
        return starting.in_foreground(config, sources, as_json=start.as_json)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except Exception as error:
        if os.environ.get("BULKHEAD_TRACEBACK"):
            raise
        from service.cli.failures import report

        return report(error, as_json=start.as_json)
