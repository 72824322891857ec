"""What the phone shows of the house: each command that only looks, as text without markup."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any, Final

from actors.risk import PERMITS
from actors.session_figures import figures_of_calls
from actors.session_topics import health_topic, market_topic
from actors.telegram.seat import BUTTONS, Answer
from actors.topics import precision_topic
from protocol.approvals import APPROVAL_DESK, ListApprovals
from protocol.groups.naming import leg_name
from protocol.notifications import NOTIFIER, ListNotices
from protocol.offset import RiskPicture, RiskView
from protocol.pool import QueueReport, QueueSnapshot
from protocol.precision import RulesState
from protocol.risk import Bar, Permit
from protocol.values import Scope
from protocol.venue import VenueHealth
from rules.money import amount_of
from rules.notation import words
from rules.performance import day_of, day_start
from runtime.clock import NANOS
from runtime.errors import ActorError
from service.api import rows
from service.api.answers import Refused
from service.api.control import actor_at
from service.api.equity import equity_of
from service.api.host import ASK_S, Host
from service.api.past import Figures
from service.api.reading import Reading
from service.journals import journal_of, views_of
from service.notices import zone_of
from service.report.pictures import picture_beside
from service.telegram.drafts import draft_said
from service.telegram.lines import LIVE_S, age, group_lines, listed, moment, typing
from service.telegram.pausing import HELD
from service.telegram.timing import NO_CALENDAR, NO_MODEL, maintenance, round_trips, signal_to_order
from store.pnl import PnlFilter
from store.signal_times import signal_times

__all__ = ["PhoneViews"]

_EVERY: Final = 1_000_000
"""Open groups that are looked at: all of them, or closing everything would leave the oldest open."""

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

    async def show(self, command: str, args: Sequence[str], account: str) -> Answer:
        """Return the answer to a command."""
        one: Mapping[str, Callable[[Sequence[str], str], Awaitable[Answer | str]]] = {
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
        found = await one[command](args, account)
        return found if isinstance(found, Answer) else Answer(found)

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
        held = permit.held if permit is not None else ()
        worth = {each["account"]: each for each in await equity_of(host.system, names)}
        for name in names:
            lines += self._account_lines(name, worth.get(name), [bar for account, bar in held if account == name])
        lines += await self._earned(account)
        signal, (count, _newest) = await self.reading.views(
            lambda views: (views.signals(limit=1), views.alerts(limit=1))
        )
        last = moment(signal[0].received_at, host.system.now(), zone_of(host.config)) if signal else "none yet"
        return "\n".join([*lines, NO_MODEL, f"last signal: {last}", f"alerts to acknowledge: {count or 'none'}"])

    def _account_lines(self, name: str, worth: Mapping[str, Any] | None, held: Sequence[Bar]) -> list[str]:
        """Say how an account stands: venue and age of its newest price, equity, and why it takes no entries."""
        bus, now = self._host.system.bus, self._host.system.now()
        health: VenueHealth | None = bus.kept(health_topic(name))
        rules: RulesState | None = bus.kept(precision_topic(name))
        ticks = [bus.kept(market_topic(name, each.symbol)) for each in (rules.instruments if rules is not None else ())]
        newest = max((each.at for each in ticks if each is not None), default=None)
        late = 0.0 if newest is None else (now - newest) / NANOS
        feed = "no prices yet" if newest is None else "prices live" if late < LIVE_S else f"prices {age(late)} old"
        lines = [f"{name}: venue {'connecting' if health is None else health.status.value}, {feed}"]
        if worth and worth["equity"]:
            lines.append(f"  equity {amount_of(Decimal(worth['equity']), worth['currency'])}")
        return [*lines, *(f"  {HELD[each.code]}: {each.why}" for each in held)]

    async def _earned(self, account: str) -> list[str]:
        query = {"parts": "none", "range": "all", **({"account": account} if account else {})}
        found = await self._figures.answer(query)
        pnl = found["dashboard"]["pnl"]
        return [
            f"P&L today {pnl['day']:+,.2f}, week {pnl['week']:+,.2f} USD ({found['scope']})",
            f"{found['open_groups']} open, {found['unrealized']:+,.2f} USD unrealized",
        ]

    async def _positions(self, _: Sequence[str], account: str) -> Answer:
        found = await self.open_groups(account)
        if not found:
            return Answer("No group is open.")
        closes = [
            typing(f"Close {each['symbol']} {each['side']}", "/close", self._whose(each["account"]), each["group_id"])
            for each in found[:BUTTONS]
        ]
        return Answer(listed([self.said(each) for each in found]), tuple(closes))

    def _whose(self, account: str) -> str:
        """Return an account where it has to be named: where there are several."""
        return account if len(self._host.config.accounts) > 1 else ""

    def said(self, group: Mapping[str, Any]) -> str:
        """Say a group in a few lines."""
        return group_lines(group, self._host.system.now(), self._whose(group["account"]))

    async def open_groups(self, account: str = "") -> list[dict[str, Any]]:
        """Return open groups with their prices."""
        made = await self.reading.views(
            lambda views: rows.group_rows(views, open_only=True, limit=_EVERY, account=account, scope=None)
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
                amount_of(sum((each.fees_quote for each in rows_ if each.quote == quote), Decimal(0)), quote)
                for quote in sorted({each.quote for each in rows_})
            )
            or "none"
        )
        rate = stats["win_rate_percent"]
        shown = "no win rate yet" if rate is None else f"win rate {rate:.1f} %"
        net = found["dashboard"]["pnl"]["all"]
        return f"{args[0]} ({scope.value})\n{stats['trades']} closed, {shown}\nnet {net:+,.2f} USD, costs {costs}"

    async def _queue(self, _: Sequence[str], account: str) -> Answer:
        lines: list[str] = []
        buttons = []
        for name in self.accounts(account):
            report: QueueReport = await actor_at(self._host.system, f"/risk/pool-{name}").ask(QueueSnapshot(), ASK_S)
            paused = f", {report.paused}" if report.paused else ""
            lines.append(f"{name}: {report.free} of {report.maximum} slots free{paused}")
            for each in report.entries:
                why = words(each.hold or each.reason.value)
                lines.append(f"{each.rank}. {each.symbol} {each.timeframe} {each.side.value}: {why} ({each.queue_id})")
                buttons.append(typing(f"Promote {each.symbol}", "/promote", self._whose(name), each.queue_id))
        return Answer(listed(lines), tuple(buttons[:BUTTONS]))

    async def _risk(self, _: Sequence[str], account: str) -> str:
        lines = []
        for name in self.accounts(account):
            found: RiskPicture = await actor_at(self._host.system, f"/risk/offset-{name}").ask(RiskView(), ASK_S)
            lines.append(f"{name}: {found.status.value}{f', {found.why}' if found.why else ''}")
            for each in found.losers:
                loss = "?" if each.loss_usd is None else f"{each.loss_usd:+.2f} USD ({each.loss_percent:+.2f} %)"
                lines.append(f"{each.symbol}: {loss}, timer {words(each.timer)} ({each.group_id})")
        return listed(lines)

    async def _alerts(self, _: Sequence[str], __: str) -> Answer:
        count, newest = await self.reading.views(lambda views: views.alerts(limit=_ROWS))
        if not count:
            return Answer("No alert waits to be acknowledged.")
        found = await actor_at(self._host.system, NOTIFIER).ask(ListNotices(), ASK_S)
        said = {each.position: each.title for each in found.notices}
        more = [f"and {count - len(newest)} more"] if count > len(newest) else []
        lines = [f"\u203c {said.get(each.position, each.text)}" for each in newest]
        return Answer("\n".join([*lines, *more]), (typing("Acknowledge all", "/ack"),))

    async def _approvals(self, _: Sequence[str], __: str) -> Answer:
        found = await actor_at(self._host.system, APPROVAL_DESK).ask(ListApprovals(), ASK_S)
        if not found.prompts:
            return Answer("Nothing waits for a word.")
        buttons = [
            typing(f"{word.title()} {each.prompt_id}", f"/{word}", each.prompt_id)
            for each in found.prompts[: BUTTONS // 2]
            for word in ("approve", "reject")
        ]
        return Answer(listed([f"{each.prompt_id}: {each.title}" for each in found.prompts]), tuple(buttons))

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
