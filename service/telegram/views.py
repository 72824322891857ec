"""What the phone shows of the house: each command that only looks, as text without markup."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Final

from actors.risk import PERMITS
from actors.session_figures import figures_of_calls
from actors.session_topics import health_topic
from protocol.approvals import APPROVAL_DESK, ListApprovals
from protocol.groups.naming import leg_name
from protocol.offset import RiskPicture, RiskView
from protocol.pool import QueueReport, QueueSnapshot
from protocol.risk import Permit
from protocol.values import Scope
from protocol.venue import VenueHealth
from rules.performance import day_of, day_start
from runtime.errors import ActorError
from service.api import rows
from service.api.answers import Refused
from service.api.control import actor_at
from service.api.equity import equity_of
from service.api.host import ASK_S, Host
from service.api.performance import Figures
from service.api.reading import Reading
from service.journals import journal_of, views_of
from service.notices import zone_of
from service.report.pictures import picture_beside
from service.telegram.drafts import draft_said
from service.telegram.timing import NO_CALENDAR, maintenance, round_trips, signal_to_order
from store.pnl import PnlFilter
from store.signal_times import signal_times

__all__ = ["PhoneViews", "group_line"]

_ROWS: Final = 15
"""Rows of a list; what is left out is counted."""


class PhoneViews:
    """Answers commands that only look; with connections of its own, so that it holds up nobody."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.reading = Reading(journal_of(host.config), views_of(host.config))
        self._figures = Figures(host)

    def close(self) -> None:
        """Release the files."""
        self.reading.close()
        self._figures.reading.close()

    async def show(self, command: str, args: Sequence[str], account: str) -> str:
        """Return the answer to a command."""
        one: Mapping[str, Callable[[Sequence[str], str], Awaitable[str]]] = {
            "/status": self._status,
            "/positions": self._positions,
            "/pnl": self._pnl,
            "/queue": self._queue,
            "/risk": self._risk,
            "/alerts": self._alerts,
            "/approvals": self._approvals,
            "/draft": self._draft,
            "/latency": self._latency,
            "/news": self._news,
        }
        return await one[command](args, account)

    async def draw(self, picture: str) -> bytes:
        """Return a picture (PNG): ``equity`` or ``pnl``, of an account or of all (``equity:main``)."""
        name, _, account = picture.partition(":")
        query = {"range": "30d", **({"account": account} if account else {})}
        found = await self._figures.answer(query)
        return await picture_beside(found, {"pnl": "by_day"}.get(name, "equity"), "dark")

    def accounts(self, account: str) -> list[str]:
        """Return the accounts that are meant: one, or all."""
        return [account] if account else [each.name for each in self._host.config.accounts]

    # --- one by one ----------------------------------------------------------------------------------------------------

    async def _status(self, _: Sequence[str], account: str) -> str:
        host, names = self._host, self.accounts(account)
        permit: Permit | None = host.system.bus.kept(PERMITS)
        state = "unknown" if permit is None else permit.status.value
        why = f": {permit.reason}" if permit is not None and permit.reason else ""
        lines = [f"{host.config.app.mode.value}, engine {state}{why}"]
        stopped = dict(permit.stopped) if permit is not None else {}
        worth = {each["account"]: each for each in await equity_of(host.system, names)}
        lines += [self._account_line(name, worth.get(name), stopped.get(name)) for name in names]
        lines.append(await self._earned(account))
        count, _newest = await self.reading.views(lambda views: views.alerts(limit=1))
        return "\n".join([*lines, f"alerts to acknowledge: {count}"])

    def _account_line(self, name: str, worth: Mapping[str, Any] | None, stopped: str | None) -> str:
        health: VenueHealth | None = self._host.system.bus.kept(health_topic(name))
        venue = "connecting" if health is None else health.status.value
        equity = f", equity {_money(worth['equity'])} {worth['currency']}" if worth and worth["equity"] else ""
        halted = f", STOPPED until armed: {stopped}" if stopped is not None else ""
        return f"{name}: venue {venue}{equity}{halted}"

    async def _earned(self, account: str) -> str:
        query = {"parts": "none", "range": "all", **({"account": account} if account else {})}
        found = await self._figures.answer(query)
        pnl = found["dashboard"]["pnl"]
        open_, unrealized = found["open_groups"], found["unrealized"]
        return (
            f"P&L day {pnl['day']:+.2f}, week {pnl['week']:+.2f} USD ({found['scope']}); "
            f"{open_} open, {unrealized:+.2f} unrealized"
        )

    async def _positions(self, _: Sequence[str], account: str) -> str:
        found = await self.open_groups(account)
        if not found:
            return "No group is open."
        return _listed([group_line(each) for each in found])

    async def open_groups(self, account: str = "") -> list[dict[str, Any]]:
        """Return open groups with their prices."""
        made = await self.reading.views(
            lambda views: rows.group_rows(views, open_only=True, limit=200, account=account, scope=None)
        )
        return await rows.groups_with_prices(self._host.system, made)

    async def _pnl(self, args: Sequence[str], account: str) -> str:
        now, zone = self._host.system.now(), zone_of(self._host.config)
        today = day_of(now, zone)
        first = {"week": today - timedelta(days=today.weekday()), "month": today.replace(day=1)}.get(args[0], today)
        query = {"parts": "none", "from": str(first), **({"account": account} if account else {})}
        found = await self._figures.answer(query)
        stats, scope = found["dashboard"]["stats"], Scope(found["scope"])
        wanted = PnlFilter(scope=scope, account=account, since=day_start(first, zone))
        rows_ = await self.reading.views(lambda views: views.pnl("account", wanted))
        costs = (
            ", ".join(
                f"{_money(sum(each.fees_quote for each in rows_ if each.quote == quote))} {quote}"
                for quote in sorted({each.quote for each in rows_})
            )
            or "none"
        )
        rate = stats["win_rate_percent"]
        shown = "no win rate yet" if rate is None else f"win rate {rate:.1f} %"
        net = found["dashboard"]["pnl"]["all"]
        return f"{args[0]} ({scope.value}): {stats['trades']} closed, {shown}, net {net:+.2f} USD, costs {costs}"

    async def _queue(self, _: Sequence[str], account: str) -> str:
        lines = []
        for name in self.accounts(account):
            report: QueueReport = await actor_at(self._host.system, f"/risk/pool-{name}").ask(QueueSnapshot(), ASK_S)
            paused = f", {report.paused}" if report.paused else ""
            lines.append(f"{name}: {report.free} of {report.maximum} slots free{paused}")
            lines += [
                f"{each.rank}. {each.queue_id} {each.side.value} {each.symbol} {each.timeframe}: "
                f"{each.hold or each.reason.value}"
                for each in report.entries
            ]
        return _listed(lines)

    async def _risk(self, _: Sequence[str], account: str) -> str:
        lines = []
        for name in self.accounts(account):
            found: RiskPicture = await actor_at(self._host.system, f"/risk/offset-{name}").ask(RiskView(), ASK_S)
            lines.append(f"{name}: {found.status.value}{f', {found.why}' if found.why else ''}")
            for each in found.losers:
                loss = "?" if each.loss_usd is None else f"{each.loss_usd:+.2f} USD ({each.loss_percent:+.2f} %)"
                lines.append(f"{each.group_id} {each.symbol} {loss}, timer {each.timer}")
        return _listed(lines)

    async def _alerts(self, _: Sequence[str], __: str) -> str:
        count, newest = await self.reading.views(lambda views: views.alerts(limit=_ROWS))
        if not count:
            return "No alert waits to be acknowledged."
        more = [f"and {count - len(newest)} more"] if count > len(newest) else []
        return "\n".join([*(f"‼ {each.code}: {each.text}" for each in newest), *more, "/ack acknowledges all."])

    async def _approvals(self, _: Sequence[str], __: str) -> str:
        found = await actor_at(self._host.system, APPROVAL_DESK).ask(ListApprovals(), ASK_S)
        return _listed([f"{each.prompt_id} {each.title}" for each in found.prompts]) or "Nothing waits for a word."

    async def prompt(self, ident: str) -> str:
        """Return what an entry that waits asks for; raise ``Refused`` (NotFound) when none has that id."""
        found = await actor_at(self._host.system, APPROVAL_DESK).ask(ListApprovals(), ASK_S)
        for each in found.prompts:
            if each.prompt_id == ident:
                return str(each.title)
        raise Refused(404, "NotFound", f"no entry {ident} waits for a word; /approvals lists them", value=ident)

    async def _draft(self, _: Sequence[str], __: str) -> str:
        return await draft_said(self._host)

    async def _latency(self, _: Sequence[str], account: str) -> str:
        lines = []
        for name in self.accounts(account):
            calls = figures_of_calls(self._host.system.black_box.calls(name))
            entries = await self.reading.views(partial(signal_times, account=name))
            lines += [name, round_trips(calls), signal_to_order(entries)]
        return "\n".join(lines)

    async def _news(self, _: Sequence[str], account: str) -> str:
        now, wanted = self._host.system.now(), self.accounts(account)
        spans = [maintenance(each, now) for each in self._host.config.accounts if each.name in wanted]
        return "\n".join([NO_CALENDAR, *filter(None, spans)])

    # --- one group -----------------------------------------------------------------------------------------------------

    async def group(self, ident: str, account: str) -> dict[str, Any]:
        """Return one open group; raise ``Refused`` (UnknownTicket) when there is none of that id."""
        for each in await self.open_groups(account):
            if each["group_id"] == ident:
                return each
        raise Refused(404, "UnknownTicket", f"no open group has the id {ident}; /positions lists them", value=ident)

    async def leg(self, ident: str, leg_id: str) -> None:
        """Raise ``Refused`` (NotFound) unless a group has this leg."""
        known = await self.reading.views(lambda views: [each.leg_id for each in views.legs(ident)])
        if leg_id not in known:
            raise Refused(
                404, "NotFound", f"{ident} has no leg {leg_id}; it has {', '.join(map(leg_name, known))}", value=leg_id
            )

    async def queue_entry(self, ident: str, account: str) -> tuple[str, Any]:
        """Return account and line of a waiting entry; raise ``Refused`` when none has that id."""
        for name in self.accounts(account):
            try:
                report: QueueReport = await actor_at(self._host.system, f"/risk/pool-{name}").ask(
                    QueueSnapshot(), ASK_S
                )
            except ActorError:
                continue
            for each in report.entries:
                if each.queue_id == ident:
                    return name, each
        raise Refused(404, "NotQueued", f"no entry {ident} waits; /queue lists them", value=ident)


def group_line(group: Mapping[str, Any]) -> str:
    """Say a group in a line: id, market, side, what is open at which average, what it stands at."""
    stands = "" if group["unrealized_quote"] is None else f", {float(group['unrealized_quote']):+.2f} {group['quote']}"
    average = "" if not group["avg_entry"] else f" at {_money(group['avg_entry'])}"
    stop = f", stop {_money(group['stop_price'])}" if group["stop_price"] else ""
    target = f", target {_money(group['target_price'])}" if group["target_price"] else ""
    return (
        f"{group['group_id']} {group['side']} {group['symbol']} {group['timeframe']} {_money(group['open_qty'])}"
        f"{average}{stop}{target}{stands} [{group['state']}]"
    )


def _money(value: Any) -> str:
    text = f"{float(value):,.8f}".rstrip("0").rstrip(".")
    return text or "0"


def _listed(lines: Sequence[str]) -> str:
    more = [f"and {len(lines) - 40} more"] if len(lines) > 40 else []
    return "\n".join([*lines[:40], *more])
