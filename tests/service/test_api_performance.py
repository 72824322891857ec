"""Performance figures and results over the control socket."""

from __future__ import annotations

from tests.service.api_rig import Rig, run
from tests.service.test_api import refusal


def test_figures_of_an_engine_that_has_not_traded() -> None:
    """EX-1714: without trades the undefined figures are empty, never zero; the answer names its scope."""

    async def work(rig: Rig) -> None:
        found = await rig.until("/v1/performance", lambda said: "dashboard" in said)
        assert found["scope"] == "paper"
        assert found["dashboard"]["stats"]["win_rate_percent"] is None
        assert found["dashboard"]["drawdown"]["max_drawdown_percent"] is None
        assert (found["unrealized"], found["total_pnl_percent"]) == (0, None)
        assert found["allocation"]["pool_used_percent"] == 0
        assert (await rig.get("/v1/performance/equity"))["equity"] == []

    run(work)


def test_a_day_is_asked_for_by_date() -> None:
    """EX-1716: the summary of a calendar day, today without one; what is no date is refused."""

    async def work(rig: Rig) -> None:
        found = await rig.get("/v1/performance/day", day="2026-02-10")
        assert (found["day"], found["fills"], found["best_symbol"]) == ("2026-02-10", 0, None)
        assert (await rig.get("/v1/performance/day"))["groups_closed"] == 0
        assert (await refusal(rig.get("/v1/performance/day", day="yesterday"))).code == "WrongType"

    run(work)


def test_results_are_added_up_by_what_is_asked() -> None:
    """EX-1704: results by a key; an unknown key, scope or time is refused with what there is."""

    async def work(rig: Rig) -> None:
        assert (await rig.get("/v1/pnl", by="reason")) == {"by": "reason", "rows": [], "other_fees": []}
        error = await refusal(rig.get("/v1/pnl", by="moon"))
        assert (error.code, "pyramid" in str(error)) == ("InvalidEnum", True)
        assert (await refusal(rig.get("/v1/pnl", scope="both"))).code == "InvalidEnum"
        assert (await refusal(rig.get("/v1/performance", since="noon"))).code == "WrongType"
        assert (await refusal(rig.get("/v1/performance", side="up"))).code == "InvalidEnum"

    run(work)
