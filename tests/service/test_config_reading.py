"""Single keys: types, bounds, unknown names; every mistake at once."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.config import Config, ConfigError, load, parse
from service.config.shipped import toml_value


def mistakes(text: str) -> list[tuple[str, str]]:
    """Return (path, code) of every mistake of a configuration."""
    try:
        parse(text, {})
    except ConfigError as error:
        return [(problem.path, problem.code) for problem in error.problems]
    return []


def message(text: str) -> str:
    """Return what the operator reads."""
    with pytest.raises(ConfigError) as caught:
        parse(text, {})
    return str(caught.value)


def test_nothing_needs_to_be_set() -> None:
    """An empty file gives the defaults."""
    assert parse("", {}) == Config()


def test_all_mistakes_come_together_in_the_order_of_the_file() -> None:
    """All errors are returned, in the order the keys were given, then the cross-key errors (EX-1303)."""
    text = """
        [execution_pool]
        max_open_groups = 0
        max_open_grops = 3
        [supervision]
        backoff_base_ms = 200
        backoff_cap_ms = 100
        [app]
        log_level = "loud"
        [signal]
        infer_exit_from_flat = "yes"
    """
    assert mistakes(text) == [
        ("execution_pool.max_open_groups", "OutOfRange"),
        ("execution_pool.max_open_grops", "UnknownKey"),
        ("app.log_level", "InvalidEnum"),
        ("signal.infer_exit_from_flat", "WrongType"),
        ("supervision.backoff_base_ms", "OutOfRange"),
    ]


@pytest.mark.parametrize(
    ("text", "guess"),
    [
        ("[webhok]\nport = 1", "did you mean webhook?"),
        ("[webhook]\nprot = 1", "did you mean port?"),
        ("[app]\nmax_open_groups = 3", "did you mean execution_pool.max_open_groups?"),
        ("[grid_strategy]\noverrides = [{match = {symbol = 'A/B'}, tp_percnt = 1}]", "did you mean tp_percent?"),
    ],
)
def test_unknown_keys_name_the_nearest_one(text: str, guess: str) -> None:
    """A key that does not exist is refused with the nearest name, also when it stands in the wrong section."""
    assert guess in message(text)


@pytest.mark.parametrize(
    ("text", "path", "code"),
    [
        ("app = 3", "app", "WrongType"),
        ("accounts = 3", "accounts", "WrongType"),
        ("accounts = []", "accounts", "OutOfRange"),
        ("[[accounts]]\nvenue = 'paper'", "accounts[0].name", "MissingValue"),
        ("[[accounts]]\nname = 'A B'", "accounts[0].name", "OutOfRange"),
        ("[[accounts]]\nname = 'a'\nexchange = 'kraken'", "accounts[0].exchange", "InvalidEnum"),
        ("[[accounts]]\nname = 'a'\nbalances = {USDT = -1}", "accounts[0].balances.USDT", "OutOfRange"),
        ("[webhook]\nport = 65536", "webhook.port", "OutOfRange"),
        ("[webhook]\nport = true", "webhook.port", "WrongType"),
        ("[webhook]\nport = '8787'", "webhook.port", "WrongType"),
        ("[webhook]\nport = 8787.0", "webhook.port", "WrongType"),
        ("[webhook]\nhost = 'a b'", "webhook.host", "OutOfRange"),
        ("[app]\ndata_dir = ''", "app.data_dir", "OutOfRange"),
        ("[app]\ndata_dir = 3", "app.data_dir", "WrongType"),
        ("[demo]\nsignals = 1", "demo.signals", "WrongType"),
        ("[sizing]\nfixed_quote = 0", "sizing.fixed_quote", "OutOfRange"),
        ("[sizing]\nfixed_quote = nan", "sizing.fixed_quote", "OutOfRange"),
        ("[sizing]\nfixed_quote = inf", "sizing.fixed_quote", "OutOfRange"),
        ("[sizing]\nfixed_quote = 1e400", "sizing.fixed_quote", "OutOfRange"),
        ("[sizing]\nfixed_quote = true", "sizing.fixed_quote", "WrongType"),
        ("[sizing]\nfixed_quote = 'much'", "sizing.fixed_quote", "WrongType"),
        ("[market]\nsymbols = ['BTCUSDT']", "market.symbols", "OutOfRange"),
        ("[market]\nspeed = 'fast'", "market.speed", "WrongType"),
        ("[market]\nspeed = 0", "market.speed", "OutOfRange"),
        ("[market.replay]\n'BTC/USDT' = {timeframe = '1m'}", 'market.replay."BTC/USDT".path', "MissingValue"),
        ("[signal]\nip_allowlist = ['10.0.0.1/8']", "signal.ip_allowlist", "OutOfRange"),
        ("[grid_strategy]\nlevels = [{}]", "grid_strategy.levels[0].gap_percent", "MissingValue"),
        (
            "[grid_strategy]\npyramid_tp_percents = {one = 1}",
            "grid_strategy.pyramid_tp_percents[one]",
            "PyramidIndexOutOfRange",
        ),
        ("[grid_strategy]\noverrides = [{tp_percent = 1}]", "grid_strategy.overrides[0].match", "MissingValue"),
        ("[grid_strategy]\noverrides = [3]", "grid_strategy.overrides[0]", "WrongType"),
        ("[webhook]\nport = 1\nport = 2", "$", "Unreadable"),
        ("x = " + "[" * 5000, "$", "Unreadable"),
        ("x = " + "1" * 5000, "$", "Unreadable"),
    ],
)
def test_wrong_values_are_refused_with_their_path(text: str, path: str, code: str) -> None:
    """A wrong type or a value out of bounds is an error that names the path; nothing is converted in silence."""
    assert (path, code) in mistakes(text)


def test_decimals_are_exact_and_may_be_text() -> None:
    """Numbers of money are read as they are written, never through binary floating point."""
    config = parse("[sizing]\nfixed_quote = 0.1\nmax_quote_per_pyramid = '0.30'", {})
    assert (config.sizing.fixed_quote, config.sizing.max_quote_per_pyramid) == (Decimal("0.1"), Decimal("0.30"))


def test_the_older_word_for_a_take_profit_mode_is_accepted() -> None:
    """``leg`` means ``per_leg`` (EX-1305)."""
    assert parse("[grid_strategy]\ntp_mode = 'leg'", {}).grid_strategy.tp_mode == "per_leg"


def test_relative_paths_start_at_the_folder_of_the_file(tmp_path: Path) -> None:
    """The same file means the same folders, wherever bulkhead is started."""
    file = tmp_path / "config.toml"
    file.write_text("[app]\ndata_dir = 'd'\n[market.replay]\n'A/B' = {path = 'a.csv'}\n")
    config = load(file, {})
    assert config.app.data_dir == tmp_path / "d"
    assert config.socket_path == tmp_path / "d" / "bulkhead.sock"
    assert config.market.replay["A/B"].path == tmp_path / "a.csv"


def test_a_file_that_cannot_be_read_is_a_clear_error(tmp_path: Path) -> None:
    """A missing file is named, not replaced by defaults."""
    with pytest.raises(ConfigError, match="No such file"):
        load(tmp_path / "config.toml", {})


JSON_LIKE = st.recursive(
    st.booleans() | st.integers() | st.decimals() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
ANY_KEY = st.sampled_from(
    [
        f"{section}.{key}"
        for section in ("app", "market", "grid_strategy", "precision", "webhook", "api")
        for key in getattr(Config(), section).__struct_fields__
    ]
)


@given(key=ANY_KEY, value=JSON_LIKE)
@example(key="grid_strategy.max_pyramids_per_group", value=1)
def test_no_value_escapes_as_another_error(key: str, value: Any) -> None:
    """Whatever stands behind a key, reading it gives a configuration or mistakes at that key, below it or that name it."""
    text = f"{key} = {toml_value(value)}"
    for path, _ in mistakes(text):
        assert path == "$" or path.startswith(key) or key.rpartition(".")[2] in message(text)
