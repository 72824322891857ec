"""Bodies that people already have, read as the payload of EX-202 through named mappings."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.signals import AuthFailure, AuthMode, authenticate, interpret_payload
from rules.signals.mappings import BUILTIN, Form, Mapping, Reading, explain_problem, extended, read_body

NOW = 1_772_366_400 * 10**9
TIME = "2026-03-01T12:00:00Z"

SIGNAL_BOT: dict[str, Any] = {
    "secret": "correct-horse-battery",
    "max_lag": "300",
    "timestamp": TIME,
    "trigger_price": "65000",
    "tv_exchange": "BINANCE",
    "tv_instrument": "BTCUSDT",
    "action": "enter_long",
    "bot_uuid": "b-1",
    "order": {"amount": "0.02", "currency_type": "base"},
}
DCA_BOT: dict[str, Any] = {
    "message_type": "bot",
    "bot_id": 12345,
    "email_token": "correct-horse-battery",
    "delay_seconds": 0,
    "pair": "USDT_BTC",
    "timestamp": TIME,
    "price": "65000",
    "volume": "100",
}
FLAT: dict[str, Any] = {
    "ticker": "BTCUSDT",
    "exchange": "BINANCE",
    "interval": "15",
    "action": "buy",
    "price": 65000.5,
    "contracts": "0.02",
    "time": TIME,
    "id": "n1",
}


def read(body: Any, mappings: dict[str, Mapping] | None = None, **how: Any) -> Reading:
    """Read a body, a document as JSON."""
    given = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return read_body(given, mappings or BUILTIN, at=NOW, **how)


def found(body: Any, **how: Any) -> tuple[str, str, str]:
    """Return symbol, kind and side of what a body asks for; its codes where it is refused."""
    reading = read(body, **how)
    if reading.problem is not None:
        return reading.problem.code, "", ""
    clean, classified, problems = interpret_payload(reading.payload)
    if classified is None:
        return ",".join(each.code for each in problems), "", ""
    return str(clean["tv.symbol"]), classified.kind.value, classified.side.value


@pytest.mark.parametrize(
    ("action", "kind", "side"),
    [
        ("enter_long", "entry", "long"),
        ("enter_short", "entry", "short"),
        ("exit_long", "exit", "long"),
        ("exit_short", "exit", "short"),
        ("buy", "entry", "long"),
        ("SELL", "entry", "short"),
    ],
)
def test_the_signal_bot_of_3commas(action: str, kind: str, side: str) -> None:
    """Every action of a 3Commas signal bot means what it means there; the trigger price is the close (EX-202)."""
    reading = read({**SIGNAL_BOT, "action": action})
    assert reading.mapping == "3commas"
    assert reading.secret == "correct-horse-battery"
    assert found({**SIGNAL_BOT, "action": action}) == ("BTC/USDT", kind, side)
    assert isinstance(reading.payload, dict)
    assert reading.payload["tv"]["close_price"] == "65000"
    assert reading.payload["tv"]["max_lag_seconds"] == "300"


def test_the_strategy_type_of_3commas() -> None:
    """Its positions before and after tell a reduction and an exit from an entry (EX-311)."""
    positions = {
        "market_position": "long",
        "market_position_size": "2",
        "prev_market_position": "long",
        "prev_market_position_size": "5",
    }
    body = {**SIGNAL_BOT, "action": "sell", "strategy_info": positions}
    assert found(body) == ("BTC/USDT", "reduce", "long")
    flat = {**positions, "market_position": "flat", "market_position_size": "0"}
    assert found({**body, "strategy_info": flat}) == ("BTC/USDT", "exit", "long")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ("BTC/USDT", "entry", "long")),
        ({"action": "close_at_market_price"}, ("BTC/USDT", "exit", "long")),
        ({"action": "add_funds_in_quote"}, ("BTC/USDT", "entry", "long")),
        ({"pair": "USDT_ETHUSDT"}, ("ETH/USDT:USDT", "entry", "long")),
        ({"action": "stop_bot"}, ("InvalidEnum", "", "")),
        ({"pair": "USDT"}, ("UnknownSymbol", "", "")),
    ],
)
def test_the_dca_bot_of_3commas(changes: dict[str, Any], expected: tuple[str, str, str]) -> None:
    """Its pairs are QUOTE_BASE, its token is the secret; what it could not mean here is refused, never guessed."""
    body = {**DCA_BOT, **changes}
    assert found(body, only_venue="binance") == expected
    assert read(body).secret == "correct-horse-battery"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ("BTC/USDT", "entry", "long")),
        ({"action": "close", "side": "long"}, ("BTC/USDT", "exit", "long")),
        ({"action": "close", "side": "sell"}, ("BTC/USDT", "exit", "long")),
        ({"action": "reverse_short"}, ("BTC/USDT", "reverse", "short")),
        ({"action": "sell", "position": "flat", "prev_market_position": "long"}, ("BTC/USDT", "exit", "long")),
        ({"action": "close"}, ("MissingField", "", "")),
        ({"action": "hold"}, ("InvalidEnum", "", "")),
        ({"type": "market", "action": "buy"}, ("BTC/USDT", "entry", "long")),
    ],
)
def test_flat_json(changes: dict[str, Any], expected: tuple[str, str, str]) -> None:
    """Common names in a flat object are understood; a word without a direction needs one beside it."""
    assert found({**FLAT, **changes}) == expected


@pytest.mark.parametrize("text", [
    "action=buy symbol=BTCUSDT exchange=BINANCE price=65000 qty=1 time=2026-03-01T12:00:00Z",
    "action=buy, symbol=BTCUSDT, exchange=BINANCE, price=65000, qty=1, time=2026-03-01T12:00:00Z",
    "action=buy;symbol=BTCUSDT;exchange=BINANCE;price=65000;qty=1;time=2026-03-01T12:00:00Z",
    "action=buy\r\nsymbol='BTCUSDT'\nexchange=\"BINANCE\"\nprice = 65000\nqty=1\ntime=2026-03-01T12:00:00Z\n",
])  # fmt: skip
def test_key_value_pairs(text: str) -> None:
    """Pairs may stand between spaces, commas, semicolons or line ends, quoted or not."""
    assert read(text).mapping == "keyvalue"
    assert found(text) == ("BTC/USDT", "entry", "long")


@pytest.mark.parametrize("text", ["buy BTCUSDT @ 65000 2026-03-01T12:00:00Z", "Buy 0.5 BTCUSDT  @ 65000 1772366400"])
def test_plain_text(text: str) -> None:
    """A text that fits one of the known patterns is read by its named parts; any run of blanks is one."""
    reading = read(text, only_venue="binance")
    assert reading.mapping == "text"
    assert isinstance(reading.payload, dict)
    assert reading.payload["tv"]["entry_price"] == "65000"


@pytest.mark.parametrize(
    ("body", "rest"),
    [
        ("correct-horse-battery\nbuy BTCUSDT @ 65000", "text"),
        ("secret: correct-horse-battery\nbuy BTCUSDT @ 65000", "text"),
        ("secret=correct-horse-battery\naction=buy symbol=BTCUSDT", "keyvalue"),
        ("secret=correct-horse-battery action=buy symbol=BTCUSDT", "keyvalue"),
    ],
)
def test_the_secret_of_texts(body: str, rest: str) -> None:
    """Texts carry the secret as a key or as their first line (EX-221)."""
    reading = read(body)
    assert (reading.secret, reading.mapping) == ("correct-horse-battery", rest)


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({**DCA_BOT, "secret": "wrong-horse-battery"}),
        "correct-horse-battery\nsecret=wrong-horse-battery action=buy symbol=BTCUSDT",
    ],
)
def test_two_secrets_that_differ_prove_nothing(body: str) -> None:
    """Every proof that is presented must be valid: a right secret in one place does not rescue a wrong one (EX-220)."""
    presented = read(body).secret
    for secrets in (("correct-horse-battery",), ("wrong-horse-battery",), ()):
        said = authenticate(AuthMode.EITHER, secrets, (), (), body.encode(), NOW, presented=presented)
        assert said is AuthFailure.SECRET_MISMATCH


@pytest.mark.parametrize(
    "body",
    [b"", b"   ", b"buy", b"hello there", b"{", b'{"a": 1', b"\xff\xfe", b"\xef\xbb\xbf{}", b"a=1", b"a=1 b", b"[1, "],
)
def test_what_is_no_alert(body: bytes) -> None:
    """Anything that no shape fits is MalformedJson with a reason; what begins like JSON is read as nothing else."""
    reading = read(body)
    assert reading.problem is not None
    assert (reading.problem.code, reading.problem.path) == ("MalformedJson", "$")
    assert reading.problem.message


def test_the_order_of_recognition() -> None:
    """The payload of EX-202 goes first, then own mappings, then 3Commas, then flat; a name goes before all."""
    own = Mapping(name="mine", recognise=("tv_instrument",), fields={"tv.symbol": ("tv_instrument",)})
    everything = {**BUILTIN, "mine": own}
    assert read({**SIGNAL_BOT, "tv": {}}, everything).mapping == "bulkhead"
    assert read(SIGNAL_BOT, everything).mapping == "mine"
    assert read(SIGNAL_BOT).mapping == "3commas"
    assert read(SIGNAL_BOT, everything, name="3commas").mapping == "3commas"
    assert read({**SIGNAL_BOT, "mapping": "flat"}).mapping == "flat"
    assert read({"nothing": 1}).mapping == "bulkhead"


@pytest.mark.parametrize(
    ("body", "name", "code", "says"),
    [
        (FLAT, "fat", "UnknownMapping", "did you mean flat?"),
        (FLAT, "text", "MappingMismatch", "the body is JSON"),
        ("buy BTCUSDT", "text", "MappingMismatch", "{action} {symbol} @ {price}"),
        ({"Price": 1, "price": 2, **FLAT}, "", "AmbiguousField", "keep one"),
    ],
)
def test_refusals_say_what_to_do(body: Any, name: str, code: str, says: str) -> None:
    """A mapping that is not there or does not fit, and a field named twice, are refused with what would help."""
    problem = read(body, name=name).problem
    assert problem is not None
    assert problem.code == code
    assert says in problem.message


def test_two_mappings_that_fit_are_one_too_many() -> None:
    """Where two own mappings fit a body nothing is guessed: AmbiguousMapping names both."""
    one = Mapping(name="one", recognise=("sym",), fields={"tv.symbol": ("sym",)})
    two = Mapping(name="two", recognise=("dir",), fields={"tv.symbol": ("dir",)})
    problem = read({"sym": 1, "dir": 2}, {**BUILTIN, "one": one, "two": two}).problem
    assert problem is not None
    assert problem.code == "AmbiguousMapping"
    assert "one, two" in problem.message
    assert read({"sym": 1, "dir": 2}, {**BUILTIN, "one": one, "two": two}, name="two").mapping == "two"


def test_a_mapping_of_ones_own() -> None:
    """Constants, words, inner fields and defaults fill the payload; equals narrows what is recognised."""
    own = Mapping(
        name="mine",
        recognise=("s",),
        equals={"kind": "trade"},
        constants={"tv.exchange": "BINANCE"},
        defaults={"tv.timeframe": "4h"},
        fields={"tv.symbol": ("s",), "tv.action": ("inner.way",), "timestamp": ("at",), "tv.entry_price": ("p",)},
        words={"tv.action": {"up": "buy", "down": "sell"}, "execution_intent.type": {}},
    )
    body = {"s": "BTCUSDT", "kind": "Trade", "inner": {"way": "UP"}, "at": TIME, "p": 1, "more": 2}
    reading = read(body, {**BUILTIN, "mine": own})
    assert isinstance(reading.payload, dict)
    assert reading.payload["tv"] == {
        "exchange": "BINANCE",
        "symbol": "BTCUSDT",
        "timeframe": "4h",
        "action": "buy",
        "entry_price": 1,
    }
    assert "more" in reading.unused
    assert read({**body, "kind": "note"}, {**BUILTIN, "mine": own}).mapping == "bulkhead"


def test_a_text_of_ones_own() -> None:
    """A pattern of one's own is literal text with named parts; {_} is anything."""
    own = Mapping(
        name="mine",
        form=Form.TEXT,
        patterns=("[{_}] {symbol}: go {action} ({price})",),
        fields={"tv.symbol": ("symbol",), "tv.action": ("action",), "tv.entry_price": ("price",)},
    )
    reading = read("[Bot 7] BTCUSDT: go long (65000)", {**BUILTIN, "mine": own})
    assert reading.mapping == "mine"
    assert isinstance(reading.payload, dict)
    assert reading.payload["tv"] == {
        "symbol": "BTCUSDT",
        "timeframe": "1h",
        "action": "long",
        "entry_price": "65000",
    }


