"""The gateway's checks in their order, and what is stored of a request (EX-250, EX-252)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from protocol.signals import EntryRequest, ExitRequest, ReduceRequest, SignalReceived
from protocol.values import Side
from protocol.webhook import RequestRefused
from rules.signals import AuthMode, sign
from tests.actors.cast import START, FailingJournal, S, Stage, kinds, play
from tests.actors.gateway_rig import PATH, SECRET, GatewayRig
from tests.rules.signal_payloads import MISSING

KEY = "a-key-for-signatures"


# --- the table of EX-250 -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "status", "outcome"),
    [
        ({"secret": MISSING}, 401, "AuthMissing"),
        ({"secret": "wrong-horse-battery"}, 401, "SecretMismatch"),
        ({"tv__action": "hold"}, 422, "InvalidEnum"),
        ({"tv__symbol": "DOGEUSDT"}, 422, "UnknownSymbol"),
        ({"tv__symbol": "DOGE/USDT"}, 422, "UnknownSymbol"),
        ({"tv__exchange": "nowhere"}, 422, "UnsupportedVenue"),
        ({"tv__exchange": "bybit"}, 422, "VenueDisabled"),
        ({"age_s": 61}, 422, "StaleSignal"),
        ({"age_s": -11}, 422, "FutureSignal"),
        ({"age_s": 60}, 200, "accepted"),
        ({}, 200, "accepted"),
    ],
)
def test_each_check_answers(changes: dict[str, Any], status: int, outcome: str) -> None:
    """Each failure has its status and code; what passes them all is accepted and handed to the pool (EX-250)."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage)
        answer = await rig.post(**changes)
        assert (answer.status, answer.outcome) == (status, outcome)
        assert len(rig.routed()) == (1 if status == 200 else 0)
        assert bool(answer.signal_id) is (status != 401)

    play(script)


def test_a_body_that_is_no_json() -> None:
    """Without a valid signature it fails authentication, with one it is MalformedJson."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage, hmac_keys=(KEY,))
        assert await rig.outcome(b"{") == (401, "AuthMissing")
        seconds = str(stage.now // S)
        headers = (
            ("X-Bulkhead-Timestamp", seconds),
            ("X-Bulkhead-Signature", sign(KEY, seconds, b"{")),
        )
        assert await rig.outcome(b"{", headers=headers) == (400, "MalformedJson")

    play(script)


def test_the_first_failure_answers() -> None:
    """A request that breaks every rule is answered by the first check it fails; mended step by step, by the next."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage, allowlist=("10.0.0.0/8",), rate_per_minute=2)
        bad: dict[str, Any] = {"secret": "wrong-horse-battery", "tv__action": "hold", "age_s": 100}
        assert await rig.outcome(address="8.8.8.8", **bad) == (403, "SourceNotAllowed")
        assert await rig.outcome(**bad) == (401, "SecretMismatch")
        bad["secret"] = SECRET
        assert await rig.outcome(**bad) == (422, "InvalidEnum")
        assert await rig.outcome(**bad) == (429, "RateLimited")
        await stage.passes(61)
        bad["tv__action"] = "buy"
        assert await rig.outcome(**bad) == (422, "StaleSignal")

    play(script)


def test_all_problems_are_answered_at_once() -> None:
    """A refused payload names every problem, in the order of the table (EX-209)."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage)
        answer = await rig.post(tv__action="hold", tv__timeframe="nonsense", risk__stop_loss=-1)
        assert [problem.path for problem in answer.problems] == ["tv.timeframe", "tv.action", "risk.stop_loss"]
        assert rig.received()[0].problems == answer.problems

    play(script)


def test_the_rate_limit_refills() -> None:
    """A user's requests are limited over a minute and allowed again as time passes; a clock set back locks nobody out."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage, rate_per_minute=60)
        for n in range(60):
            assert (await rig.post(strategy_info__trade_id=f"t{n}")).outcome == "accepted"
        assert (await rig.post()).outcome == "RateLimited"
        await stage.passes(1)
        assert (await rig.post(strategy_info__trade_id="later")).outcome == "accepted"
        assert (await rig.post()).outcome == "RateLimited"
        gateway = stage.actor("gateway")
        gateway._door._tokens_at += 3_600 * S
        assert (await rig.post()).outcome == "RateLimited"
        await stage.passes(1)
        assert (await rig.post(strategy_info__trade_id="last")).outcome == "accepted"

    play(script)


def test_limited_requests_are_noted_once() -> None:
    """What the rate limit refuses is noted once a minute with a counter (EX-1406): a flood must not fill the disk."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage, rate_per_minute=1)
        await rig.post()
        for _ in range(10):
            await rig.post()
        assert [getattr(event, "code", "") for event in stage.events(PATH)] == ["", "RateLimited"]

    play(script)


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("11.1.2.3", False),
        ("::ffff:11.1.2.3", False),
        ("2001:db8::7", True),
        ("2001:db9::7", False),
        ("", False),
        ("unix", False),
    ],
)
def test_the_allow_list(address: str, allowed: bool) -> None:
    """Only listed networks pass, whatever form an address has."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage, allowlist=("10.0.0.0/8", "2001:db8::/32"))
        assert (await rig.post(address=address)).status == (200 if allowed else 403)

    play(script)


# --- what is stored ----------------------------------------------------------------------------------------------------


