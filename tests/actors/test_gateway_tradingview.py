"""What TradingView's webhook sender does, and what users of webhook bots fell over: one test a check."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from actors.gateway import Route
from protocol.signals import SignalRouted
from rules.signals.mappings import BUILTIN, Form, Mapping, extended
from tests.actors.cast import START, FailingJournal, S, Stage, play
from tests.actors.gateway_rig import PATH, SECRET, GatewayRig
from tests.rules.signal_payloads import MISSING

PAPER = Route("acc", "/house/pool", "/house/prices")
LIVE = Route("real", "/house/real", "/house/prices", paper=False)


def iso(stage: Stage, age_s: float = 0.0) -> str:
    """Return the moment ``age_s`` ago as TradingView writes it."""
    return datetime.fromtimestamp(stage.now / 1e9 - age_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def flat(stage: Stage, **changes: Any) -> bytes:
    """Return a flat alert."""
    fields = {
        "secret": SECRET,
        "ticker": "BTCUSDT",
        "exchange": "paper",
        "interval": "15",
        "action": "buy",
        "price": "65000",
        "contracts": "0.02",
        "time": iso(stage),
        **changes,
    }
    return json.dumps({name: value for name, value in fields.items() if value is not MISSING}).encode()


# --- content type and odd bodies (section 2) ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "text/plain; charset=utf-8", "image/png"])
@pytest.mark.parametrize("tail", [b"", b"\n", b"\r\n\r\n"])
def test_the_body_decides_not_the_header(kind: str, tail: bytes) -> None:
    """The same body gives the same result under any content type, with a line end after it or without (EX-201)."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage)
        headers = (("Content-Type", kind),)
        assert await rig.outcome(rig.body() + tail, headers=headers) == (200, "accepted")

    play(script)


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe\x00", b"\xef\xbb\xbf{}", b" " * 65_536, b"[" * 60_000, b'{"secret":NaN}']
)
def test_odd_bodies_are_refused_by_name(body: bytes) -> None:
    """Nothing, no UTF-8, a byte order mark, a long and a deep body get 4xx and no trade; the next one is served."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage)
        status, code = await rig.outcome(body)
        assert 400 <= status < 500
        assert code
        assert rig.routed() == []
        assert await rig.outcome() == (200, "accepted")

    play(script)


def test_an_unreadable_body_is_shown() -> None:
    """A signed body that is no JSON is refused with the offending line, kept with its body, and not half parsed (7.6)."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage, require_proof=False)
        bad = b'{"tv": {\n"symbol": "BTC"USDT"}\n}'
        answer = await rig.post(bad)
        assert (answer.status, answer.outcome) == (400, "MalformedJson")
        assert answer.problems[0].value == '"symbol": "BTC"USDT"}'
        assert rig.received()[0].body == bad.decode()

    play(script)


# --- resending (section 3) ----------------------------------------------------------------------------------------------


