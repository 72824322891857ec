"""A credential in memory: whoever prints it sees a mask."""

from __future__ import annotations

__all__ = ["Secret"]


class Secret:
    """A value that is never shown: its text is a mask, ``reveal()`` is the value (EX-1503, EX-1508)."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value itself; do not log what you get."""
        return self._value

    def __repr__(self) -> str:
        return "********"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __len__(self) -> int:
        return len(self._value)
