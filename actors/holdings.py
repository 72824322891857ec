"""What the groups hold beside what the venue has: step 7 of a recovery (EX-1204). Values in, values out."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final, NamedTuple

from protocol.groups import GroupChanged, GroupState
from protocol.values import Side
from protocol.venue import VenueSnapshot

__all__ = ["Holdings", "Shortage"]

_ZERO: Final = Decimal(0)


class Shortage(NamedTuple):
    """The venue has ``held`` of an asset (a perpetual: of its symbol), the groups count on ``wanted``; signed base units.

    Of a perpetual ``asset`` may name one side: what its groups cannot close, as the venue has nothing of that side.
    """

    asset: str
    wanted: Decimal
    held: Decimal
    groups: tuple[GroupChanged, ...]

    @property
    def detail(self) -> str:
        """One sentence."""
        names = ", ".join(group.key for group in self.groups)
        wanted, held = f"{self.wanted.normalize():f}", f"{self.held.normalize():f}"
        return f"{self.asset}: open positions need {wanted}, the account has {held} ({names})"

    @property
    def frozen(self) -> bool:
        """Whether all of its groups are frozen already."""
        return all(group.frozen for group in self.groups)


class Holdings:
    """The groups of one account that hold something, by id, as they last said."""

    def __init__(self, account: str) -> None:
        self._account = account
        self._groups: dict[str, GroupChanged] = {}

    def take(self, group: GroupChanged) -> None:
        """Take where a group stands."""
        if group.account != self._account:
            return
        if group.state is GroupState.CLOSED or group.open_qty <= 0:
            self._groups.pop(group.group_id, None)
        else:
            self._groups[group.group_id] = group

    def __len__(self) -> int:
        return len(self._groups)

    def assets(self) -> int:
        """Return how many assets are held."""
        return len(_by_asset(self._groups.values()))

    def shortages(self, venue: VenueSnapshot) -> dict[str, Shortage]:
        """Return the assets of which the venue has less than the groups count on, by asset.

        Less by a step or more: what is below one cannot be traded and is left by roundings of fees.
        """
        balances = {balance.currency: balance.free + balance.locked for balance in venue.balances}
        positions = {position.symbol: position.qty for position in venue.positions}
        found: dict[str, Shortage] = {}
        for asset, groups in _by_asset(self._groups.values()).items():
            wanted = sum((_signed(group) for group in groups), _ZERO)
            held = positions.get(asset, _ZERO) if _is_perp(groups[0].symbol) else balances.get(asset, _ZERO)
            missing = wanted - held if wanted >= 0 else held - wanted
            if wanted and missing >= _step(groups):
                found[asset] = Shortage(asset, wanted, held, tuple(groups))
            elif _is_perp(groups[0].symbol):
                found.update(_not_there(asset, groups, held))
        return found


def _by_asset(groups: Iterable[GroupChanged]) -> dict[str, list[GroupChanged]]:
    found: dict[str, list[GroupChanged]] = {}
    for group in groups:
        found.setdefault(_asset(group.symbol), []).append(group)
    return {asset: sorted(found[asset], key=lambda group: group.group_id) for asset in sorted(found)}


def _not_there(symbol: str, groups: list[GroupChanged], held: Decimal) -> dict[str, Shortage]:
    """Return by side what a venue has refused to reduce and has nothing of.

    The sum of two sides can be right while neither is there: the venue has netted them.
    """
    found: dict[str, Shortage] = {}
    for side in Side:
        refused = [group for group in groups if group.side is side and group.nothing_to_reduce]
        if refused and held * side.sign <= 0:
            name = f"{symbol} {side.value}"
            found[name] = Shortage(name, sum((_signed(group) for group in refused), _ZERO), held, tuple(refused))
    return found


def _is_perp(symbol: str) -> bool:
    return ":" in symbol


def _asset(symbol: str) -> str:
    return symbol if _is_perp(symbol) else symbol.partition("/")[0]


def _signed(group: GroupChanged) -> Decimal:
    return group.open_qty if group.side is Side.LONG else -group.open_qty


def _step(groups: list[GroupChanged]) -> Decimal:
    steps = [group.rules.step_size for group in groups if group.rules is not None]
    return max(steps, default=Decimal("1e-12"))
