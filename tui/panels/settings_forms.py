"""Which form a setting has, and what it begins with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tui.forms import AccountsForm, CredentialsForm, Form, LayersForm, OrderForm, OverridesForm, TablesForm
from tui.settings_values import wanted_of
from tui.state import State

__all__ = ["form_of"]

_GRID: Final = "grid_strategy."
_LAYERS: Final = tuple(
    f"{_GRID}{name}" for name in ("levels", "pyramid_specific_levels", "dca_count", "dca_gap_percent")
)
_OF_OVERRIDES: Final = (_GRID, "sizing.")
_RANKING: Final = "waiting_rule.selection_priority"
_NOT_OTHER: Final = (f"{_GRID}overrides",)


def form_of(row: Mapping[str, Any], state: State) -> Form | None:
    """Return the form of a row, None for a key that is one value."""
    config: Mapping[str, Any] = state.get("config") or {}
    if row["kind"] == "account":
        about = str(row["meaning"]).partition(".")[0]
        return CredentialsForm(row["account"], about, row["secrets"], drafted=config.get("draft") is not None)
    if row["key"] in _LAYERS:
        wanted = {
            each.removeprefix(_GRID): value for each, value in wanted_of(config).items() if each.startswith(_GRID)
        }
        return LayersForm(wanted, _symbol(state), pyramid=1 if str(row["key"]).endswith("specific_levels") else 0)
    if row["key"] == _RANKING:
        return OrderForm(_RANKING, wanted_of(config)[_RANKING], row["default"])
    if row["key"] == f"{_GRID}overrides":
        keys = [each for each in config["effective"] if str(each["key"]).startswith(_OF_OVERRIDES)]
        others = [each for each in keys if each["key"] not in _NOT_OTHER]
        wanted = wanted_of(config)
        pyramids = int(wanted.get(f"{_GRID}max_pyramids_per_group") or 1)
        return OverridesForm(wanted.get(row["key"]) or (), others, symbol=_symbol(state), pyramids=pyramids)
    if row.get("inside"):
        form = AccountsForm if row["key"] == "accounts" else TablesForm
        return form(row, wanted_of(config)[str(row["key"])])
    return None


def _symbol(state: State) -> str:
    """Return the market of a sample signal: the first that is followed."""
    return str((state.setting("market.symbols") or [""])[0])
