"""Files for the operator: whole or not at all, and for nobody else to read; to a browser that looks they are handed."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from tui.seat import Question

if TYPE_CHECKING:
    from tui.app import Cockpit

__all__ = ["save", "write_whole"]


async def save(cockpit: Cockpit, path: Path, data: bytes) -> None:
    """Write a file, asking before one is written over, or give it to the browser that looks; say what came of it."""
    if cockpit.served:
        cockpit.deliver_binary(BytesIO(data), save_filename=path.name)
        cockpit.say(f"✓ {path.name}: {len(data):,} bytes, for the browser", "gain")
        return
    target = await asyncio.to_thread(path.expanduser)
    written_over = Question("Write over the file?", (("file", str(target)),), danger=True)
    if await asyncio.to_thread(target.exists) and not await cockpit.confirm(written_over):
        return
    try:
        await asyncio.to_thread(write_whole, target, data)
    except OSError as error:
        cockpit.say(f"{target} cannot be written: {error.strerror} [ExportFailed]", "alarm")
        return
    cockpit.say(f"✓ {target}: {len(data):,} bytes", "gain")


def write_whole(path: Path, data: bytes) -> None:
    """Write a file, in place of one of the same name; raise ``OSError`` and leave nothing of it behind."""
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.unlink(missing_ok=True)  # whoever may write here could have left a link to elsewhere
        with open(beside, "xb", opener=partial(os.open, mode=0o600)) as file:
            file.write(data)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
