"""What a browser says on its line: keys, its size, whether it is in front. Whatever else comes ends the line."""

from __future__ import annotations

from typing import Any, Final, Protocol

from protocol.codec import decode_json
from protocol.errors import BulkheadError

__all__ = ["LARGEST", "heard"]

LARGEST: Final = 65_536
"""Bytes of one message: a pasted text is far below."""

_CELLS: Final = range(1, 1_001)


class _Heard(Protocol):
    """What a screen does with it."""

    line: Any

    async def typed(self, text: str, now: int) -> None: ...
    async def sized(self, width: int, height: int) -> None: ...
    async def looked_at(self, *, looked: bool) -> None: ...


async def heard(screen: _Heard, text: str, now: int) -> bool:
    """Pass a message on; return False for one that no terminal of ours sends."""
    try:
        message = decode_json(text.encode(), list[Any])
    except BulkheadError:
        return False
    match message:
        case ["stdin", str(typed)]:
            await screen.typed(typed, now)
        case ["resize", {"width": int(width), "height": int(height)}] if width in _CELLS and height in _CELLS:
            await screen.sized(width, height)
        case ["focus" | "blur" as what]:
            await screen.looked_at(looked=what == "focus")
        case ["ping", str(sent)]:
            await screen.line.send_json(["pong", sent])
        case _:
            return False
    return True
