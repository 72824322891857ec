"""Panel F: every setting, a shared draft of changes, what it would do, and putting it in force (EX-1620, EX-1621)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar, Final, cast

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.timer import Timer
from textual.widgets import Input

from tui.grid import Grid
from tui.lines import Lines
from tui.link import LinkState
from tui.panels import settings_preview as sheets
from tui.panels.base import Panel, PanelKey
from tui.panels.settings_bar import SettingsBar
from tui.panels.settings_columns import COLUMNS
from tui.panels.settings_field import SettingField
from tui.panels.settings_forms import form_of
from tui.panels.settings_rows import Known, rows_of
from tui.seat import Sent
from tui.settings_values import choices_of, hint_of, holder_of, kept, problem_of, shown, value_of
from tui.state import State
from tui.text import line

__all__ = ["SettingsPanel"]

_PAUSE_S: Final = 0.25
"""How long nothing is typed before the daemon is asked what it would do."""


class SettingsPanel(Panel):
    """Groups of keys; Enter opens a group, a field for the value of a key, or a form for what has more than one value."""

    ident: ClassVar[str] = "settings"
    key: ClassVar[str] = "6"
    title: ClassVar[str] = "Settings"
    topics: ClassVar[tuple[str, ...]] = ("config", "secrets", "console")
    keys: ClassVar[tuple[PanelKey, ...]] = (
        PanelKey("d", "unset", "Default"),
        PanelKey("A", "config-apply", "Apply", target=False),
        PanelKey("D", "config-discard", "Discard", target=False),
        PanelKey("p", "config-preview", "Preview", target=False),
        PanelKey("t", "test-connection", "Test"),
        PanelKey("V", "config-versions", "Versions", target=False),
        PanelKey("e", "ask-backup", "Backup", target=False),
        PanelKey("i", "ask-restore", "Restore", target=False),
        PanelKey("Z", "config-reset", "Reset", target=False),
        PanelKey("B", "full-backup", "Full backup", target=False),
    )
    DEFAULT_CSS = """
    SettingsPanel #settings-body { height: 1fr; }
    SettingsPanel #settings-left { width: 3fr; height: 1fr; }
    SettingsPanel #settings { height: 1fr; }
    SettingsPanel #settings-about { height: 3; padding: 0 1; background: $surface; text-wrap: wrap; }
    SettingsPanel #settings-field { display: none; height: 1; border: none; padding: 0 1; background: $boost; }
    SettingsPanel.-editing #settings-field { display: block; }
    SettingsPanel #settings-preview { width: 2fr; min-width: 51; height: 1fr; padding: 0 1; display: none; }
    SettingsPanel.-broad #settings-preview { display: block; }
    SettingsPanel.-preview #settings-left { display: none; }
    SettingsPanel.-preview #settings-preview { display: block; width: 1fr; }
    SettingsPanel #settings-effects { text-wrap: wrap; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.toggled: frozenset[str] = frozenset()
        self.effects: Mapping[str, Any] | None = None
        self._looked_at: Any = None
        self._editing: dict[str, Any] | None = None
        self._sought = ""
        self._pause: Timer | None = None

    def compose(self) -> ComposeResult:
        """Lay out state, keys, field and preview."""
        yield SettingsBar(id="settings-state")
        with Horizontal(id="settings-body"):
            with Vertical(id="settings-left"):
                yield Grid(COLUMNS, ident="key", empty="no setting has these words", id="settings")
                yield SettingField(id="settings-field", compact=True)
                yield Lines(id="settings-about")
            with VerticalScroll(id="settings-preview", can_focus=False):
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

    def row(self) -> Mapping[str, Any] | None:
        """Return the selected row."""
        return self.query_one("#settings", Grid).selected

    def target(self) -> str:
        """Return the selected key or account, empty on what is neither."""
        row = self.row()
        if row is None or row["kind"] not in ("key", "account"):
            return ""
        return str(row["account"] if row["kind"] == "account" else row["key"])

    # --- drawing -------------------------------------------------------------------------------------------------------

    def draw(self, state: State) -> None:
        """Draw settings and draft as they are; have a draft that changed looked at."""
        config = state.get("config")
        if config is None or not config.get("effective"):
            return
        secrets, venues = state.rows("secrets", "secrets"), state.rows("console", "venues")
        rows = rows_of(Known(config, secrets, venues, self.toggled, every=bool(self._sought)))
        self.query_one("#settings", Grid).take(rows, stale=state.stale("config"))
        self.query_one(SettingsBar).show(config, self.size.width)
        self._draw_effects(config)
        self._draw_about()
        if config.get("draft") != self._looked_at:
            self._looked_at, self.effects = config.get("draft"), None
            self._look()

    def _draw_effects(self, config: Mapping[str, Any]) -> None:
        said = sheets.preview(self.effects, config, typed=bool(self._edits()))
        self.query_one("#settings-effects", Lines).put(said)

    def _draw_about(self) -> None:
        row = self._editing or self.row()
        hint = hint_of(row) if row is not None and row["kind"] == "key" else ""
        if self._editing is None:
            self.query_one("#settings-about", Lines).put(sheets.about(row, hint))
            return
        problem = "" if self._editing["secret"] else problem_of(self._editing, self.query_one(SettingField).value)
        choose = "  ↑↓ chooses" if choices_of(self._editing) else ""
        said = (f"✖ {problem}", "alarm") if problem else (f"✓ Enter puts it into the draft{choose}", "gain")
        if self._editing["secret"]:
            said = ("it is kept encrypted and never shown again", "dim")
        self.query_one("#settings-about", Lines).put(
            line((self._editing["key"], "strong"), (f"  {hint}\n", "dim"), said)
        )

    # --- what the draft would do -----------------------------------------------------------------------------------------

    def _edits(self) -> dict[str, Any]:
        """Return what is being typed, empty for nothing, a secret, or what the key does not take."""
        row = self._editing
        if row is None or row["secret"]:
            return {}
        text = self.query_one(SettingField).value
        if problem_of(row, text) or text.strip() == shown(row["wanted"]):
            return {}
        return {str(row["key"]): value_of(row, text)}

    @work(exclusive=True, group="effects")
    async def _look(self) -> None:
        """Have the draft looked at, with what is being typed; with autosave it goes into the draft at once (EX-1311)."""
        edits, config = self._edits(), self.config or {}
        if edits and self.seat.state.setting("ui.autosave_config"):
            row = cast("dict[str, Any]", self._editing)
            row["wanted"] = edits[str(row["key"])]
            self.seat.run_text(f"set {row['key']} {self.query_one(SettingField).value.strip()}")
            return
        if not edits and config.get("draft") is None:
            self.show_effects(None)
            return
        self.show_effects(await self.seat.ask("/v1/config/preview", {"edits": edits}))

    def show_effects(self, found: Mapping[str, Any] | None) -> None:
        """Take what the draft would do."""
        self.effects = found
        if self.config is not None:
            self._draw_effects(self.config)

    @on(Input.Changed)
    def typed(self, event: Input.Changed) -> None:
        """Say while typing whether the key takes it, and what it would do."""
        event.stop()
        if self._editing is None:
            return
        self._draw_about()
        if self._pause is not None:
            self._pause.stop()
        self._pause = self.set_timer(_PAUSE_S, self._look)

    # --- moving --------------------------------------------------------------------------------------------------------

    def search(self, text: str) -> None:
        """Look through every group."""
        self._sought = text
        self.draw(self.seat.state)
        super().search(text)

    def on_grid_moved(self, event: Grid.Moved) -> None:
        """Say what the selected setting is for."""
        event.stop()
        self._draw_about()

    def details(self) -> None:
        """Open or close a group; do a task; open the field of a key, or its form."""
        row = self.row()
        if row is None:
            return
        if row["kind"] in ("group", "part"):
            self.toggled ^= {row["key"]}
            self.draw(self.seat.state)
        elif row["kind"] == "task":
            self.seat.run_text(str(row["command"]))
        elif self.seat.read_only and row["key"] != "app.read_only":  # else it could never be switched off
            self.seat.say("settings are read only here [ReadOnlyMode]", "warn")
        elif (form := form_of(row, self.seat.state)) is not None:
            self._fill_in(form)
        elif row["secret"] and holder_of(str(row["key"])) is None:
            self.seat.say(f"{row['key']} is given by the environment alone: {row['meaning']}", "warn")
        else:
            self._edit(row)

    @work(group="forms")
    async def _fill_in(self, form: Any) -> None:
        """Show a form; what it comes to goes into the draft as one edit."""
        edits = await self.app.push_screen_wait(form)
        if edits:
            self.seat.run_text(f"config-edit {json.dumps(edits, ensure_ascii=False)}")

    def _edit(self, row: Mapping[str, Any]) -> None:
        self._editing = dict(row)
        field = self.query_one(SettingField)
        text = "" if row["secret"] else shown(row["wanted"])
        field.begin(text, choices=choices_of(row), secret=bool(row["secret"]))
        self.add_class("-editing")
        self.screen.set_focus(field)
        self._draw_about()

    @on(SettingField.Left)
    def close_field(self) -> None:
        """Leave the field."""
        typed = bool(self._edits())
        self._editing = None
        self.query_one(SettingField).value = ""
        self.remove_class("-editing")
        self.focus_main()
        self._draw_about()
        if typed:
            self._look()

    @on(Input.Submitted)
    def entered(self, event: Input.Submitted) -> None:
        """Put a value into the draft; a secret into the vault."""
        event.stop()
        row = self._editing
        if row is None or (not row["secret"] and problem_of(row, event.value)):
            return
        if self.seat.state.link_state is not LinkState.CONNECTED:
            self.seat.say("no daemon answers: what is typed stays here until one does [NotRunning]", "warn")
            return
        value, row["wanted"] = event.value, event.value  # nothing is being typed any more: no second look at it
        self.close_field()
        if not row["secret"]:
            self.seat.run_text(f"set {row['key']} {value.strip()}")
        elif value:
            self._keep(str(row["key"]), value)

    @work(group="secrets")
    async def _keep(self, key: str, secret: str) -> None:
        """Hand a secret to the vault; it stands in no command, no history and no log."""
        holder, field = cast("tuple[str, str]", holder_of(key))
        body = {"holder": holder, "field": field, "value": secret}
        await self.seat.send(Sent("/v1/secrets/set", body, partial(kept, key)))
        self.seat.state.stir("secrets")

    def left(self) -> None:
        """Give up what is being typed."""
        if self._editing is not None:
            self.close_field()

    def back(self) -> bool:
        """Leave the preview, the search, then close every group."""
        if self.has_class("-preview"):
            self.remove_class("-preview")
            return True
        if self._sought:
            self.search("")
            return True
        if self.toggled:
            self.toggled = frozenset()
            self.draw(self.seat.state)
            return True
        return False
