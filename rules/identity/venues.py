"""Canonical venue names (EX-302)."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from typing import Final

from rules.identity.errors import UnsupportedVenue, shown

__all__ = ["canonical_venue"]

_ALIASES: Final = {
    "BINANCE": "binance",
    "BYBIT": "bybit",
    "OKX": "okx",
    "OKEX": "okx",
    "KUCOIN": "kucoin",
    "MEXC": "mexc",
    "GATE": "gate",
    "GATEIO": "gate",
    "GATE.IO": "gate",
}


def canonical_venue(text: str, known: Collection[str] = ()) -> str:
    """Return the venue's canonical name; raise ``UnsupportedVenue`` (EX-302).

    ``known`` are further names of this installation (``paper``, ``replay``, venue accounts), kept as they are spelled
    there, or a mapping from what alerts may call a venue to its name. A known name wins over an alias. Case is ignored.
    """
    name = text.strip()
    meant: Mapping[str, str] = known if isinstance(known, Mapping) else {each: each for each in known}
    if name in meant:
        return meant[name]
    names = _ALIASES | {each.upper(): meant[each] for each in sorted(meant, reverse=True)}
    # Only ASCII is folded: other alphabets have letters whose upper case is a Latin one.
    found = names.get(name.upper()) if name.isascii() else None
    if found is None:
        raise UnsupportedVenue(_why(name, names), value=name)
    return found


def _why(name: str, names: dict[str, str]) -> str:
    upper = shown(name).upper()
    if upper.endswith(("_DL", "_DLY")):
        return "delayed data cannot be traded on"
    near = difflib.get_close_matches(upper, sorted(names), n=1)
    return "no venue of this name" + (f"; did you mean {names[near[0]]}?" if near else "")
