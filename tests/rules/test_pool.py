"""The pool's rules, one requirement a test: what every event of a script comes to."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.rules.pool_script import PoolScript

D = Decimal
BTC, BTC_SHORT = "u1|binance|BTC/USDT|15m|long", "u1|binance|BTC/USDT|15m|short"
ETH, ETH_SHORT = "u1|binance|ETH/USDT|15m|long", "u1|binance|ETH/USDT|15m|short"
SOL = "u1|binance|SOL/USDT|15m|long"
PERP, PERP_SHORT = "u1|binance|BTC/USDT:USDT|15m|long", "u1|binance|BTC/USDT:USDT|15m|short"
PERP_1H, PERP_1H_SHORT = "u1|binance|BTC/USDT:USDT|1h|long", "u1|binance|BTC/USDT:USDT|1h|short"


def entry(key: str, price: str = "100", minute: int = 0, **more: Any) -> dict[str, Any]:
    """Return an entry event at a minute of the day."""
    at = f"2026-03-01T{10 + minute // 60:02d}:{minute % 60:02d}:00Z"
    return {"type": "entry", "key": key, "price": price, "at": at, "profit": "1", **more}


def of(kind: str, **more: Any) -> dict[str, Any]:
    """Return another event."""
    return {"type": kind, **more}


def played(config: dict[str, Any], *events: dict[str, Any]) -> tuple[list[list[str]], PoolScript]:
    """Return the outcomes of each event, and the pool afterwards; its journal alone gives the same state."""
    script = PoolScript(config)
    outcomes = [script.do(event) for event in events]
    assert script.replayed() == script.state
    return outcomes, script


def last(config: dict[str, Any], *events: dict[str, Any]) -> list[str]:
    """Return the outcomes of the last event."""
    return played(config, *events)[0][-1]


ONE = {"max_open_groups": 1}
NO_BYPASS = {**ONE, "same_pair_timeframe": False}


# --- occupancy ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pyramids", "dca", "taken"), [(False, False, 1), (True, False, 2), (False, True, 4), (True, True, 5)]
)
def test_what_counts(pyramids: bool, dca: bool, taken: int) -> None:
    """EX-903: a group counts 1, with the switches its further pyramids and its layers below the first as well."""
    config = {"max_open_groups": 9, "count_pyramids_toward_pool": pyramids, "count_dca_toward_pool": dca}
    _, script = played(config, entry(BTC), entry(BTC, minute=1))
    script.dca(BTC, 3)
    assert script.standing()["occupied"] == taken


def test_more_may_be_taken_than_there_is() -> None:
    """EX-902, EX-903: a counted pyramid enters a full pool (2 / 1); then nothing enters until it is below."""
    config = {**ONE, "count_pyramids_toward_pool": True}
    outcomes, script = played(config, entry(BTC), entry(BTC, minute=1), entry(ETH, minute=2), of("set_max", value=2))
    assert outcomes[1:] == [["pyramid_added:1"], ["queued:q1:pool_full"], []]
    assert script.standing()["occupied"] == 2
    assert script.do(of("set_max", value=3)) == ["promoted:q1:opened"]


def test_the_limit_changes() -> None:
    """EX-906: lowering the maximum closes nothing, raising it promotes at once."""
    outcomes, script = played(
        {"max_open_groups": 2}, entry(BTC), entry(ETH), of("set_max", value=1), entry(SOL), of("closed", key=BTC)
    )
    assert outcomes[2:] == [[], ["queued:q1:pool_full"], [f"slot_released:{BTC}"]]
    assert script.do(of("set_max", value=2)) == ["promoted:q1:opened"]


# --- pyramids ----------------------------------------------------------------------------------------------------------


def test_a_pyramid_passes_the_limit_or_not() -> None:
    """EX-904: with same_pair_timeframe a pyramid enters a full pool; without it waits, and enters when a slot is free."""
    assert last(ONE, entry(BTC), entry(BTC)) == ["pyramid_added:1"]
    assert last(NO_BYPASS, entry(BTC), entry(BTC)) == ["queued:q1:pool_full"]
    assert last({**NO_BYPASS, "max_open_groups": 2}, entry(BTC), entry(BTC)) == ["pyramid_added:1"]
    assert last(NO_BYPASS, entry(BTC), entry(BTC), of("set_max", value=2)) == ["promoted:q1:pyramid_added:1"]


def test_pyramids_end() -> None:
    """EX-323: beyond the maximum MaxPyramidsReached, the group unchanged."""
    outcomes, script = played({"max_open_groups": 5, "max_pyramids_per_group": 2}, *[entry(BTC)] * 3)
    assert outcomes == [["opened"], ["pyramid_added:1"], ["rejected:MaxPyramidsReached"]]
    assert script.state.live[BTC].received == 2


def test_a_queued_pyramid_beyond_the_maximum_is_removed() -> None:
    """EX-930: when its turn comes it is removed with MaxPyramidsReached, and promotion goes on with the next."""
    outcomes, _ = played(
        NO_BYPASS, entry(BTC), entry(BTC), entry(ETH), of("set_max_pyramids", value=1), of("set_max", value=2)
    )
    assert outcomes[-1] == ["queue_removed:q1:MaxPyramidsReached", "promoted:q2:opened"]


def test_a_queued_pyramid_whose_group_closes_opens_a_new_group() -> None:
    """EX-929: it becomes an ordinary entry and opens at index 0."""
    outcomes, script = played(NO_BYPASS, entry(BTC), entry(BTC), of("closed", key=BTC))
    assert outcomes[-1] == [f"slot_released:{BTC}", "promoted:q1:opened"]
    assert script.state.live[BTC].received == 1


def test_an_entry_while_closing_waits() -> None:
    """EX-327: it waits with hold `closing`, opens a new group afterwards, and cannot be let in before."""
    outcomes, script = played(
        {"max_open_groups": 3}, entry(BTC), of("exit", key=BTC), entry(BTC), of("promote", id="q1"), of("exit", key=SOL)
    )
    assert outcomes[1:] == [[f"closing:{BTC}"], ["queued:q1:closing"], ["error:HeldEntry"], ["nothing_to_exit"]]
    assert script.do(of("closed", key=BTC)) == [f"slot_released:{BTC}", "promoted:q1:opened"]


# --- the queue ---------------------------------------------------------------------------------------------------------


def test_a_newer_entry_replaces_the_queued_one() -> None:
    """EX-911: price and count change, the place in time stays; refused with DuplicateQueued when switched off."""
    outcomes, script = played(ONE, entry(BTC), entry(ETH, "3000", 1), entry(ETH, "2950", 16))
    assert outcomes[-1] == ["replaced:q1"]
    queued = script.state.queue["q1"]
    assert (queued.entry_price, queued.replacements) == (D(2950), 1)
    assert queued.updated_at - queued.queued_at == 15 * 60 * 10**9
    off = {**ONE, "queue_replace_same_symbol": False}
    outcomes, script = played(off, entry(BTC), entry(ETH, "3000", 1), entry(ETH, "2950", 16))
    assert outcomes[-1] == ["rejected:DuplicateQueued"]
    assert script.state.queue["q1"].entry_price == 3000


def test_an_exit_deletes_what_waits_and_closes_what_is_live() -> None:
    """EX-912, EX-715: both at once; with drop_on_exit off the queued one stays; a second exit is already_closing."""
    queued = (entry(BTC), entry(BTC, minute=1))
    assert last(NO_BYPASS, *queued, of("exit", key=BTC)) == ["queue_removed:q1:exit_signal", f"closing:{BTC}"]
    keep = {**NO_BYPASS, "drop_on_exit": False}
    assert last(keep, *queued, of("exit", key=BTC)) == [f"closing:{BTC}"]
    assert last(keep, entry(ETH), entry(BTC), of("exit", key=BTC)) == ["nothing_to_exit"]
    assert last(ONE, entry(BTC), of("exit", key=BTC), of("exit", key=BTC)) == ["already_closing"]


def test_the_opposite_side_waits() -> None:
    """EX-913: held while the other side is live, whatever the slots; an exit of the live side lets it in at its end."""
    outcomes, script = played({"max_open_groups": 5}, entry(BTC), entry(BTC_SHORT), of("force_add", id="q1"))
    assert outcomes[1:] == [["queued:q1:opposite_side"], ["error:HeldEntry"]]
    assert script.do(of("exit", key=BTC)) == [f"closing:{BTC}"]
    assert script.do(of("closed", key=BTC)) == [f"slot_released:{BTC}", "promoted:q1:opened"]


def test_a_perpetual_has_one_side_in_all_timeframes() -> None:
    """EX-913: a venue nets both sides of a perpetual, neither could be closed: the other waits in each timeframe."""
    outcomes, script = played(
        {"max_open_groups": 5}, entry(PERP), entry(PERP_1H_SHORT), of("force_add", id="q1"), of("promote", id="q1")
    )
    assert outcomes[1:] == [["queued:q1:opposite_side"], ["error:HeldEntry"], ["error:HeldEntry"]]
    assert script.do(entry(PERP_1H)) == ["queue_removed:q1:superseded_by_opposite", "opened"]
    assert script.do(entry(PERP_1H_SHORT)) == ["queued:q2:opposite_side"]
    assert script.do(of("exit", key=PERP)) == [f"closing:{PERP}"]
    assert script.do(of("closed", key=PERP)) == [f"slot_released:{PERP}"]
    assert script.do(of("exit", key=PERP_1H)) == [f"closing:{PERP_1H}"]
    assert script.do(of("closed", key=PERP_1H)) == [f"slot_released:{PERP_1H}", "promoted:q2:opened"]


def test_other_markets_and_spot_have_their_own_sides() -> None:
    """EX-913: nothing is netted between symbols, venues, users, or on a spot market."""
    others = ("u1|binance|BTC/USD:BTC|1h|short", "u1|bybit|BTC/USDT:USDT|1h|short", "u2|binance|BTC/USDT:USDT|1h|short")
    for other in others:
        assert last({}, entry(PERP), entry(other)) == ["opened"]
    assert last({}, entry(BTC), entry("u1|binance|BTC/USDT|1h|short")) == ["opened"]


def test_a_reversal_turns_its_own_timeframe_only() -> None:
    """EX-314, EX-919: the other timeframe's group stays, and keeps the reversal out until it has closed."""
    config = {"max_open_groups": 2, "opposite_signal_policy": "reverse"}
    outcomes, script = played(config, entry(PERP_1H), entry(PERP_SHORT))
    assert outcomes[1] == ["queued:q1:opposite_side"]
    assert not script.state.queue["q1"].reverse
    outcomes, script = played({"max_open_groups": 2}, entry(PERP), entry(PERP_1H), entry(PERP_SHORT, reverse=True))
    assert outcomes[2] == [f"closing:{PERP}", "queued:q1:opposite_side"]
    assert script.do(of("closed", key=PERP)) == [f"slot_released:{PERP}"]
    assert script.do(of("closed", key=PERP_1H)) == [f"slot_released:{PERP_1H}", "promoted:q1:opened"]


