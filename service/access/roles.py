"""What a caller may do: scopes, the roles of people that stand for them, and the caller itself (EX-1505)."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final, NamedTuple

__all__ = ["LOCAL", "OPEN", "Caller", "Role", "Scope", "scopes_of"]


class Scope(StrEnum):
    """What an address asks of its caller."""

    METRICS = "metrics"
    READ = "read"
    TRADE = "trade"
    ADMIN = "admin"


class Role(StrEnum):
    """What a person is: looks; trades and drafts; also applies settings and lets others in."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


_WIDER: Final[dict[Scope, frozenset[Scope]]] = {
    Scope.METRICS: frozenset({Scope.METRICS}),
    Scope.READ: frozenset({Scope.METRICS, Scope.READ}),
    Scope.TRADE: frozenset({Scope.METRICS, Scope.READ, Scope.TRADE}),
    Scope.ADMIN: frozenset(Scope),
}

_ROLES: Final = {Role.VIEWER: Scope.READ, Role.OPERATOR: Scope.TRADE, Role.ADMIN: Scope.ADMIN}


def scopes_of(*given: Scope | Role) -> frozenset[Scope]:
    """Return every scope that the given ones stand for: who may trade may read."""
    wide = (_WIDER[_ROLES[each] if isinstance(each, Role) else each] for each in given)
    return frozenset[Scope]().union(*wide)


class Caller(NamedTuple):
    """Who asks. ``kind`` is ``local`` (the control socket), ``session``, ``browser`` or ``token``; ``id`` is its row's."""

    name: str
    kind: str
    id: str
    scopes: frozenset[Scope]
    until: int = 0
    """When the proof it gave is over (nanoseconds UTC), 0 for never."""

    def may(self, scope: Scope | None) -> bool:
        """Tell whether an address that asks for ``scope`` is open to this caller; None is open to everybody."""
        return scope is None or scope in self.scopes

    @property
    def words(self) -> Iterable[str]:
        """Return the names of the scopes, in their order."""
        return [each.value for each in Scope if each in self.scopes]


LOCAL: Final = Caller("local", "local", "", frozenset(Scope))
"""Whoever could open the control socket: its file's permissions are the proof."""

OPEN: Final = Caller("nobody", "nobody", "", frozenset())
"""Whoever shows nothing."""
