"""Settings from the environment."""

from __future__ import annotations

from decimal import Decimal

import pytest

from service.config import Config, ConfigError, Secret, parse
from service.config.environment import variable_of, variables

GOOD_SECRET = "correct-horse-battery"


@pytest.mark.parametrize(
    ("variable", "value", "keys", "expected"),
    [
        ("BULKHEAD_WEBHOOK__PORT", "9000", ("webhook", "port"), 9000),
        ("BULKHEAD_APP__LOG_LEVEL", "debug", ("app", "log_level"), "debug"),
        ("BULKHEAD_DEMO__SIGNALS", "false", ("demo", "signals"), False),
        ("BULKHEAD_SIZING__FIXED_QUOTE", "0.1", ("sizing", "fixed_quote"), Decimal("0.1")),
        ("BULKHEAD_MARKET__SPEED", "max", ("market", "speed"), "max"),
        ("BULKHEAD_MARKET__SPEED", "60", ("market", "speed"), Decimal(60)),
        ("BULKHEAD_MARKET__SYMBOLS", '["ETH/USDT"]', ("market", "symbols"), ("ETH/USDT",)),
        ("BULKHEAD_GRID_STRATEGY__PYRAMID_TP_PERCENTS", "{ 1 = 2 }", ("grid_strategy", "pyramid_tp_percents"), {1: 2}),
    ],
)
def test_a_variable_is_typed_by_its_key(variable: str, value: str, keys: tuple[str, ...], expected: object) -> None:
    """BULKHEAD_<SECTION>__<KEY> sets the key, read as the type of the key."""
    found: object = parse("", {variable: value})
    for key in keys:
        found = getattr(found, key)
    assert found == expected


def test_the_environment_beats_the_file() -> None:
    """A variable replaces the value of the file and leaves its neighbours."""
    config = parse("[webhook]\nport = 1\nuser = 'ann'", {"BULKHEAD_WEBHOOK__PORT": "2"})
    assert (config.webhook.port, config.webhook.user) == (2, "ann")


@pytest.mark.parametrize(
    ("env", "path", "code", "words"),
    [
        ({"BULKHEAD_WEBHOOK__PRT": "1"}, "BULKHEAD_WEBHOOK__PRT", "UnknownKey", "did you mean BULKHEAD_WEBHOOK__PORT?"),
        ({"BULKHEAD_WEBHOOK__PORT": "http"}, "webhook.port", "WrongType", "set by BULKHEAD_WEBHOOK__PORT"),
        ({"BULKHEAD_WEBHOOK__PORT": "1\nx = 2"}, "webhook.port", "WrongType", "must be a whole number"),
        ({"BULKHEAD_WEBHOOK__PORT": ""}, "webhook.port", "WrongType", "must be a whole number"),
        ({"BULKHEAD_DEMO__SIGNALS": "yes"}, "demo.signals", "WrongType", "must be true or false"),
        ({"BULKHEAD_APP__LOG_LEVEL": "loud"}, "app.log_level", "InvalidEnum", "debug, info, warning, error"),
        ({"BULKHEAD_WEBHOOK__TOKEN": "short"}, "webhook.token", "OutOfRange", "22 to 128"),
    ],
)
def test_a_wrong_variable_is_named(env: dict[str, str], path: str, code: str, words: str) -> None:
    """A mistake in the environment names the variable it came from; a misspelt variable is no silence."""
    with pytest.raises(ConfigError) as caught:
        parse("", env)
    (problem,) = caught.value.problems
    assert (problem.path, problem.code) == (path, code)
    assert words in problem.message


def test_foreign_variables_are_left_alone() -> None:
    """Variables without a section are not settings."""
    assert parse("", {"BULKHEAD_CONFIG": "x", "PATH": "/bin", "OTHER__THING": "1"}) == Config()


def test_every_key_has_a_variable() -> None:
    """Each key that is no list of tables can be set from the environment."""
    names = {variable_of(*keys) for keys, _ in variables()}
    sections = set(Config.__struct_fields__) - {"accounts"}
    expected = {f"BULKHEAD_{section}__".upper() for section in sections}
    assert {name[: name.index("__") + 2] for name in names} == expected


def test_secrets_come_from_the_environment() -> None:
    """The webhook secret is taken from its variable and shows itself nowhere (EX-1508)."""
    config = parse("", {"BULKHEAD_SECURITY__WEBHOOK_SECRET": GOOD_SECRET})
    assert config.security.webhook_secret == Secret(GOOD_SECRET)
    assert GOOD_SECRET not in repr(config)


@pytest.mark.parametrize("env", [{}, {"BULKHEAD_SECURITY__WEBHOOK_SECRET": "another-good-secret"}])
def test_a_secret_in_the_file_is_refused_and_not_repeated(env: dict[str, str]) -> None:
    """Secrets in the file are refused, also when the environment sets them, and the error does not show them."""
    with pytest.raises(ConfigError) as caught:
        parse(f"[security]\nwebhook_secret = '{GOOD_SECRET}'", env)
    (problem,) = caught.value.problems
    assert (problem.path, problem.code) == ("security.webhook_secret", "SecretInFile")
    assert GOOD_SECRET not in str(caught.value) + str(problem.as_dict())


def test_a_refused_secret_is_not_shown() -> None:
    """A secret that is too short is refused without repeating it."""
    with pytest.raises(ConfigError) as caught:
        parse("", {"BULKHEAD_SECURITY__WEBHOOK_HMAC_KEY": "hunter2"})
    assert "hunter2" not in str(caught.value) + str(caught.value.problems[0].as_dict())


def test_a_redis_address_is_a_secret() -> None:
    """BULKHEAD_REDIS_URL sets redis.url, which is shown nowhere; what is no such address is refused without showing it."""
    address = "redis://:very-secret@box:6379/2"
    config = parse("", {"BULKHEAD_REDIS_URL": address})
    assert config.redis.url is not None
    assert config.redis.url.reveal() == address
    assert "very-secret" not in repr(config)
    for wrong in ("http://very-secret@box", "redis://:very-secret@box/two", "unix://", "redis://very-secret@box:port"):
        with pytest.raises(ConfigError) as caught:
            parse("", {"BULKHEAD_REDIS__URL": wrong})
        assert "very-secret" not in str(caught.value)
        assert [problem.path for problem in caught.value.problems] == ["redis.url"]


def test_a_redis_address_does_not_stand_in_the_file() -> None:
    """The address holds a password: in the file it is a mistake that says where it belongs."""
    with pytest.raises(ConfigError, match="SecretInFile"):
        parse('[redis]\nurl = "redis://localhost"\n', {})
