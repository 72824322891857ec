"""Notifications over the API: list after a sequence, read, dismiss (DS-721 to DS-723)."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from protocol.codec import decode_json
from protocol.messages import Value
from protocol.notifications import NOTIFIER, DismissNotices, ListNotices, NoticeList, ReadNotices
from service.api.answers import Refused, answer, plain
from service.api.audit import origin_of
from service.api.control import actor_at
from service.api.host import ASK_S
from service.api.shared import Shared

__all__ = ["MOST_LISTED", "NoticesNamed", "register"]

MOST_LISTED = 500


class NoticesNamed(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """Which notifications: by sequence, and all up to ``through``."""

    seqs: tuple[int, ...] = ()
    through: int = 0


def register(app: web.Application, shared: Shared) -> None:
    """Register the addresses."""
    one = _Notifications(shared)
    app.router.add_get("/v1/notifications", one.listed)
    app.router.add_post("/v1/notifications/read", one.read)
    app.router.add_post("/v1/notifications/dismiss", one.dismiss)
    app.router.add_post("/v1/notifications/dismiss-all", one.dismiss_all)


class _Notifications:
    def __init__(self, shared: Shared) -> None:
        self._shared = shared

    async def _ask(self, request: ListNotices | ReadNotices | DismissNotices) -> dict[str, Any]:
        found: NoticeList = await actor_at(self._shared.host.system, NOTIFIER).ask(request, ASK_S)
        return {
            "notifications": [plain(each) for each in found.notices],
            "unread": found.unread,
            "last_seq": found.last_seq,
        }

    async def listed(self, request: web.Request) -> web.Response:
        """Answer with what is kept after a sequence, oldest first."""
        after, limit = _number(request, "after", 0), _number(request, "limit", MOST_LISTED)
        if not 1 <= limit <= MOST_LISTED:
            raise Refused(422, "OutOfRange", f"limit must be 1 to {MOST_LISTED}", path="limit", value=str(limit))
        return answer(await self._ask(ListNotices(after=after, limit=limit)))

    async def read(self, request: web.Request) -> web.Response:
        """Mark as read."""
        return answer(await self._ask(ReadNotices(**await _named(request))))

    async def dismiss(self, request: web.Request) -> web.Response:
        """Put away."""
        return answer(await self._ask(DismissNotices(**await _named(request))))

    async def dismiss_all(self, request: web.Request) -> web.Response:
        """Put away all that were there when they were last listed, or all there are."""
        wanted = decode_json(await request.read() or b"{}", NoticesNamed)
        through = wanted.through or (await self._ask(ListNotices(limit=1)))["last_seq"]
        return answer(await self._ask(DismissNotices(by=origin_of(request)[0], through=through)))


async def _named(request: web.Request) -> dict[str, Any]:
    wanted = decode_json(await request.read() or b"{}", NoticesNamed)
    if not wanted.seqs and not wanted.through:
        raise Refused(422, "MissingValue", "name the notifications: seqs, or through a sequence", path="seqs")
    return {"by": origin_of(request)[0], "seqs": wanted.seqs, "through": wanted.through}


def _number(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise Refused(422, "WrongType", f"{name} is a whole number", path=name, value=text)
    return int(text)
