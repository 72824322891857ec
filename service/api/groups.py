"""One position group: shown whole, edited with a preview, closed, its history; and positions that are adopted as groups.

What is shown comes from the group's own journal stream, so a group that has ended can be looked at as well.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from aiohttp import web
from msgspec import structs

from actors.group import group_stream
from protocol.codec import decode_json
from protocol.groups import CloseGroup, CloseReason, GroupOpened, GroupState
from protocol.groups.adoption import AdoptPosition, PositionAdopted
from protocol.groups.editing import EditGroup, GroupChanges, GroupEdited
from protocol.groups.naming import leg_id_of, leg_name
from protocol.groups.recovery import GroupRecovered
from protocol.messages import Event, Value
from rules.group import GroupView, LegView, replay
from rules.group.breakdown import breakdown
from runtime.journal import Record
from runtime.ref import ActorRef
from service.api.accounts import known_account, venue_standing
from service.api.answers import Refused, answer, not_found, plain
from service.api.control import actor_at
from service.api.host import ASK_S, Host
from service.api.peers import author_of
from service.api.reading import Reading
from service.api.shared import Shared
from service.api.triggers import triggers
from store.reading import JournalReader

__all__ = ["ADOPT_S", "CloseWanted", "EditWanted", "register", "shown"]

ADOPT_S: Final = 70.0
"""Seconds an adoption may take: the venue is asked what it holds."""

_HISTORY = (GroupOpened, PositionAdopted, GroupEdited, GroupRecovered)


class EditWanted(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """Changes of a group; without ``preview`` false nothing is changed."""

    changes: GroupChanges
    preview: bool = True
    expected_version: int | None = None
    digest: str = ""
    operator: str = ""
    request_id: str = ""


class CloseWanted(Value, frozen=True, forbid_unknown_fields=True, gc=False, kw_only=True):
    """What of a group is to be closed: one leg, or all of it when empty."""

    leg_id: str = ""


def register(app: web.Application, shared: Shared) -> None:
    """Add the addresses."""
    one = _Groups(shared.host, shared.reading)
    app.router.add_get("/v1/group/{id}", one.show)
    app.router.add_get("/v1/group/{id}/history", one.history)
    app.router.add_post("/v1/group/{id}/edit", one.edit)
    app.router.add_post("/v1/group/{id}/close", one.close)
    app.router.add_post("/v1/adopt", one.adopt)


class _Groups:
    def __init__(self, host: Host, reading: Reading) -> None:
        self._host = host
        self._reading = reading

    async def show(self, request: web.Request) -> web.Response:
        events, view = await self._read(request.match_info["id"])
        found = {"group": shown(view), "pnl": plain(breakdown(events)), "path": self._path(view.group_id)}
        return answer({**found, "venue": venue_standing(self._host.system, view.account)})

    async def history(self, request: web.Request) -> web.Response:
        ident = request.match_info["id"]
        records = await self._records(ident)
        found = [_entry(record) for record in records if isinstance(record.event, _HISTORY)]
        return answer({"group_id": ident, "history": found, "triggers": triggers(records)})

    async def edit(self, request: web.Request) -> web.Response:
        ident = request.match_info["id"]
        wanted = decode_json(await request.read(), EditWanted)
        message = EditGroup(
            group_id=ident,
            changes=_by_id(wanted.changes),
            preview=wanted.preview,
            expected_version=wanted.expected_version,
            digest=wanted.digest,
            operator=author_of(request, wanted.operator),
            request_id=wanted.request_id,
        )
        said = await (await self._actor(ident)).ask(message, ASK_S)
        return answer(plain(said), status=409 if said.problems else 200)

    async def close(self, request: web.Request) -> web.Response:
        ident = request.match_info["id"]
        wanted = decode_json(await request.read() or b"{}", CloseWanted)
        leg_id = leg_id_of(wanted.leg_id)
        _, view = await self._read(ident)
        if view.state in (GroupState.CLOSING, GroupState.CLOSED):
            raise Refused(409, "GroupClosing", f"group {ident} is {view.state.value} already", value=ident)
        if leg_id and leg_id not in view.legs:
            known = ", ".join(map(leg_name, view.legs))
            raise not_found(f"group {ident} has no leg {wanted.leg_id}", value=wanted.leg_id, hint=f"; it has {known}")
        close = CloseGroup(group_id=ident, reason=CloseReason.OPERATOR, leg_id=leg_id, at=self._host.system.now())
        (await self._actor(ident)).tell(close)
        return answer({"group_id": ident, "closing": leg_id or "group"})

    async def adopt(self, request: web.Request) -> web.Response:
        wanted = decode_json(await request.read(), AdoptPosition)
        account = known_account(self._host, wanted.account)
        adopter = actor_at(self._host.system, f"/risk/adopter-{account}")
        named = structs.replace(wanted, operator=author_of(request, wanted.operator))
        said = await adopter.ask(named, ADOPT_S)
        return answer(plain(said), status=409 if said.problems else 200)

    # --- finding -------------------------------------------------------------------------------------------------------

    def _path(self, ident: str) -> str:
        """Return where the group's actor lives, empty when it does not."""
        return next((path for path in self._host.system.paths() if path.endswith(f"~{ident}")), "")

    async def _actor(self, ident: str) -> ActorRef:
        path = self._path(ident)
        if path:
            return actor_at(self._host.system, path)
        _, view = await self._read(ident)
        hint = "; see `bulkhead ps`" if view.state is not GroupState.CLOSED else f" since it is {view.state.value}"
        raise Refused(409, "GroupGone", f"group {ident} does not live{hint}", value=ident)

    async def _records(self, ident: str) -> list[Record]:
        def read(journal: JournalReader) -> list[Record]:
            return list(journal.read(group_stream(ident)))

        records = await self._reading.journal(read)
        if not records:
            raise not_found(
                f"there is no group {ident}", value=ident, hint="; ids stand in `bulkhead group` and `tail`"
            )
        return records

    async def _read(self, ident: str) -> tuple[list[Event], GroupView]:
        records = await self._records(ident)
        events = [record.event for record in records if hasattr(record.event, "group_id")]
        view = replay(events)
        assert view is not None, "a stream that is not empty begins with its opening"
        return events, view


