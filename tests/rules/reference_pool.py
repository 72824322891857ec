"""Pool and queue written a second time, straight from EX-901 to EX-931 and the events of section 19.

It shares no line with ``rules.pool``. Where the requirements leave something open it is said at the place.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Any

ORDER = (
    "pyramid_continuation",
    "highest_loss_percent",
    "highest_replacement_count",
    "highest_expected_profit",
    "fifo",
)
SWITCH = dict(
    zip(
        ORDER,
        (
            "same_pair_timeframe",
            "deepest_loss_percent",
            "highest_replacement",
            "highest_expected_profit",
            "fifo_fallback",
        ),
        strict=True,
    )
)
CENT = Decimal("0.01")


def when(told: str | datetime) -> datetime:
    """Return an instant."""
    return told if isinstance(told, datetime) else datetime.fromisoformat(told)


def loss_percent(side: str, entry: str, price: str | None) -> Decimal | None:
    """Return EX-921 at 0.01 half-even (EX-922)."""
    if price is None:
        return None
    moved = (Fraction(price) - Fraction(entry)) * 100 / Fraction(entry) * (1 if side == "long" else -1)
    exact = Fraction(round(moved * 10**18), 10**18)
    return (Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(CENT, ROUND_HALF_EVEN)


def rank(entries: list[dict[str, Any]], priority: list[str], switches: dict[str, bool]) -> list[dict[str, Any]]:
    """Return EX-920's order: stable sorts from the last rule to the first."""
    ranked = sorted(entries, key=lambda each: int(each["id"][1:]))
    for rule in reversed(priority):
        if not switches.get(SWITCH[rule], True):
            continue
        if rule == "pyramid_continuation":
            ranked.sort(key=lambda each: not each["continuation"])
        elif rule == "highest_loss_percent":
            ranked.sort(key=_loss)
        elif rule == "highest_replacement_count":
            ranked.sort(key=lambda each: -each["replacement_count"])
        elif rule == "highest_expected_profit":
            ranked.sort(key=lambda each: -Decimal(each["expected_profit"]))
        else:
            ranked.sort(key=lambda each: when(each["queued_at"]))
    return ranked


def _loss(entry: dict[str, Any]) -> tuple[bool, Decimal]:
    percent = loss_percent(entry["side"], entry["entry_price"], entry["price"])
    return percent is None, percent or Decimal(0)


def opposite(key: str) -> str:
    """Return the identity of the other side."""
    rest, _, side = key.rpartition("|")
    return f"{rest}|{'short' if side == 'long' else 'long'}"


def nets(one: str, other: str) -> bool:
    """Whether an account holds only one of two sides: the sides of an identity, and those of one perpetual (EX-913)."""
    if one == opposite(other):
        return True
    first, second = one.split("|"), other.split("|")
    return ":" in first[2] and first[:3] == second[:3] and first[4] != second[4]