def test_a_built_in_mapping_may_be_added_to() -> None:
    """A mapping named as a built-in one keeps that and adds what it says."""
    more = extended(BUILTIN["text"], Mapping(name="x", form=Form.TEXT, constants={"tv.exchange": "OKX"}, undated=True))
    reading = read("buy BTCUSDT @ 65000", {**BUILTIN, "text": more})
    assert reading.undated
    assert isinstance(reading.payload, dict)
    assert reading.payload["tv"]["exchange"] == "OKX"
    assert reading.payload["timestamp"] == "2026-03-01T12:00:00.000Z"


def test_a_time_is_never_guessed() -> None:
    """Without a time a mapped alert is refused, with the sender's own field names, unless its mapping takes it."""
    body = {name: value for name, value in FLAT.items() if name != "time"}
    reading = read(body)
    problem = interpret_payload(reading.payload).problems[0]
    said = explain_problem(problem, reading, BUILTIN)
    assert (said.code, said.path) == ("MissingField", "timestamp")
    assert "timenow" in said.message
    assert "undated = true" in said.message


def test_the_body_is_its_own_id() -> None:
    """Without an id the same text has the same one, another text another; the secret has no part in it."""
    body = {**FLAT, "secret": "correct-horse-battery"}
    del body["id"]

    def ident(changes: dict[str, Any]) -> Any:
        payload = read({**body, **changes}).payload
        assert isinstance(payload, dict)
        return payload["strategy_info"]["trade_id"]

    assert ident({}) == ident({"secret": "another-horse-battery"})
    assert ident({}) != ident({"price": 65001})


