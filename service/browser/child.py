"""The process behind one screen: a cockpit that draws for a browser. Its parent says on a pipe who looks.

It shows the session of whoever looks with each request, on the control socket too: so it may do what they may, and no more.
It ends with its parent, however that ends.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import threading
import uuid
from pathlib import Path
from typing import Any

from service.browser.pipes import LIFELINE, SEAT

__all__ = ["main"]


def main() -> int:
    """Draw until told to stop; return the exit code."""
    with os.fdopen(int(os.environ.pop(SEAT)), "rb") as said:
        seat = json.loads(said.read())
    _end_with_parent(int(os.environ.pop(LIFELINE)))
    room = importlib.import_module("tui.launch")
    return int(room.run(_options(room, seat)))


def _options(room: Any, seat: dict[str, Any]) -> Any:
    from rules.signals.redaction import redact_text
    from runtime.clock import WallClock
    from service.advice import advice_of
    from service.cli.cockpit import demo_link

    clock = WallClock().now
    if seat["demo"]:
        link = demo_link(room, clock)
    elif seat["url"]:
        link = room.DaemonLink(url=seat["url"], token=seat["token"])
    else:
        link = room.DaemonLink(socket=Path(seat["socket"]), token=seat["token"])
    return room.Options(
        link=link,
        clock=clock,
        advice=advice_of,
        request_id=_new_id,
        hide=redact_text,
        read_only=seat["read_only"],
        theme=seat["theme"],
        panel=seat["panel"],
        served=True,
        preferences=Path(seat["preferences"]) if seat["preferences"] else None,
    )


def _end_with_parent(lifeline: int) -> None:
    def wait() -> None:
        os.read(lifeline, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="lifeline", daemon=True).start()


def _new_id() -> str:
    return uuid.uuid4().hex  # house: each request of an operator is a new one


if __name__ == "__main__":
    raise SystemExit(main())
