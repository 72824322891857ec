"""The accounts' venues over the API: how they stand, their trading rules, operators' commands (EX-513, EX-1623)."""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from actors.precision import FETCH_WITHIN_S
from actors.session_topics import balances_topic, health_topic
from actors.topics import precision_topic
from protocol.codec import decode_json
from protocol.instruments import Instrument
from protocol.messages import Value
from protocol.orders import Balance
from protocol.precision import RefreshRules, RulesState
from protocol.venue import AllowEntries, BalancesChanged, ReconcileNow, VenueHealth
from runtime.ref import ActorRef
from service.api.accounts import account_names, known_account
from service.api.answers import Refused, answer, not_found, plain
from service.api.chains import chain_of
from service.api.control import actor_at, near
from service.api.host import ASK_S
from service.api.shared import Shared
from supervision.tree import describe

__all__ = ["VenueCommand", "register"]

_REFRESH_S: Final = FETCH_WITHIN_S + 5


class VenueCommand(Value, frozen=True, forbid_unknown_fields=True, gc=False):
    """Whose venue; may be left out where there is only one account."""

    account: str = ""


def register(app: web.Application, shared: Shared) -> None:
    """Register the addresses of the venues."""
    one = _Venues(shared)
    app.router.add_get("/v1/venues", one.standing)
    app.router.add_get("/v1/venues/rules", one.rules)
    app.router.add_get("/v1/venues/chain", one.chain)
    app.router.add_post("/v1/venues/refresh", one.refresh)
    app.router.add_post("/v1/venues/reconcile", one.reconcile)
    app.router.add_post("/v1/venues/allow-entries", one.allow_entries)


class _Venues:
    def __init__(self, shared: Shared) -> None:
        self._host = shared.host

    async def standing(self, request: web.Request) -> web.Response:  # noqa: ARG002
        """Answer how each account's connection stands, how old its rules are, and what it holds."""
        return answer({"venues": [self._standing(account) for account in account_names(self._host)]})

    def _standing(self, account: str) -> dict[str, Any]:
        kept = self._host.system.bus.kept
        health: VenueHealth | None = kept(health_topic(account))
        balances: BalancesChanged | None = kept(balances_topic(account))
        held: tuple[Balance, ...] = balances.balances if balances is not None else ()
        return {
            "account": account,
            "status": health.status.value if health is not None else "connecting",
            "code": health.code if health is not None else "",
            "reason": health.reason if health is not None else "",
            "since": health.at if health is not None else None,
            "retry_at": health.retry_at if health is not None else None,
            "step": health.step if health is not None else "",
            "entries": health.entries if health is not None else False,
            "session": self._detail(account, "session"),
            "orders": self._detail(account, "desk"),
            "rules": self._age(self._state(account)),
            "balances": plain(held),
        }

    def _detail(self, account: str, name: str) -> str:
        cell = self._host.system.cell_of(f"/venues/{account}/{name}")
        return str(getattr(cell.actor, "detail", "")) if cell is not None and cell.actor is not None else "not running"

    def _state(self, account: str) -> RulesState | None:
        found: RulesState | None = self._host.system.bus.kept(precision_topic(account))
        return found

    def _age(self, state: RulesState | None) -> dict[str, Any]:
        """Return when rules were fetched last, how many there are, and what the last failure was (EX-513)."""
        if state is None:
            return {"symbols": 0, "fetched_at": None, "failed_at": None, "error": "", "fetching": False}
        return {
            "symbols": len(state.instruments),
            "fetched_at": state.fetched_at,
            "failed_at": state.failed_at,
            "error": state.error,
            "fetching": state.fetching,
        }

    async def rules(self, request: web.Request) -> web.Response:
        """Answer with the rules of one symbol (unified or the venue's own name), or of all."""
        account = self._account(request.query.get("account", ""))
        state, wanted = self._state(account), request.query.get("symbol", "")
        instruments = state.instruments if state is not None else ()
        if wanted:
            found = [each for each in instruments if wanted.upper() in (each.symbol.upper(), each.venue_symbol.upper())]
            if not found:
                hint = near(wanted.upper(), [each.symbol for each in instruments])
                raise not_found(f"account {account} knows no rules of {wanted}", value=wanted, hint=hint)
            instruments = tuple(found)
        return answer({"account": account, **self._age(state), "rules": [_row(each) for each in instruments]})

    async def chain(self, request: web.Request) -> web.Response:
        """Answer with an option chain, valid or not, when it has been fetched (DK-60)."""
        return answer(await chain_of(self._host.system, self._account(request.query.get("account", "")), request.query))

    async def refresh(self, request: web.Request) -> web.Response:
        """Fetch the rules of all markets now; answered when the fetch has ended."""
        account = await self._of_body(request)
        cache = self._running(account, "precision", "its rules are fetched as soon as it is")
        state: RulesState = await cache.ask(RefreshRules(), _REFRESH_S)
        if state.error:
            text = f"{state.error}; it is tried again by itself, what was known stays in use"
            raise Refused(502, "PrecisionFetchFailed", text, value=account)
        return answer({"account": account, **self._age(state)})

    async def reconcile(self, request: web.Request) -> web.Response:
        """Compare orders, fills and balances with the venue now (EX-1206)."""
        account = await self._of_body(request)
        reconciler = self._running(account, "reconciler", "its books are compared as soon as it is")
        reconciler.tell(ReconcileNow())
        return answer({"account": account, "told": reconciler.path})

    def _running(self, account: str, name: str, then: str) -> ActorRef:
        """Return an actor of an account's compartment; raise ``Refused`` while it stands still: nobody would answer."""
        path = f"/venues/{account}/{name}"
        found, cell = actor_at(self._host.system, path), self._host.system.cell_of(path)
        if cell is None or cell.actor is None:
            session = f"/venues/{account}/session"
            if any(each.path == session and each.state == "quarantined" for each in describe(self._host.system)):
                raise Refused(409, "ChildQuarantined", f"{session} is quarantined; release it", value=session)
            raise Refused(409, "VenueDown", f"{account} is not connected: {then}", value=account)
        return found

    async def allow_entries(self, request: web.Request) -> web.Response:
        """Let an account's entries leave again that another engine had stopped (EX-1108)."""
        account = await self._of_body(request)
        allowed = await actor_at(self._host.system, f"/venues/{account}/desk").ask(AllowEntries(account), ASK_S)
        return answer(plain(allowed))

    async def _of_body(self, request: web.Request) -> str:
        return self._account(decode_json(await request.read() or b"{}", VenueCommand).account)

    def _account(self, wanted: str) -> str:
        accounts = account_names(self._host)
        if not wanted and len(accounts) > 1:
            text = f"there are several accounts, say which: {', '.join(accounts)}"
            raise Refused(422, "MissingField", text, path="account")
        return known_account(self._host, wanted or accounts[0])


def _row(instrument: Instrument) -> dict[str, Any]:
    rules = instrument.rules
    return {
        "symbol": instrument.symbol,
        "venue_symbol": instrument.venue_symbol,
        "tick_size": f"{rules.tick_size:f}",
        "step_size": f"{rules.step_size:f}",
        "min_qty": f"{rules.min_qty:f}",
        "min_notional": f"{rules.min_notional:f}",
        "maker_fee": f"{instrument.maker_fee:f}",
        "taker_fee": f"{instrument.taker_fee:f}",
    }