def test_an_heir_that_was_held_takes_no_other_heirs_slot() -> None:
    """EX-919: a reversal whose slot went to another while it was held waits for a free one; the limit holds."""
    config = {"max_open_groups": 2}
    turned = (entry(PERP), entry(PERP_1H), entry(PERP_SHORT, reverse=True), entry(PERP_1H_SHORT, reverse=True))
    _, script = played(config, *turned, entry(SOL))
    assert script.do(of("closed", key=PERP)) == [f"slot_released:{PERP}", "promoted:q3:opened"]
    assert script.do(of("closed", key=PERP_1H)) == [f"slot_released:{PERP_1H}", "promoted:q2:opened"]
    assert sorted(script.state.live) == sorted([SOL, PERP_1H_SHORT])


def test_a_pool_that_has_both_sides_folds_and_lets_no_more_in() -> None:
    """EX-913: journals from before know both sides of a perpetual: they fold, and each side keeps more of the other out."""
    script = PoolScript({"max_open_groups": 5})
    for key in (PERP, PERP_1H_SHORT):
        alone = PoolScript({})
        alone.do(entry(key))
        script.journal.extend(alone.journal)
    script.state = script.replayed()
    assert sorted(script.state.live) == sorted([PERP, PERP_1H_SHORT])
    assert script.do(entry(PERP)) == ["queued:q1:opposite_side"]
    assert script.do(of("closed", key=PERP_1H_SHORT)) == [
        f"slot_released:{PERP_1H_SHORT}",
        "promoted:q1:pyramid_added:1",
    ]


