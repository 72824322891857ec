"""What a draft would do, beside the form (EX-1309, EX-1621): contents only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from textual.content import Content

from tui import cells
from tui.text import line, lines

__all__ = ["about", "preview"]

_HOLDS: Final = {"now": "at once", "group": "for new groups", "restart": "after a restart"}


def about(row: Mapping[str, Any] | None, hint: str) -> Content:
    """Return what a setting is for."""
    if row is None:
        return line("")
    if row["is_section"]:
        return line((row["title"], "strong"), (f"   {row['value']}", "dim"))
    head = line((row["key"], "strong"), (f"   {hint}", "dim"))
    said = line((row["wrong"], "alarm")) if row["wrong"] else Content(str(row["meaning"]))
    return lines(head, said)


def preview(found: Mapping[str, Any] | None, config: Mapping[str, Any]) -> Content:
    """Return the effects of the draft: mistakes first, then what changes, whom it concerns, ladders, queue, offsets."""
    if config.get("draft") is None:
        return lines(line(("DRAFT", "title")), line(("there is none: Enter on a key begins one", "dim")))
    if found is None:
        return lines(line(("DRAFT", "title")), line(("being looked at …", "dim")))
    return lines(*_preview(found, config))


def _preview(found: Mapping[str, Any], config: Mapping[str, Any]) -> Iterator[Content]:
    yield line(("DRAFT", "title"), (f"   from version {config.get('base', config['version'])}", "dim"))
    if found["errors"]:
        yield line((f"{len(found['errors'])} mistakes: it cannot be applied", "alarm"))
        for error in found["errors"]:
            yield line((f"  {error['path']}", "warn"), f" {error['message']}")
        return
    for change in found["changes"]:
        yield line((change["key"], "strong"))
        yield line(f"  {change['before'] or 'default'} → ", (change["after"] or "default", "accent"))
        yield line((f"  holds {_HOLDS.get(change['holds'], change['holds'])}", "dim"))
    if not found["changes"]:
        yield line(("nothing differs from what is in force", "dim"))
    for each in found["ladders"]:
        yield from _ladder(each)
    for title, rows in (("QUEUE", found["pools"]), ("LOSS OFFSET", found["offsets"])):
        for row in rows or ():
            yield line((title, "title"))
            yield from _plain(row)
    if found["pruned"]:
        yield line(("LOG", "title"), f"   {len(found['pruned'])} files would be removed")
    if found["restarts"]:
        yield line(("RESTARTED", "title"), f"   {', '.join(found['restarts'])}")


def _ladder(each: Mapping[str, Any]) -> Iterator[Content]:
    sample, before, after = each["sample"], each["before"], each["after"]
    yield line(("LADDER", "title"), f"   {sample['symbol']} {sample['timeframe']} {sample['side']}")
    if after["refusal"]:
        yield line((f"  {after['refusal']}", "alarm"))
    yield line((f"  {'':<4}{'before':>10}{'after':>11}{'qty':>10}{'target':>11}", "dim"))
    known = {layer["layer"]: layer for layer in before["layers"]}
    for layer in after["layers"]:
        was = known.get(layer["layer"], {})
        yield line(
            (f"  L{layer['layer']:<3}", "dim"),
            (f"{cells.price(was.get('price')).text:>10}", "dim"),
            f"{cells.price(layer['price']).text:>11}{cells.amount(layer['qty'], 5).text:>10}",
            (f"{cells.price(layer['target']).text:>11}", "gain"),
            (f"  {layer['blocked']}", "warn"),
        )
    yield line(("  funds ", "dim"), cells.money(before["funds"]), " → ", cells.money(after["funds"]))


def _plain(row: Any) -> Iterator[Content]:
    pairs = row.items() if isinstance(row, Mapping) else (("", row),)
    for name, value in pairs:
        if value not in (None, "", [], {}):
            yield line((f"  {cells.words(name)} ", "dim"), str(value)[:120])
