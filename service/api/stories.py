"""Trace and explain for a running daemon: from the read models and the journal, and for a path from its supervisor."""

from __future__ import annotations

from typing import Any

from runtime.system import ActorSystem
from service.api.answers import not_found, plain
from service.api.control import near
from service.api.reading import Reading
from service.explain import Story, ViewsLookup, collect, explain, explain_actor, trace
from store.queries import Views
from store.reading import JournalReader
from supervision.tree import describe, recent_reports

__all__ = ["explain_answer", "trace_answer"]


async def _story(reading: Reading, ident: str) -> Story:
    def find(views: Views, journal: JournalReader) -> Story | None:
        return collect(ViewsLookup(views, journal), ident)

    story = await reading.both(find)
    if story is None:
        raise not_found(f"no signal, group, order, fill or queue entry of the journal has the id {ident}", value=ident)
    return story


async def trace_answer(reading: Reading, ident: str) -> dict[str, Any]:
    """Return the causal chain of an id as a tree."""
    story = await _story(reading, ident)
    return {"id": ident, "kind": story.kind, "trace": plain(trace(story))}


async def explain_answer(system: ActorSystem, reading: Reading, ident: str) -> dict[str, Any]:
    """Return what happened around an id, or to the actor at a path, in sentences."""
    if ident.startswith("/"):
        return _about_actor(system, ident)
    story = await _story(reading, ident)
    return {"id": ident, "kind": story.kind, "sentences": plain(explain(story))}


def _about_actor(system: ActorSystem, path: str) -> dict[str, Any]:
    rows = {row.path: row for row in describe(system)}
    if path not in rows:
        raise not_found(f"no actor lives at {path}", value=path, hint=near(path, list(rows)))
    reports = [each for each in recent_reports(system, 10_000) if each.offender == path]
    letters = [each for each in system.dead_letters.all() if each.path == path]
    return {"id": path, "kind": "actor", "sentences": plain(explain_actor(rows[path], reports, letters))}