def test_an_accepted_entry_deletes_what_waits_for_the_other_side() -> None:
    """EX-913, D-14: superseded_by_opposite, unless cancel_opposite_queued is off; a rejected entry deletes nothing."""
    assert last(ONE, entry(SOL), entry(BTC), entry(BTC_SHORT)) == [
        "queue_removed:q1:superseded_by_opposite",
        "queued:q2:pool_full",
    ]
    both = {**ONE, "cancel_opposite_queued": False}
    outcomes, script = played(both, entry(SOL), entry(BTC), entry(BTC_SHORT), of("closed", key=SOL))
    assert outcomes[2:] == [["queued:q2:pool_full"], [f"slot_released:{SOL}", "promoted:q1:opened"]]
    assert script.do(of("promote", id="q2")) == ["error:HeldEntry"]
    full = {"max_open_groups": 1, "max_pyramids_per_group": 1}
    assert last(full, entry(BTC), entry(BTC_SHORT), entry(BTC)) == ["rejected:MaxPyramidsReached"]


def test_the_queue_is_full() -> None:
    """EX-914: QueueFull evicts nothing, replacements are always possible, and 0 means no queue."""
    one = {**ONE, "queue_limit": 1}
    outcomes, script = played(one, entry(BTC), entry(ETH), entry(SOL), entry(ETH, "99"))
    assert outcomes[1:] == [["queued:q1:pool_full"], ["rejected:QueueFull"], ["replaced:q1"]]
    assert script.do(entry(ETH_SHORT)) == ["queue_removed:q1:superseded_by_opposite", "queued:q2:pool_full"]
    assert last({**ONE, "queue_limit": 0}, entry(BTC), entry(ETH)) == ["rejected:QueueFull"]