@pytest.mark.parametrize(
    ("changes", "path", "says"),
    [
        ({"action": "hold"}, "tv.action", "`action`"),
        ({"contracts": "-"}, "tv.order_size", "`contracts`"),
        ({"ticker": None}, "tv.symbol", "symbol, ticker, pair"),
    ],
)
def test_errors_name_the_senders_own_field(changes: dict[str, Any], path: str, says: str) -> None:
    """A problem carries the path of EX-202 and names the field of the body, or those that are looked for (EX-209)."""
    reading = read({**FLAT, "side": "buy", **changes})
    problems = [explain_problem(each, reading, BUILTIN) for each in interpret_payload(reading.payload).problems]
    assert [each.path for each in problems] == [path]
    assert says in problems[0].message


@pytest.mark.parametrize(
    "body",
    [
        {**FLAT, "apiKey": "x"},
        {**FLAT, "more": {"api_secret": ""}},
        {"tv": [{"private-key": 1}]},
        "api_key=x action=buy",
    ],
)
def test_an_exchange_key_is_noticed(body: Any) -> None:
    """A field named as an exchange's API key is noticed at any depth and in any shape, filled or not."""
    assert read(body).api_key is not None
    assert read(FLAT).api_key is None


def test_an_exit_needs_no_size() -> None:
    """A size in a unit we do not know must not hold up an exit; it does hold up an entry."""
    order = {"amount": "100", "currency_type": "position_percent"}
    assert found({**SIGNAL_BOT, "action": "exit_long", "order": order}) == ("BTC/USDT", "exit", "long")
    assert found({**SIGNAL_BOT, "order": order}) == ("InvalidEnum", "", "")


@given(st.binary(max_size=200))
def test_no_body_makes_it_raise(body: bytes) -> None:
    """Whatever bytes arrive, they are read or refused."""
    reading = read_body(body, BUILTIN, at=NOW)
    assert reading.mapping in BUILTIN


@given(st.dictionaries(st.sampled_from(["action", "symbol", "price", "time", "tv", "order", "id", "mapping"]),
                       st.recursive(st.none() | st.text(max_size=9) | st.integers(), lambda inner: st.lists(inner) |
                                    st.dictionaries(st.text(max_size=5), inner), max_leaves=6)))  # fmt: skip
def test_no_document_makes_it_raise(document: dict[str, Any]) -> None:
    """Whatever a JSON object holds, it is read or refused, and validation takes the result."""
    reading = read(document)
    assert reading.problem is not None or interpret_payload(reading.payload) is not None
