"""What holds of a pool whatever happens to it, in whatever order."""

from __future__ import annotations

import itertools
from collections import Counter
from decimal import Decimal
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from protocol.pool import EntryPromoted, PyramidAdmitted, QueueRemoved, SignalQueued, SlotTaken
from rules.identity import opposite_key
from rules.pool import PoolSettings, queue_report, what_would_happen
from tests.rules.pool_script import PoolScript

KEYS = st.sampled_from(
    [
        f"u|binance|{market}|{side}"
        for market in ("BTC/USDT|15m", "SOL/USDT|15m", "ETH/USDT:USDT|15m", "ETH/USDT:USDT|1h")
        for side in ("long", "short")
    ]
)
SYMBOLS = st.sampled_from(["BTC/USDT", "SOL/USDT", "ETH/USDT:USDT"])
IDS = st.sampled_from([f"q{number}" for number in range(1, 12)])
CONFIGS = st.fixed_dictionaries(
    {
        "max_open_groups": st.integers(1, 3),
        "queue_limit": st.sampled_from([0, 1, 2, 100]),
        "max_pyramids_per_group": st.integers(1, 3),
        "max_queue_minutes": st.sampled_from([0, 5]),
        "same_pair_timeframe": st.booleans(),
        "count_pyramids_toward_pool": st.booleans(),
        "queue_replace_same_symbol": st.booleans(),
        "drop_on_exit": st.booleans(),
        "cancel_opposite_queued": st.booleans(),
        "opposite_signal_policy": st.sampled_from(["queue", "reverse"]),
    }
)


class Pools(RuleBasedStateMachine):
    """Random entries, exits, closes, prices, limits, pauses, missing rules and operators."""

    @initialize(config=CONFIGS)
    def begin(self, config: dict[str, Any]) -> None:
        self.script = PoolScript(config)
        self.entries = 0
        self.rejected = 0

    @rule(
        key=KEYS, price=st.integers(90, 110), profit=st.integers(0, 2), reverse=st.booleans(), passed=st.integers(0, 2)
    )
    def enter(self, key: str, price: int, profit: int, reverse: bool, passed: int) -> None:
        script = self.script
        script.now += passed * 60 * 10**9
        signal = script.signal(key, str(price), profit=str(profit), reverse=reverse)
        state = script.state
        foreseen = what_would_happen(state, signal, script.world())
        assert script.state is state
        outcomes = script.do(
            {"type": "entry", "key": key, "price": str(price), "profit": str(profit), "reverse": reverse}
        )
        # The same signal under another id: all but the rank is foreseen.
        assert foreseen.outcome in outcomes
        self.entries += 1
        self.rejected += sum(1 for each in outcomes if each.startswith("rejected:"))

    @rule(key=KEYS)
    def leave(self, key: str) -> None:
        assert self.script.do({"type": "exit", "key": key})

    @rule(key=KEYS)
    def close(self, key: str) -> None:
        before = self.script.state.live.get(key)
        outcomes = self.script.do({"type": "closed", "key": key})
        assert outcomes[:1] == ([] if before is None else [f"slot_released:{key}"])
        assert before is None or self.script.state.live.get(key) != before

    @rule(kind=st.sampled_from(["promote", "force_add", "remove"]), ident=IDS)
    def operate(self, kind: str, ident: str) -> None:
        assert self.script.do({"type": kind, "id": ident})

    @rule(
        symbol=SYMBOLS,
        price=st.integers(80, 120),
        available=st.booleans(),
    )
    def market(self, symbol: str, price: int, available: bool) -> None:
        self.script.do({"type": "price", "symbol": symbol, "price": str(price)})
        self.script.do({"type": "precision", "symbol": symbol, "available": available})

    @rule(paused=st.booleans())
    def engine(self, paused: bool) -> None:
        self.script.do({"type": "pause" if paused else "resume"})

    @rule(most=st.integers(1, 4), pyramids=st.integers(1, 3))
    def limits(self, most: int, pyramids: int) -> None:
        self.script.do({"type": "set_max", "value": most})
        self.script.do({"type": "set_max_pyramids", "value": pyramids})

    @rule(minutes=st.integers(1, 4))
    def time(self, minutes: int) -> None:
        self.script.now += minutes * 60 * 10**9
        self.script.do({"type": "tick"})

    # --- what always holds ----------------------------------------------------------------------------------------------

    @invariant()
    def the_journal_alone_gives_the_state(self) -> None:
        """Folding needs no rule and no configuration."""
        assert self.script.replayed() == self.script.state

    @invariant()
    def never_both_sides(self) -> None:
        """EX-913: never two sides of one identity or perpetual live together; one entry waits for an identity at most."""
        live, queue = self.script.state.live, self.script.state.queue.values()
        assert not any(opposite_key(key) in live for key in live)
        perpetuals = [key.split("|") for key in live if ":" in key]
        sides = {(symbol, side) for _, _, symbol, _, side in perpetuals}
        assert len(sides) == len({symbol for symbol, _ in sides})
        assert max(Counter(entry.key for entry in queue).values(), default=1) == 1

    @invariant()
    def every_entry_has_one_fate(self) -> None:
        """Nothing is lost: each entry was rejected, entered at once, replaced another, or left the queue once, or waits."""
        events = self.script.journal
        queued = [each.queue_id for each in events if isinstance(each, SignalQueued)]
        left = Counter(each.queue_id for each in events if isinstance(each, QueueRemoved | EntryPromoted))
        assert sorted(queued) == sorted([*left, *self.script.state.queue])
        assert all(count == 1 for count in left.values())
        entered = sum(1 for each in events if isinstance(each, SlotTaken | PyramidAdmitted))
        promoted = sum(1 for each in events if isinstance(each, EntryPromoted))
        replaced = sum(entry.replacements for entry in self._all_queued())
        assert self.entries == self.rejected + (entered - promoted) + len(queued) + replaced

    def _all_queued(self) -> list[Any]:
        ended = [each for each in self.script.journal if isinstance(each, EntryPromoted)]
        gone = {each.queue_id for each in self.script.journal if isinstance(each, QueueRemoved)}
        lost = [
            each for each in self.script.journal if type(each).__name__ == "QueuedReplaced" and each.queue_id in gone
        ]
        newest = {each.queue_id: each for each in lost}
        return [*ended, *newest.values(), *self.script.state.queue.values()]

    @invariant()
    def nobody_waits_who_could_enter(self) -> None:
        """EX-917: while the engine runs, whoever waits is held, or has no place."""
        script = self.script
        if script.paused or not script.state.queue:
            return
        report = queue_report(script.state, "acc", script.world())
        for line in report.entries:
            bypass = line.continuation and script.settings.same_pair_timeframe
            assert line.hold or (report.free == 0 and not bypass)

    @invariant()
    def the_report_is_the_ranking(self) -> None:
        """EX-920: the order is that of the keys, each said why it is before the next."""
        script = self.script
        lines = queue_report(script.state, "acc", script.world()).entries
        assert [line.rank for line in lines] == list(range(1, len(lines) + 1))
        for one, other in itertools.pairwise(lines):
            assert one.why.startswith(f"before {other.queue_id} by ")
            if not one.continuation and not other.continuation and script.settings == PoolSettings():
                assert _loss(one.loss_percent) <= _loss(other.loss_percent)


def _loss(value: Decimal | None) -> Decimal:
    return Decimal(1000) if value is None else value


Pools.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestPools = Pools.TestCase
