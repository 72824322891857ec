"""The configuration's addresses: look, edit the draft, put it in force, go back."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Annotated, Any, Final

import msgspec
from aiohttp import web
from msgspec import Meta, field

from protocol.codec import decode_json
from protocol.configuration import (
    CONFIG_STORE,
    ApplyDraft,
    ConfigAnswer,
    ConfigVersions,
    DiscardDraft,
    EditDraft,
    GetConfig,
    LoadDraft,
)
from protocol.messages import Value
from protocol.values import Side
from service.api.answers import Refused, answer, not_found, plain
from service.api.control import actor_at
from service.api.host import ASK_S, Host
from service.api.peers import author_of
from service.api.rows import newest_prices
from service.api.shared import Shared
from service.config.described import described
from service.config.preview import Effects, LadderEffect, Sample
from service.config.text import decoded
from service.previewing import preview_draft, sample_of

__all__ = ["APPLY_S", "Apply", "Edit", "Load", "Typed", "Who", "as_answer", "register", "said_of"]

APPLY_S: Final = 300.0
"""Seconds an apply may take: every actor concerned has ten to take its settings, twice when it goes back."""

_STATUS: Final = {"ConfigConflict": 409, "NothingToApply": 409, "ApplyFailed": 502, "UnknownVersion": 404}


class Edit(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """Keys of the draft to change, null for "back to the default"; who does it."""

    values: dict[str, Any]
    author: str


class Load(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """A document, a kept version, or neither for the defaults."""

    author: str
    document: dict[str, Any] | None = None
    version: int = 0


class Typed(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """What is being typed: keys to look at over the draft, and a sample signal; without a symbol the last signals are taken.

    A sample without a price is at the market's newest; ``pyramid`` is the index of the one it opens.
    """

    symbol: str = ""
    venue: str = ""
    timeframe: str = "1h"
    side: Side = Side.LONG
    price: Decimal | None = None
    size: Decimal | None = None
    pyramid: Annotated[int, Meta(ge=0, lt=50)] = 0
    edits: dict[str, Any] = field(default_factory=dict)


class Apply(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """The version the draft was edited from; 0: that of the draft."""

    author: str
    version: int = 0


class Who(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """Who does it."""

    author: str


def register(app: web.Application, shared: Shared) -> None:
    """Register the addresses."""
    area = _Config(shared)
    app.router.add_get("/v1/config", area.show)
    app.router.add_get("/v1/config/versions", area.versions)
    app.router.add_get("/v1/config/versions/{version}", area.version)
    app.router.add_post("/v1/config/draft", area.edit)
    app.router.add_post("/v1/config/preview", area.preview)
    app.router.add_post("/v1/config/load", area.load)
    app.router.add_post("/v1/config/discard", area.discard)
    app.router.add_post("/v1/config/apply", area.apply)


def as_answer(said: ConfigAnswer) -> dict[str, Any]:
    """Return a store's answer as JSON, documents as objects; raise ``Refused`` for one that refuses everything."""
    found: dict[str, Any] = plain(said)
    found["document"] = decoded(said.document)
    found["draft"] = decoded(said.draft) if said.draft else None
    for change in found["changes"]:
        change.update({side: json.loads(change[side]) if change[side] else None for side in ("before", "after")})
    return found


def _answered(said: ConfigAnswer) -> web.Response:
    if not said.mistakes:
        return answer(as_answer(said))
    shapes = [msgspec.structs.asdict(each) for each in said.mistakes]
    status = _STATUS.get(said.mistakes[0].code, 422)
    return answer({**shapes[0], "problems": shapes, "config": as_answer(said)}, status=status)


