"""A template or a received body, read without a daemon."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from protocol.instruments import PrecisionRules
from service.account_paths import AccountPaths
from service.cli.commands import app
from service.config import Config, parse
from service.intake import TRADINGVIEW_ADDRESSES, gateway_settings, mappings_of
from service.signal_check import CheckReport, check_body
from tests.service.command_line import CliRunner

NOW = 1_772_366_400 * 10**9
TEMPLATE: dict[str, Any] = {
    "secret": "correct-horse-battery",
    "timestamp": "{{timenow}}",
    "tv": {
        "exchange": "{{exchange}}",
        "symbol": "{{ticker}}",
        "timeframe": "{{interval}}",
        "action": "{{strategy.order.action}}",
        "entry_price": "{{strategy.order.price}}",
        "order_size": "{{strategy.order.contracts}}",
    },
    "strategy_info": {"trade_id": "{{strategy.order.id}}", "alert_name": "{{alert_name}}"},
    "execution_intent": {"type": "signal"},
}


def invoke(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, list(arguments), input=stdin, env={"COLUMNS": "200"})


def check(body: Any, config: str = "", **how: Any) -> CheckReport:
    given = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return check_body(given, parse(config, {}), at=NOW, **how)


def test_a_template_is_filled_and_read() -> None:
    """Placeholders get sample values, and identity, kind, side and ladder are shown (EX-202, EX-260)."""
    rules = PrecisionRules(Decimal("0.1"), Decimal("0.0001"), Decimal(0), Decimal(0))
    report = check(TEMPLATE, rules=rules)
    assert report.ok
    assert (report.mapping, report.kind, report.side) == ("bulkhead", "entry", "long")
    assert report.identity == "trader|binance|BTC/USDT|1h|long"
    assert report.filled["ticker"] == "BTCUSDT"
    assert [(each.price, each.qty) for each in report.ladder[:2]] == [
        (Decimal("65000.0"), Decimal("0.0020")),
        (Decimal("64675.0"), Decimal("0.0020")),
    ]
    assert not any("correct-horse" in repr(each) for each in (report.values, report.problems, report.warnings))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"time": "{{time}}"}, "start of the bar"),
        ({"time": None, "id": None}, "cannot be told apart"),
        ({"id": None}, "no id"),
        ({"interval": None}, "no timeframe"),
        ({"price": "{{close}}"}, "Heikin Ashi"),
        ({"price": "{{plot_0}}"}, "NaN"),
        ({"comment": "{{strategy.order.comment}}"}, "quotation mark"),
        ({"note": "{{alert.message}}"}, "{{alert.message}}"),
        ({"colour": "red"}, "colour"),
        ({"secret": None}, "there is no secret"),
        ({"exchange": "BINANCE_DL"}, "delayed"),
        ({"time": "2026-03-01T11:00:00Z"}, "StaleSignal"),
    ],
)
def test_warnings(changes: dict[str, Any], says: str) -> None:
    """What would hurt later is said when the template is checked, also where it is refused."""
    body = {
        "secret": "correct-horse-battery",
        "ticker": "BTCUSDT",
        "exchange": "BINANCE",
        "interval": "60",
        "action": "buy",
        "price": "65000",
        "qty": "1",
        "time": "2026-03-01T12:00:00Z",
        "id": "n1",
        **changes,
    }
    report = check({name: value for name, value in body.items() if value is not None})
    assert any(says in each for each in report.warnings)


def test_a_good_alert_has_no_warning() -> None:
    """An alert with everything in its place is accepted without a word."""
    body = {**TEMPLATE, "timestamp": "2026-03-01T12:00:00Z", "strategy_info": {"trade_id": "a"}}
    body["tv"] = {
        "exchange": "BINANCE",
        "symbol": "BTCUSDT",
        "timeframe": "60",
        "action": "buy",
        "entry_price": 1,
        "order_size": 1,
    }
    assert check(body).warnings == ()


def test_a_refusal_names_the_field() -> None:
    """In words why, with the sender's own field."""
    report = check({"ticker": "BTCUSDT", "action": "hold", "price": 1, "qty": 1, "time": NOW // 10**9})
    assert not report.ok
    assert [each.code for each in report.problems] == ["InvalidEnum"]
    assert "`action`" in report.problems[0].message


def test_mappings_of_the_configuration_count() -> None:
    """A mapping in config.toml is found as in the daemon; one named as a built-in one adds to it."""
    config = """
    [signal.mappings.mine]
    recognise = ["sym"]
    fields = { "tv.symbol" = ["sym"], "tv.action" = ["dir"], "timestamp" = ["at"], "tv.entry_price" = ["p"] }
    constants = { "tv.order_size" = "2", "tv.timeframe" = "4h" }
    words = { "tv.action" = { UP = "buy" } }
    [signal.mappings.text]
    form = "text"
    undated = true
    """
    report = check({"sym": "ETHUSDT", "dir": "up", "at": NOW // 10**9, "p": 3}, config)
    assert (report.mapping, report.identity) == ("mine", "trader|binance|ETH/USDT|4h|long")
    assert check("buy 2 BTCUSDT @ 3", config).ok


@pytest.mark.parametrize(
    ("text", "path", "code"),
    [
        ('[signal.mappings.m.fields]\n"tv.simbol" = ["s"]', "signal.mappings.m.fields", "UnknownKey"),
        ('[signal.mappings.m]\nform = "text"', "signal.mappings.m.patterns", "MissingValue"),
        ('[signal.mappings.text]\nform = "keyvalue"', "signal.mappings.text.form", "InvalidEnum"),
        ("[signal.mappings.bulkhead]\nundated = true", "signal.mappings.bulkhead", "OutOfRange"),
        ("[[signal.sources]]\nsilence_s = 5", "signal.sources[0].silence_s", "OutOfRange"),
    ],
)
def test_wrong_mappings_are_refused_by_name(text: str, path: str, code: str) -> None:
    """Paths that the payload does not have and mappings that could never fit are mistakes of the configuration."""
    from service.config import ConfigError

    with pytest.raises(ConfigError) as raised:
        parse(text, {})
    assert [(each.path, each.code) for each in raised.value.problems] == [(path, code)]


@pytest.mark.parametrize(
    ("host", "listed", "expected"),
    [
        ("127.0.0.1", "[]", ()),
        ("localhost", "[]", ()),
        ("::1", "[]", ()),
        ("0.0.0.0", "[]", TRADINGVIEW_ADDRESSES),
        ("example.org", "[]", TRADINGVIEW_ADDRESSES),
        ("0.0.0.0", '["0.0.0.0/0"]', ("0.0.0.0/0",)),
    ],
)
def test_the_allow_list_is_on_for_a_public_address(host: str, listed: str, expected: tuple[str, ...]) -> None:
    """Without a list of one's own only TradingView may post to an address that others reach (EX-250)."""
    config = parse(f'[webhook]\nhost = "{host}"\n[signal]\nip_allowlist = {listed}', {})
    assert gateway_settings(config, None, AccountPaths).allowlist == expected


def test_settings_of_the_default_configuration() -> None:
    """One paper account trades its exchange for all strategies, every built-in mapping is there, proof is needed."""
    settings = gateway_settings(Config(), None, AccountPaths)
    (route,) = settings.routes["binance"]
    assert (route.account, route.paper, route.labels) == ("paper", True, ())
    assert settings.require_proof
    assert settings.only_venue == "binance"
    assert list(settings.mappings) == list(mappings_of({}))
    assert settings.pyramids("binance", "BTC/USDT", "1h") == 5


# --- the command --------------------------------------------------------------------------------------------------------


def test_the_command_reads_a_file_or_standard_input(tmp_path: Path) -> None:
    """`bulkhead signal check` takes a file or -, prints what it found, and ends with 1 when it would be refused."""
    file = tmp_path / "alert.json"
    file.write_text(json.dumps(TEMPLATE))
    good = invoke("signal", "check", str(file), "--rules", "0.01,0.0001,0,5")
    assert good.exit_code == 0
    assert "it would be accepted" in good.stdout
    assert "trader|binance|BTC/USDT|1h|long" in good.stdout
    bad = invoke("signal", "check", "-", "--json", stdin="hello")
    assert bad.exit_code == 1
    assert json.loads(bad.stdout)["problems"][0]["code"] == "MalformedJson"


@pytest.mark.parametrize(
    ("arguments", "code"), [(("no-such-file",), 4), (("-", "--rules", "1,2"), 2), (("-", "--rules", "a,b,c,d"), 2)]
)
def test_a_wrong_call_is_said(arguments: tuple[str, ...], code: int) -> None:
    """A file that is not there and rules that are none end with their exit codes."""
    assert invoke("signal", "check", *arguments, stdin="{}").exit_code == code


# --- what the pages say -------------------------------------------------------------------------------------------------

DOCS = Path(__file__).resolve().parents[2] / "docs" / "how-to"


def blocks(page: str, language: str) -> list[str]:
    """Return the code blocks of a page."""
    parts = (DOCS / page).read_text(encoding="utf-8").split(f"```{language}\n")[1:]
    return [part.partition("```")[0] for part in parts]


def test_the_template_of_the_guide_is_read() -> None:
    """The alert that the guide gives is an entry as it stands, and every field of it is read (EX-202)."""
    (template,) = blocks("tradingview-alert.md", "json")
    report = check(template)
    assert (report.ok, report.kind) == (True, "entry")
    assert not any("nothing reads" in each for each in report.warnings)


@pytest.mark.parametrize("page", ["tradingview-alert.md", "tradingview-shapes.md"])
def test_the_settings_of_the_guides_are_taken(page: str) -> None:
    """Every configuration in the guides is valid."""
    for text in blocks(page, "toml"):
        assert parse(text, {}).signal is not None


def test_the_mappings_of_the_guide_do_what_it_says() -> None:
    """The guide's own mappings read the bodies they are made for."""
    (config,) = blocks("tradingview-shapes.md", "toml")
    config += "[sizing]\nsource = 'fixed_quote'\n"
    mine = check({"sym": "BTCUSDT", "dir": "up", "order": {"px": 7}, "at": NOW // 10**9}, config)
    assert (mine.mapping, mine.ok, mine.identity) == ("mine", True, "trader|binance|BTC/USDT|4h|long")
    assert check("buy BTCUSDT @ 65000", config).ok
    room = check("[VIP] BTCUSDT: go long at 65000", config)
    assert (room.mapping, [each.path for each in room.problems]) == ("room", ["timestamp"])