def _by_id(changes: GroupChanges) -> GroupChanges:
    """Return changes with legs by their ids, whether an operator wrote ids or names."""
    return structs.replace(
        changes,
        layers={leg_id_of(name): each for name, each in changes.layers.items()},
        tp_percents={leg_id_of(name): each for name, each in changes.tp_percents.items()},
        cancel_layers=tuple(map(leg_id_of, changes.cancel_layers)),
    )


def shown(view: GroupView) -> dict[str, Any]:
    """Return a group as an operator looks at it: its settings, legs, orders at work, watched prices and closes."""
    found: dict[str, Any] = plain(view)
    working = {name: order for name, order in found["orders"].items() if not view.orders[name].settled}
    legs = [
        {**found["legs"][name], "open_qty": _number(leg.open_qty), "avg_fill": _average(leg)}
        for name, leg in view.legs.items()
    ]
    dropped = ("orders", "legs", "trades", "edits")
    rest = {name: value for name, value in found.items() if name not in dropped}
    figures = {
        "open_qty": _number(view.open_qty),
        "avg_entry": None if view.avg_entry is None else _number(view.avg_entry),
        "realized_quote": _number(view.realized_quote),
    }
    return {**rest, **figures, "legs": legs, "orders": list(working.values())}


def _average(leg: LegView) -> str | None:
    return _number(leg.avg_fill) if leg.open_qty > 0 else None


def _number(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _entry(record: Record) -> dict[str, Any]:
    return {"at": record.at, "type": type(record.event).__name__, "position": record.position, **_said(record.event)}


def _said(event: Event) -> dict[str, Any]:
    match event:
        case GroupEdited():
            return {"version": event.version, "by": event.operator, "changes": list(event.summary)}
        case PositionAdopted():
            text = f"adopted {event.qty} at {event.avg_price}" + (f": {event.reason}" if event.reason else "")
            return {"version": 1, "by": event.operator, "changes": [text]}
        case GroupRecovered():
            text = f"back after {event.down_s} s ({event.absence.value} was down)"
            then = "closes itself" if event.flattens else "goes on"
            return {"version": None, "by": "", "changes": [f"{text}: {then}"]}
        case GroupOpened():
            return {"version": 1, "by": event.signal_id, "changes": [f"opened by {event.signal_id}"]}
    return {}
