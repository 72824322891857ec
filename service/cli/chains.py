"""How traces and explanations look in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from service.cli.views import age, clock_time, instant

__all__ = ["chain_view", "sentences_view"]

_STYLES: Final = {
    "webhook": "cyan",
    "operator": "cyan",
    "signal": "bold cyan",
    "slot": "dim",
    "group": "bold",
    "pyramid": "",
    "order": "yellow",
    "fill": "green",
    "close": "magenta",
    "closed": "bold magenta",
}


def chain_view(nodes: Sequence[Mapping[str, Any]], ident: str) -> RenderableType:
    """Return causal chains as trees, the id that was asked for marked."""
    return Group(*(_branch(node, ident, None) for node in nodes))


def _branch(node: Mapping[str, Any], ident: str, above: Tree | None) -> Tree:
    label = _label(node["at"], node["latency_ns"], node["title"], _STYLES.get(node["kind"], ""), first=above is None)
    if node["id"]:
        label.append(f"  {node['id']}", style="reverse" if node["id"] == ident else "dim")
    tree = Tree(label, guide_style="dim") if above is None else above.add(label)
    for part in sorted([*node["steps"], *node["children"]], key=lambda part: part["position"]):
        if "children" in part:
            _branch(part, ident, tree)
        else:
            tree.add(_label(part["at"], part["latency_ns"], part["text"], "", first=False))
    return tree


def _label(at: int, latency_ns: int, text: str, style: str, *, first: bool) -> Text:
    when = instant(at) if first else clock_time(at)
    later = "" if first else f" +{age(latency_ns / 1e6)}"
    return Text.assemble((when, "dim"), (later, "dim cyan"), " ", (text, style))


def sentences_view(sentences: Iterable[Mapping[str, Any]]) -> RenderableType:
    """Return sentences, each with its time; a new day is named once."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    day = ""
    for sentence in sentences:
        moment = instant(sentence["at"])
        if sentence["at"] and moment[:10] != day:
            day = moment[:10]
            grid.add_row(Text(day, style="bold"), "")
        grid.add_row(Text(moment[11:-1] if sentence["at"] else "now", style="dim"), Text(sentence["text"]))
    return grid