class _Config:
    def __init__(self, shared: Shared) -> None:
        self._shared = shared

    async def _ask(self, request: Any, timeout_s: float = ASK_S) -> Any:
        return await actor_at(self._shared.host.system, CONFIG_STORE).ask(request, timeout_s)

    async def show(self, request: web.Request) -> web.Response:  # noqa: ARG002 - aiohttp passes it
        found = as_answer(await self._ask(GetConfig()))
        found["effective"] = described(self._shared.host.config, found["document"])
        return answer(found)

    async def versions(self, request: web.Request) -> web.Response:  # noqa: ARG002
        return answer({"versions": plain(await self._ask(ConfigVersions()))})

    async def version(self, request: web.Request) -> web.Response:
        return _answered(await self._ask(GetConfig(_number(request.match_info["version"]))))

    async def edit(self, request: web.Request) -> web.Response:
        wanted = decode_json(await request.read(), Edit)
        author = author_of(request, wanted.author)
        return _answered(await self._ask(EditDraft(values=json.dumps(wanted.values), author=author)))

    async def preview(self, request: web.Request) -> web.Response:
        wanted = decode_json(await request.read() or b"{}", Typed)
        host = self._shared.host
        sample = await _sample(host, wanted) if wanted.symbol else None
        return answer(said_of(await preview_draft(host.system, self._shared.reading, sample, wanted.edits)))

    async def load(self, request: web.Request) -> web.Response:
        wanted = decode_json(await request.read(), Load)
        document = json.dumps(wanted.document) if wanted.document is not None else ""
        author = author_of(request, wanted.author)
        return _answered(await self._ask(LoadDraft(document=document, version=wanted.version, author=author)))

    async def discard(self, request: web.Request) -> web.Response:
        wanted = decode_json(await request.read(), Who)
        return _answered(await self._ask(DiscardDraft(author_of(request, wanted.author))))

    async def apply(self, request: web.Request) -> web.Response:
        wanted = decode_json(await request.read(), Apply)
        author, version = author_of(request, wanted.author), wanted.version or (await self._ask(GetConfig())).base
        return _answered(await self._ask(ApplyDraft(version=version, author=author), APPLY_S))


async def _sample(host: Host, wanted: Typed) -> Sample:
    accounts = [each for each in host.config.accounts if wanted.venue in ("", each.exchange)]
    accounts.sort(key=lambda each: each.exchange != host.config.exchange.name.value)
    known = ((each, sample_of(host.system, host.config, each.exchange, wanted.symbol)) for each in accounts)
    account, instrument = next((each for each in known if each[1] is not None), (None, None))
    if account is None or instrument is None:
        where = f" at {wanted.venue}" if wanted.venue else ""
        raise not_found(f"no account knows {wanted.symbol}{where}", value=wanted.symbol)
    price = wanted.price
    if price is None:
        tick = (await newest_prices(host.system, [(account.name, wanted.symbol)])).get((account.name, wanted.symbol))
        price = tick.last if tick is not None else None
    if price is None or price <= 0:
        text = f"a sample needs a price above 0: there is none of {wanted.symbol} yet"
        raise Refused(422, "MissingValue", text, path="price")
    return Sample(
        account.exchange,
        wanted.symbol,
        wanted.timeframe,
        wanted.side,
        price,
        instrument,
        wanted.size,
        pyramid=wanted.pyramid,
    )


def said_of(effects: Effects) -> dict[str, Any]:
    """Return the effects of a draft as JSON."""
    return {
        "errors": [error.as_dict() for error in effects.errors],
        "changes": [each._asdict() for each in effects.changes],
        "pools": plain(effects.pools),
        "offsets": plain(effects.offsets),
        "ladders": [
            {
                "sample": plain(sample._asdict() | {"instrument": sample.instrument.symbol}),
                "before": _ladder(before),
                "after": _ladder(after),
            }
            for sample, before, after in effects.ladders
        ],
        "pruned": list(effects.pruned),
        "restarts": list(effects.restarts),
        "backups": list(effects.backups),
        "layers": {str(pyramid): plain(levels) for pyramid, levels in effects.layers.items()},
    }


def _ladder(effect: LadderEffect) -> Any:
    return plain({**effect._asdict(), "layers": [layer._asdict() for layer in effect.layers]})


def _number(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) < 10:
        return int(text)
    raise Refused(404, "UnknownVersion", "versions are numbers: bulkhead config versions", value=text)