def test_four_identical_posts_are_one_trade() -> None:
    """TradingView sends again after 5 s, three times: one trade, four 2xx, the later ones marked as resends (EX-240)."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage)
        body = rig.body()
        answers = []
        for _ in range(4):
            answers.append(await rig.outcome(body))
            await stage.passes(5)
        assert answers == [(200, "accepted"), *[(200, "duplicate_ignored")] * 3]
        assert len(rig.routed()) == 1
        first = rig.received()[0].signal_id
        assert [each.resend_of for each in rig.received()] == ["", first, first, first]

    play(script)


@pytest.mark.parametrize("dated", [True, False])
def test_a_resend_across_a_restart_is_one_trade(dated: bool) -> None:
    """The same text after a restart within 20 s is one trade, with a time in it or without (EX-242)."""
    journal = FailingJournal()
    bodies: list[bytes] = []
    mappings = {**BUILTIN, "flat": extended(BUILTIN["flat"], Mapping(name="flat", undated=True))}

    async def first(stage: Stage) -> None:
        rig = GatewayRig(stage, mappings=mappings)
        bodies.append(flat(stage) if dated else flat(stage, time=MISSING))
        assert await rig.outcome(bodies[0]) == (200, "accepted")

    async def second(stage: Stage) -> None:
        rig = GatewayRig(stage, mappings=mappings)
        assert await rig.outcome(bodies[0]) == (200, "duplicate_ignored")
        assert rig.received()[-1].resend_of == "s00000001"

    play(first, journal=journal)
    play(second, journal=journal, start=START + 15 * S)


def test_equal_texts_a_minute_apart_are_two_trades() -> None:
    """Two fills with equal text one minute apart are two trades: by their time, or without one by the gap."""

    async def script(stage: Stage) -> None:
        text = extended(BUILTIN["text"], Mapping(name="text", form=Form.TEXT, undated=True))
        rig = GatewayRig(stage, mappings={**BUILTIN, "text": text}, sizing_source="fixed_quote")
        undated = f"{SECRET}\nbuy BTCUSDT @ 65000".encode()
        for expected in ("accepted", "accepted"):
            assert (await rig.post(undated)).outcome == expected
            assert (await rig.post(flat(stage))).outcome == expected
            assert (await rig.post(undated)).outcome == "duplicate_ignored"
            await stage.passes(60)

    play(script)


def test_a_text_without_a_time_is_refused_unless_that_is_allowed() -> None:
    """A time is never guessed: without one the refusal says how to add it, and how to take such alerts all the same."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage)
        answer = await rig.post(flat(stage, time=MISSING))
        assert (answer.status, answer.outcome) == (422, "MissingField")
        assert "undated = true" in answer.problems[0].message

    play(script)


def test_the_same_signal_by_two_channels_trades_once() -> None:
    """What comes over the webhook twice, from two senders, is one trade (7.2)."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage)
        body = rig.body()
        assert await rig.outcome(body, address="52.89.214.238") == (200, "accepted")
        assert await rig.outcome(body, address="10.9.9.9") == (200, "duplicate_ignored")

    play(script)


# --- placeholders (section 5) -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"timestamp": "{{timenow}}"}, "UnresolvedPlaceholder"),
        ({"tv__action": "{{strategy.order.action}}"}, "UnresolvedPlaceholder"),
        ({"tv__entry_price": "{{close * 0.98}}"}, "accepted"),
        ({"tv__entry_price": "{{close * 0.98}}", "tv__close_price": None}, "MissingField"),
        ({"tv__entry_price": "NaN", "tv__close_price": "NaN"}, "MissingField"),
        ({"tv__symbol": "NQ1!"}, "UnknownSymbol"),
        ({"tv__market_position": "flat", "tv__prev_market_position": "flat"}, "AmbiguousSignal"),
        ({"tv__timeframe": "1"}, "accepted"),
    ],
)
def test_placeholders_that_were_not_filled(changes: dict[str, Any], outcome: str) -> None:
    """Literal, empty and NaN placeholders are refused where they are needed and absent elsewhere (EX-203, EX-204)."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage)
        assert (await rig.post(**changes)).outcome == outcome

    play(script)


def test_the_start_of_the_bar_is_no_time() -> None:
    """{{time}} on a 1 h bar is an hour old at its close: refused, and the refusal names {{timenow}} (EX-230)."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage)
        answer = await rig.post(age_s=3_600)
        assert answer.outcome == "StaleSignal"
        assert "{{timenow}}" in answer.problems[0].message

    play(script)


def test_days_old_alerts_of_a_relay_are_refused() -> None:
    """Ages of 178,215 s and 253,824 s were seen in the field (7.5)."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage)
        for age_s in (178_215, 253_824):
            assert await rig.outcome(age_s=age_s) == (422, "StaleSignal")

    play(script)