class Pool:
    """One pool: ``live`` by key (pyramids received, whether it closes), ``queue`` in order of queueing."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config
        self.limit = config.get("max_open_groups", 10)
        self.most = config.get("max_pyramids_per_group", 5)
        self.bypass = config.get("same_pair_timeframe", True)
        self.live: dict[str, dict[str, Any]] = {}
        self.queue: list[dict[str, Any]] = []
        self.heirs: set[str] = set()
        self.queued = 0
        self.paused = False
        self.missing: set[str] = set()
        self.prices: dict[str, str] = {}
        self.now = datetime.fromisoformat("1970-01-01T00:00:00Z")

    def on(self, name: str) -> bool:
        """Whether a switch is on; all of them are by default."""
        return bool(self.config.get(name, True))

    @property
    def occupied(self) -> int:
        """EX-903."""
        counted = self.config.get("count_pyramids_toward_pool", False)
        return sum(group["received"] if counted else 1 for group in self.live.values())

    def continues(self, key: str) -> bool:
        """Whether an entry would be a pyramid of a live group that is not closing."""
        return key in self.live and not self.live[key]["closing"]

    def has_place(self, key: str) -> bool:
        """EX-904."""
        return self.occupied < self.limit or (self.bypass and self.continues(key))

    def hold(self, key: str) -> str | None:
        """Return what holds an entry; of two causes the one that only the group can end comes first (ours to choose)."""
        if any(nets(key, other) for other in self.live):
            return "opposite_side"
        if key in self.live and self.live[key]["closing"]:
            return "closing"
        return "precision_missing" if key.split("|")[2] in self.missing else None

    def waiting(self, key: str) -> dict[str, Any] | None:
        """Return the entry that waits under an identity."""
        return next((entry for entry in self.queue if entry["key"] == key), None)

    # --- events ---------------------------------------------------------------------------------------------------------

    def do(self, event: dict[str, Any]) -> list[str]:
        """Carry out one event."""
        if "at" in event:
            self.now = max(self.now, datetime.fromisoformat(event["at"]))
        out: list[str] = []
        getattr(self, f"_{event['type']}")(event, out)
        return out

    def _entry(self, event: dict[str, Any], out: list[str]) -> None:
        key, other = event["key"], opposite(event["key"])
        policy = self.config.get("opposite_signal_policy") == "reverse"
        reverses = (event.get("reverse", False) or policy) and other in self.live
        if reverses and not self.live[other]["closing"]:
            # The exit half is carried out even when the entry half is rejected (EX-111, EX-919).
            self.live[other]["closing"] = True
            out.append(f"closing:{other}")
        if self.paused:
            out.append("rejected:EnginePaused")
            return
        queued = self.waiting(key)
        if queued is not None and not self.on("queue_replace_same_symbol"):
            out.append("rejected:DuplicateQueued")
        elif queued is not None:
            self._supersede(key, out)
            queued |= {"price": event["price"], "profit": event["profit"], "updated_at": self.now}
            queued["replaced"] += 1
            queued["reverses"] = queued["reverses"] or reverses
            out.append(f"replaced:{queued['id']}")
        elif self.continues(key) and self.live[key]["received"] >= self.most:
            out.append("rejected:MaxPyramidsReached")
        elif self.hold(key) is None and self.has_place(key):
            self._supersede(key, out)
            out.append(self._admit(key))
        else:
            self._wait(event, reverses, out)

    def _wait(self, event: dict[str, Any], reverses: bool, out: list[str]) -> None:
        key = event["key"]
        superseded = self.on("cancel_opposite_queued") and self.waiting(opposite(key)) is not None
        if len(self.queue) - superseded >= self.config.get("queue_limit", 100):
            out.append("rejected:QueueFull")
            return
        self._supersede(key, out)
        self.queued += 1
        entry = {
            "id": f"q{self.queued}",
            "key": key,
            "price": event["price"],
            "profit": event["profit"],
            "queued_at": self.now,
            "updated_at": self.now,
            "replaced": 0,
            "reverses": reverses,
        }
        self.queue.append(entry)
        out.append(f"queued:{entry['id']}:{self.hold(key) or 'pool_full'}")

    def _supersede(self, key: str, out: list[str]) -> None:
        entry = self.waiting(opposite(key))
        if entry is not None and self.on("cancel_opposite_queued"):
            self._drop(entry, "superseded_by_opposite", out)

    def _drop(self, entry: dict[str, Any], reason: str, out: list[str]) -> None:
        self.queue.remove(entry)
        out.append(f"queue_removed:{entry['id']}:{reason}")

    def _admit(self, key: str) -> str:
        if key not in self.live:
            self.live[key] = {"received": 1, "closing": False}
            return "opened"
        self.live[key]["received"] += 1
        return f"pyramid_added:{self.live[key]['received'] - 1}"

    def _exit(self, event: dict[str, Any], out: list[str]) -> None:
        key = event["key"]
        entry = self.waiting(key)
        if entry is not None and self.on("drop_on_exit"):
            self._drop(entry, "exit_signal", out)
        if key in self.live:
            out.append("already_closing" if self.live[key]["closing"] else f"closing:{key}")
            self.live[key]["closing"] = True
        elif not out:
            out.append("nothing_to_exit")

    def _closed(self, event: dict[str, Any], out: list[str]) -> None:
        key = event["key"]
        if key not in self.live:
            return
        del self.live[key]
        out.append(f"slot_released:{key}")
        heir = self.waiting(opposite(key))
        if heir is not None and heir["reverses"]:
            heir["inherits"] = True
        self._promote_all(out, released=key)

    def _price(self, event: dict[str, Any], out: list[str]) -> None:
        self.prices[event["symbol"]] = event["price"]

    def _precision(self, event: dict[str, Any], out: list[str]) -> None:
        if event["available"]:
            self.missing.discard(event["symbol"])
            self._promote_all(out)
        else:
            self.missing.add(event["symbol"])

    def _tick(self, event: dict[str, Any], out: list[str]) -> None:
        self._promote_all(out)

    def _pause(self, event: dict[str, Any], out: list[str]) -> None:
        self.paused = True

    def _resume(self, event: dict[str, Any], out: list[str]) -> None:
        self.paused = False
        self._promote_all(out)

    def _set_max(self, event: dict[str, Any], out: list[str]) -> None:
        self.limit = event["value"]
        self._promote_all(out)

    def _set_max_pyramids(self, event: dict[str, Any], out: list[str]) -> None:
        self.most = event["value"]
        self._promote_all(out)

    def _remove(self, event: dict[str, Any], out: list[str]) -> None:
        entry = next((each for each in self.queue if each["id"] == event["id"]), None)
        if entry is None:
            out.append("error:NotQueued")
        else:
            self._drop(entry, "operator", out)

    def _promote(self, event: dict[str, Any], out: list[str]) -> None:
        self._by_hand(event, out, "promoted")

    def _force_add(self, event: dict[str, Any], out: list[str]) -> None:
        self._by_hand(event, out, "force_added")

    def _by_hand(self, event: dict[str, Any], out: list[str], word: str) -> None:
        self._expire(out)
        entry = next((each for each in self.queue if each["id"] == event["id"]), None)
        if entry is None:
            out.append("error:NotQueued")
        elif self.paused:
            out.append("error:EnginePaused")
        elif self.hold(entry["key"]) is not None:
            out.append("error:HeldEntry")
        elif word == "promoted" and not self.has_place(entry["key"]):
            out.append("error:NoFreeSlot")
        else:
            self._let_in(entry, out, word)

    # --- promotion ------------------------------------------------------------------------------------------------------

    def _expire(self, out: list[str]) -> None:
        minutes = self.config.get("max_queue_minutes", 1440)
        for entry in list(self.queue):
            if minutes and self.now - entry["updated_at"] > timedelta(minutes=minutes):
                self._drop(entry, "expired", out)

    def _let_in(self, entry: dict[str, Any], out: list[str], word: str) -> None:
        key = entry["key"]
        if self.continues(key) and self.live[key]["received"] >= self.most:
            self._drop(entry, "MaxPyramidsReached", out)
            return
        self.queue.remove(entry)
        out.append(f"{word}:{entry['id']}:{self._admit(key)}")

    def _promote_all(self, out: list[str], released: str = "") -> None:
        self._expire(out)
        if self.paused:
            return
        heirs = [each for each in self.queue if each.get("inherits")]
        turned = opposite(released) if released else ""
        # The slot is that of the group which one of them reverses; one that was held when its own came free waits.
        for entry in [e for e in heirs if e["key"] == turned] + [e for e in heirs if e["key"] != turned]:
            takes_over = entry["key"] == turned
            if self.hold(entry["key"]) is None and (takes_over or self.has_place(entry["key"])):
                self._let_in(entry, out, "promoted")
        while able := [e for e in self.queue if self.hold(e["key"]) is None and self.has_place(e["key"])]:
            best = rank([self._ranked(entry) for entry in able], self._priority(), self._switches())[0]["id"]
            self._let_in(next(each for each in self.queue if each["id"] == best), out, "promoted")

    def _priority(self) -> list[str]:
        return list(self.config.get("selection_priority", ORDER))

    def _switches(self) -> dict[str, bool]:
        return {**self.config.get("priority_rules_enabled", {}), "same_pair_timeframe": self.bypass}

    def _ranked(self, entry: dict[str, Any]) -> dict[str, Any]:
        _, _, symbol, _, side = entry["key"].split("|")
        return {
            "id": entry["id"],
            "side": side,
            "entry_price": entry["price"],
            "price": self.prices.get(symbol),
            "replacement_count": entry["replaced"],
            "expected_profit": entry["profit"],
            "queued_at": entry["queued_at"],
            "continuation": self.continues(entry["key"]),
        }
