"""The causal chain as a tree: webhook → signal → slot → group → pyramid → order → fill → take profit → close.

Each event of the journal is a node of its own or a step of one, by the table below. What no row knows hangs on the node
of the most exact id it names. Asked for one order or fill, the way down to it and what followed from it is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from protocol.messages import Value
from runtime.journal import Record
from service.explain import places
from service.explain.places import Place
from service.explain.story import Story, order_of

__all__ = ["Node", "Step", "positions_in", "trace"]


class Step(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """Something that happened to a node later; ``latency_ns`` since the node began."""

    position: int
    at: int
    latency_ns: int
    type: str
    text: str


class Node(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """One link of the chain; ``latency_ns`` since its cause, 0 for a beginning."""

    kind: str
    id: str
    title: str
    position: int
    at: int
    latency_ns: int
    steps: tuple[Step, ...]
    children: tuple[Node, ...]


@dataclass(slots=True)
class _Draft:
    place: Place
    record: Record
    steps: list[Step] = field(default_factory=list)
    children: list[str] = field(default_factory=list)


def trace(story: Story) -> list[Node]:
    """Return the chains of a story, in the order they began."""
    drafts = _drafts(story)
    kept = _kept(story, drafts)
    roots = [key for key, draft in drafts.items() if _parent(draft, drafts) is None and key in kept]
    return [_node(key, drafts, kept, None) for key in roots]


def positions_in(nodes: list[Node]) -> Iterator[int]:
    """Yield the positions of all records that stand in some chains."""
    for node in nodes:
        yield node.position
        yield from (step.position for step in node.steps)
        yield from positions_in(list(node.children))


def _drafts(story: Story) -> dict[str, _Draft]:
    drafts: dict[str, _Draft] = {}
    seen = places.Seen(story)
    for record in story.records:
        for place in places.places_of(record.event, seen):
            _put(drafts, place, record)
        seen.note(record.event)
    for key, draft in drafts.items():
        above = _parent(draft, drafts)
        if above is not None:
            drafts[above].children.append(key)
    return drafts


def _put(drafts: dict[str, _Draft], place: Place, record: Record) -> None:
    """Begin a node, or add a step to the one that is there."""
    draft = drafts.get(place.key)
    if draft is None:
        drafts[place.key] = _Draft(place, record)
        return
    name = type(record.event).__name__
    draft.steps.append(Step(record.position, record.at, record.at - draft.record.at, name, place.step or place.title))


def _parent(draft: _Draft, drafts: dict[str, _Draft]) -> str | None:
    """Return the first of the causes that is known and began no later."""
    for key in draft.place.causes:
        above = drafts.get(key)
        if above is not None and above is not draft and above.record.position <= draft.record.position:
            return key
    return None


def _kept(story: Story, drafts: dict[str, _Draft]) -> set[str]:
    """Return the nodes to show: all of a group, signal or chain; of an order or fill its causes and consequences."""
    focus = _focus(story, drafts)
    if not focus:
        return set(drafts)
    kept: set[str] = set()
    for key in focus:
        kept |= set(_below(key, drafts))
        above: str | None = key
        while above is not None:
            kept.add(above)
            above = _parent(drafts[above], drafts)
    return kept


def _focus(story: Story, drafts: dict[str, _Draft]) -> list[str]:
    match story.kind:
        case "order":
            wanted: Callable[[Record], bool] = lambda record: order_of(record.event) == story.ident  # noqa: E731
        case "trade" | "venue_order":
            field_name = "trade_id" if story.kind == "trade" else "venue_order_id"
            wanted = lambda record: getattr(record.event, field_name, "") == story.ident  # noqa: E731
        case "signal":
            return [key for key in drafts if key == f"signal:{story.ident}"]
        case _:
            return []
    if story.kind == "order":
        return [key for key in drafts if key == f"order:{story.ident}"]
    return [key for key, draft in drafts.items() if wanted(draft.record)] or [
        f"order:{order_of(record.event)}"
        for record in story.records
        if wanted(record) and f"order:{order_of(record.event)}" in drafts
    ]


def _below(key: str, drafts: dict[str, _Draft]) -> Iterator[str]:
    yield key
    for child in drafts[key].children:
        yield from _below(child, drafts)


def _node(key: str, drafts: dict[str, _Draft], kept: set[str], began: int | None) -> Node:
    draft = drafts[key]
    at = draft.record.at
    return Node(
        kind=draft.place.kind,
        id=draft.place.id,
        title=draft.place.title,
        position=draft.record.position,
        at=at,
        latency_ns=0 if began is None else at - began,
        steps=tuple(draft.steps),
        children=tuple(_node(child, drafts, kept, at) for child in draft.children if child in kept),
    )
