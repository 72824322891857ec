"""The group reducer of section 19 written a second time, straight from EX-601 to EX-806, in the words of the vectors.

It knows no orders, ids or acknowledgements but those of the scripts, and shares no line with ``rules``. Where the
requirements leave something open it is said at the place.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from tests.rules.reference_legs import Leg, Targets, allocate, eighteen, floor_to, in_order

Effects = list[dict[str, Any]]
RANK = ("exit_signal", "operator", "stop", "risk_close", "aggregate_tp", "pyramid_tp", "leg_tp")


class Group:
    """One group under a script. ``sent`` are the market closes of which fills are awaited, oldest first."""

    def __init__(self, given: dict[str, Any]) -> None:
        rules = given["rules"]
        self.step, self.least, self.worth = (Fraction(rules[name]) for name in ("step_size", "min_qty", "min_notional"))
        self.targets = Targets(given)
        self.sign = self.targets.sign
        self.keep = given.get("flat_policy") == "keep"
        self.legs = {leg["id"]: Leg(leg) for leg in given["legs"]}
        self.state = "live"
        self.reason: str | None = None
        self.pyramids: set[int] = set()
        self.done: set[int] = set()
        self.sent: list[dict[str, Any]] = []
        self.superseded: list[str] = []
        self.last: Fraction | None = None
        self.released = False
        self.emptied_by = ""

    # --- questions ------------------------------------------------------------------------------------------------------

    @property
    def works(self) -> bool:
        """EX-802."""
        return any(leg.entry == "working" for leg in self.legs.values())

    @property
    def flat(self) -> bool:
        """Whether only dust is left of each leg."""
        return all(leg.open < self.step for leg in self.legs.values())

    def sellable(self, qty: Fraction, price: Fraction | None = None) -> bool:
        """Whether an order passes the minimums, by default at the last known price."""
        price = self.last if price is None else price
        return qty > 0 and qty >= self.least and (price is None or price * qty >= self.worth)

    def claimed(self, leg: Leg) -> Fraction:
        """Return what market closes are about to take of a leg."""
        return sum((each["parts"].get(leg.id, Fraction(0)) for each in self.sent), Fraction(0))

    def watched(self) -> list[tuple[int | None, Fraction]]:
        """Return (pyramid or None for the group, target) of what is watched."""
        left = [leg for leg in self.legs.values() if not (leg.pyramid in self.done and leg.open < self.step)]
        return self.targets.watched(left if self.targets.alone else self.legs.values(), self.pyramids)

    # --- events ---------------------------------------------------------------------------------------------------------

    def run(self, event: dict[str, Any]) -> Effects:
        """Apply one event and return its effects."""
        out: Effects = []
        self.emptied_by = ""
        getattr(self, f"_{event['type']}")(event, out)
        return out

    def _fill(self, event: dict[str, Any], out: Effects) -> None:
        leg, qty, price = self.legs[event["leg"]], Fraction(event["qty"]), Fraction(event["price"])
        net = qty - Fraction(event.get("fee_base", 0))
        leg.gross += qty
        leg.filled += net
        leg.cost += net * price
        self.last = price
        if leg.gross >= leg.qty:
            leg.entry = "done"
        if self.state == "closed":
            out.append({"late_fill": leg.id})
            self._begin(self.reason or "", out)
        self._settle(out)

    def _tp_fill(self, event: dict[str, Any], out: Effects) -> None:
        leg, qty, price = self.legs[event["leg"]], Fraction(event["qty"]), Fraction(event["price"])
        assert leg.target is not None
        rest, at = leg.target
        leg.target = (rest - qty, at) if rest > qty else None
        if leg.target is None:
            leg.target_cancelling = False
        self._book({leg.id: qty}, price)
        self.last = price
        if self.state != "closing" and leg.open < self.step:
            leg.hit = True
            out.append({"leg_closed": leg.id, "reason": "leg_tp"})
        self._settle(out)

    def _book(self, parts: dict[str, Fraction], price: Fraction) -> None:
        for name, qty in parts.items():
            leg = self.legs[name]
            cost = leg.cost if qty == leg.open else eighteen(leg.cost * qty / leg.open)
            leg.realized += self.sign * (qty * price - cost)
            leg.cost -= cost
            leg.closed += qty

    def _cancel_ack(self, event: dict[str, Any], out: Effects) -> None:
        kind, _, name = event["order"].partition(":")
        leg = self.legs[name]
        if kind == "entry":
            leg.entry, leg.cancelling = "cancelled", False
        else:
            leg.target, leg.target_cancelling = None, False
        self._settle(out)

    def _reject(self, event: dict[str, Any], out: Effects) -> None:
        self.legs[event["leg"]].entry = "rejected"
        out.append({"alert": "OrderRejected", "leg": event["leg"]})
        self._settle(out)

    def _price(self, event: dict[str, Any], out: Effects) -> None:
        self.last = price = Fraction(event["price"])
        if self.state in ("closing", "closed"):
            return
        for pyramid, target in self.watched():
            if self.sign * (price - target) < 0:
                continue
            if pyramid is None:
                self._begin("aggregate_tp", out)
                break
            self.pyramids.add(pyramid)
        if self.state != "closing" and self.targets.rests:
            self._deferred(price, out)
        self._settle(out)

    def _deferred(self, price: Fraction, out: Effects) -> None:
        due = {
            leg.id: leg.open
            for leg in self.legs.values()
            if leg.deferred is not None
            and leg.target is None
            and leg.open > 0
            and not self.claimed(leg)
            and self.sign * (price - leg.deferred) >= 0
        }
        qty = floor_to(sum(due.values(), Fraction(0)), self.step)
        if self.sellable(qty, price):
            self._send("partial", qty, "leg_tp", in_order(due, qty), out)

    def _exit(self, event: dict[str, Any], out: Effects) -> None:
        if self.state == "closed":
            return
        if self.state == "closing":
            self._late(event["reason"], out)
        else:
            self._begin(event["reason"], out)
        self._settle(out)

    def _late(self, reason: str, out: Effects) -> None:
        self.superseded.append(reason)
        out.append({"superseded": reason})

    def _batch(self, event: dict[str, Any], out: Effects) -> None:
        for trigger in sorted(event["triggers"], key=lambda each: RANK.index(each["reason"])):
            self._exit(trigger, out)

    def _reduce(self, event: dict[str, Any], out: Effects) -> None:
        # Of what no close has laid claim to yet: that part has left already, as far as the strategy knows.
        stays = sum((each for each in self._free().values()), Fraction(0))
        self._part(stays * Fraction(event["fraction"]), "reduce", "reduce", out)

    def _risk_partial(self, event: dict[str, Any], out: Effects) -> None:
        self._part(Fraction(event["qty"]), "risk_partial", "risk_close", out)

    def _free(self) -> dict[str, Fraction]:
        free = {leg.id: leg.open - self.claimed(leg) for leg in self.legs.values() if leg.pyramid not in self.pyramids}
        return {name: qty for name, qty in free.items() if qty > 0}

    def _part(self, wanted: Fraction, reason: str, whole: str, out: Effects) -> None:
        if self.state == "closed":
            return
        if self.state == "closing":
            self._late(reason, out)
            self._settle(out)
            return
        free = self._free()
        held = sum(free.values(), Fraction(0))
        qty = floor_to(min(wanted, held), self.step)
        everything = held == sum((leg.open for leg in self.legs.values()), Fraction(0))
        if not self.sellable(qty):
            out.append({"skipped": reason})
        elif everything and not self.sellable(floor_to(held - qty, self.step)):
            # Also a reduction of everything: nothing is left that could be sold.
            self._begin(whole, out)
        else:
            parts = {name: part for name, part in allocate(free, qty, self.step).items() if part > 0}
            for leg in self.legs.values():
                if parts.get(leg.id) and self.targets.rests:
                    self._refresh(leg, parts[leg.id], out)
            self._send("partial", qty, reason, parts, out)
        self._settle(out)

    def _close_fill(self, event: dict[str, Any], out: Effects) -> None:
        qty, price = Fraction(event["qty"]), Fraction(event["price"])
        close = next(each for each in self.sent if each["scope"] == event["scope"])
        parts = {name: part for name, part in close["parts"].items() if part > 0}
        booked = allocate(parts, qty, self.step) if close["scope"] == "partial" else in_order(parts, qty)
        self._book(booked, price)
        self.last = price
        for name, part in booked.items():
            close["parts"][name] -= part
        if not any(close["parts"].values()):
            self.sent.remove(close)
            self.emptied_by = {"reduce": "reduce", "risk_partial": "risk_close"}.get(close["reason"], "")
        if close["scope"] == "partial" and self.state != "closing":
            for name, part in booked.items():
                if part and self.legs[name].open < self.step:
                    self.legs[name].hit = close["reason"] == "leg_tp"
                    out.append({"leg_closed": name, "reason": close["reason"]})
        self._settle(out)

    # --- what follows ---------------------------------------------------------------------------------------------------

    def _send(self, scope: str, qty: Fraction, reason: str, parts: dict[str, Fraction], out: Effects) -> None:
        self.sent.append({"scope": scope, "reason": reason, "parts": dict(parts)})
        effect: dict[str, Any] = {"market_close": qty, "scope": scope, "reason": reason}
        if scope == "partial":
            effect["allocation"] = dict(parts)
        out.append(effect)

    def _begin(self, reason: str, out: Effects) -> None:
        self.state, self.reason = "closing", reason
        out.append({"state": "closing", "reason": reason})
        self._cancel(list(self.legs.values()), out)

    def _cancel(self, legs: list[Leg], out: Effects) -> None:
        for leg in legs:
            if leg.entry == "working" and not leg.cancelling:
                leg.cancelling = True
                out.append({"cancel": f"entry:{leg.id}"})
        for leg in legs:
            if leg.target is not None and not leg.target_cancelling:
                leg.target_cancelling = True
                out.append({"cancel": f"tp:{leg.id}"})

    def _settle(self, out: Effects) -> None:
        if self.state == "closed":
            return
        self._begin_if_flat(out)
        if self.state != "closing":
            self._rests(out)
            for number in sorted(self.pyramids):
                self._advance_pyramid(number, out)
            self._begin_if_flat(out)
        if self.state == "closing":
            self._advance_group(out)
        else:
            self._derive(out)

    def _begin_if_flat(self, out: Effects) -> None:
        """EX-615; a close that still runs is awaited."""
        filled = any(leg.filled > 0 for leg in self.legs.values())
        running = self.sent or self.pyramids
        if self.state != "closing" and filled and self.flat and not running and not (self.keep and self.works):
            # A slice that came last names the reason (EX-804 does not say).
            self._begin(self.emptied_by or "take_profit", out)

    def _rests(self, out: Effects) -> None:
        """EX-604, EX-605, EX-614."""
        if not self.targets.rests:
            return
        for leg in self.legs.values():
            if leg.hit and leg.entry == "working" and not leg.cancelling:
                leg.cancelling = True
                out.append({"cancel": f"entry:{leg.id}"})
        for leg in self.legs.values():
            self._refresh(leg, Fraction(0), out)

    def _refresh(self, leg: Leg, besides: Fraction, out: Effects) -> None:
        qty = floor_to(leg.open - self.claimed(leg) - besides, self.step) if leg.open > 0 else Fraction(0)
        price = self.targets.resting(leg) if qty > 0 else Fraction(0)
        resting = leg.target
        if resting == (qty, price):
            return
        fits = self.sellable(qty, price) if qty > 0 else False
        if fits:
            leg.target, leg.deferred = (qty, price), None
            word = "place_tp" if resting is None else "replace_tp"
            out.append({word: leg.id, "qty": qty, "price": price})
            return
        if resting is not None:
            leg.target = None
            out.append({"cancel": f"tp:{leg.id}"})
        if qty > 0 and (leg.deferred != price or qty > leg.deferred_qty):
            # What is watched already stays so when a slice takes part of it: nothing new to say (ours to choose).
            leg.deferred, leg.deferred_qty = price, qty
            out.append({"defer_tp": leg.id, "qty": qty})

    def _advance_pyramid(self, number: int, out: Effects) -> None:
        legs = [leg for leg in self.legs.values() if leg.pyramid == number]
        self._cancel(legs, out)
        if any(leg.entry == "working" or leg.target is not None for leg in legs):
            return
        if self._send_rest(f"pyramid:{number}", legs, "pyramid_tp", out):
            return
        if any(self.claimed(leg) for leg in legs):
            return
        dust = sum((leg.open for leg in legs if leg.open >= self.step), Fraction(0))
        if dust:
            for leg in legs:
                if leg.open >= self.step:
                    leg.cost, leg.dust = Fraction(0), leg.dust + leg.open
            out.append({"dust": dust})
        self.pyramids.discard(number)
        self.done.add(number)
        self.emptied_by = ""
        out.append({"pyramid_closed": number, "reason": "pyramid_tp"})

    def _send_rest(self, scope: str, legs: list[Leg], reason: str, out: Effects) -> bool:
        free = {leg.id: leg.open - self.claimed(leg) for leg in legs if leg.open > 0}
        qty = floor_to(sum(free.values(), Fraction(0)), self.step)
        if not self.sellable(qty):
            return False
        self._send(scope, qty, reason, in_order(free, qty), out)
        return True

    def _advance_group(self, out: Effects) -> None:
        """EX-703 to EX-707."""
        legs = list(self.legs.values())
        if any(leg.entry == "working" or leg.target is not None for leg in legs):
            return
        if self._send_rest("group", legs, self.reason or "", out) or self.sent:
            return
        dust = sum((leg.open for leg in legs), Fraction(0))
        if dust > 0:
            for leg in legs:
                leg.cost, leg.dust = Fraction(0), leg.dust + leg.open
            out.append({"dust": dust})
        self.state = "closed"
        self.pyramids.clear()
        out.append({"state": "closed", "reason": self.reason})
        if not self.released:
            self.released = True
            out.append({"release_slot": True})

    def _derive(self, out: Effects) -> None:
        filled = any(leg.filled > 0 for leg in self.legs.values())
        if not filled or self.flat:
            if self.works:
                new = "live"
            elif not filled:
                failed = all(leg.entry in ("rejected", "blocked") for leg in self.legs.values())
                self.state, self.reason = "closed", "entry_failed" if failed else "unfilled_cancelled"
                self.released = True
                out.extend([{"state": "closed", "reason": self.reason}, {"release_slot": True}])
                return
            else:
                return
        else:
            new = "partially_filled" if self.works else "active"
        if new != self.state:
            self.state = new
            out.append({"state": new})

    # --- the end --------------------------------------------------------------------------------------------------------

    def final(self) -> dict[str, Any]:
        """Return the figures of the end in the shape of the vectors."""
        legs = self.legs.values()
        held = sum((leg.open for leg in legs), Fraction(0))
        cost = sum((leg.cost for leg in legs if leg.open > 0), Fraction(0))
        return {
            "state": self.state,
            "closed_reason": self.reason,
            "open_qty": held,
            "avg_entry": eighteen(cost / held) if held else None,
            "realized_quote": sum((leg.realized for leg in legs), Fraction(0)),
            "dust": sum((leg.dust for leg in legs), Fraction(0)),
            "superseded": list(self.superseded),
            "legs": {
                leg.id: {"entry": leg.entry, "filled": leg.filled, "closed": leg.closed, "dust": leg.dust}
                for leg in legs
            },
            "resting_tp": {
                leg.id: {"qty": leg.target[0], "price": leg.target[1]} for leg in legs if leg.target is not None
            },
        }
