"""Settings from the environment: ``BULKHEAD_<SECTION>__<KEY>=value`` beats the file.

Text, paths, words and secrets are taken as they are; everything else is written as in config.toml
(``BULKHEAD_MARKET__SYMBOLS='["BTC/USDT"]'``). Lists of tables (``accounts``) are set in the file only, their secrets here
only: ``BULKHEAD_ACCOUNTS__<NAME>__API_KEY``, where a ``-`` of the account's name is written ``_``.

``BULKHEAD_DATABASE_URL`` is a database's address as hosts hand it out, password and all: it sets ``database.url`` and
``database.password``. ``BULKHEAD_REDIS_URL`` is short for ``BULKHEAD_REDIS__URL``, ``BULKHEAD_MASTER_KEY`` for
``BULKHEAD_SECURITY__MASTER_KEY``, ``BULKHEAD_MASTER_KEY_FORMER`` for ``BULKHEAD_SECURITY__FORMER_MASTER_KEY``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import unquote, urlsplit, urlunsplit

import msgspec

from service.config.document import Config
from service.config.errors import Problems
from service.config.keys import Field, Secret, Speed, fields_of, optional
from service.config.nearest import nearest

__all__ = [
    "ACCOUNT_SECRETS",
    "DATABASE_URL",
    "PREFIX",
    "REDIS_URL",
    "Setting",
    "account_variable",
    "settings_from",
    "split_password",
    "variable_of",
    "variables",
    "with_secrets",
]

PREFIX: Final = "BULKHEAD_"
DATABASE_URL: Final = "BULKHEAD_DATABASE_URL"
REDIS_URL: Final = "BULKHEAD_REDIS_URL"
_MASTER_KEYS: Final = {"BULKHEAD_MASTER_KEY": "master_key", "BULKHEAD_MASTER_KEY_FORMER": "former_master_key"}
ACCOUNT_SECRETS: Final = ("api_key", "api_secret", "passphrase", "signature_key", "encryption_key")
"""Keys of an account that come from the environment or the vault, never from a document."""

_ACCOUNTS: Final = f"{PREFIX}ACCOUNTS__"
_AS_IT_IS: Final = (str, Path, Decimal, Speed)


class Setting(NamedTuple):
    """One value from the environment: the keys that lead to it and the value as a file would hold it."""

    variable: str
    keys: tuple[str, ...]
    value: Any


def variable_of(*keys: str) -> str:
    """Return the name of the variable that sets a key."""
    return PREFIX + "__".join(key.upper() for key in keys)


def variables(
    section: type[msgspec.Struct] = Config, keys: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Field]]:
    """Yield every key that a variable can set, with the names that lead to it."""
    for field in fields_of(section):
        hint, _ = optional(field.hint)
        here = (*keys, field.name)
        if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
            yield from variables(hint, here)
        elif len(here) > 1:
            yield here, field


def settings_from(env: Mapping[str, str], problems: Problems) -> list[Setting]:
    """Return what the environment sets, by name of the variable; an unknown ``BULKHEAD_X__Y`` is a mistake."""
    known = {variable_of(*keys): (keys, field) for keys, field in variables()}
    found: list[Setting] = []
    for variable in sorted(env):
        if not variable.startswith(PREFIX) or "__" not in variable:
            continue
        if variable.startswith(_ACCOUNTS):
            found += _of_account(variable, env[variable], problems)
            continue
        if variable not in known:
            problems.add(variable, "UnknownKey", f"no setting has this variable{nearest(variable, known)}")
            continue
        keys, field = known[variable]
        found.append(Setting(variable, keys, _value(field, env[variable])))
    return found + _whole_address(env)


def account_variable(account: str, key: str) -> str:
    """Return the name of the variable that sets a secret of an account."""
    return f"{_ACCOUNTS}{account.replace('-', '_').upper()}__{key.upper()}"


def _of_account(variable: str, text: str, problems: Problems) -> list[Setting]:
    """Read a secret of one account; whether there is such an account, only a document can say."""
    name, _, key = variable.removeprefix(_ACCOUNTS).rpartition("__")
    if name and key.lower() in ACCOUNT_SECRETS:
        return [Setting(variable, ("accounts", name.lower(), key.lower()), Secret(text))]
    names = [account_variable(name or "NAME", each) for each in ACCOUNT_SECRETS]
    problems.add(variable, "UnknownKey", f"only secrets of accounts are set so: {', '.join(names)}")
    return []


def with_secrets(accounts: Any, settings: Iterable[Setting]) -> tuple[Any, list[Setting]]:
    """Return the accounts of a document with the secrets that the environment gives, and what is of no account there."""
    tables = (
        [dict(each) if isinstance(each, Mapping) else each for each in accounts] if _is_list(accounts) else accounts
    )
    known: dict[str, list[dict[str, Any]]] = {}
    for each in tables if _is_list(tables) else ():
        if isinstance(each, dict):
            known.setdefault(str(each.get("name")).replace("-", "_"), []).append(each)
    strange = []
    for setting in settings:
        if len(setting.keys) != 3 or setting.keys[0] != "accounts":
            continue
        _, name, key = setting.keys
        for each in known.get(name, ()):
            each.setdefault(
                key, setting.value
            )  # a secret in the file stays a mistake although the environment sets it too
        strange += [] if name in known else [setting]
    return tables, strange


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _whole_address(env: Mapping[str, str]) -> list[Setting]:
    """Return what short names set, and addresses as hosts hand them out: a database's password apart, it is not shown."""
    url, password = split_password(env.get(DATABASE_URL, ""))
    found = [Setting(DATABASE_URL, ("database", "url"), url)] if url else []
    if redis := env.get(REDIS_URL, ""):
        found.append(Setting(REDIS_URL, ("redis", "url"), Secret(redis)))
    found += [
        Setting(name, ("security", key), Secret(env[name])) for name, key in _MASTER_KEYS.items() if env.get(name)
    ]
    return found + ([Setting(DATABASE_URL, ("database", "password"), Secret(password))] if password else [])


def split_password(url: str) -> tuple[str, str]:
    """Return an address without its password, and the password."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url, ""
    if not parts.password:
        return url, ""
    user, _, host = parts.netloc.rpartition("@")
    bare = f"{user.partition(':')[0]}@{host}"
    return urlunsplit(parts._replace(netloc=bare)), unquote(parts.password)


def _value(field: Field, text: str) -> Any:
    hint, _ = optional(field.hint)
    if hint is Secret:
        return Secret(text)
    if hint in _AS_IT_IS or (isinstance(hint, type) and issubclass(hint, StrEnum)):
        return text
    try:
        table = tomllib.loads(f"value = {text}", parse_float=Decimal)
    except (ValueError, RecursionError):
        return text
    # More than one key means that the text held a line break: it is no value, and the reader says so.
    return table["value"] if len(table) == 1 else text
