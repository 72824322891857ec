"""Check a set of changes to the defaults: every key for itself, then keys against each other (EX-1303 to EX-1305)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from protocol.errors import ValidationError
from service.config.catalogue import catalogue, with_values
from service.config.cross_rules import check_across
from service.config.document import Config
from service.config.errors import Problems
from service.config.nearest import nearest
from service.config.older_names import Renamed, present_name
from service.config.reading import Reader
from service.config.scalars import REFUSED

__all__ = ["Checked", "check_changes", "validate_config"]


class Checked(NamedTuple):
    """What became of a set of changes. ``config`` has every value that is right and the default of every other."""

    config: Config
    errors: tuple[ValidationError, ...]
    renamed: tuple[Renamed, ...]
    document: Mapping[str, Any]
    """The changes under the present names of their keys, unset ones left out."""


def validate_config(changes: Mapping[str, Any]) -> tuple[tuple[ValidationError, ...], tuple[Renamed, ...]]:
    """Return every mistake of the changes and which keys have a newer name; nothing is converted in silence.

    ``changes`` maps dotted keys to values as JSON holds them; decimals may be text. Errors come in the order of the keys,
    then those between keys in the order of EX-1304; a key in error is not reported twice.
    """
    checked = check_changes(changes)
    return checked.errors, checked.renamed


def check_changes(
    changes: Mapping[str, Any],
    *,
    literal_secrets: bool = True,
    complete: Callable[[Config], Config] = lambda config: config,
) -> Checked:
    """Read changes to the defaults (EX-1303); a text is a secret only where ``literal_secrets`` says so.

    ``complete`` adds what comes from elsewhere before keys are checked against each other.
    """
    problems = Problems()
    reader = Reader(problems, tuple(catalogue()), literal_secrets=literal_secrets)
    renamed: list[Renamed] = []
    values: dict[str, Any] = {}
    document: dict[str, Any] = {}
    for given, raw in changes.items():
        name = present_name(given)
        if name != given:
            renamed.append(Renamed(given, name))
        got = _read(reader, name, raw)
        if got is REFUSED:
            continue
        if name in values and values[name] != got:
            message = f"has another value under an older name ({given}): keep one of them"
            problems.add(name, "ConflictingAlias", message)
            continue
        values[name] = got
        if raw is not None:
            document[name] = raw
    config = complete(with_values(Config(), values))
    check_across(config, problems)
    return Checked(config, tuple(problems.all()), tuple(renamed), document)


def _read(reader: Reader, name: str, raw: Any) -> Any:
    entry = catalogue().get(name)
    if entry is None:
        hint = nearest(name, catalogue())
        reader.problems.add(name, "UnknownKey", f"there is no such key{hint}")
        return REFUSED
    if raw is None:
        if entry.may_be_unset:
            return None
        reader.problems.add(name, "MissingValue", "must have a value; leave the key out for its default")
        return REFUSED
    return reader.value(entry.field.hint, entry.field.key, raw, name)