def test_an_alert_may_be_stricter_than_the_house() -> None:
    """max_lag, as 3Commas sends it, shortens the largest age and never lengthens it."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage)
        assert (await rig.post(flat(stage, max_lag="10", time=iso(stage, 20)))).outcome == "StaleSignal"
        assert (await rig.post(flat(stage, max_lag="300", time=iso(stage, 100)))).outcome == "StaleSignal"
        assert (await rig.post(flat(stage, max_lag="300", time=iso(stage, 20)))).outcome == "accepted"

    play(script)


@pytest.mark.parametrize("ending", ["_DL", "_DLY"])
def test_delayed_data_trade_on_paper_only(ending: str) -> None:
    """A live account refuses delayed data (DelayedData); a paper account beside it takes them (EX-302)."""

    async def script(stage: Stage) -> None:
        stage.probe("real")
        rig = GatewayRig(stage, routes={"paper": (PAPER, LIVE), "binance": (LIVE,)})
        answer = await rig.post(tv__exchange=f"BINANCE{ending}")
        assert (answer.status, answer.outcome) == (422, "DelayedData")
        assert "real-time" in answer.problems[0].message
        assert (await rig.post(tv__exchange=f"PAPER{ending}")).outcome == "accepted"
        assert rig.received()[-1].accounts == ("acc",)
        (refused,) = stage.events(PATH, SignalRouted)
        assert (refused.account, refused.outcome) == ("real", "rejected:DelayedData")

    play(script)


def test_an_exchange_key_in_the_body_is_refused() -> None:
    """Credentials of an exchange have no place in an alert: refused with what to do, and not stored."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage)
        answer = await rig.post(flat(stage, apiKey="abcdefgh12345678", apiSecret="ijklmnop12345678"))
        assert (answer.status, answer.outcome) == (422, "ApiKeyInBody")
        assert "new keys" in answer.problems[0].message
        assert "12345678" not in repr(stage.events(PATH))

    play(script)


# --- when it fires (section 6) ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pyramids", [1, 5])
def test_a_second_entry_within_a_bar(pyramids: int) -> None:
    """A source's second entry on one bar is refused (SecondEntryInBar) unless pyramids are allowed; a restart knows it."""
    journal = FailingJournal()

    def setup(stage: Stage) -> GatewayRig:
        return GatewayRig(stage, pyramids=lambda *_: pyramids)

    def body(rig: GatewayRig, bar: str, ident: str, **changes: Any) -> bytes:
        return rig.body(tv__bar_time=bar, strategy_info__trade_id=ident, tv__prev_market_position=None, **changes)

    async def first(stage: Stage) -> None:
        rig = setup(stage)
        assert (await rig.post(body(rig, "2023-11-14T22:00:00Z", "a"))).outcome == "accepted"

    async def second(stage: Stage) -> None:
        rig = setup(stage)
        answer = await rig.post(body(rig, "2023-11-14T22:00:00Z", "b"))
        assert answer.outcome == ("accepted" if pyramids > 1 else "SecondEntryInBar")
        other = body(rig, "2023-11-14T22:00:00Z", "c", strategy_info__alert_name="another")
        assert (await rig.post(other)).outcome == "accepted"
        out = {"execution_intent__type": "exit", "tv__action": "sell", "execution_intent__side": None}
        assert (await rig.post(body(rig, "2023-11-14T22:00:00Z", "d", **out))).outcome == "accepted"
        assert (await rig.post(body(rig, "2023-11-14T22:15:00Z", "e"))).outcome == "accepted"

    play(first, journal=journal)
    play(second, journal=journal, start=START + 30 * S)


# --- shapes of others (section 1) ---------------------------------------------------------------------------------------


def test_mapped_alerts_pass_the_same_rules() -> None:
    """A mapped alert becomes the payload of EX-202 and goes through every check of EX-250."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage)
        assert await rig.outcome(flat(stage, secret="wrong-horse-battery")) == (401, "SecretMismatch")
        assert await rig.outcome(flat(stage, secret=MISSING)) == (401, "AuthMissing")
        assert await rig.outcome(flat(stage, ticker="DOGEUSDT")) == (422, "UnknownSymbol")
        assert await rig.outcome(flat(stage)) == (200, "accepted")
        assert await rig.outcome(flat(stage)) == (200, "duplicate_ignored")
        assert rig.received()[-1].mapping == "flat"
        assert SECRET not in repr(stage.events(PATH))

    play(script)


def test_the_mapping_may_be_named_in_the_address() -> None:
    """?mapping=NAME goes before what the body looks like; one that is not there is refused with the near one."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage)
        request = rig.request(flat(stage))
        for name, outcome in (("flat", "accepted"), ("flatt", "UnknownMapping"), ("keyvalue", "MappingMismatch")):
            answer = await stage.ask("gateway", type(request)("ann", "10.0.0.1", (), request.body, name))
            assert answer.outcome == outcome

    play(script)