def test_entries_expire() -> None:
    """EX-915: those not refreshed for more than the limit go; equality stays, a replacement refreshes, 0 is never."""
    config = {**ONE, "max_queue_minutes": 60}
    waits = (entry(BTC), entry(ETH, minute=0), entry(SOL, minute=1), entry(ETH, minute=30))
    outcomes, script = played(config, *waits, of("tick", at="2026-03-01T11:01:00Z"))
    assert outcomes[-1] == []
    assert script.do(of("tick", at="2026-03-01T11:01:01Z")) == ["queue_removed:q2:expired"]
    assert script.do(of("tick", at="2026-03-01T11:30:01Z")) == ["queue_removed:q1:expired"]
    assert last({**ONE, "max_queue_minutes": 0}, *waits, of("tick", at="2027-03-01T11:00:00Z")) == []


def test_what_is_too_old_is_not_promoted() -> None:
    """EX-915: looked at before each promotion, also one by an operator."""
    config = {**ONE, "max_queue_minutes": 60}
    script = played(config, entry(BTC), entry(ETH))[1]
    script.now += 3_601 * 10**9
    assert script.do(of("closed", key=BTC)) == [f"slot_released:{BTC}", "queue_removed:q1:expired"]
    script = played(config, entry(BTC), entry(ETH))[1]
    script.now += 3_601 * 10**9
    assert script.do(of("force_add", id="q1")) == ["queue_removed:q1:expired", "error:NotQueued"]


def test_what_lets_nobody_in_takes_nobody_out() -> None:
    """EX-915, EX-917: an exit or a removal promotes nobody, so what is too old stays until the next look at the clock."""
    config = {**ONE, "max_queue_minutes": 60}
    script = played(config, entry(BTC), entry(ETH), entry(SOL, minute=1))[1]
    script.now += 7_200 * 10**9
    assert script.do(of("exit", key=SOL)) == ["queue_removed:q2:exit_signal"]
    assert script.do(of("remove", id="q1")) == ["queue_removed:q1:operator"]


def test_an_entry_without_rules_is_held() -> None:
    """EX-506, EX-916: it waits with precision_missing, also past free slots, and enters once they are known."""
    missing = of("precision", symbol="BTC/USDT", available=False)
    outcomes, script = played({"max_open_groups": 2}, missing, entry(BTC), of("force_add", id="q1"), entry(ETH))
    assert outcomes[1:] == [["queued:q1:precision_missing"], ["error:HeldEntry"], ["opened"]]
    assert script.do(of("precision", symbol="BTC/USDT", available=True)) == ["promoted:q1:opened"]


# --- reversals ---------------------------------------------------------------------------------------------------------


def test_a_reversal_takes_the_slot_over() -> None:
    """EX-919: the other side closes, the new one enters before any ranking, whatever else is better."""
    outcomes, script = played(
        ONE, entry(BTC), entry(ETH), entry(BTC_SHORT, reverse=True), of("price", symbol="ETH/USDT", price="50")
    )
    assert outcomes[2] == [f"closing:{BTC}", "queued:q2:opposite_side"]
    assert script.do(of("closed", key=BTC)) == [f"slot_released:{BTC}", "promoted:q2:opened"]


def test_a_reversal_without_an_opposite_is_an_entry() -> None:
    """EX-314: nothing opposite live: a plain entry, which inherits nothing."""
    assert last(ONE, entry(BTC, reverse=True)) == ["opened"]
    _, script = played(ONE, entry(ETH), entry(BTC, reverse=True))
    assert not script.state.queue["q1"].reverse