def test_the_unauthenticated_are_noted_once_a_minute() -> None:
    """One event a minute and address, with a counter and without the body (EX-225)."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage)
        bad = rig.body(secret="wrong-horse-battery")
        for _ in range(3):
            await rig.post(bad)
        await rig.post(bad, address="10.0.0.2")
        await stage.passes(61)
        await rig.post(bad)
        noted = stage.events(PATH)
        assert [type(event) for event in noted] == [RequestRefused] * 3
        assert [(event.address, event.refused) for event in noted] == [
            ("10.0.0.1", 1),
            ("10.0.0.2", 1),
            ("10.0.0.1", 4),
        ]
        assert {(event.code, event.size) for event in noted} == {("SecretMismatch", len(bad))}

    play(script)


def test_what_is_stored_of_a_request() -> None:
    """Receipt, address, body and outcome, without any secret in body, headers, problems or signal (EX-252, EX-110)."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage)
        headers = (("Content-Type", "text/plain"), ("Authorization", f"Bearer {SECRET}"), ("X-Note", SECRET))
        await rig.post(headers=headers, strategy_info__alert_message=f"my secret is {SECRET}")
        await rig.post(headers=headers, tv__action=SECRET, strategy_info__alert_name={"a": SECRET})
        good, bad = rig.received()
        assert (good.user, good.source_address, good.outcome) == ("ann", "10.0.0.1", "accepted")
        assert json.loads(good.body)["secret"] == "***"
        assert good.headers == (("Content-Type", "text/plain"), ("X-Note", "***"))
        assert bad.outcome == "rejected:InvalidEnum"
        assert good.signal is not None
        assert good.signal.alert_message == "my secret is ***"
        assert SECRET not in repr(stage.events(PATH)) + repr(rig.pool)

    play(script)


def test_no_secret_is_answered() -> None:
    """A refusal repeats what was sent, but never a secret."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage)
        answer = await rig.post(tv__action=SECRET, tv__timeframe=f"15 {SECRET}", tv__symbol=f"{SECRET}")
        assert len(answer.problems) == 3
        assert SECRET not in repr(answer)

    play(script)


def test_signals_are_numbered_by_the_journal() -> None:
    """Ids follow the gateway's own events, so that the same history gives the same ids, over restarts too."""
    journal = FailingJournal()

    async def first(stage: Stage) -> None:
        rig = GatewayRig(stage)
        await rig.post(secret="wrong-horse-battery")
        assert (await rig.post()).signal_id == "s00000002"

    async def second(stage: Stage) -> None:
        rig = GatewayRig(stage)
        assert (await rig.post(strategy_info__trade_id="other")).signal_id == "s00000003"

    play(first, journal=journal)
    play(second, journal=journal, start=START + S)


# --- what a signal asks for --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, EntryRequest),
        ({"execution_intent__type": "exit", "tv__market_position": "flat"}, ExitRequest),
        (
            {
                "execution_intent__type": "reduce",
                "execution_intent__side": "sell",
                "tv__action": "sell",
                "tv__prev_market_position": "long",
                "tv__prev_market_position_size": "5",
            },
            ReduceRequest,
        ),
    ],
)
def test_the_pool_is_asked_for_the_right_thing(changes: dict[str, Any], kind: type) -> None:
    """An entry, an exit and a reduction each reach the pool as what they are."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage)
        answer = await rig.post(**changes)
        assert answer.outcome == "accepted"
        assert kinds(rig.pool) == [kind.__name__]
        assert rig.pool[0].signal.signal_id == answer.signal_id

    play(script)


@pytest.mark.parametrize("symbol", ["BTC/USDT", "BTCUSDT", "BINANCE:BTCUSDT", "btc-usdt", "btcusdt"])
def test_every_spelling_of_a_market(symbol: str) -> None:
    """A symbol is understood in every spelling that the account's markets go by (EX-303)."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage)
        assert (await rig.post(tv__symbol=symbol)).outcome == "accepted"
        assert rig.pool[0].signal.symbol == "BTC/USDT"

    play(script)


def test_an_unknown_symbol_is_answered_with_near_ones() -> None:
    """A misspelt symbol is refused with what was probably meant."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage)
        for wrong in ("BTC/USTD", "BTCUSTD"):
            answer = await rig.post(tv__symbol=wrong)
            assert answer.outcome == "UnknownSymbol"
            assert "BTC/USDT" in answer.problems[0].message

    play(script)


def test_before_the_markets_are_known() -> None:
    """While no session has been up a symbol cannot be checked: the signal is accepted and stored."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage, up=False)
        assert (await rig.post(tv__symbol="DOGE/USDT")).outcome == "accepted"

    play(script)


def test_a_venue_without_an_account_is_refused_by_name() -> None:
    """The refusal lists the venues that are traded."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage)
        answer = await rig.post(tv__exchange="BINANCE")
        assert (answer.outcome, answer.problems[0].path) == ("VenueDisabled", "tv.exchange")
        assert "paper" in answer.problems[0].message

    play(script)


def test_signatures_are_a_proof() -> None:
    """Where the mode says so a signature is enough, and it must be of the very body."""

    async def script(stage: Stage) -> None:
        rig = GatewayRig(stage, hmac_keys=(KEY,), auth_mode=AuthMode.HMAC)
        body = rig.body(secret=MISSING)
        seconds = str(stage.now // S)
        signature = sign(KEY, seconds, body)
        headers = (("x-bulkhead-timestamp", seconds), ("x-bulkhead-signature", signature))
        assert await rig.outcome(body, headers=headers) == (200, "accepted")
        assert await rig.outcome(body + b" ", headers=headers) == (401, "SignatureMismatch")
        assert SECRET not in repr(stage.events(PATH, SignalReceived))
        assert rig.pool[0].signal.side is Side.LONG

    play(script)
