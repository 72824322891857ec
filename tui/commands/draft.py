"""The shared draft of the settings, as commands tell the daemon about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tui.seat import Seat, Sent
from tui.settings_values import brief

__all__ = ["author", "edit", "load", "side"]


async def author(seat: Seat) -> str:
    """Return who is at the screen, as the daemon knows them."""
    found = await seat.ask("/v1/me")
    return str(found["name"]) if found else "cockpit"


async def edit(seat: Seat, values: Mapping[str, Any], said: str) -> bool:
    """Change keys of the draft, None is "back to the default"; return whether they were taken."""
    body = {"values": values, "author": await author(seat)}
    found = await seat.send(Sent("/v1/config/draft", body, lambda found: f"{said}{_trouble(found)}"))
    seat.state.stir("config")
    return found is not None


async def load(seat: Seat, what: Mapping[str, Any], said: str) -> None:
    """Replace the draft by a document, by a kept version, or, with neither, by the defaults."""
    body = {"author": await author(seat), **what}
    await seat.send(Sent("/v1/config/load", body, lambda found: f"{said}{_trouble(found)}"))
    seat.state.stir("config")


def side(key: str, value: Any) -> str:
    """Return one side of a change."""
    return "default" if value is None else brief(key, value)


def _trouble(found: Mapping[str, Any]) -> str:
    mistakes = found.get("draft_mistakes") or ()
    if mistakes:
        return f"; the draft has {len(mistakes)} mistake{'s' if len(mistakes) > 1 else ''}"
    return "; A applies the draft" if found.get("draft") is not None else "; that is what is in force"
