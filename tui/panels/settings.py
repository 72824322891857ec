"""Panel F: every setting, a shared draft of changes, what it would do, and putting it in force (EX-1620, EX-1621)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Input

from tui.grid import Grid
from tui.lines import Lines
from tui.panels import settings_preview as sheets
from tui.panels.base import Panel, PanelKey
from tui.panels.settings_rows import COLUMNS, rows_of
from tui.seat import Sent
from tui.settings_values import choices_of, hint_of, problem_of, shown
from tui.state import State
from tui.text import line, padded

__all__ = ["SettingsPanel"]


class _Field(Input):
    """Where a value is typed; Esc gives up."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Leave", show=False)]

    def action_leave(self) -> None:
        """Give up."""
        cast("SettingsPanel", self.app.panel()).close_field()  # type: ignore[attr-defined]


class SettingsPanel(Panel):
    """Sections of keys; Enter opens a section, or a field for the value of a key."""

    ident: ClassVar[str] = "settings"
    key: ClassVar[str] = "6"
    title: ClassVar[str] = "Settings"
    topics: ClassVar[tuple[str, ...]] = ("config",)
    keys: ClassVar[tuple[PanelKey, ...]] = (
        PanelKey("d", "unset", "Default"),
        PanelKey("A", "config-apply", "Apply", target=False),
        PanelKey("D", "config-discard", "Discard", target=False),
        PanelKey("p", "config-preview", "Preview", target=False),
        PanelKey("V", "config-versions", "Versions", target=False),
        PanelKey("e", "ask-backup", "Backup", target=False),
        PanelKey("i", "ask-restore", "Restore", target=False),
        PanelKey("Z", "config-reset", "Reset", target=False),
    )
    DEFAULT_CSS = """
    SettingsPanel #settings-state { height: 1; background: $surface; }
    SettingsPanel #settings-body { height: 1fr; }
    SettingsPanel #settings-left { width: 3fr; height: 1fr; }
    SettingsPanel #settings { height: 1fr; }
    SettingsPanel #settings-about { height: 3; padding: 0 1; background: $surface; text-wrap: wrap; }
    SettingsPanel #settings-field { display: none; height: 1; border: none; padding: 0 1; background: $boost; }
    SettingsPanel.-editing #settings-field { display: block; }
    SettingsPanel #settings-preview { width: 2fr; height: 1fr; padding: 0 1; display: none; }
    SettingsPanel.-broad #settings-preview { display: block; }
    SettingsPanel.-preview #settings-left { display: none; }
    SettingsPanel.-preview #settings-preview { display: block; width: 1fr; }
    SettingsPanel #settings-effects { text-wrap: wrap; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.opened: frozenset[str] = frozenset()
        self.effects: Mapping[str, Any] | None = None
        self._looked_at: Any = None
        self._editing: dict[str, Any] | None = None
        self._sought = ""

    def compose(self) -> ComposeResult:
        """Lay out state, keys, field and preview."""
        yield Lines(id="settings-state")
        with Horizontal(id="settings-body"):
            with Vertical(id="settings-left"):
                yield Grid(COLUMNS, ident="key", empty="no setting has these words", id="settings")
                yield _Field(id="settings-field", compact=True)
                yield Lines(id="settings-about")
            with VerticalScroll(id="settings-preview"):
                yield Lines(id="settings-effects")

    @property
    def grid(self) -> Grid | None:
        """Return the table of settings."""
        found = self.query("#settings")
        return found.first(Grid) if found else None

    @property
    def config(self) -> Mapping[str, Any] | None:
        """Return the daemon's answer, None before the first."""
        return cast("Mapping[str, Any] | None", self.seat.state.get("config"))

    @property
    def version(self) -> int:
        """Return the version the draft was edited from."""
        config = self.config or {}
        return int(config.get("base") or config.get("version") or 0)

    def row(self) -> Mapping[str, Any] | None:
        """Return the selected row."""
        return self.query_one("#settings", Grid).selected

    def target(self) -> str:
        """Return the selected key, empty on a section."""
        row = self.row()
        return "" if row is None or row["is_section"] else str(row["key"])

    # --- drawing -------------------------------------------------------------------------------------------------------

    def draw(self, state: State) -> None:
        """Draw settings and draft as they are; have a draft that changed looked at."""
        config = state.get("config")
        if config is None or not config.get("effective"):
            return
        rows = rows_of(config, self.opened, every=bool(self._sought))
        self.query_one("#settings", Grid).take(rows, stale=state.stale("config"))
        self.query_one("#settings-state", Lines).put(self._state(config))
        self.query_one("#settings-effects", Lines).put(sheets.preview(self.effects, config))
        self._draw_about()
        if config.get("draft") != self._looked_at:
            self._looked_at, self.effects = config.get("draft"), None
            if config.get("draft") is not None:
                self.seat.run_text("config-look")

    def _state(self, config: Mapping[str, Any]) -> Any:
        changes = len(config.get("changes") or ())
        mistakes = len(config.get("draft_mistakes") or ())
        left = line((" version ", "dim"), (str(config["version"]), "strong"), (f" by {config['author']}", "dim"))
        if config.get("draft") is None:
            right = line(("no draft ", "dim"))
        elif mistakes:
            right = line((f"draft: {mistakes} mistakes ", "alarm"))
        else:
            right = line((f"draft: {changes} changes ", "accent"), ("A", "accent"), (" applies ", "dim"))
        return padded(left, right, self.size.width)

    def _draw_about(self) -> None:
        row = self._editing or self.row()
        hint = hint_of(row) if row is not None and not row["is_section"] else ""
        if self._editing is not None:
            text = self.query_one(_Field).value
            problem = "" if self._editing.get("secret") else problem_of(self._editing, text)
            state = (f"✖ {problem}", "alarm") if problem else ("✓ Enter puts it into the draft", "gain")
            if self._editing.get("secret"):
                state = ("it is kept encrypted and never shown again", "dim")
            self.query_one("#settings-about", Lines).put(
                line((self._editing["key"], "strong"), (f"  {hint}\n", "dim"), state)
            )
            return
        self.query_one("#settings-about", Lines).put(sheets.about(row, hint))

    def show_effects(self, found: Mapping[str, Any] | None) -> None:
        """Take what the draft would do."""
        self.effects = found
        self.draw(self.seat.state)

    # --- moving --------------------------------------------------------------------------------------------------------

    def search(self, text: str) -> None:
        """Look through every section."""
        self._sought = text
        self.draw(self.seat.state)
        super().search(text)

    def on_grid_moved(self, event: Grid.Moved) -> None:
        """Say what the selected setting is for."""
        event.stop()
        self._draw_about()

    def details(self) -> None:
        """Open or close a section; open the field of a key."""
        row = self.row()
        if row is None:
            return
        if row["is_section"]:
            self.opened ^= {row["section"]}
            self.draw(self.seat.state)
            return
        if self.seat.read_only and row["key"] != "app.read_only":  # else it could never be switched off
            self.seat.say("settings are read only here [ReadOnlyMode]", "warn")
            return
        self._editing = dict(row)
        field = self.query_one(_Field)
        field.password = bool(row.get("secret"))
        field.value = "" if row.get("secret") else shown(row["wanted"])
        field.placeholder = " | ".join(choices_of(row))
        self.add_class("-editing")
        self.screen.set_focus(field)
        self._draw_about()

    def close_field(self) -> None:
        """Leave the field."""
        self._editing = None
        self.query_one(_Field).value = ""
        self.remove_class("-editing")
        self.focus_main()
        self._draw_about()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Say while typing whether the key takes it."""
        event.stop()
        if self._editing is not None:
            self._draw_about()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Put a value into the draft; a secret into the vault."""
        event.stop()
        row = self._editing
        if row is None:
            return
        if row.get("secret"):
            secret = event.value
            self.close_field()
            if secret:
                self.run_worker(self._keep(str(row["key"]), secret))
            return
        if problem_of(row, event.value):
            return
        self.close_field()
        self.seat.run_text(f"set {row['key']} {event.value.strip()}")

    async def _keep(self, key: str, secret: str) -> None:
        """Hand a secret to the vault; it stands in no command, no history and no log."""
        holder, _, field = key.rpartition(".")
        if holder == "security":
            holder, _, field = field.partition("_")
        body = {"holder": holder, "field": field, "value": secret}
        await self.seat.send(Sent("/v1/secrets/set", body, lambda said: f"{key} is kept, it counts {said['counts']}"))

    def back(self) -> bool:
        """Leave the preview, the search, then close every section."""
        if self.has_class("-preview"):
            self.remove_class("-preview")
            return True
        if self._sought:
            self.search("")
            return True
        if self.opened:
            self.opened = frozenset()
            self.draw(self.seat.state)
            return True
        return False