def test_the_policy_makes_every_opposite_entry_a_reversal() -> None:
    """EX-316, EX-919: opposite_signal_policy = reverse closes the live side."""
    config = {**ONE, "opposite_signal_policy": "reverse"}
    assert last(config, entry(BTC), entry(BTC_SHORT)) == [f"closing:{BTC}", "queued:q1:opposite_side"]


def test_an_exit_for_the_new_side_deletes_a_reversal() -> None:
    """EX-919: an exit for the new side in between deletes it; the old side still closes."""
    outcomes, script = played(ONE, entry(BTC), entry(BTC_SHORT, reverse=True), of("exit", key=BTC_SHORT))
    assert outcomes[-1] == ["queue_removed:q1:exit_signal"]
    assert script.do(of("closed", key=BTC)) == [f"slot_released:{BTC}"]


def test_the_exit_of_a_reversal_is_never_kept_back() -> None:
    """EX-111: paused or with a full queue the new side is rejected, and the old one closes all the same."""
    full = {**ONE, "queue_limit": 0}
    assert last(full, entry(BTC), entry(BTC_SHORT, reverse=True)) == [f"closing:{BTC}", "rejected:QueueFull"]
    assert last(ONE, entry(BTC), of("pause"), entry(BTC_SHORT, reverse=True)) == [
        f"closing:{BTC}",
        "rejected:EnginePaused",
    ]


# --- operators ---------------------------------------------------------------------------------------------------------


def test_paused() -> None:
    """EX-928: entries are rejected, exits go on, what waits is neither promoted nor forced in, and is on resume."""
    outcomes, script = played(
        ONE, entry(BTC), entry(ETH), of("pause"), entry(SOL), of("force_add", id="q1"), of("exit", key=BTC)
    )
    assert outcomes[3:] == [["rejected:EnginePaused"], ["error:EnginePaused"], [f"closing:{BTC}"]]
    assert script.do(of("closed", key=BTC)) == [f"slot_released:{BTC}"]
    assert script.do(of("resume")) == ["promoted:q1:opened"]


def test_promote_needs_a_slot_and_force_add_does_not() -> None:
    """EX-925, EX-926: NoFreeSlot; over the limit by force; the pyramid maximum still counts."""
    outcomes, script = played(
        NO_BYPASS, entry(BTC), entry(ETH), entry(BTC), of("promote", id="q1"), of("force_add", id="q1")
    )
    assert outcomes[3:] == [["error:NoFreeSlot"], ["force_added:q1:opened"]]
    assert script.standing()["occupied"] == 2
    script.most = 1
    assert script.do(of("force_add", id="q2")) == ["queue_removed:q2:MaxPyramidsReached"]


def test_remove() -> None:
    """EX-927: it goes with reason operator; an unknown id is NotQueued in all three."""
    outcomes, script = played(ONE, entry(BTC), entry(ETH), of("remove", id="q1"))
    assert outcomes[-1] == ["queue_removed:q1:operator"]
    for kind in ("remove", "promote", "force_add"):
        assert script.do(of(kind, id="q1")) == ["error:NotQueued"]


def test_what_fails_at_its_turn_is_removed_and_the_next_is_tried() -> None:
    """EX-931: ladder and funds are looked at again; the code is the reason, promotion goes on."""
    script = played(ONE, entry(BTC), entry(ETH), entry(SOL, minute=1))[1]
    script.refused["ETH/USDT"] = "InsufficientFunds"
    assert script.do(of("closed", key=BTC)) == [
        f"slot_released:{BTC}",
        "queue_removed:q1:InsufficientFunds",
        "promoted:q2:opened",
    ]


def test_what_its_ladder_forbids_is_rejected_at_once() -> None:
    """EX-413, EX-505: neither queued nor opened."""
    script = PoolScript(ONE)
    script.refused["BTC/USDT"] = "SizeAboveCap"
    assert script.do(entry(BTC)) == ["rejected:SizeAboveCap"]
    assert script.standing() == {"occupied": 0, "live": [], "queue": []}


def test_queue_ids_are_never_given_twice() -> None:
    """Ids count on over entries that left: q1, q2, q3."""
    outcomes, _ = played(ONE, entry(BTC), entry(ETH), of("remove", id="q1"), entry(ETH), entry(SOL))
    assert [each[0] for each in outcomes[3:]] == ["queued:q2:pool_full", "queued:q3:pool_full"]
