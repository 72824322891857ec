"""The event log over the API: search, export, alerts and their acknowledgement, segments (EX-1406 to EX-1410)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, BinaryIO, Final, TypeVar

from aiohttp import web

from protocol.codec import decode_json
from protocol.event_log import EVENT_LOG, AcknowledgeEvents
from protocol.messages import Value
from rules.event_log.line import Category, LineSeverity, Tag
from rules.notation import whole_number
from service.api.answers import Refused, answer, not_found, plain
from service.api.control import actor_at
from service.api.host import ASK_S
from service.api.peers import origin_of
from service.api.rows import limit_of
from service.api.shared import Shared
from service.api.spooled import export_failed, sent, spooled
from service.logs import log_folder, log_settings
from store.event_search import EventFilter
from store.log.files import SegmentFile, UnknownSegment, keep, prunable, prune, segments_in
from store.log.lines import ExportForm, exported
from store.queries import Views

__all__ = ["ALERTS_SHOWN", "Acknowledge", "Keep", "Prune", "event_filter", "register"]

ALERTS_SHOWN: Final = 3
"""Newest alerts that the strip shows (EX-1406)."""

_PAGE: Final = 1_000
_TYPES: Final = {ExportForm.TXT: "text/plain", ExportForm.CSV: "text/csv", ExportForm.JSON: "application/json"}

W = TypeVar("W", bound=StrEnum)


class Acknowledge(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """Which alerts were seen: by position, or ``all`` of them as they stand."""

    positions: tuple[int, ...] = ()
    all: bool = False


class Prune(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """Whether only to say what would go."""

    preview: bool = False


class Keep(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """A segment by name or number, and whether it is never to be removed."""

    segment: str
    keep: bool = True


def register(app: web.Application, shared: Shared) -> None:
    """Register the addresses of the log."""
    one = _Log(shared)
    app.router.add_get("/v1/log", one.search)
    app.router.add_get("/v1/log/export", one.export)
    app.router.add_get("/v1/log/segments", one.segments)
    app.router.add_post("/v1/log/prune", one.prune)
    app.router.add_post("/v1/log/keep", one.keep)
    app.router.add_get("/v1/alerts", one.alerts)
    app.router.add_post("/v1/alerts/ack", one.acknowledge)


def event_filter(query: Mapping[str, str]) -> EventFilter:
    """Return the filter that a query string asks for; raise ``Refused`` for a word that there is not."""
    return EventFilter(
        text=query.get("text", ""),
        categories=_words(query, "category", Category),
        severities=_words(query, "severity", LineSeverity),
        tags=_words(query, "tag", Tag),
        pair=query.get("pair", ""),
        timeframe=query.get("timeframe", ""),
        code=query.get("code", ""),
        group_id=query.get("group", ""),
        correlation_id=_number(query, "correlation"),
        since=_number(query, "since"),
        until=_number(query, "until"),
        pinned=True if query.get("pinned") == "1" else None,
    )


def _words(query: Mapping[str, str], name: str, of: type[W]) -> tuple[W, ...]:
    found = []
    for word in filter(None, query.get(name, "").lower().replace(" ", "_").split(",")):
        if word not in list(of):
            known = ", ".join(of)
            raise Refused(422, "InvalidEnum", f"{name} is one of {known}", path=name, value=word)
        found.append(of(word))
    return tuple(found)


def _number(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name, "")
    number = whole_number(text)
    if text and number is None:
        raise Refused(422, "WrongType", f"{name} is a whole number, instants are nanoseconds", path=name, value=text)
    return number


class _Log:
    def __init__(self, shared: Shared) -> None:
        self._host = shared.host
        self._reading = shared.reading
        # A million lines take a while: they hold up nobody who looks at anything but long histories.
        self._long = shared.figures.reading

    async def search(self, request: web.Request) -> web.Response:
        wanted, limit, before = event_filter(request.query), limit_of(request.query), _number(request.query, "before")
        found = await self._reading.views(lambda views: views.events(wanted, limit=limit, before=before))
        return answer({"events": found})

    async def export(self, request: web.Request) -> web.StreamResponse:
        wanted, query = event_filter(request.query), request.query
        given = query.get("format", "json")
        if given not in list(ExportForm):
            raise Refused(422, "InvalidEnum", f"format is one of {', '.join(ExportForm)}", path="format", value=given)
        form = ExportForm(given)
        try:
            file = await self._long.views(lambda views: _spooled(views, wanted, form))
        except OSError as error:
            raise export_failed("the log", error) from error
        return await sent(request, file, {"Content-Type": f"{_TYPES[form]}; charset=utf-8"})

    async def alerts(self, request: web.Request) -> web.Response:
        limit = limit_of({"limit": str(ALERTS_SHOWN), **request.query})
        count, newest = await self._reading.views(lambda views: views.alerts(limit=limit))
        return answer({"count": count, "others": max(count - len(newest), 0), "alerts": newest})

    async def acknowledge(self, request: web.Request) -> web.Response:
        wanted = decode_json(await request.read(), Acknowledge)
        count, newest = await self._reading.views(lambda views: views.alerts(limit=_PAGE))
        waiting = {row.position for row in newest}
        if unknown := [position for position in wanted.positions if position not in waiting]:
            raise not_found(f"no alert {unknown[0]} waits to be acknowledged", value=str(unknown[0]))
        if not wanted.positions and not wanted.all:
            raise Refused(422, "MissingValue", "name the alerts to acknowledge, or all of them", path="positions")
        through = max(waiting, default=0) if wanted.all else 0
        operator, _ = origin_of(request)
        ask = AcknowledgeEvents(operator, tuple(wanted.positions), through)
        said = await actor_at(self._host.system, EVENT_LOG).ask(ask, ASK_S)
        return answer({"acknowledged": count if wanted.all else len(wanted.positions), "event": plain(said)})

    # --- segments ------------------------------------------------------------------------------------------------------

    async def segments(self, request: web.Request) -> web.Response:  # noqa: ARG002 - aiohttp passes it
        folder = log_folder(self._host.config)
        return answer(
            {"folder": str(folder), "segments": _said(await self._reading.beside(lambda: segments_in(folder)))}
        )

    async def prune(self, request: web.Request) -> web.Response:
        wanted = decode_json(await request.read() or b"{}", Prune)
        folder, retention = log_folder(self._host.config), log_settings(self._host.config).retention
        work = prunable if wanted.preview else prune
        gone = await self._reading.beside(lambda: work(folder, retention))
        return answer({"preview": wanted.preview, "removed": _said(gone)})

    async def keep(self, request: web.Request) -> web.Response:
        wanted = decode_json(await request.read(), Keep)
        folder = log_folder(self._host.config)
        try:
            found = await self._reading.beside(lambda: keep(folder, wanted.segment, kept=wanted.keep))
        except UnknownSegment as error:
            raise not_found(f"no segment {wanted.segment}; see: bulkhead log segments", value=wanted.segment) from error
        return answer(_said([found])[0])


def _spooled(views: Views, wanted: EventFilter, form: ExportForm) -> BinaryIO:
    pieces = exported(views.all_events(wanted), form)
    return spooled(lambda file: file.writelines(piece.encode() for piece in pieces))


def _said(files: Iterable[SegmentFile]) -> list[dict[str, Any]]:
    return [
        {
            "segment": each.path.name,
            "number": each.number,
            "day": str(each.day),
            "bytes": each.size,
            "kept": each.kept,
            "open": each.open,
        }
        for each in files
    ]
