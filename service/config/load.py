"""Load a configuration: file, then environment, then checks. All mistakes come back together."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from protocol.errors import ValidationError
from service.config.cross_rules import check_across
from service.config.document import Config
from service.config.environment import Setting, account_variable, settings_from, variables, with_secrets
from service.config.errors import ConfigError, Problems
from service.config.kept import NOTHING_KEPT, given_by, read_kept, with_kept
from service.config.keys import Secret, Section
from service.config.means import check_means
from service.config.nearest import nearest
from service.config.older_names import renamed_table
from service.config.reading import Reader

__all__ = ["anchored", "load", "parse"]

S = TypeVar("S", bound=msgspec.Struct)


def load(path: Path | None, env: Mapping[str, str]) -> Config:
    """Read ``path`` (None: defaults only) and ``env``; raise ``ConfigError`` with every mistake.

    Relative paths of the result start at the folder of ``path``, or at the working directory without one.
    """
    if path is None:
        return anchored(parse("", env, base=Path.cwd()), Path.cwd())
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([ValidationError(str(path), str(error), code="Unreadable")], source=str(path)) from error
    base = path.absolute().parent
    return anchored(parse(text, env, source=str(path), base=base), base)


def parse(text: str, env: Mapping[str, str], *, source: str = "configuration", base: Path | None = None) -> Config:
    """Read TOML ``text`` and ``env`` with paths as they are written; raise ``ConfigError`` with every mistake.

    With ``base``, where relative paths start, secrets that the environment does not give come from the vault.
    """
    try:
        table = tomllib.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise ConfigError([ValidationError("$", f"not TOML: {error}", code="Unreadable")], source=source) from error
    problems = Problems()
    table, _, conflicts = renamed_table(table)
    for _, new in conflicts:
        problems.add(new, "ConflictingAlias", "has another value under an older name: keep one of them")
    settings = settings_from(env, problems)
    for setting in settings:
        if setting.keys[0] != "accounts":
            _put(table, setting)
    if any(setting.keys[0] == "accounts" for setting in settings):
        accounts = table.get("accounts", [{"name": each.name} for each in Config().accounts])
        table["accounts"], strange = with_secrets(accounts, settings)
        _refuse_strangers(table["accounts"], strange, problems)
    config = Reader(problems, tuple(".".join(keys) for keys, _ in variables())).table(Config, table, "")
    assert config is not None, "no key of the document itself is required"
    kept = read_kept(anchored(config, base)) if base is not None else NOTHING_KEPT
    config = with_kept(config, kept, given_by(settings)) if kept.values else config
    check_across(config, problems)
    check_means(config, problems)
    kept.forgives(problems)
    if found := problems.all((".".join(setting.keys), setting.variable) for setting in settings):
        raise ConfigError(found, source=source)
    return config


def _refuse_strangers(accounts: Any, strange: list[Setting], problems: Problems) -> None:
    """Note secrets of accounts that do not exist: a misspelt name would leave an account without its key in silence."""
    names = (
        [str(each.get("name")) for each in accounts if isinstance(each, Mapping)] if isinstance(accounts, list) else []
    )
    for setting in strange:
        known = [account_variable(name, setting.keys[2]) for name in names]
        message = f"there is no account of this name{nearest(setting.variable, known)}"
        problems.add(setting.variable, "UnknownKey", message)


def _put(table: dict[str, Any], setting: Setting) -> None:
    """Set one value in nested tables; where the file has no table in its way, the reader will complain."""
    for key in setting.keys[:-1]:
        inner = table.setdefault(key, {})
        if not isinstance(inner, dict):
            return
        table = inner
    name = setting.keys[-1]
    if isinstance(setting.value, Secret) and name in table:
        return  # a secret in the file stays a mistake although the environment sets it too
    table[name] = setting.value


def anchored(section: S, base: Path) -> S:
    """Return the section with relative paths starting at ``base``."""
    changed: dict[str, Any] = {}
    for name in section.__struct_fields__:
        changed[name] = _anchored_value(getattr(section, name), base)
    return msgspec.structs.replace(section, **changed)


def _anchored_value(value: Any, base: Path) -> Any:
    match value:
        case Path():
            return base / value
        case Section():
            return anchored(value, base)
        case tuple():
            return tuple(_anchored_value(entry, base) for entry in value)
        case dict():
            return {name: _anchored_value(entry, base) for name, entry in value.items()}
        case _:
            return value
