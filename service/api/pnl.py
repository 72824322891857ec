"""What was earned, over the API: realizations added up by any property (EX-1702, EX-1704)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

from aiohttp import web

from rules.notation import whole_number
from service.api.accounts import known_account
from service.api.answers import Refused, answer, not_found, plain
from service.api.rows import scope_of
from service.api.shared import Shared
from store.pnl import PNL_KEYS, PnlFilter

__all__ = ["pnl_filter", "register"]


def register(app: web.Application, shared: Shared) -> None:
    """Register the addresses."""

    async def pnl(request: web.Request) -> web.Response:
        by, wanted = request.query.get("by", "group_id"), pnl_filter(request.query)
        if by not in PNL_KEYS:
            raise Refused(422, "InvalidEnum", f"by is one of {', '.join(PNL_KEYS)}", path="by", value=by)
        zone = _zone(shared)
        rows = await shared.reading.views(lambda views: views.pnl(by, wanted, zone))
        if wanted.account and not rows:
            known_account(shared.host, wanted.account)
        if wanted.group_id and await shared.reading.views(lambda views: views.group(wanted.group_id)) is None:
            raise not_found(f"there is no group {wanted.group_id}", value=wanted.group_id)
        fees = await shared.reading.views(lambda views: views.other_fees(wanted))
        others = [{**each._asdict(), "amount": format(each.amount, "f")} for each in fees]
        return answer({"by": by, "rows": [plain(row) for row in rows], "other_fees": others})

    app.router.add_get("/v1/pnl", pnl)


def pnl_filter(query: Mapping[str, str]) -> PnlFilter:
    """Return the filter that a query string asks for; raise ``Refused`` for what is no scope or no instant."""
    return PnlFilter(
        scope=scope_of(query),
        account=query.get("account", ""),
        group_id=query.get("group", ""),
        since=_instant(query, "since"),
        until=_instant(query, "until"),
    )


def _instant(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name, "")
    number = whole_number(text)
    if text and number is None:
        raise Refused(422, "WrongType", f"{name} is an instant in nanoseconds", path=name, value=text)
    return number


def _zone(shared: Shared) -> tzinfo:
    name = str(shared.host.config.app.timezone)
    return UTC if name == "UTC" else ZoneInfo(name)
