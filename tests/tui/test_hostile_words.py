"""What strangers wrote, on the screen: names of logins, reasons of venues, whatever the daemon passes on."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.rules.test_hostile_texts import TRAP
from tests.tui.rig import Clock, Listening, cockpit
from tui.panels import PANELS

WORDS = f"[red]x[/nonsense] [@click=app.quit]y {TRAP.replace(chr(10), ' ')}"
_KEPT = frozenset({"id", "group_id", "seq", "path", "type", "side", "status", "state", "severity", "kind", "key"})


class Hostile(Listening):
    """A daemon through which strangers speak: every free text of its answers is a trap as well."""

    async def get(self, path: str, **query: Any) -> Any:
        """Return an answer with words of a stranger in it."""
        return _spoiled(await super().get(path, **query))


def _spoiled(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _spoiled(each, str(key)) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_spoiled(each, name) for each in value]
    return f"{value} {WORDS}" if name in ("text", "reason", "title", "body", "detail", "error", "symbol") else value


def test_nothing_on_any_panel_is_obeyed_by_the_terminal() -> None:
    """EX-1508: escape sequences, marks of direction and markup of strangers are text, in tables, alerts, toasts, pages."""

    async def main() -> None:
        async with cockpit(size=(160, 48), link=Hostile(Clock())) as rig:
            seen = 0
            for panel in PANELS:
                rig.app.open_panel(panel.ident)
                await rig.settled()
                lines = rig.app.screen._compositor.render_strips(rig.app.size)
                for strip in lines:
                    assert strip.text.isprintable(), (panel.ident, strip.text)
                    assert strip.cell_length == rig.app.size.width
                seen += "52;c;" in rig.text
            assert seen >= 4, "the trap is on several panels"

    asyncio.run(main())


def test_what_is_searched_for_is_no_markup() -> None:
    """A searched word with brackets is shown as it was typed."""

    async def main() -> None:
        async with cockpit(panel="risk") as rig:
            rig.app.panel().search("[/x] [@click=app.quit]")
            await rig.settled()
            await rig.sees("[/x] [@click=app.quit]")

    asyncio.run(main())
