"""What is stored of a request, and how its body is read (EX-252, EX-110)."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.signals import MalformedJson, parse_body, redact_body, redact_headers, redact_text

SECRET = "correct-horse-battery"


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": 1.10, "b": [true, null, "x"]}', {"a": Decimal("1.10"), "b": [True, None, "x"]}),
        (b' {"a": 1}\r\n', {"a": 1}),
        (b'{"a": 1e999999999}', {"a": Decimal("1e999999999")}),
        (b"[1]", [1]),
        (b'"x"', "x"),
    ],
)
def test_bodies(body: bytes, value: object) -> None:
    """EX-201, EX-205: a JSON document is read with its numbers exact, surrounding blanks do not matter."""
    assert parse_body(body) == value


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  ",
        b"BUY BTC",
        b'{"a": 1',
        b'{"a": 1} x',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b"{'a': 1}",
        b'{"message": "TP "1""}',
        b'{"a": "\xff"}',
        b'\xef\xbb\xbf{"a": 1}',
        '{"a": 1}'.encode("utf-16"),
        b'{"a": 1, "a": 2}',
        b'{"b": {"a": 1, "a": 1}}',
        b"[" * 200_000,
        b'{"a":' * 100_000,
    ],
    ids=lambda body: ascii(body[:20]),
)
def test_bodies_that_are_refused(body: bytes) -> None:
    """EX-250: what cannot be read in exactly one way is MalformedJson, and the message quotes nothing of it."""
    with pytest.raises(MalformedJson) as caught:
        parse_body(body)
    assert (caught.value.code, caught.value.value) == ("MalformedJson", "")


def test_numbers_beyond_reason_are_read_without_harm() -> None:
    """EX-209: numbers of any length are read; refusing them is up to validation."""
    values: Any = parse_body(b'{"a": 1' + b"0" * 60_000 + b', "b": 1e99999999999999999999, "c": ' + b"7" * 400 + b"}")
    assert values["a"].adjusted() == 60_000
    assert math.isinf(values["b"])
    assert values["c"] == int("7" * 400)


@pytest.mark.parametrize(
    "body",
    [
        f'{{"secret":"{SECRET}","tv":{{}}}}',
        f'{{"tv":{{}}, "Secret" : "{SECRET}"}}',
        f'{{"s\\u0065cret":"{SECRET}"}}',
        f'{{"a":{{"webhook_secret":"{SECRET}"}}}}',
        f'{{"secret":["{SECRET}",{{"x":"{SECRET}"}}],"tv":1}}',
        f'{{"secret":{{"x":"}} {SECRET}"}}}}',
        '{"secret":"' + "".join(f"\\u{ord(each):04x}" for each in SECRET) + '"}',
        f'{{"apiKey":"{SECRET}","api_key":"{SECRET}","passphrase":"{SECRET}"}}',
        f'{{"text":"{{\\"secret\\": \\"{SECRET}\\"}}"}}',
        f'{{"secret":"{SECRET}"',
        f'{{"secret":"{SECRET}',
        f'{{"secret":["{SECRET}',
        f'{{"secret":"{SECRET}" "tv" 5',
        f"{{'secret': '{SECRET}'}}",
        f"{{secret: {SECRET}}}",
        f"secret={SECRET}&symbol=BTC",
        f'{{""secret"": ""{SECRET}""}}',
        f'{{\\"secret\\": \\"{SECRET}\\"}}',
        f'"unbalanced {{"secret":"{SECRET}"}}',
        f'{{"message": "TP "1"", "secret": "{SECRET}"}}',
    ],
)
def test_no_secret_is_stored(body: str) -> None:
    """EX-252: wherever a field names a secret its value goes, also out of bodies that are no JSON."""
    found = redact_body(body.encode())
    assert SECRET not in found
    assert "horse" not in found
    assert "***" in found


def test_redaction_changes_nothing_else() -> None:
    """EX-252, EX-261: the rest of the body stays as it was sent, so that it can be sent again."""
    body = '{ "tv": {"a": 1.10,\n"b": "x\\"y"}, "secret":  "s0me secret, with: {punctuation}", "n": null }'
    assert redact_body(body.encode()) == body.replace('"s0me secret, with: {punctuation}"', '"***"')
    harmless = '{"alert_message": "the secret: is out", "my secret:": 1}'
    assert json.loads(redact_body(harmless.encode())).keys() == {"alert_message", "my secret:"}


@pytest.mark.parametrize("value", ["5", "null", "true", "-1.5e3", "{}", "[]", '""'])
def test_secrets_that_are_no_text(value: str) -> None:
    """EX-252: whatever stands where the secret belongs is replaced and the body stays JSON."""
    found = json.loads(redact_body(f'{{"secret": {value}, "tv": [1]}}'.encode()))
    assert found == {"secret": "***", "tv": [1]}


def test_known_secrets_go_wherever_they_stand() -> None:
    """EX-252: a configured secret is taken out of other fields too, however it is escaped."""
    secret = 'quo"te-ünïcode-secret'
    body = json.dumps({"alert_message": f"my key is {secret}!", "x": secret}, ensure_ascii=True)
    plain = json.dumps({"x": secret}, ensure_ascii=False)
    assert json.loads(redact_body(body.encode(), [secret])) == {"alert_message": "my key is ***!", "x": "***"}
    assert json.loads(redact_body(plain.encode(), [secret, "", "a"])) == {"x": "***"}


def test_bytes_that_are_no_text() -> None:
    """EX-252: a body of any bytes gives text that can be stored."""
    assert redact_body(b'\xff\xfe{"secret":"\xff\xff"}').endswith('{"secret":"***"}')


def test_headers_without_credentials() -> None:
    """EX-252: headers that carry proofs or credentials are left out, a secret in another one is replaced."""
    headers = {
        "Content-Type": "text/plain",
        "Authorization": "Bearer x",
        "X-Bulkhead-Signature": "sha256=0",
        "X-Bulkhead-Timestamp": "1772366400",
        "Cookie": "a=b",
        "X-Api-Key": "k",
        "X-Original-URI": f"/hook/{SECRET}",
        "X-Long": "y" * 5000,
        "X-Odd": "\udcff",
    }
    kept = dict(redact_headers(headers, [SECRET]))
    assert kept == {
        "Content-Type": "text/plain",
        "X-Bulkhead-Timestamp": "1772366400",
        "X-Original-URI": "/hook/***",
        "X-Long": "y" * 1024,
        "X-Odd": "?",
    }
    assert len(redact_headers([("A", "b")] * 1000)) == 64


def test_text_without_secrets() -> None:
    """EX-110: errors are shown without secrets."""
    assert redact_text(f"secret={SECRET} refused, {SECRET}\ud800", [SECRET]) == "secret=*** refused, ***?"


@pytest.mark.parametrize(
    "body",
    [b'"' + b'\\"' * 100_000, b'{"secret":[' + b'"\\"' * 60_000, b"secret" * 60_000, b'secret:"' + b"\\" * 200_000],
)
def test_hostile_bodies_are_redacted_in_time(body: bytes) -> None:
    """EX-251: no body makes redaction slow; these took minutes with backtracking patterns."""
    assert len(redact_body(body)) <= len(body) + 16


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["secret", "tv", "note", "Secret"]),
        st.recursive(
            st.text(st.characters(), max_size=12) | st.integers() | st.none() | st.just(SECRET),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["secret", "a"]), inner),
            max_leaves=6,
        ),
    ),
    st.booleans(),
    st.integers(0, 200),
)
def test_secrets_never_survive(body: dict[str, Any], ascii_only: bool, cut: int) -> None:
    """EX-252: of any JSON, whole or cut anywhere, no field named secret keeps a value."""
    text = json.dumps({"secret": SECRET, "body": body}, ensure_ascii=ascii_only)
    whole = redact_body(text.encode("utf-8", "surrogatepass"), [SECRET])
    assert SECRET not in whole
    assert SECRET not in redact_body(text.encode("utf-8", "surrogatepass")[: cut + 40], [SECRET])
    found = json.loads(whole)
    assert found["secret"] == "***"
    assert all(value == "***" for name, value in found["body"].items() if name.lower() == "secret")


PROOF = "x7-Q" * 11


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (f"GET /ws with bhc_0123456789ab_{PROOF} refused", "bhc_0123456789ab_***"),
        ("cannot connect to postgresql://bulkhead:hunter2@db:5432/x", "postgresql://bulkhead:***@db:5432/x"),
        ("redis://:hunter2@cache:6379/0 is away", "redis://:***@cache:6379/0"),
        (f"https://api.telegram.org/bot123456:{PROOF}/getMe: 401", "https://api.telegram.org/bot123456:***/getMe"),
    ],
)
def test_what_looks_like_a_secret_is_one(text: str, kept: str) -> None:
    """EX-1508: credentials of ours, passwords in addresses, tokens of bots are taken out whoever knows their value."""
    said = redact_text(text)
    assert kept in said
    assert PROOF not in said
    assert "hunter2" not in said
    body = json.dumps({"comment": text, "then": "a@b.example"})
    assert json.loads(redact_body(body.encode())) == {"comment": said, "then": "a@b.example"}


@pytest.mark.parametrize(
    "text", ["http://127.0.0.1:8789/ws", "mail bob@example.org: https://desk:8788/a@b", "bhp_ is a kind"]
)
def test_what_only_resembles_one_is_left(text: str) -> None:
    """An address with a port, and a name, say what they said."""
    assert redact_text(text) == text


def test_a_known_secret_is_found_in_an_address() -> None:
    """EX-1508: by value as it is written in an address too."""
    assert "p%2Fss" not in redact_text("GET /?k=p%2Fssw%20rd%3A1 failed", ["p/ssw rd:1"])
