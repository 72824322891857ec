"""Text on the screen that is drawn again only when it reads differently."""

from __future__ import annotations

from textual import events, on
from textual.content import Content
from textual.widgets import Static

from tui.text import RUN

__all__ = ["Lines"]


class Lines(Static):
    """A few lines; ``put`` is cheap when nothing changed, and lays the screen out anew only when there are more or fewer."""

    DEFAULT_CSS = """
    Lines { text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual names it
        super().__init__(id=id, classes=classes)
        self._put = Content("")

    def put(self, content: Content) -> None:
        """Show this."""
        if content.is_same(self._put):
            return
        grown = content.plain.count("\n") != self._put.plain.count("\n")
        self._put = content
        self.update(content, layout=grown)

    @on(events.Click)
    async def run_clicked(self, event: events.Click) -> None:
        """Run what stands under the mouse, if anything is to be run there."""
        action = event.style.meta.get(RUN)
        if action:
            event.stop()
            await self.run_action(str(action))
