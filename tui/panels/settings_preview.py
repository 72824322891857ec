"""What a draft would do, beside the form (EX-1309, EX-1621): contents only."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from textual.content import Content

from tui import cells
from tui.differences import steps
from tui.ladder import ladder_lines
from tui.text import line, lines

__all__ = ["about", "preview"]

_ROOM: Final = 20
"""Longest value that a row is sure to show whole; a longer one is shown above what the key is for."""
_HOLDS: Final = {
    "now": "at once",
    "group": "for new groups",
    "restart": "at once: the actors concerned restart",
    "start": "when bulkhead starts again",
}


def about(row: Mapping[str, Any] | None, hint: str) -> Content:
    """Return what a setting is for."""
    if row is None:
        return line("")
    if row["kind"] != "key":
        return lines(
            line((row["title"].strip("▶◆ "), "strong"), (f"   {row['value']}", "dim")), Content(row["meaning"])
        )
    head = line((row["key"], "strong"), (f"   {hint}", "dim"))
    said = line((row["wrong"], "alarm")) if row["wrong"] else Content(str(row["meaning"]))
    if len(row["value"]) > _ROOM and not row["secret"]:
        return lines(head, line((row["value"], "")), said)
    return lines(head, said)


def preview(found: Mapping[str, Any] | None, config: Mapping[str, Any], *, typed: bool = False) -> Content:
    """Return the effects of the draft: mistakes first, then what changes, whom it concerns, ladders, queue, offsets.

    ``typed``: a value is being typed, and the effects are those of the draft with it.
    """
    if config.get("draft") is None and not typed:
        return lines(line(("DRAFT", "title")), line(("there is none: Enter on a key begins one", "dim")))
    if found is None:
        return lines(line(("DRAFT", "title")), line(("being looked at …", "dim")))
    return lines(*_preview(found, config, typed=typed))


def _preview(found: Mapping[str, Any], config: Mapping[str, Any], *, typed: bool) -> Iterator[Content]:
    base = f"   from version {config.get('base', config['version'])}"
    yield line(("DRAFT", "title"), ("   with what is being typed" if typed else base, "accent" if typed else "dim"))
    if found["errors"]:
        count = len(found["errors"])
        yield line((f"{count} mistake{'s' if count > 1 else ''}: it cannot be applied", "alarm"))
        for error in found["errors"]:
            yield line((f"  {error['path']}", "warn"), f" {error['message']}")
        return
    for change in found["changes"]:
        yield line((change["key"], "strong"))
        for part, step in steps(str(change["key"]), _value(change["before"]), _value(change["after"])):
            yield line(f"  {part}  " if part else "  ", (step, "accent"))
        yield line((f"  holds {_HOLDS.get(change['holds'], change['holds'])}", "dim"))
    if not found["changes"]:
        yield line(("nothing differs from what is in force", "dim"))
    for each in found["ladders"]:
        yield from _ladder(each)
    for pool in found["pools"] or ():
        yield from _pool(pool)
    for offset in found["offsets"] or ():
        yield from _offset(offset)
    if found["pruned"]:
        yield line(("LOG", "title"), f"   {len(found['pruned'])} files would be removed")
    if found["backups"]:
        yield line(("BACKUPS", "title"), f"   {len(found['backups'])} go with the next one")
    if found["restarts"]:
        yield line(("RESTARTED", "title"), f"   {', '.join(found['restarts'])}")


def _value(text: Any) -> Any:
    """Return a side of a change: the daemon writes it as JSON, nothing for the default."""
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text


def _ladder(each: Mapping[str, Any]) -> Iterator[Content]:
    sample, before, after = each["sample"], each["before"], each["after"]
    yield line(("LADDER", "title"), f"   {sample['symbol']} {sample['timeframe']} {sample['side']}")
    yield from ladder_lines(before, after)


def _pool(pool: Mapping[str, Any]) -> Iterator[Content]:
    before, after = pool["before"], pool["after"]
    slots = [f"{each['occupied']}/{each['maximum']}" for each in (before, after)]
    orders = [[str(entry["group_key"]) for entry in each["entries"]] for each in (before, after)]
    yield line(("QUEUE", "title"), (f"   {before['account']}", "dim"))
    yield line(("  slots ", "dim"), slots[0], (" → ", "dim"), (slots[1], "accent" if slots[0] != slots[1] else ""))
    if orders[0] != orders[1]:
        yield line(("  order ", "dim"), ", ".join(orders[1]))
    for word, style, names in (("enters at once", "gain", pool["entering"]), ("leaves", "loss", pool["leaving"])):
        if names:
            yield line((f"  {word} ", style), ", ".join(map(str, names)))


def _offset(offset: Mapping[str, Any]) -> Iterator[Content]:
    plans = [_plan(offset["plan_before"]), _plan(offset["plan_after"])]
    yield line(("LOSS OFFSET", "title"), (f"   {offset['account']}", "dim"))
    if not offset["groups"] and plans[0] == plans[1]:
        yield line(("  stays as it is", "dim"))
    for group in offset["groups"]:
        before, after = (", ".join(group[side]) or "eligible" for side in ("reasons_before", "reasons_after"))
        timer = "" if group["timer_before"] == group["timer_after"] else "  its timer changes"
        yield line(
            (f"  {group['group_id']} ", "strong"), f"{cells.words(before)} → {cells.words(after)}", (timer, "warn")
        )
    if plans[0] != plans[1]:
        yield line(("  next plan ", "dim"), plans[0], (" → ", "dim"), (plans[1], "accent"))


def _plan(plan: Mapping[str, Any] | None) -> str:
    if plan is None:
        return "none"
    winners = ", ".join(str(each["group_id"]) for each in plan["winners"])
    return f"close {plan['loser']} out of {winners}" if winners else f"{plan['loser']}: {cells.words(plan['reason'])}"
