"""What is wrong with a configuration: every mistake of it in one error.

::

    BulkheadError
    └─ ConfigError          theirs: the file or the environment; holds one ValidationError a mistake

Codes (EX-1303, EX-1304): ``UnknownKey``, ``WrongType``, ``OutOfRange``, ``InvalidEnum``, ``MissingValue``,
``UnknownTimezone``, ``SecretInFile`` (a secret stands in the file), ``Unreadable`` (no file, or not TOML), ``Duplicate``
(two entries claim one thing), and the codes of the layer rules (EX-404 to EX-406).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from protocol.errors import BulkheadError, ValidationError

__all__ = ["ConfigError", "Problems"]


class ConfigError(BulkheadError):
    """A configuration is refused; ``problems`` lists every mistake, in the order the keys were given."""

    def __init__(self, problems: Sequence[ValidationError], *, source: str = "configuration") -> None:
        lines = "\n".join(f"  {problem} [{problem.code}]" for problem in problems)
        count = "1 mistake" if len(problems) == 1 else f"{len(problems)} mistakes"
        super().__init__(f"{source}: {count}\n{lines}")
        self.problems = tuple(problems)
        self.source = source


class Problems:
    """Collect mistakes: the first of each key by itself, and all of rules between keys that are right so far (EX-1303)."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], ValidationError] = {}
        self._keys_in_error: frozenset[str] | None = None

    def add(self, path: str, code: str, message: str, *, value: object = "") -> None:
        """Note a mistake at ``path``; ``value`` is shown to the operator, so it is never a secret."""
        if self._keys_in_error is None:
            place = (path, "")
        elif path in self._keys_in_error:
            return
        else:
            place = (path, code)  # a set of layers can break two rules at once (EX-405)
        self._found.setdefault(place, ValidationError(path, message, code=code, value=str(value)))

    def begin_rules(self) -> None:
        """Say that every key was read: what is noted from now on comes from rules between keys."""
        self._keys_in_error = frozenset(path for path, _ in self._found)

    def take_back(self, code: str) -> None:
        """Forget mistakes of a code."""
        self._found = {place: each for place, each in self._found.items() if each.code != code}

    def all(self, origins: Iterable[tuple[str, str]] = ()) -> list[ValidationError]:
        """Return the mistakes; those at a path in ``origins`` name the environment variable it came from."""
        named = dict(origins)
        return [
            ValidationError(p.path, f"{p.message} (set by {named[p.path]})", code=p.code, value=p.value)
            if p.path in named
            else p
            for p in self._found.values()
        ]
