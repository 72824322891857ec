"""The application: frame, panels, keys, and the round that keeps all of it fresh."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

from textual import events, work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.filter import LineFilter
from textual.widgets import ContentSwitcher, Input, Static, TextArea

from tui import frame
from tui.alerts import alert_strip
from tui.command_line import CommandLine
from tui.commands import COMMANDS, named
from tui.confirm import Confirm
from tui.dressing import dress, next_of, tables
from tui.escape import tell_apart
from tui.files import save
from tui.grid.layout import GAPS
from tui.help import Help
from tui.legible import LEGIBLE
from tui.lines import Lines
from tui.link import Fetched, LinkState, pause
from tui.options import Options
from tui.page import Page
from tui.palette import Palette
from tui.panels import PANELS, Panel
from tui.preferences import Preferences, PreferencesBroken
from tui.pressing import press
from tui.seat import Command, Question, Sent
from tui.state import State
from tui.style import STYLE
from tui.telling import LOOK_S, Telling
from tui.text import line
from tui.themes import THEMES
from tui.toasts import Toasts
from tui.turns import LEAVE, Turns, waits

__all__ = ["Cockpit"]

_LEAST_S: Final = 0.1


class Cockpit(App[None]):
    """The operator's screen."""

    CSS = STYLE
    TITLE = "bulkhead"
    COMMANDS: ClassVar[set[Any]] = {Palette}
    BINDINGS: ClassVar[list[BindingType]] = [
        # Priority: what is typed after them is for the line, also when it comes in one piece with them.
        Binding("colon", "command_line", "Command line", priority=True),
        Binding("slash", "search", "Search", priority=True),
        Binding("question_mark", "help", "Help"),
        Binding("escape", "step_back", "Back"),
        Binding("a", "run('ack shown')", "Acknowledge the alerts shown"),
        Binding("f6", "next_theme", "Theme"),
        Binding("f7", "next_density", "Density"),
        Binding(LEAVE, "quit", "Leave", priority=True),
    ]

    def __init__(self, options: Options) -> None:
        tell_apart()
        super().__init__()
        self.options = options
        self.panels: tuple[type[Panel], ...] = PANELS
        self.link = options.link
        self.state = State(options.link, options.clock)
        self.telling = Telling(self)
        self.turns = Turns(self)
        self.preferences = Preferences(options.preferences)
        self._following: asyncio.Task[None] | None = None
        self._settings_known = False
        for look in THEMES.values():
            self.register_theme(look.theme)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return what every line passes on its way to the terminal."""
        return [*super().get_line_filters(), LEGIBLE]

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Return what our style sheets name beyond Textual's own variables, for a theme that is not ours."""
        return dict(THEMES["dark"].theme.variables)

    # --- beginning and end ---------------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """Lay out the frame and every panel."""
        yield Lines(id="header")
        yield Lines(id="tabs")
        yield Lines(id="alerts")
        yield Lines(id="banner")
        with ContentSwitcher(id="panels", initial=f"panel-{self._first_panel()}"):
            for panel in self.panels:
                yield panel()
        yield Toasts()
        yield CommandLine()
        yield Static(id="said")
        yield Lines(id="keys")

    def _first_panel(self) -> str:
        known = [panel.ident for panel in self.panels]
        return self.options.panel if self.options.panel in known else known[0]

    async def on_mount(self) -> None:
        """Take over what the operator chose, begin to follow and to ask."""
        try:
            self.preferences.load()
        except PreferencesBroken as error:
            self.telling.wrong(error)
        dress(self)
        self.state.hearers.append(self.telling.hear)
        self.state.asked_anew = self._keep_fresh
        self._following = asyncio.create_task(self.link.follow(self.state.hear, self._link_said))
        self.open_panel(self._first_panel())
        self._keep_fresh()

    async def on_unmount(self) -> None:
        """Let go of the daemon."""
        self.turns.end()
        if self._following is not None:
            self._following.cancel()
        await self.link.close()

    # --- keeping fresh -------------------------------------------------------------------------------------------------

    @work(exclusive=True, group="fresh")
    async def _keep_fresh(self) -> None:
        while True:
            await self.refresh_now()
            await pause(max(_LEAST_S, self.state.update_s))

    async def refresh_now(self) -> None:
        """Ask what is due and draw it."""
        await self.telling.round()
        if not self._settings_known and self.state.get("config") is not None:
            self._settings_known = True
            dress(self)
        self.draw()

    def draw(self) -> None:
        """Draw the frame and the panel in front; nothing while the screen is taken down."""
        if not self.screen_stack or self.screen_stack[0].query_one_optional("#keys") is None:
            return
        width = self.size.width
        self._line("header").put(frame.header(self.state, self.link.where, width, read_only=self.read_only))
        self._put_if("alerts", alert_strip(self.state, self.size))
        for ident, topic in (("header", "status"), ("alerts", "alerts")):
            self._line(ident).set_class(self.state.stale(topic), "-stale")
        self._put_if("banner", frame.banner(self.state, self.link.where))
        panel = self.panel()
        panel.set_class(any(self.state.stale(topic) for topic in panel.topics), "-stale")
        panel.draw(self.state)
        self.screen_stack[0].query_one(Toasts).draw(self.state)
        self._draw_keys()

    def _draw_keys(self) -> None:
        width, panel = self.size.width, self.panel()
        self._line("tabs").put(frame.tabs(self.panels, panel.ident, width))
        theirs = (named(key.command) for key in panel.keys)
        off = frozenset(command.name for command in theirs if command is not None and self.is_off(command))
        self._line("keys").put(frame.key_line(panel.keys, off, width))

    def _put_if(self, ident: str, said: Content | None) -> None:
        self._line(ident).display = said is not None
        if said is not None:
            self._line(ident).put(said)

    def _line(self, ident: str) -> Lines:
        return self.screen_stack[0].query_one(f"#{ident}", Lines)

    def _link_said(self, state: LinkState, problem: str) -> None:
        before = self.state.link_state
        self.state.link_said(state, problem)
        if state is LinkState.CONNECTED and before is LinkState.RECONNECTING:
            self.say("connected again", "gain")
        if state is not before and self.is_running:
            self._keep_fresh()

    # --- what commands and panels may do -------------------------------------------------------------------------------

    @property
    def read_only(self) -> bool:
        """Tell whether commands that change something are off."""
        return self.options.read_only or self.state.read_only

    @property
    def served(self) -> bool:
        """Tell whether a browser looks."""
        return self.options.served

    def is_off(self, command: Command) -> bool:
        """Tell whether a command is off now: the cockpit or the engine is read only (EX-1506)."""
        if not command.writes:
            return False
        return self.options.read_only or (self.state.read_only and not command.always)

    def say(self, text: str, style: str = "") -> None:
        """Write a sentence into the status line."""
        if self.screen_stack and self.screen_stack[0].query("#said"):
            self.screen_stack[0].query_one("#said", Static).update(line((text, style)))

    async def confirm(self, question: Question) -> bool:
        """Ask the operator; must be called from a worker."""
        answer: bool = await self.push_screen_wait(Confirm(question))
        return answer

    async def send(self, sent: Sent) -> Any:
        """Tell the daemon and say what it answers."""
        return await self.telling.send(sent)

    async def ask(self, path: str, given: Any = None, **query: Any) -> Any:
        """Ask the daemon, by POST where something is given to it; None when it refused, which is said."""
        link = self.link
        return await self.telling.ask(
            link.get(path, **query) if given is None else link.post(path, given, timeout_s=LOOK_S)
        )

    async def fetch(self, path: str, **query: Any) -> Fetched | None:
        """Ask the daemon for a file; None when it refused, which is said."""
        return await self.telling.ask(self.link.fetch(path, **query))

    @property
    def dark(self) -> bool:
        """Whether the screen is dark at present."""
        return self.current_theme.dark

    async def save(self, path: Path, data: bytes) -> None:
        """Write a file whole or not at all, or give it to the browser that looks."""
        await save(self, path, data)

    def show_page(self, title: str, text: Sequence[Content]) -> None:
        """Show lines over the screen."""
        self.push_screen(Page(title, text))

    def panel(self) -> Panel:
        """Return the panel in front."""
        switcher = self.screen_stack[0].query_one("#panels", ContentSwitcher)
        found = switcher.visible_content
        assert isinstance(found, Panel), "the switcher holds panels only"
        return found

    def open_panel(self, ident: str) -> Panel | None:
        """Bring a panel to the front."""
        if ident not in {panel.ident for panel in self.panels}:
            return None
        if (before := self.panel()).ident != ident:
            before.left()
        self.screen_stack[0].query_one("#panels", ContentSwitcher).current = f"panel-{ident}"
        panel = self.panel()
        self.state.want(panel.topics)
        self.state.stir(*panel.topics)
        panel.focus_main()
        self.draw()
        self._keep_fresh()
        return panel

    def set_preference(self, name: str, value: Any) -> None:
        """Remember something for this operator and let it count."""
        try:
            self.preferences.set(name, value)
        except PreferencesBroken as error:
            self.telling.wrong(error)
        if name == "theme":
            self.theme = THEMES[value].theme.name
        elif name == "density":
            for _, table in tables(self):
                table.set_columns(density=value)

    # --- commands ------------------------------------------------------------------------------------------------------

    def run_text(self, text: str) -> None:
        """Run a command as it is written in the command line."""
        name, _, rest = text.strip().partition(" ")
        command = named(name)
        if command is None:
            near = next((each.name for each in COMMANDS if each.name.startswith(name[:3])), "")
            self.say(f"there is no command {name}{f'; is it {near}?' if near else ''} [Usage]", "warn")
            return
        self.run_command(command, command.split(rest))

    def run_command(self, command: Command, given: tuple[str, ...]) -> None:
        """Run a command beside the screen, unless it is off."""
        if self.is_off(command):
            whose = "this cockpit" if self.options.read_only else "the engine"
            self.say(f"{command.name} is off: {whose} is read only [ReadOnlyMode]", "warn")
            return
        self._run(command, given)

    @work(group="commands")
    async def _run(self, command: Command, given: tuple[str, ...]) -> None:
        await command.run(self, given)
        self.state.stir()
        await self.refresh_now()

    # --- keys ----------------------------------------------------------------------------------------------------------

    async def on_event(self, event: events.Event) -> None:
        """Let what is typed go its way one at a time; whatever else happens as it comes."""
        if not waits(event):
            await super().on_event(event)
        elif self.screen_stack and self.turns.begin(event):
            try:
                await super().on_event(event)
            finally:
                self.turns.went()

    def on_key(self, event: events.Key) -> None:
        """Open a panel by its key, or run what the panel in front has on the key."""
        if press(self, event.key):
            event.stop()

    def action_press(self, key: str) -> None:
        """Do what a key of the key line does, whoever has the keys: it was clicked."""
        press(self, key)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave colon and slash to whoever is typing, and to what stands over the screen."""
        if action in ("command_line", "search"):
            return len(self.screen_stack) == 1 and not isinstance(self.focused, Input | TextArea)
        return super().check_action(action, parameters)

    def action_command_line(self) -> None:
        """Open the command line."""
        self.open_command_line("")

    def open_command_line(self, text: str) -> None:
        """Open the command line with a beginning."""
        self.query_one(CommandLine).open(text)

    def action_search(self) -> None:
        """Open the search field."""
        self.query_one(CommandLine).open(self.panel().searched, search=True)

    def action_help(self) -> None:
        """Show the page of help."""
        self.push_screen(Help(self.panel(), self.panels))

    def action_step_back(self) -> None:
        """Go one step back; where there is none, put the toasts away."""
        if not self.panel().back():
            self.query_one(Toasts).put_all_away()
        self.draw()

    def action_go(self, ident: str) -> None:
        """Open a panel."""
        self.open_panel(ident)

    def action_run(self, text: str) -> None:
        """Run a command."""
        self.run_text(text)

    def action_next_theme(self) -> None:
        """Put on the next theme."""
        self.set_preference("theme", next_of(THEMES, self.theme.removeprefix("bulkhead-")))

    def action_next_density(self) -> None:
        """Put columns further apart, or close together again."""
        self.set_preference("density", next_of(GAPS, self.preferences.get("density", "normal")))

    def on_command_line_run(self, event: CommandLine.Run) -> None:
        """Run what was typed."""
        self.run_text(event.text)

    def on_command_line_search(self, event: CommandLine.Search) -> None:
        """Show only rows with what was typed."""
        self.panel().search(event.text)
        self.draw()

    def on_command_line_left(self, event: CommandLine.Left) -> None:
        """Give the keys back to the panel."""
        event.stop()
        self.panel().focus_main()

    def on_resize(self, event: events.Resize) -> None:
        """Lay the screen out for the new size, and fit the frame's lines to it.

        Textual tells the screen by a timer whose only tick is skipped on a loaded machine: the old size would stay for good.
        """
        event.stop()
        if self.screen_stack:
            self.screen.post_message(events.Resize(event.size, event.virtual_size))
            self.call_after_refresh(self.draw)
