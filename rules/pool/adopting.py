"""Give a position that was opened by hand a slot: the limits are those of any group, but no funds are asked for."""

from __future__ import annotations

from typing import NamedTuple

from protocol.groups import OpenGroup
from protocol.pool import QueueAnswer, SlotTaken
from rules.pool.turn import Turn

__all__ = ["Adopt", "adopt"]


class Adopt(NamedTuple):
    """A position that was opened by hand is to be a group; ``force`` takes a slot beyond the limit."""

    opening: OpenGroup
    force: bool


def adopt(turn: Turn, command: Adopt) -> None:
    """Take a slot for it, or say why not. It may be adopted while the engine is paused: nothing is bought."""
    opening, settings = command.opening, turn.world.settings
    live = turn.state.live.get(opening.key)
    other = turn.state.barred_by(opening.key)
    if live is not None and live.group_id == opening.group_id:
        _say(turn, opening, "", "adopted already")
    elif live is not None:
        text = f"{live.group_id} is live for this symbol, timeframe and side: close it first, or take another timeframe"
        _say(turn, opening, "GroupExists", text)
    elif other is not None:
        name = f"{other.group_id} ({other.opening.timeframe})"
        _say(turn, opening, "OppositeSideLive", f"the other side is live as {name}: close that first")
    elif turn.free <= 0 and not command.force:
        taken = f"{turn.occupied} of {settings.max_open_groups} slots are taken"
        _say(turn, opening, "NoFreeSlot", f"{taken}: wait, raise the limit, or adopt with --force")
    else:
        turn.emit(_taken(turn, opening))
        _say(turn, opening, "", "adopted")


def _taken(turn: Turn, opening: OpenGroup) -> SlotTaken:
    return SlotTaken(
        group_key=opening.key,
        group_id=opening.group_id,
        signal_id=opening.signal_id,
        opening=opening,
        occupied=turn.occupied + 1,
        maximum=turn.world.settings.max_open_groups,
        at=turn.world.now,
    )


def _say(turn: Turn, opening: OpenGroup, code: str, message: str) -> None:
    outcome = f"error:{code}" if code else message
    turn.outcomes.append(outcome)
    turn.answer = QueueAnswer(queue_id=opening.group_id, outcome=outcome, code=code, message=message)
