"""The made-up house: what stands in it, what happens in it, and what commands do to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from protocol.groups.naming import leg_name
from tui.demo.groups import Group, begun
from tui.demo.prices import MARKETS, noise, price_at, text_of

__all__ = ["SLOTS", "World"]

SLOTS: Final = {"main": 10, "perp": 3}
_SECOND: Final = 1_000_000_000
_RULES: Final = (
    "pyramid_continuation",
    "highest_loss_percent",
    "highest_replacement_count",
    "highest_expected_profit",
    "fifo",
)
_WAITING: Final = (
    # symbol, timeframe, side, reason, hold, replacements, expected, minutes, entry off %
    ("SUI/USDT", "15m", "long", "pool_full", "", 2, 14.2, 41, 1.9),
    ("OP/USDT", "1h", "long", "pool_full", "", 0, 11.7, 23, 1.2),
    ("DOT/USDT", "15m", "long", "pool_full", "", 1, 8.4, 66, 0.8),
    ("APT/USDT", "15m", "short", "pool_full", "", 0, 9.9, 12, -0.4),
    ("ATOM/USDT", "1h", "long", "pool_full", "", 3, 6.1, 118, 0.2),
    ("ETH/USDT", "1h", "short", "opposite_side", "opposite_side", 0, 12.0, 7, -0.9),
    ("ADA/USDT", "5m", "long", "precision_missing", "precision_missing", 0, 5.3, 2, 0.1),
)
_TROUBLE: Final = (
    # seconds ago, severity, code, identity, text
    (95, "warning", "RateLimitNear", "main", "order rate limit at 92 %: new entries are slowed down"),
    (412, "error", "OrderRejected", "ARB/USDT 15m long", "entry P1 DCA3 rejected by the venue: PRICE_FILTER"),
    (1_260, "warning", "PrecisionOld", "ADA/USDT", "precision of ADA/USDT is 26 h old: entries wait for the next sync"),
    (2_940, "warning", "SlippageHigh", "DOGE/USDT 5m long", "market close slipped 0.84 %, limit 1 %"),
    (5_100, "error", "OrderRejected", "INJ/USDT 1h short", "entry P0 DCA4 rejected by the venue: insufficient margin"),
)


class World:
    """Everything there is; ``happened`` hears events as the stream would send them."""

    def __init__(self, now: int) -> None:
        self.began = now
        self.now = now
        self.groups: list[Group] = begun(now)
        self.status, self.reason = "running", ""
        self.held: dict[str, str] = {}
        self.settings: dict[str, Any] = {"execution_pool.max_open_groups": 13, "ui.theme": "dark"}
        self.keys: Sequence[Mapping[str, Any]] = ()
        self.draft: dict[str, Any] | None = None
        self.masks: dict[tuple[str, str], str] = {
            ("main", "api_key"): "****A4B19K***",
            ("main", "api_secret"): "********",
        }
        self.backups: list[dict[str, Any]] = []
        self.settings_version = 4
        self.realized = 1_284.37
        self.position = 48_211
        self.queue: list[dict[str, Any]] = [self._waiting(number, row) for number, row in enumerate(_WAITING)]
        self.log: list[dict[str, Any]] = []
        self.acknowledged = False
        self.notices: list[dict[str, Any]] = []
        self.stands: dict[str, str] = {}
        self.restarted: dict[str, int] = {}
        self.decisions: list[dict[str, Any]] = []
        self.happened: Callable[[dict[str, Any]], None] = lambda _: None
        self._ticked = now // _SECOND
        for ago, severity, code, identity, text in reversed(_TROUBLE):
            self.note(severity, code, identity, text, at=now - ago * _SECOND, quietly=True)

    # --- time ----------------------------------------------------------------------------------------------------------

    def go_to(self, now: int) -> None:
        """Let time go by: once a second something may happen."""
        self.now = max(now, self.now)
        second = self.now // _SECOND
        for tick in range(max(self._ticked, second - 60) + 1, second + 1):
            self._tick(tick)
        self._ticked = second

    def _tick(self, tick: int) -> None:
        for group in [each for each in self.groups if each.closing_at and self.now >= each.closing_at]:
            self._close(group)
        if tick % 4 == 0 and self.groups:
            self._trade(self.groups[int((noise(tick, 7) + 1) * 499) % len(self.groups)], tick)
        if tick % 23 == 0:
            symbol = list(MARKETS)[tick % len(MARKETS)]
            self.note(
                "info",
                "SignalAccepted",
                f"{symbol} 15m long",
                f"entry {symbol} taken from the webhook",
                kind="SignalAccepted",
            )

    def _trade(self, group: Group, tick: int) -> None:
        """Fill the next layer, or let a leg reach its target and come back."""
        if group.closing_at:
            return
        waiting = [leg for leg in group.legs if leg.state == "open"]
        done = [leg for leg in group.legs if leg.hit]
        named = f"{group.market.symbol} {group.timeframe} {group.side}"
        if done and noise(tick, 3) > 0:
            done[0].hit = False
            return
        if waiting and noise(tick, 1) > 0.25:
            leg = waiting[0]
            leg.filled = True
            text = f"entry {leg_name(leg.leg_id)} filled {leg.qty} at {leg.price}"
            self.note("order", "OrderFilled", named, text, group=group.group_id, kind="LegFilled")
            return
        ahead = [leg for leg in group.legs if leg.held]
        if ahead and group.result(self.now) > 0:
            leg = ahead[0]
            leg.hit = True
            gain = leg.qty * leg.price * 0.01
            group.realized += gain
            self.realized += gain
            text = f"target of {leg_name(leg.leg_id)} filled {leg.qty}: +{gain:.2f}"
            self.note("order", "TargetFilled", named, text, group=group.group_id, kind="TargetFilled")

    def _close(self, group: Group) -> None:
        result = group.result(self.now)
        self.groups.remove(group)
        self.realized += result
        named = f"{group.market.symbol} {group.timeframe} {group.side}"
        self.note(
            "order",
            "GroupClosed",
            named,
            f"closed by the operator: {result:+.2f}",
            group=group.group_id,
            kind="GroupClosed",
        )

    # --- noting --------------------------------------------------------------------------------------------------------

    def note(
        self,
        severity: str,
        code: str,
        identity: str,
        text: str,
        *,
        group: str = "",
        kind: str = "",
        at: int = 0,
        quietly: bool = False,
    ) -> None:
        """Write a line into the log and tell who follows."""
        self.position += 1
        line: dict[str, Any] = {
            "position": self.position,
            "at": at or self.now,
            "source": "order" if severity == "order" else "system",
            "severity": severity,
            "code": code,
            "identity": identity,
            "symbol": identity.partition(" ")[0],
            "timeframe": [*identity.split(), "", ""][1],
            "group_id": group,
            "client_order_id": "",
            "signal_id": "",
            "text": text,
            "tags": [],
            "pinned": severity in ("warning", "error"),
            "acknowledged_at": None,
            "acknowledged_by": "",
            "correlation_id": self.position * 7,
            "stream": f"group:{group}" if group else "/risk",
        }
        self.log.append(line)
        del self.log[:-2_000]
        if not quietly:
            self.happened({**line, "kind": "event", "type": kind or code, "event": {}})

    def _waiting(self, number: int, row: tuple[Any, ...]) -> dict[str, Any]:
        symbol, timeframe, side, reason, hold, replaced, expected, minutes, off = row
        market = MARKETS[symbol]
        return {
            "queue_id": f"q{number + 31}",
            "group_key": f"trader|binance|{symbol}|{timeframe}|{side}",
            "signal_id": f"s0000{number + 412:04d}",
            "venue": "binance",
            "symbol": symbol,
            "timeframe": timeframe,
            "side": side,
            "reason": reason,
            "hold": hold,
            "reverse": False,
            "continuation": False,
            "replacements": replaced,
            "expected_profit": f"{expected:.2f}",
            "entry": price_at(market, self.began) * (1 + off / 100),
            "queued_at": self.began - minutes * 60 * _SECOND,
        }

    def entries(self) -> list[dict[str, Any]]:
        """Return what waits, best first, as the API does."""
        found = []
        for each in self.queue:
            market = MARKETS[each["symbol"]]
            here, sign = price_at(market, self.now), 1 if each["side"] == "long" else -1
            loss = (here / each["entry"] - 1) * 100 * sign
            found.append((each, here, loss))
        found.sort(key=lambda row: (bool(row[0]["hold"]), row[2]))
        return [self._entry(rank, *row) for rank, row in enumerate(found, 1)]

    def _entry(self, rank: int, each: dict[str, Any], here: float, loss: float) -> dict[str, Any]:
        places = MARKETS[each["symbol"]].places
        values = ("no", f"{loss:.2f} %", str(each["replacements"]), each["expected_profit"], str(each["queued_at"]))
        why = f"held: {each['hold'].replace('_', ' ')}" if each["hold"] else f"by highest_loss_percent: {loss:.2f} %"
        shown = {name: value for name, value in each.items() if name != "entry"}
        return {
            **shown,
            "rank": rank,
            "loss_percent": f"{loss:.2f}",
            "entry_price": text_of(each["entry"], places),
            "current_price": text_of(here, places),
            "updated_at": each["queued_at"],
            "expires_at": each["queued_at"] + 86_400 * _SECOND,
            "keys": [{"rule": rule, "value": value} for rule, value in zip(_RULES, values, strict=True)],
            "why": why,
        }

    def queues(self) -> list[dict[str, Any]]:
        """Return the queue of each account as the API does."""
        found = []
        for account, most in SLOTS.items():
            taken = sum(group.account == account for group in self.groups)
            found.append(
                {
                    "account": account,
                    "entries": self.entries() if account == "main" else [],
                    "rules": list(_RULES),
                    "occupied": taken,
                    "maximum": most,
                    "free": max(0, most - taken),
                    "queue_limit": 100,
                    "paused": self.reason if self.status == "paused" else self.held.get(account, ""),
                    "at": self.now,
                }
            )
        return found
