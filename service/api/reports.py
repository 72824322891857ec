"""What is taken away of performance, over the API: trades, exports, the report page, pictures (EX-1624, EX-1718)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO, Final

from aiohttp import web
from anyio import CapacityLimiter

from rules.notation import whole_number
from service.api.answers import Refused, answer
from service.api.past import Figures
from service.api.rows import limit_of
from service.api.shared import Shared
from service.api.spooled import export_failed, sent, spooled
from service.notices import zone_of
from service.report.days import day_rows
from service.report.figures import live
from service.report.history import Terms
from service.report.names import file_name
from service.report.page import page_of
from service.report.pictures import CHARTS, HEIGHT, THEMES, WIDTH, picture_beside
from service.report.tables import EXPORTS, Source, table_of
from store.log.lines import harmless
from store.performance import Wanted
from store.queries import Views
from store.trades import trade_rows
from store.transfer.exporting import TableForm, export_rows

__all__ = ["register"]

_FORMS: Final = {
    TableForm.CSV: "text/csv",
    TableForm.JSON: "application/json",
    TableForm.PARQUET: "application/octet-stream",
}
_CURVE: Final = 2_000
"""Points of a curve in a picture or page: more than it has columns."""


_MOST_DAYS: Final = 10_000


def register(app: web.Application, shared: Shared) -> None:
    """Register the addresses."""
    one = _Reports(shared)
    app.router.add_get("/v1/performance/trades", one.trades)
    app.router.add_get("/v1/performance/exports", one.exports)
    app.router.add_get("/v1/performance/export/{what}", one.export)
    app.router.add_get("/v1/performance/report", one.report)
    app.router.add_get("/v1/performance/picture/{chart}", one.picture)


class _Reports:
    def __init__(self, shared: Shared) -> None:
        self._figures: Figures = shared.figures
        self._host = shared.host
        self._drawing: CapacityLimiter | None = None

    async def trades(self, request: web.Request) -> web.Response:
        query = request.query
        wanted, limit = await self._figures.wanted(query), limit_of(query)
        before = _before(query.get("before", ""))
        rows = await self._figures.reading.views(
            lambda views: trade_rows(
                views, wanted, reason=query.get("reason", ""), text=query.get("text", ""), limit=limit, before=before
            )
        )
        more = f"{rows[-1].closed_at}/{rows[-1].group_id}" if len(rows) == limit else ""
        return answer({"scope": wanted.scope.value, "trades": rows, "before": more})

    async def exports(self, request: web.Request) -> web.Response:  # noqa: ARG002 - aiohttp passes it
        tables = {name: {"says": each.says, "columns": each.columns} for name, each in EXPORTS.items()}
        return answer({"tables": tables, "formats": [str(form) for form in _FORMS], "charts": list(CHARTS)})

    async def export(self, request: web.Request) -> web.StreamResponse:
        what, given = request.match_info["what"], request.query.get("format", "csv")
        if what not in EXPORTS:
            raise Refused(404, "NotFound", f"there is no export {what}; one of {', '.join(EXPORTS)}", value=what)
        if given not in [str(form) for form in _FORMS]:
            raise Refused(422, "InvalidEnum", f"format is one of {', '.join(_FORMS)}", path="format", value=given)
        form = TableForm(given)
        wanted, terms = await self._figures.wanted(request.query), self._figures.terms()
        words = {name: request.query.get(name, "") for name in ("reason", "text")}
        try:
            file = await self._figures.reading.views(
                lambda views: self._spooled(views, what, form, wanted, terms, words)
            )
        except OSError as error:
            raise export_failed(what, error) from error
        name = file_name(what, wanted, terms.now, zone_of(self._host.config), form.value)
        return await sent(request, file, {"Content-Type": _FORMS[form], **_offered(name)})

    def _spooled(
        self, views: Views, what: str, form: TableForm, wanted: Wanted, terms: Terms, words: Mapping[str, str]
    ) -> BinaryIO:
        """Write an export into a file of its own."""
        prices = self._figures.prices
        source = Source(
            views,
            wanted,
            past=lambda: self._figures.kept(views, wanted, terms),
            present=lambda: live(views, wanted, terms, prices.mark, prices.quote_usd),
            days=lambda: day_rows(views, wanted, terms.zone, prices.quote_usd, terms.now, _MOST_DAYS),
            **words,
        )
        table, rows = table_of(what), EXPORTS[what].rows(source)
        if form is TableForm.CSV:
            rows = _harmless(rows)
        return spooled(lambda file: export_rows(table, rows, form, file))

    async def report(self, request: web.Request) -> web.Response:
        found = await self._figures.answer({"points": str(_CURVE), **request.query})
        page = await self._figures.reading.beside(lambda: page_of(found))
        name = file_name(
            "performance", await self._figures.wanted(request.query), found["at"], zone_of(self._host.config), "html"
        )
        return web.Response(text=page, content_type="text/html", charset="utf-8", headers=_offered(name))

    async def picture(self, request: web.Request) -> web.Response:
        chart, theme = request.match_info["chart"], request.query.get("theme", self._host.config.ui.theme.value)
        for name, word, known in (("chart", chart, tuple(CHARTS)), ("theme", theme, THEMES)):
            if word not in known:
                raise Refused(422, "InvalidEnum", f"{name} is one of {', '.join(known)}", path=name, value=word)
        found = await self._figures.answer({"points": str(_CURVE), **request.query})
        if self._drawing is None:
            self._drawing = CapacityLimiter(1)
        async with self._drawing:  # one after the other: each takes a processor for a second
            data = await picture_beside(found, chart, theme)
        wanted = await self._figures.wanted(request.query)
        name = file_name(chart, wanted, found["at"], zone_of(self._host.config), "png")
        return web.Response(
            body=data, content_type="image/png", headers={**_offered(name), "X-Size": f"{WIDTH}x{HEIGHT}"}
        )


def _before(text: str) -> tuple[int, str] | None:
    """Return where a page goes on: ``<closed at>/<group>`` as the page before said."""
    at, _, name = text.partition("/")
    closed_at = whole_number(at)
    if text and (closed_at is None or not name):
        raise Refused(422, "WrongType", "before is what the answer before gave", path="before", value=text)
    return None if closed_at is None else (closed_at, name)


def _harmless(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """Keep a spreadsheet from taking a text that came from outside for a formula."""
    for row in rows:
        yield tuple(harmless(cell) if isinstance(cell, str) else cell for cell in row)


def _offered(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'inline; filename="{name}"', "X-Content-Type-Options": "nosniff"}
